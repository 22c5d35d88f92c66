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

typedef struct call call;

struct dd_lane {
    dd_workspace *workspace;
    ddaebm_context *context;
    size_t number, rows;
    call *call;      /* in which a chunk is computed, or NULL */
    bool is_callers; /* so it reports */
    float *buffers[DD_EVAL_SLOTS];
};

struct dd_evaluator {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_weights weights; /* its own, unless it was made beside another */
    bool beside;
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

/* Computes in every lane what the weights alone fix. */
static ddaebm_status prepare(dd_evaluator *evaluator) {
    ddaebm_status status = dd_blas_check();
    if (status != DDAEBM_OK)
        return status;

    dd_blas_enter();
    for (size_t i = 0; i < all_lanes(evaluator); i++)
        dd_workspace_run(evaluator->lanes[i].workspace, 0, dd_context_pool(evaluator->context), true);
    dd_blas_leave();
    return DDAEBM_OK;
}

static ddaebm_status open_lanes(dd_evaluator *evaluator) {
    size_t count = all_lanes(evaluator);
    ddaebm_status status = DDAEBM_OK;
    evaluator->lanes = dd_alloc_zero(evaluator->context, count, sizeof *evaluator->lanes);
    if (!evaluator->lanes)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        evaluator->lanes[i].number = i;
        status = open_lane(evaluator, &evaluator->lanes[i], i >= evaluator->lane_counts[0]);
    }
    return status;
}

/* The sizes and weights are the model's, or those of `other`. */
static ddaebm_status make(dd_evaluator **out, const ddaebm_model *model, const dd_evaluator *other, dd_eval_build build,
                          const void *user) {
    dd_evaluator *evaluator = dd_alloc_zero(model->context, 1, sizeof *evaluator);
    if (!evaluator)
        return DDAEBM_OUT_OF_MEMORY;
    ddaebm_status status;
    if (other)
        *evaluator = (dd_evaluator){.weights = other->weights, .beside = true, .few = other->few};
    DD_TRY(dd_context_hold(&evaluator->context, model->context));
    evaluator->model = model;
    if (other) {
        memcpy(evaluator->chunk_rows, other->chunk_rows, sizeof evaluator->chunk_rows);
        memcpy(evaluator->lane_counts, other->lane_counts, sizeof evaluator->lane_counts);
    } else {
        choose_sizes(evaluator);
        DD_TRY(dd_weights_create(&evaluator->weights, model->context, &model->parameters));
    }
    for (int size = 0; size < SIZES; size++)
        DD_TRY(plan_chunk(evaluator, size, build, user));
    DD_TRY(open_lanes(evaluator));
    DD_TRY(other ? prepare(evaluator) : dd_evaluator_renew(evaluator, &model->weights));
cleanup:
    if (status == DDAEBM_OK)
        *out = evaluator;
    else
        dd_evaluator_free(evaluator);
    return status;
}

ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model, dd_eval_build build, const void *user) {
    return make(out, model, NULL, build, user);
}

ddaebm_status dd_evaluator_create_beside(dd_evaluator **out, const dd_evaluator *other, dd_eval_build build, const void *user) {
    return make(out, other->model, other, build, user);
}

ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights) {
    const dd_parameters *parameters = &evaluator->model->parameters;
    dd_weights_copy(&evaluator->weights, weights, parameters);
    ddaebm_status status = dd_weights_to_kernel_layout(&evaluator->weights, parameters);
    return status == DDAEBM_OK ? prepare(evaluator) : status;
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
    if (!evaluator->beside)
        dd_weights_free(&evaluator->weights);
    dd_free(context, evaluator);
    ddaebm_context_free(context);
}

/* --- Running. --- */

struct call {
    const dd_eval_call *asked;
    size_t rows, chunks; /* rows of a chunk */
    size_t parts;        /* of neighbouring chunks */
    dd_lane *lanes;
    size_t lane_count;
    atomic_size_t done;
    atomic_bool cancelled, by_chunk;
};

bool dd_lane_report(dd_lane *lane, size_t rows) {
    call *c = lane->call;
    const dd_eval_call *asked = c ? c->asked : NULL;
    if (!c)
        return true;
    if (atomic_load(&c->cancelled))
        return false;
    size_t done = atomic_fetch_add(&c->done, rows) + rows;
    if (lane->is_callers && asked->progress && asked->progress(asked->progress_user, done, asked->count * asked->passes) != 0)
        atomic_store(&c->cancelled, true);
    return !atomic_load(&c->cancelled);
}

void dd_lane_cancel(dd_lane *lane) {
    if (!lane->call)
        return;
    atomic_store(&lane->call->by_chunk, true);
    atomic_store(&lane->call->cancelled, true);
}

/* By the taker's own lane, which may report and cancel meanwhile. */
static void run_chunk(call *c, size_t chunk, int taker) {
    dd_lane *lane = &c->lanes[taker];
    size_t first = chunk * c->rows, left = c->asked->count - first, rows = left < c->rows ? left : c->rows;
    lane->call = c;
    lane->is_callers = taker == 0;

    c->asked->chunk(c->asked->user, lane, first, rows);
    dd_lane_report(lane, rows);
    lane->call = NULL;
}

/* Chunks go to whoever is free: what is in one does not depend on who computes it. Only the caller's thread, number 0, reports. */
static void run_chunks(void *argument, size_t part, int taker) {
    call *c = argument;
    dd_range mine = dd_share(c->chunks, part, c->parts);
    for (size_t i = mine.first; i < mine.last && !atomic_load(&c->cancelled); i++)
        run_chunk(c, i, taker);
}

/* Threads that the context got after the lanes were made have none, and leave the work to the others. */
static void run_all(dd_evaluator *evaluator, call *c, bool alone) {
    c->parts = c->chunks < DD_MOST_PARTS ? c->chunks : DD_MOST_PARTS;
    dd_pool_run(dd_context_pool(evaluator->context), alone,
                &(dd_work){.parts = c->parts, .takers = (int)c->lane_count, .function = run_chunks, .argument = c});
}

ddaebm_status dd_evaluator_call(dd_evaluator *evaluator, const dd_eval_call *asked) {
    size_t count = asked->count;
    ddaebm_status status = dd_blas_check();
    if (status != DDAEBM_OK)
        return status;
    int size = count > evaluator->few;
    call c = {.asked = asked, .rows = evaluator->chunk_rows[size], .lane_count = evaluator->lane_counts[size]};
    c.lanes = evaluator->lanes + (size ? evaluator->lane_counts[0] : 0);
    c.chunks = (count + c.rows - 1) / c.rows;
    atomic_init(&c.done, 0);
    atomic_init(&c.cancelled, false);
    atomic_init(&c.by_chunk, false);

    dd_blas_enter();
    bool one_lane = c.rows == 1 && c.lane_count == 1;
    if (one_lane && asked->passes == 1 && !asked->alone) /* a few rows, done at once */
        for (size_t i = 0; i < count; i++)
            asked->chunk(asked->user, &evaluator->lanes[0], i, 1);
    else
        run_all(evaluator, &c, asked->alone || one_lane || c.chunks == 1);
    dd_blas_leave();

    if (atomic_load(&c.by_chunk))
        return DDAEBM_CANCELLED;
    if (atomic_load(&c.cancelled))
        return dd_fail(DDAEBM_CANCELLED, "cancelled after %zu of %zu rows", atomic_load(&c.done) / asked->passes, count);
    return DDAEBM_OK;
}

ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk, void *user,
                               ddaebm_progress_function progress, void *progress_user) {
    return dd_evaluator_call(
        evaluator,
        &(dd_eval_call){
            .count = count, .passes = 1, .chunk = chunk, .user = user, .progress = progress, .progress_user = progress_user});
}

/* Chunks are then the same, and no call is short enough for its rows to go one by one. */
size_t dd_evaluator_block(const dd_evaluator *evaluator) {
    size_t chunk = evaluator->chunk_rows[1];
    return evaluator->few == SIZE_MAX ? 1 : (evaluator->few / chunk + 1) * chunk;
}

size_t dd_evaluator_lanes(const dd_evaluator *evaluator) {
    return all_lanes(evaluator);
}

size_t dd_evaluator_lane_rows(const dd_evaluator *evaluator, size_t number) {
    return evaluator->lanes[number].rows;
}

dd_lane *dd_evaluator_lane(const dd_evaluator *evaluator, const dd_lane *other) {
    return &evaluator->lanes[other->number];
}

size_t dd_lane_number(const dd_lane *lane) {
    return lane->number;
}

float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot) {
    return lane->buffers[slot];
}

void dd_lane_compute(dd_lane *lane, size_t level) {
    for (size_t i = 0; i < lane->rows; i++)
        lane->buffers[DD_EVAL_LEVEL][i] = (float)level;
    dd_workspace_run(lane->workspace, 1, dd_context_pool(lane->context), true);
}
