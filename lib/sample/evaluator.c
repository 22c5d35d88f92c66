#include "sample/evaluator.h"

#include "base/context.h"
#include "base/error.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/plan.h"
#include "tensor/share.h"

#include <stdatomic.h>
#include <string.h>

/* Rows of a chunk: as many as keep a layer of the usual width in the second-level cache; for pictures, pixels of a chunk. And up to how
 * many rows go one by one. */
enum { CHUNK = 400, CHUNK_PIXELS = 8192, FEW = 6, SIZES = 2 };

struct dd_lane {
    dd_workspace *workspace;
    ddaebm_context *context;
    size_t rows;
    float *buffers[DD_EVAL_SLOTS];
};

struct dd_evaluator {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_weights weights;
    size_t widths[DD_EVAL_SLOTS];
    size_t chunk_rows[SIZES], few; /* up to `few` go one by one */
    dd_plan *plans[SIZES];
    dd_lane *lanes; /* those for single rows, then those for chunks */
    size_t lane_counts[SIZES];
};

/* --- Making one. --- */

/* A few rows are done before another thread wakes. A picture is worth waking it: each thread has a lane for single ones, too, for calls that
 * would leave some without a chunk. Where bits must not depend on how a call is cut, all rows are single ones. */
static void choose_sizes(dd_evaluator *evaluator) {
    dd_shape one = dd_network_data_shape(dd_model_settings(evaluator->model), 1);
    bool pictures = one.size[0] == 1 && one.size[1] > 1;
    size_t pixels = one.size[1] * one.size[2], threads = (size_t)ddaebm_context_threads(evaluator->context), chunk = CHUNK;
    if (pictures)
        chunk = pixels >= CHUNK_PIXELS ? 1 : pixels * CHUNK > CHUNK_PIXELS ? CHUNK_PIXELS / pixels : CHUNK;
    evaluator->chunk_rows[0] = 1;
    evaluator->chunk_rows[1] = chunk;
    bool one_by_one = ddaebm_context_deterministic(evaluator->context) != 0;
    evaluator->few = one_by_one ? SIZE_MAX : chunk == 1 ? 0 : pictures ? chunk * threads - 1 : FEW;
    evaluator->lane_counts[0] = one_by_one || (pictures && chunk > 1) ? threads : 1;
    evaluator->lane_counts[1] = threads;
}

static ddaebm_status plan_chunk(dd_evaluator *evaluator, int size, dd_eval_build build, const void *user) {
    const ddaebm_model *model = evaluator->model;
    dd_parameters parameters = model->parameters; /* only read: nothing is declared */
    dd_graph *graph = NULL;
    dd_noise_schedule schedule = {0};
    ddaebm_status status = dd_graph_create(&graph, evaluator->context);
    if (status != DDAEBM_OK)
        return status;
    DD_TRY(dd_noise_schedule_make(&schedule, evaluator->context, dd_model_settings(model)));
    dd_builder builder = {.graph = graph,
                          .settings = dd_model_settings(model),
                          .parameters = &parameters,
                          .first_slot = DD_EVAL_SLOTS,
                          .kernel_layout = true};
    size_t rows = evaluator->chunk_rows[size];
    dd_shape data = dd_network_data_shape(builder.settings, rows);
    dd_shape latent = dd_shape_rows(rows, dd_settings_latent_width(builder.settings));
    dd_node in[DD_EVAL_OUT] = {dd_input(graph, DD_EVAL_X, data, 1), dd_input(graph, DD_EVAL_LEVEL, dd_shape_rows(rows, 1), 1),
                               dd_input(graph, DD_EVAL_LATENT, latent, 1), dd_input(graph, DD_EVAL_NOISE, data, 1)};
    dd_process process = {.graph = graph, .schedule = &schedule, .level = in[DD_EVAL_LEVEL]};
    dd_node out = build(&builder, &process, in, user);
    dd_output(graph, out, DD_EVAL_OUT, 1);
    for (int slot = 0; slot < DD_EVAL_SLOTS; slot++)
        evaluator->widths[slot] = dd_shape_elements(dd_graph_shape(graph, slot < DD_EVAL_OUT ? in[slot] : out)) / rows;
    DD_TRY(dd_plan_create(&evaluator->plans[size], graph, (dd_plan_options){.phases = 2, .prepare = true, .parts = 1}));
    graph = NULL; /* the plan's */
cleanup:
    dd_noise_schedule_free(&schedule);
    dd_graph_free(graph);
    return status;
}

static ddaebm_status open_lane(dd_evaluator *evaluator, dd_lane *lane, int size) {
    lane->rows = evaluator->chunk_rows[size];
    lane->context = evaluator->context;
    ddaebm_status status = dd_workspace_create(&lane->workspace, evaluator->plans[size]);
    if (status != DDAEBM_OK)
        return status;
    for (int slot = 0; slot < DD_EVAL_SLOTS; slot++) {
        lane->buffers[slot] = dd_alloc_zero(evaluator->context, lane->rows * evaluator->widths[slot], sizeof(float));
        if (!lane->buffers[slot])
            return DDAEBM_OUT_OF_MEMORY;
        dd_workspace_bind(lane->workspace, slot, lane->buffers[slot]);
    }
    for (size_t i = 0; i < evaluator->model->parameters.count; i++) {
        const dd_parameter *p = &evaluator->model->parameters.items[i];
        if (p->role != DD_ROLE_COUNTER)
            dd_workspace_bind(lane->workspace, DD_EVAL_SLOTS + (dd_slot)i, dd_weights_at(&evaluator->weights, p));
    }
    return DDAEBM_OK;
}

static size_t all_lanes(const dd_evaluator *evaluator) {
    return evaluator->lane_counts[0] + evaluator->lane_counts[1];
}

ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model, dd_eval_build build, const void *user) {
    dd_evaluator *evaluator = dd_alloc_zero(model->context, 1, sizeof *evaluator);
    if (!evaluator)
        return DDAEBM_OUT_OF_MEMORY;
    ddaebm_status status;
    DD_TRY(dd_context_hold(&evaluator->context, model->context));
    evaluator->model = model;
    choose_sizes(evaluator);
    DD_TRY(dd_weights_create(&evaluator->weights, model->context, &model->parameters));
    for (int size = 0; size < SIZES; size++)
        DD_TRY(plan_chunk(evaluator, size, build, user));
    evaluator->lanes = dd_alloc_zero(model->context, all_lanes(evaluator), sizeof *evaluator->lanes);
    if (!evaluator->lanes) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }
    for (size_t i = 0; i < all_lanes(evaluator); i++)
        DD_TRY(open_lane(evaluator, &evaluator->lanes[i], i >= evaluator->lane_counts[0]));
    DD_TRY(dd_evaluator_renew(evaluator, &model->weights));
cleanup:
    if (status == DDAEBM_OK)
        *out = evaluator;
    else
        dd_evaluator_free(evaluator);
    return status;
}

ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights) {
    const dd_parameters *parameters = &evaluator->model->parameters;
    dd_weights_copy(&evaluator->weights, weights, parameters);
    ddaebm_status status = dd_weights_to_kernel_layout(&evaluator->weights, parameters);
    if (status == DDAEBM_OK)
        status = dd_blas_check();
    if (status != DDAEBM_OK)
        return status;

    dd_blas_enter();
    for (size_t i = 0; i < all_lanes(evaluator); i++)
        dd_workspace_run(evaluator->lanes[i].workspace, 0, dd_context_pool(evaluator->context), true);
    dd_blas_leave();
    return DDAEBM_OK;
}

void dd_evaluator_free(dd_evaluator *evaluator) {
    if (!evaluator)
        return;
    ddaebm_context *context = evaluator->context;
    for (size_t i = 0; evaluator->lanes && i < all_lanes(evaluator); i++) {
        dd_workspace_free(evaluator->lanes[i].workspace);
        for (int slot = 0; slot < DD_EVAL_SLOTS; slot++)
            dd_free(context, evaluator->lanes[i].buffers[slot]);
    }
    dd_free(context, evaluator->lanes);
    for (int size = 0; size < SIZES; size++)
        dd_plan_free(evaluator->plans[size]);
    dd_weights_free(&evaluator->weights);
    dd_free(context, evaluator);
    ddaebm_context_free(context);
}

/* --- Running. --- */

typedef struct call {
    size_t count, rows, chunks; /* rows of a chunk */
    size_t parts;               /* of neighbouring chunks */
    dd_lane *lanes;
    size_t lane_count;
    dd_eval_chunk chunk;
    void *user;
    ddaebm_progress_function progress;
    void *progress_user;
    atomic_size_t done;
    atomic_bool cancelled;
} call;

static void run_chunk(call *c, size_t chunk, int taker) {
    size_t first = chunk * c->rows, rows = c->count - first < c->rows ? c->count - first : c->rows;
    c->chunk(c->user, &c->lanes[taker], first, rows);
    size_t done = atomic_fetch_add(&c->done, rows) + rows;
    if (taker == 0 && c->progress && c->progress(c->progress_user, done, c->count) != 0)
        atomic_store(&c->cancelled, true);
}

/* Chunks go to whoever is free: what is in one does not depend on who computes it. Only the caller's thread, number 0, reports. */
static void run_chunks(void *argument, size_t part, int taker) {
    call *c = argument;
    dd_range mine = dd_share(c->chunks, part, c->parts);
    for (size_t i = mine.first; i < mine.last && !atomic_load(&c->cancelled); i++)
        run_chunk(c, i, taker);
}

/* Threads that the context got after the lanes were made have none, and leave the work to the others. */
static void run_all(dd_evaluator *evaluator, call *c) {
    c->parts = c->chunks < DD_MOST_PARTS ? c->chunks : DD_MOST_PARTS;
    dd_pool_run(dd_context_pool(evaluator->context), false,
                &(dd_work){.parts = c->parts, .takers = (int)c->lane_count, .function = run_chunks, .argument = c});
}

ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk, void *user,
                               ddaebm_progress_function progress, void *progress_user) {
    ddaebm_status status = dd_blas_check();
    if (status != DDAEBM_OK)
        return status;
    call c = {.count = count, .chunk = chunk, .user = user, .progress = progress, .progress_user = progress_user};
    int size = count > evaluator->few;
    c.rows = evaluator->chunk_rows[size];
    c.lanes = evaluator->lanes + (size ? evaluator->lane_counts[0] : 0);
    c.lane_count = evaluator->lane_counts[size];
    c.chunks = (count + c.rows - 1) / c.rows;
    atomic_init(&c.done, 0);
    atomic_init(&c.cancelled, false);
    dd_blas_enter();
    if (c.rows == 1 && c.lane_count == 1)
        for (size_t i = 0; i < count; i++)
            chunk(user, &evaluator->lanes[0], i, 1);
    else
        run_all(evaluator, &c);
    dd_blas_leave();
    if (atomic_load(&c.cancelled))
        return dd_fail(DDAEBM_CANCELLED, "cancelled after %zu of %zu rows", atomic_load(&c.done), count);
    return DDAEBM_OK;
}

/* Chunks are then the same, and no call is short enough for its rows to go one by one. */
size_t dd_evaluator_block(const dd_evaluator *evaluator) {
    size_t chunk = evaluator->chunk_rows[1];
    return evaluator->few == SIZE_MAX ? 1 : (evaluator->few / chunk + 1) * chunk;
}

float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot) {
    return lane->buffers[slot];
}

void dd_lane_compute(dd_lane *lane, size_t level) {
    for (size_t i = 0; i < lane->rows; i++)
        lane->buffers[DD_EVAL_LEVEL][i] = (float)level;
    dd_workspace_run(lane->workspace, 1, dd_context_pool(lane->context), true);
}
