#include "sample/evaluator_parts.h"

#include "base/context.h"
#include "base/error.h"
#include "tensor/exec/computation.h"

#include <string.h>

/* Rows of a chunk, beyond which products do not get faster; for images, pixels of a chunk and the
 * most images. Full chunks come TOGETHER at a time, and what is left is divided anew. */
enum { CHUNK = 128, CHUNK_PIXELS = 4096, MOST_IMAGES = 200, TOGETHER = 4 };

/* --- Making one. --- */

/* Chooses the sizes of chunks. Rows are divided alike for any number of threads. Images that are
 * fewer than a chunk for each thread are computed one by one, on all threads. With the
 * deterministic flag, all rows are. */
static void choose_sizes(dd_evaluator *evaluator) {
    dd_shape one = dd_network_data_shape(dd_model_settings(evaluator->model), 1);
    bool images = one.size[0] == 1 && one.size[1] > 1;
    size_t pixels = one.size[1] * one.size[2], chunk = CHUNK;

    if (images)
        chunk = pixels >= CHUNK_PIXELS                ? 1
                : pixels * MOST_IMAGES > CHUNK_PIXELS ? CHUNK_PIXELS / pixels
                                                      : MOST_IMAGES;
    if (ddaebm_context_deterministic(evaluator->context) != 0)
        chunk = 1;
    evaluator->threads = (size_t)ddaebm_context_threads(evaluator->context);
    evaluator->sizes = chunk > 1 ? DD_EVAL_SIZES : 1;
    evaluator->chunk_rows[DD_EVAL_SINGLE] = 1;
    evaluator->chunk_rows[DD_EVAL_WHOLE] = chunk;
    evaluator->together = images ? evaluator->threads : TOGETHER;
    evaluator->rest_is_single = images;
}

/* Builds and plans the graph of a chunk. */
static ddaebm_status plan_chunk(dd_evaluator *evaluator, int size, dd_eval_build build,
                                const void *user) {
    const ddaebm_model *model = evaluator->model;
    dd_parameters parameters = model->parameters; /* a copy: nothing is declared */
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
    dd_node in[DD_EVAL_OUT] = {dd_input(graph, DD_EVAL_X, data, 1),
                               dd_input(graph, DD_EVAL_TIMESTEP, dd_shape_rows(rows, 1), 1),
                               dd_input(graph, DD_EVAL_LATENT, latent, 1),
                               dd_input(graph, DD_EVAL_NOISE, data, 1)};
    dd_process process = {.graph = graph, .schedule = &schedule, .timestep = in[DD_EVAL_TIMESTEP]};
    dd_node out = build(&builder, &process, in, user);
    dd_output(graph, out, DD_EVAL_OUT, 1);
    for (int slot = 0; slot < DD_EVAL_SLOTS; slot++)
        evaluator->widths[slot] =
            dd_shape_elements(dd_graph_shape(graph, slot < DD_EVAL_OUT ? in[slot] : out)) / rows;
    dd_plan_options options = {.phases = 2,
                               .prepare = true,
                               .parts = 1,
                               .beside = size > 0 ? evaluator->plans[size - 1] : NULL,
                               .rows = rows};
    DD_TRY(dd_plan_create(&evaluator->plans[size], graph, options));
    graph = NULL; /* now owned by the plan */
cleanup:
    dd_noise_schedule_free(&schedule);
    dd_graph_free(graph);
    return status;
}

/* --- Parameters: those that runs read are kept; of one that is only packed, what was packed. ---
 */

static dd_slot slot_of(size_t parameter) {
    return DD_EVAL_SLOTS + (dd_slot)parameter;
}

static bool is_read(const dd_evaluator *evaluator, size_t parameter) {
    for (int size = 0; size < evaluator->sizes; size++)
        if (dd_plan_reads(evaluator->plans[size], slot_of(parameter)))
            return true;
    return false;
}

static bool is_packed(const dd_evaluator *evaluator, size_t parameter) {
    for (int size = 0; size < evaluator->sizes; size++)
        if (dd_plan_packs(evaluator->plans[size], slot_of(parameter)))
            return true;
    return false;
}

/* Allocates the parameters that runs read. */
static ddaebm_status make_parameters(dd_evaluator *evaluator) {
    const dd_parameters *all = &evaluator->model->parameters;
    size_t total = 0;
    bool *kept = dd_alloc_zero(evaluator->context, all->count, sizeof *kept);
    for (size_t i = 0; kept && i < all->count; i++) {
        kept[i] = all->items[i].role != DD_ROLE_COUNTER && is_read(evaluator, i);
        total += kept[i] ? all->items[i].elements : 0;
    }

    evaluator->parameters =
        dd_alloc_zero(evaluator->context, all->count, sizeof *evaluator->parameters);
    evaluator->numbers = dd_alloc_zero(evaluator->context, total, sizeof *evaluator->numbers);
    bool made = evaluator->parameters && kept && evaluator->numbers;
    for (size_t i = 0, at = 0; made && i < all->count; i++) {
        evaluator->parameters[i] = kept[i] ? evaluator->numbers + at : NULL;
        at += kept[i] ? all->items[i].elements : 0;
    }
    dd_free(evaluator->context, kept);
    return made ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static bool is_packed_alone(const dd_evaluator *evaluator, size_t parameter) {
    return !evaluator->parameters[parameter] && is_packed(evaluator, parameter);
}

/* Packs the filters that are not needed once they are packed. */
static ddaebm_status pack(dd_evaluator *evaluator, const dd_weights *weights) {
    const dd_parameters *all = &evaluator->model->parameters;
    size_t largest = 0;
    for (size_t i = 0; i < all->count; i++)
        if (is_packed_alone(evaluator, i) && all->items[i].elements > largest)
            largest = all->items[i].elements;
    if (largest == 0)
        return DDAEBM_OK;
    float *filter = dd_alloc(evaluator->context, largest * sizeof *filter);
    if (!filter)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < all->count; i++) {
        if (!is_packed_alone(evaluator, i))
            continue;
        dd_weights_to_kernel_layout(filter, weights, &all->items[i]);
        for (int size = 0; size < evaluator->sizes; size++)
            dd_workspace_pack(dd_evaluator_lane_of(evaluator, size, 0)->workspace, slot_of(i),
                              filter);
    }
    dd_free(evaluator->context, filter);
    return DDAEBM_OK;
}

/* Computes what depends on the weights alone, in one lane of each size for all lanes. */
ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights) {
    const dd_parameters *all = &evaluator->model->parameters;
    ddaebm_status status = dd_computation_check();
    if (status != DDAEBM_OK)
        return status;
    for (size_t i = 0; i < all->count; i++)
        if (evaluator->parameters[i])
            dd_weights_to_kernel_layout(evaluator->parameters[i], weights, &all->items[i]);

    dd_computation_begin();
    status = pack(evaluator, weights);
    for (int size = 0; size < evaluator->sizes && status == DDAEBM_OK; size++)
        dd_workspace_run(dd_evaluator_lane_of(evaluator, size, 0)->workspace, 0,
                         dd_context_pool(evaluator->context), true);
    dd_computation_end();
    return status;
}

/* --- Lanes. --- */

/* Allocates a lane's buffers and binds them and the parameters. */
static ddaebm_status open_lane(dd_evaluator *evaluator, dd_lane *lane, int size,
                               const dd_lane *first) {
    const dd_plan *plan = evaluator->plans[size];
    lane->number = (size_t)(lane - evaluator->lanes);
    lane->rows = evaluator->chunk_rows[size];
    lane->any_rows = dd_plan_rows(plan) > 0;
    lane->context = evaluator->context;
    ddaebm_status status =
        first == lane ? dd_workspace_create(&lane->workspace, plan)
                      : dd_workspace_create_beside(&lane->workspace, plan, first->workspace);
    if (status != DDAEBM_OK)
        return status;

    for (int slot = 0; slot < DD_EVAL_SLOTS; slot++) {
        lane->buffers[slot] =
            dd_alloc_zero(evaluator->context, lane->rows * evaluator->widths[slot], sizeof(float));
        if (!lane->buffers[slot])
            return DDAEBM_OUT_OF_MEMORY;
        dd_workspace_bind(lane->workspace, slot, lane->buffers[slot]);
    }
    for (size_t i = 0; i < evaluator->model->parameters.count; i++)
        dd_workspace_bind(lane->workspace, slot_of(i), evaluator->parameters[i]);
    return DDAEBM_OK;
}

/* The plan for chunks was made after the other: its lanes have room for the prepared values of
 * both. */
static ddaebm_status open_lanes(dd_evaluator *evaluator) {
    ddaebm_status status = DDAEBM_OK;
    evaluator->lanes =
        dd_alloc_zero(evaluator->context, (size_t)evaluator->sizes * evaluator->threads,
                      sizeof *evaluator->lanes);
    if (!evaluator->lanes)
        return DDAEBM_OUT_OF_MEMORY;
    const dd_lane *first = dd_evaluator_lane_of(evaluator, evaluator->sizes - 1, 0);
    for (int size = evaluator->sizes - 1; size >= 0; size--)
        for (size_t thread = 0; thread < evaluator->threads && status == DDAEBM_OK; thread++)
            status =
                open_lane(evaluator, dd_evaluator_lane_of(evaluator, size, thread), size, first);
    return status;
}

/* Makes an evaluator with the sizes of `other`, if given. */
static ddaebm_status make(dd_evaluator **out, const ddaebm_model *model, const dd_weights *weights,
                          const dd_evaluator *other, dd_eval_build build, const void *user) {
    dd_evaluator *evaluator = dd_alloc_zero(model->context, 1, sizeof *evaluator);
    if (!evaluator)
        return DDAEBM_OUT_OF_MEMORY;

    ddaebm_status status;
    DD_TRY(dd_context_hold(&evaluator->context, model->context));
    evaluator->model = model;
    if (other) {
        evaluator->sizes = other->sizes;
        evaluator->threads = other->threads;
        memcpy(evaluator->chunk_rows, other->chunk_rows, sizeof evaluator->chunk_rows);
    } else {
        choose_sizes(evaluator);
    }
    for (int size = 0; size < evaluator->sizes; size++)
        DD_TRY(plan_chunk(evaluator, size, build, user));
    DD_TRY(make_parameters(evaluator));
    DD_TRY(open_lanes(evaluator));
    DD_TRY(dd_evaluator_renew(evaluator, weights));
cleanup:
    if (status == DDAEBM_OK)
        *out = evaluator;
    else
        dd_evaluator_free(evaluator);

    return status;
}

ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model,
                                  dd_eval_build build, const void *user) {
    return make(out, model, &model->weights, NULL, build, user);
}

ddaebm_status dd_evaluator_create_beside(dd_evaluator **out, const dd_evaluator *other,
                                         const dd_weights *weights, dd_eval_build build,
                                         const void *user) {
    return make(out, other->model, weights, other, build, user);
}

void dd_evaluator_free(dd_evaluator *evaluator) {
    if (!evaluator)
        return;

    ddaebm_context *context = evaluator->context;
    for (size_t i = 0; evaluator->lanes && i < dd_evaluator_lanes(evaluator); i++) {
        dd_workspace_free(evaluator->lanes[i].workspace);
        for (int slot = 0; slot < DD_EVAL_SLOTS; slot++)
            dd_free(context, evaluator->lanes[i].buffers[slot]);
    }
    dd_free(context, evaluator->lanes);
    for (int size = 0; size < DD_EVAL_SIZES; size++)
        dd_plan_free(evaluator->plans[size]);

    dd_free(context, evaluator->parameters);
    dd_free(context, evaluator->numbers);
    dd_free(context, evaluator);
    ddaebm_context_free(context);
}
