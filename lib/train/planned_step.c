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

static void free_plan(dd_planned_step *planned) {
    dd_workspace_free(planned->workspace);
    dd_plan_free(planned->plan);
    dd_step_graph_free(&planned->graph);
}

void dd_planned_step_free(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    ddaebm_context *context = trainer->model->context;
    for (size_t i = 0; planned->observed && i < planned->graph.observed_count; i++)
        dd_free(context, planned->observed[i]);
    dd_free(context, planned->observed);
    free_plan(planned);
    dd_free(context, planned->gradients[DDAEBM_NETWORK_ENERGY]); /* of all networks */
    for (int n = 0; n < DD_NETWORKS; n++)
        dd_free(context, planned->statistics[n]);
}

/* ---- Planning. ---- */

/* Binds the weights of each parameter, and its gradient or its new value. */
static void bind_parameters(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        dd_workspace_bind(planned->workspace, planned->slots.parameters + (dd_slot)i,
                          dd_weights_at(&trainer->model->weights, p));
        if (p->role == DD_ROLE_WEIGHT)
            dd_workspace_bind(planned->workspace, planned->slots.gradients + (dd_slot)i,
                              planned->gradients[p->network] + p->offset);
        else
            dd_workspace_bind(planned->workspace, planned->slots.statistics + (dd_slot)i,
                              planned->statistics[p->network] + p->offset);
    }
}

static void bind(ddaebm_trainer *trainer) {
    dd_planned_step *planned = &trainer->planned;
    const dd_custom_loss *custom = &trainer->custom_loss;
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_workspace_bind(planned->workspace, i, trainer->batch.inputs[i]);
    for (int i = 0; i < DD_LOSSES; i++)
        dd_workspace_bind(planned->workspace, planned->slots.losses + i, &planned->losses[i]);
    if (custom->drawn) {
        dd_workspace_bind(planned->workspace, planned->slots.samples, custom->drawn);
        dd_workspace_bind(planned->workspace, planned->slots.sample_gradients, custom->gradients);
    }
    if (trainer->adapt)
        dd_workspace_bind(planned->workspace, planned->slots.hardness,
                          dd_adapt_room(trainer->adapt));
    bind_parameters(trainer);
}

/* Number of parts that a step is divided into where it must not depend on the threads. */
enum { FIXED_PARTS = 8 };

/* Makes a plan of one step, which takes over the graph. */
static ddaebm_status make_plan(dd_plan **out, dd_step_graph *graph, ddaebm_context *context,
                               const dd_settings *settings, dd_parameters *parameters,
                               dd_step_extras extras) {
    ddaebm_status status = dd_step_graph_build(graph, context, settings, parameters,
                                               (size_t)settings->training.batch, extras);
    if (status != DDAEBM_OK)
        return status;

    const int parts = ddaebm_context_deterministic(context)
                          ? FIXED_PARTS
                          : dd_pool_threads(dd_context_pool(context));
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

ddaebm_status dd_planned_step_plan(ddaebm_trainer *trainer, dd_step_extras extras) {
    dd_planned_step *planned = &trainer->planned;
    ddaebm_context *context = trainer->model->context;
    dd_step_graph graph = {0};
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    ddaebm_status status = make_plan(&plan, &graph, context, dd_trainer_settings(trainer),
                                     &trainer->model->parameters, extras);
    if (status == DDAEBM_OK)
        status = dd_workspace_create(&workspace, plan);
    if (status != DDAEBM_OK) {
        dd_plan_free(plan);
        dd_step_graph_free(&graph);
        return status;
    }

    free_plan(planned);
    planned->graph = graph;
    planned->plan = plan;
    planned->workspace = workspace;
    bind(trainer);
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
        dd_workspace_bind(planned->workspace, planned->slots.observed + (dd_slot)i,
                          planned->observed[i]);
    }
    return planned->observed ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

ddaebm_status dd_planned_step_memory(size_t *bytes, ddaebm_model *model) {
    const dd_parameters *parameters = &model->parameters;
    dd_step_graph graph = {0};
    dd_plan *plan = NULL;
    ddaebm_status status = make_plan(&plan, &graph, model->context, dd_model_settings(model),
                                     &model->parameters, DD_STEP_PLAIN);
    size_t numbers = count_gradients(parameters);

    for (int n = 0; n < DD_NETWORKS; n++)
        numbers += parameters->totals[n][DD_ROLE_STATISTIC];
    if (status == DDAEBM_OK)
        *bytes = dd_plan_memory(plan) + dd_plan_own_memory(plan) + numbers * sizeof(float);
    dd_plan_free(plan);
    dd_step_graph_free(&graph);
    return status;
}

/* ---- Running. ---- */

/* Sets to zero the gradients that no loss reaches: a hook may have written there, or the other
 * phase. */
static void clear_unused_gradients(ddaebm_trainer *trainer, int phase) {
    dd_planned_step *planned = &trainer->planned;
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        bool computed = (p->network == DDAEBM_NETWORK_ENERGY) == (phase == 0);
        if (p->role == DD_ROLE_WEIGHT && computed && !planned->graph.used[i])
            memset(planned->gradients[p->network] + p->offset, 0, p->elements * sizeof(float));
    }
}

void dd_planned_step_compute(ddaebm_trainer *trainer, int phase) {
    dd_pool *pool = dd_context_pool(trainer->model->context);
    clear_unused_gradients(trainer, phase);
    dd_computation_begin();
    dd_workspace_run(trainer->planned.workspace, phase, pool, false);
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
