#include "train/planned_step.h"

#include "base/context.h"
#include "tensor/exec/computation.h"
#include "train/trainer.h"

#include <string.h>

/* ---- Memory of the results. ---- */

static size_t weights_of(const dd_parameters *parameters, ddaebm_network network) {
    return parameters->totals[network][DD_ROLE_WEIGHT];
}

/* The energy's gradients are no longer needed when those of generator and encoder are computed, so
 * both use the same memory. */
static size_t count_gradients(const dd_parameters *parameters) {
    size_t energy = weights_of(parameters, DDAEBM_NETWORK_ENERGY);
    size_t both = weights_of(parameters, DDAEBM_NETWORK_GENERATOR) +
                  weights_of(parameters, DDAEBM_NETWORK_ENCODER);
    return both > energy ? both : energy;
}

/* Where the gradient of a weight lies in a block of gradients. */
static float *gradient_at(const dd_parameters *parameters, float *block, const dd_parameter *p) {
    size_t before =
        p->network == DDAEBM_NETWORK_ENCODER ? weights_of(parameters, DDAEBM_NETWORK_GENERATOR) : 0;
    return block + before + p->offset;
}

ddaebm_status dd_planned_step_allocate(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    ddaebm_context *context = trainer->model->context;
    const dd_parameters *parameters = &trainer->model->parameters;
    planned->slots = dd_step_slots_of(parameters);

    float *block = dd_alloc_zero(context, count_gradients(parameters), sizeof *block);
    planned->gradients[DDAEBM_NETWORK_ENERGY] = block;
    planned->gradients[DDAEBM_NETWORK_GENERATOR] = block;
    planned->gradients[DDAEBM_NETWORK_ENCODER] =
        block ? block + weights_of(parameters, DDAEBM_NETWORK_GENERATOR) : NULL;

    bool good = block != NULL;
    for (int n = 0; n < DD_NETWORKS; n++) {
        planned->statistics[n] =
            dd_alloc_zero(context, parameters->totals[n][DD_ROLE_STATISTIC], sizeof(float));
        good = good && planned->statistics[n];
    }
    return good ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

/* Frees plans, lanes and graph; the first lane's gradients are the step's. */
static void free_plans(dd_planned_step *planned, ddaebm_context *context) {
    for (size_t i = 0; planned->lanes && i < planned->lane_count; i++) {
        dd_workspace_free(planned->lanes[i].workspace);
        if (i > 0)
            dd_free(context, planned->lanes[i].gradients);
    }
    dd_free(context, planned->lanes);
    for (int i = 0; i < DD_STEP_PLANS; i++)
        dd_plan_free(planned->plans[i]);
    dd_step_graph_free(&planned->graph);
}

void dd_planned_step_free(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    ddaebm_context *context = trainer->model->context;
    for (size_t i = 0; planned->observed && i < planned->graph.observed_count; i++)
        dd_free(context, planned->observed[i]);
    dd_free(context, planned->observed);
    free_plans(planned, context);
    dd_free(context, planned->gradients[DDAEBM_NETWORK_ENERGY]); /* of all networks */
    for (int n = 0; n < DD_NETWORKS; n++)
        dd_free(context, planned->statistics[n]);
}

/* ---- Planning. ---- */

/* Number of parts that a step is divided into where it must not depend on the threads. */
enum { FIXED_PARTS = 8 };

/* Rows of a table that a lane has at least. Each lane packs the weights for itself, which takes as
 * long as the products of about 7 rows with them. */
enum { LEAST_ROWS = 32 };

static size_t count_batch(const ddaebm_model *model) {
    return (size_t)dd_model_settings(model)->training.batch;
}

/* Number of lanes that the threads can use. */
static size_t count_lanes(const ddaebm_model *model, dd_step_extras extras) {
    size_t threads = (size_t)dd_pool_threads(dd_context_pool(model->context));
    size_t batch = count_batch(model),
           most = dd_model_settings(model)->data.image_size > 0 ? batch : batch / LEAST_ROWS;
    if (ddaebm_context_deterministic(model->context) || extras == DD_STEP_OBSERVED || most < 2)
        return 1;
    return threads < most ? threads : most;
}

/* Makes a plan of a step of `rows` rows, which takes over the graph. */
static ddaebm_status make_plan(dd_plan **out, dd_step_graph *graph, ddaebm_model *model,
                               size_t rows, int parts, dd_step_extras extras) {
    ddaebm_status status = dd_step_graph_build(graph, model->context, dd_model_settings(model),
                                               &model->parameters, rows, extras);
    if (status != DDAEBM_OK)
        return status;

    const dd_plan_options options = {.phases = 2, .parts = parts};
    status = dd_graph_rematerialise(&graph->graph);
    if (status == DDAEBM_OK)
        status = dd_plan_create(out, graph->graph, options);
    if (status != DDAEBM_OK) {
        dd_graph_free(graph->graph);
        dd_step_graph_free(graph);
    }
    return status;
}

/* Plans one lane for the whole batch. */
static ddaebm_status plan_whole(dd_planned_step *into, ddaebm_model *model, dd_step_extras extras) {
    const int parts = ddaebm_context_deterministic(model->context)
                          ? FIXED_PARTS
                          : dd_pool_threads(dd_context_pool(model->context));
    into->lane_count = 1;
    return make_plan(&into->plans[0], &into->graph, model, count_batch(model), parts, extras);
}

/* Whether the step may be divided, and is worth the memory: rows do not depend on each other
 * through the statistics of a batch, and a lane's gradients take little beside its other tensors.
 */
static bool lanes_pay(const dd_planned_step *planned, const dd_parameters *parameters) {
    for (size_t i = 0; i < parameters->count; i++)
        if (planned->graph.moved[i])
            return false;
    return 4 * count_gradients(parameters) * sizeof(float) <= dd_plan_memory(planned->plans[0]);
}

/* Plans the lanes of a step, two lengths of them at most. */
static ddaebm_status make_plans(dd_planned_step *into, ddaebm_model *model, dd_step_extras extras) {
    size_t batch = count_batch(model), lanes = count_lanes(model, extras);
    if (lanes == 1)
        return plan_whole(into, model, extras);

    ddaebm_status status =
        make_plan(&into->plans[0], &into->graph, model, (batch + lanes - 1) / lanes, 1, extras);
    if (status == DDAEBM_OK && !lanes_pay(into, &model->parameters)) {
        free_plans(into, model->context);
        *into = (dd_planned_step){0};
        return plan_whole(into, model, extras);
    }

    dd_step_graph other = {0};
    into->lane_count = lanes;
    if (status == DDAEBM_OK && batch % lanes > 0)
        status = make_plan(&into->plans[1], &other, model, batch / lanes, 1, extras);
    dd_step_graph_free(&other);
    return status;
}

/* The plan of a lane. */
static const dd_plan *plan_of(const dd_planned_step *planned, size_t batch, size_t lane) {
    return planned->plans[planned->plans[1] && lane >= batch % planned->lane_count];
}

/* Creates the lanes that were planned. The longer ones come first. */
static ddaebm_status make_lanes(dd_planned_step *planned, const ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    size_t batch = trainer->batch.size, count = planned->lane_count, first = 0;
    planned->lanes = dd_alloc_zero(context, count, sizeof *planned->lanes);
    if (!planned->lanes)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < count; i++) {
        dd_step_lane *lane = &planned->lanes[i];
        lane->first = first;
        lane->rows = batch / count + (i < batch % count);
        first += lane->rows;
        lane->gradients = i == 0
                              ? trainer->planned.gradients[DDAEBM_NETWORK_ENERGY]
                              : dd_alloc_zero(context, count_gradients(&trainer->model->parameters),
                                              sizeof(float));
        ddaebm_status status = lane->gradients ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
        if (status == DDAEBM_OK)
            status = dd_workspace_create(&lane->workspace, plan_of(planned, batch, i));
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

/* Binds the weights of each parameter, and its gradient or its new value. */
static void bind_parameters(ddaebm_trainer *trainer, dd_step_lane *lane) {
    dd_planned_step *planned = &trainer->planned;
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        dd_workspace_bind(lane->workspace, planned->slots.parameters + (dd_slot)i,
                          dd_weights_at(&trainer->model->weights, p));
        if (p->role == DD_ROLE_WEIGHT)
            dd_workspace_bind(lane->workspace, planned->slots.gradients + (dd_slot)i,
                              gradient_at(parameters, lane->gradients, p));
        else
            dd_workspace_bind(lane->workspace, planned->slots.statistics + (dd_slot)i,
                              planned->statistics[p->network] + p->offset);
    }
}

/* Binds a lane to its rows of the batch, and to its results. */
static void bind(ddaebm_trainer *trainer, dd_step_lane *lane) {
    dd_planned_step *planned = &trainer->planned;
    const dd_custom_loss *custom = &trainer->custom_loss;
    const dd_settings *settings = dd_trainer_settings(trainer);
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_workspace_bind(lane->workspace, i,
                          trainer->batch.inputs[i] + lane->first * dd_batch_row_size(settings, i));
    for (int i = 0; i < DD_LOSSES; i++)
        dd_workspace_bind(lane->workspace, planned->slots.losses + i, &lane->losses[i]);
    if (custom->drawn) {
        size_t before = lane->first * dd_model_inner_width(trainer->model);
        dd_workspace_bind(lane->workspace, planned->slots.samples, custom->drawn + before);
        dd_workspace_bind(lane->workspace, planned->slots.sample_gradients,
                          custom->gradients + before);
    }
    if (trainer->adapt)
        dd_workspace_bind(lane->workspace, planned->slots.hardness,
                          dd_adapt_room(trainer->adapt) + lane->first);
    bind_parameters(trainer, lane);
}

ddaebm_status dd_planned_step_plan(ddaebm_trainer *trainer, dd_step_extras extras) {
    dd_planned_step *planned = &trainer->planned, made = {0};
    ddaebm_context *context = trainer->model->context;
    ddaebm_status status = make_plans(&made, trainer->model, extras);
    if (status == DDAEBM_OK)
        status = make_lanes(&made, trainer);
    if (status != DDAEBM_OK) {
        free_plans(&made, context);
        return status;
    }

    free_plans(planned, context);
    planned->graph = made.graph;
    memcpy(planned->plans, made.plans, sizeof planned->plans);
    planned->lanes = made.lanes;
    planned->lane_count = made.lane_count;
    for (size_t i = 0; i < planned->lane_count; i++)
        bind(trainer, &planned->lanes[i]);
    return DDAEBM_OK;
}

ddaebm_status dd_planned_step_observe(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    ddaebm_context *context = trainer->model->context;
    planned->observed =
        dd_alloc_zero(context, planned->graph.observed_count, sizeof *planned->observed);
    for (size_t i = 0; planned->observed && i < planned->graph.observed_count; i++) {
        size_t elements = dd_shape_elements(planned->graph.observed[i].shape);
        planned->observed[i] = dd_alloc_zero(context, elements, sizeof(float));
        if (!planned->observed[i])
            return DDAEBM_OUT_OF_MEMORY;
        dd_workspace_bind(planned->lanes[0].workspace, planned->slots.observed + (dd_slot)i,
                          planned->observed[i]);
    }
    return planned->observed ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

ddaebm_status dd_planned_step_memory(size_t *bytes, ddaebm_model *model) {
    const dd_parameters *parameters = &model->parameters;
    dd_planned_step planned = {0};
    ddaebm_status status = make_plans(&planned, model, DD_STEP_PLAIN);
    size_t numbers = 0, plans = 0;

    for (int n = 0; n < DD_NETWORKS; n++)
        numbers += parameters->totals[n][DD_ROLE_STATISTIC];
    if (status == DDAEBM_OK) {
        numbers += planned.lane_count * count_gradients(parameters);
        for (size_t i = 0; i < planned.lane_count; i++)
            plans += dd_plan_memory(plan_of(&planned, count_batch(model), i));
        for (int i = 0; i < DD_STEP_PLANS; i++)
            plans += planned.plans[i] ? dd_plan_own_memory(planned.plans[i]) : 0;
        *bytes = plans + numbers * sizeof(float);
    }
    free_plans(&planned, model->context);
    return status;
}

double dd_planned_step_multiply_adds(const ddaebm_trainer *trainer) {
    double sum = 0;
    for (size_t i = 0; i < trainer->planned.lane_count; i++)
        for (int phase = 0; phase < 2; phase++)
            sum += dd_plan_multiply_adds(plan_of(&trainer->planned, trainer->batch.size, i), phase);
    return sum;
}

/* ---- Running. ---- */

/* Whether a phase computes the gradients of a network. */
static bool computes(int phase, ddaebm_network network) {
    return (network == DDAEBM_NETWORK_ENERGY) == (phase == 0);
}

/* Sets to zero the gradients that no loss reaches: a hook may have written there, or the other
 * phase. */
static void clear_unused_gradients(ddaebm_trainer *trainer, int phase) {
    const dd_planned_step *planned = &trainer->planned;
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role != DD_ROLE_WEIGHT || !computes(phase, p->network) || planned->graph.used[i])
            continue;
        for (size_t k = 0; k < planned->lane_count; k++)
            memset(gradient_at(parameters, planned->lanes[k].gradients, p), 0,
                   p->elements * sizeof(float));
    }
}

/* Lanes that run at the same time. */
typedef struct lanes_run {
    const dd_planned_step *planned;
    dd_pool *pool;
    int phase;
} lanes_run;

static void run_lane(void *argument, size_t part, int taker) {
    (void)taker;
    const lanes_run *run = argument;
    dd_workspace_run(run->planned->lanes[part].workspace, run->phase, run->pool, true);
}

/* Averages the gradients of a phase into those of the first lane, weighted by the lanes' rows. */
static void average_gradients(const dd_planned_step *planned, size_t count, dd_pool *pool) {
    const dd_step_lane *lanes = planned->lanes;
    size_t rows = lanes[0].rows;
    for (size_t k = 1; k < planned->lane_count; k++) {
        double before = (double)rows;
        rows += lanes[k].rows;
        dd_average_update(lanes[0].gradients, lanes[k].gradients, count, before / (double)rows,
                          pool);
    }
}

static void average_losses(dd_planned_step *planned, size_t batch) {
    for (int i = 0; i < DD_LOSSES; i++) {
        double sum = 0;
        for (size_t k = 0; k < planned->lane_count; k++)
            sum += (double)planned->lanes[k].losses[i] * (double)planned->lanes[k].rows;
        planned->losses[i] = (float)(sum / (double)batch);
    }
}

/* Scales the gradients of a custom loss, so that averaging the lanes leaves them as they are. */
static void scale_custom_gradients(ddaebm_trainer *trainer) {
    size_t width = dd_model_inner_width(trainer->model);
    for (size_t k = 0; trainer->custom_loss.gradients && k < trainer->planned.lane_count; k++) {
        const dd_step_lane *lane = &trainer->planned.lanes[k];
        float *gradients = trainer->custom_loss.gradients + lane->first * width;
        for (size_t i = 0; i < lane->rows * width; i++)
            gradients[i] *= (float)trainer->batch.size / (float)lane->rows;
    }
}

/* Runs the lanes side by side, and averages their results. */
static void run_lanes(ddaebm_trainer *trainer, int phase) {
    dd_planned_step *planned = &trainer->planned;
    dd_pool *pool = dd_context_pool(trainer->model->context);
    lanes_run run = {.planned = planned, .pool = pool, .phase = phase};
    size_t count = 0;
    for (int n = 0; n < DD_NETWORKS; n++)
        if (computes(phase, (ddaebm_network)n))
            count += weights_of(&trainer->model->parameters, (ddaebm_network)n);

    if (phase == 1)
        scale_custom_gradients(trainer);
    dd_pool_run(pool, false,
                &(dd_work){.parts = planned->lane_count, .function = run_lane, .argument = &run});
    average_gradients(planned, count, pool);
    average_losses(planned, trainer->batch.size);
}

void dd_planned_step_compute(ddaebm_trainer *trainer, int phase) {
    dd_planned_step *planned = &trainer->planned;
    clear_unused_gradients(trainer, phase);
    dd_computation_begin();
    if (planned->lane_count > 1)
        run_lanes(trainer, phase);
    else {
        dd_workspace_run(planned->lanes[0].workspace, phase,
                         dd_context_pool(trainer->model->context), false);
        memcpy(planned->losses, planned->lanes[0].losses, sizeof planned->losses);
    }
    dd_computation_end();
}

void dd_planned_step_commit(ddaebm_trainer *trainer) {
    const dd_planned_step *planned = &trainer->planned;
    const dd_parameters *parameters = &trainer->model->parameters;
    dd_weights *weights = &trainer->model->weights;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            weights->counters[p->network][p->offset] += planned->graph.calls[i];
        else if (planned->graph.moved[i])
            memcpy(dd_weights_at(weights, p), planned->statistics[p->network] + p->offset,
                   p->elements * sizeof(float));
    }
}
