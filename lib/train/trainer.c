#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "sample/calibrate.h"
#include "train/fit.h"

#include <math.h>
#include <string.h>

/* --- Making one. --- */

static size_t weights_of(const dd_parameters *parameters, ddaebm_network network) {
    return parameters->totals[network][DD_ROLE_WEIGHT];
}

/* The energy's are done with when those of generator and encoder are computed: both use the same
 * memory. */
static size_t count_gradients(const dd_parameters *parameters) {
    size_t energy = weights_of(parameters, DDAEBM_NETWORK_ENERGY);
    size_t both = weights_of(parameters, DDAEBM_NETWORK_GENERATOR) +
                  weights_of(parameters, DDAEBM_NETWORK_ENCODER);
    return both > energy ? both : energy;
}

static bool allocate_gradients(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    float *block =
        dd_alloc_zero(trainer->model->context, count_gradients(parameters), sizeof *block);
    trainer->gradients[DDAEBM_NETWORK_ENERGY] = trainer->gradients[DDAEBM_NETWORK_GENERATOR] =
        block;
    trainer->gradients[DDAEBM_NETWORK_ENCODER] =
        block ? block + weights_of(parameters, DDAEBM_NETWORK_GENERATOR) : NULL;
    return block != NULL;
}

/* Without a decay of its own, the first moment is the gradient: there is nothing to remember. */
static int first_moment(const dd_settings *settings) {
    return settings->optimizer.beta1 > 0 ? 0 : 1;
}

static ddaebm_status allocate(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    const dd_parameters *parameters = &trainer->model->parameters;
    bool good = allocate_gradients(trainer);
    for (int i = 0; i < DD_SLOT_INPUTS; i++) {
        trainer->inputs[i] = dd_alloc_zero(
            context, dd_trainer_input_size(dd_trainer_settings(trainer), i), sizeof(float));
        good = good && trainer->inputs[i];
    }
    for (int n = 0; n < DD_NETWORKS; n++) {
        trainer->statistics[n] =
            dd_alloc_zero(context, parameters->totals[n][DD_ROLE_STATISTIC], sizeof(float));
        for (int k = first_moment(dd_trainer_settings(trainer)); k < 2; k++) {
            trainer->moments[n][k] =
                dd_alloc_zero(context, weights_of(parameters, (ddaebm_network)n), sizeof(float));
            good = good && trainer->moments[n][k];
        }
        good = good && trainer->statistics[n];
    }
    trainer->adam = dd_alloc_zero(context, parameters->count, sizeof *trainer->adam);
    if (!good || !trainer->adam || !dd_trainer_make_undo(trainer))
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        trainer->adam[i].rate_factor = 1;
        if (p->role != DD_ROLE_WEIGHT)
            continue;
        float *const *moments = trainer->moments[p->network];
        trainer->adam[i].m = moments[0] ? moments[0] + p->offset : NULL;
        trainer->adam[i].v = moments[1] + p->offset;
    }
    trainer->averaging = dd_trainer_settings(trainer)->optimizer.ema_decay > 0;
    if (!trainer->averaging)
        return DDAEBM_OK;
    ddaebm_status status = dd_weights_create(&trainer->average, context, parameters);
    if (status == DDAEBM_OK)
        dd_weights_copy(&trainer->average, &trainer->model->weights, parameters);
    return status;
}

static ddaebm_status allocate_observed(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    trainer->observed =
        dd_alloc_zero(context, trainer->graph.observed_count, sizeof *trainer->observed);
    for (size_t i = 0; trainer->observed && i < trainer->graph.observed_count; i++) {
        trainer->observed[i] = dd_alloc_zero(
            context, dd_shape_elements(trainer->graph.observed[i].shape), sizeof(float));
        if (!trainer->observed[i])
            return DDAEBM_OUT_OF_MEMORY;
        dd_workspace_bind(trainer->workspace, trainer->slots.observed + (dd_slot)i,
                          trainer->observed[i]);
    }
    return trainer->observed ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static void bind(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_workspace_bind(trainer->workspace, i, trainer->inputs[i]);
    for (int i = 0; i < DD_LOSSES; i++)
        dd_workspace_bind(trainer->workspace, trainer->slots.losses + i, &trainer->losses[i]);
    if (trainer->custom_loss.drawn) {
        dd_workspace_bind(trainer->workspace, trainer->slots.samples, trainer->custom_loss.drawn);
        dd_workspace_bind(trainer->workspace, trainer->slots.of_samples,
                          trainer->custom_loss.gradients);
    }
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        dd_workspace_bind(trainer->workspace, trainer->slots.parameters + (dd_slot)i,
                          dd_weights_at(&trainer->model->weights, p));
        if (p->role == DD_ROLE_WEIGHT)
            dd_workspace_bind(trainer->workspace, trainer->slots.gradients + (dd_slot)i,
                              trainer->gradients[p->network] + p->offset);
        else
            dd_workspace_bind(trainer->workspace, trainer->slots.statistics + (dd_slot)i,
                              trainer->statistics[p->network] + p->offset);
    }
}

/* Into how many parts steps are cut where their number must not be that of the threads. */
enum { FIXED_PARTS = 8 };

/* A plan for one step; the graph is the plan's from then on. */
static ddaebm_status plan_step(dd_plan **out, dd_step_graph *graph, ddaebm_context *context,
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
    status = dd_graph_recompute(&graph->graph);
    if (status == DDAEBM_OK)
        status = dd_plan_create(out, graph->graph, options);
    if (status != DDAEBM_OK) {
        dd_graph_free(graph->graph);
        dd_step_graph_free(graph);
    }
    return status;
}

static void free_plan(ddaebm_trainer *trainer) {
    dd_workspace_free(trainer->workspace);
    dd_plan_free(trainer->plan);
    dd_step_graph_free(&trainer->graph);
}

ddaebm_status dd_trainer_plan(ddaebm_trainer *trainer, dd_step_extras extras) {
    ddaebm_context *context = trainer->model->context;
    dd_step_graph graph = {0};
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    ddaebm_status status = plan_step(&plan, &graph, context, dd_trainer_settings(trainer),
                                     &trainer->model->parameters, extras);
    if (status == DDAEBM_OK)
        status = dd_workspace_create(&workspace, plan);
    if (status != DDAEBM_OK) {
        dd_plan_free(plan);
        dd_step_graph_free(&graph);
        return status;
    }
    free_plan(trainer);
    trainer->graph = graph;
    trainer->plan = plan;
    trainer->workspace = workspace;
    bind(trainer);
    return DDAEBM_OK;
}

static ddaebm_status copy_model(ddaebm_model **out, const ddaebm_model *model,
                                const dd_weights *weights) {
    ddaebm_model *copy = NULL;
    ddaebm_status status = dd_model_create_blank(&copy, model->context, model->config);
    if (status != DDAEBM_OK)
        return status;
    dd_weights_copy(&copy->weights, weights, &model->parameters);
    copy->temperature = model->temperature;
    status = dd_model_copy_data(copy, model);
    if (status == DDAEBM_OK)
        *out = copy;
    else
        ddaebm_model_free(copy);
    return status;
}

ddaebm_status dd_trainer_create(ddaebm_trainer **out, const ddaebm_model *model,
                                const ddaebm_dataset *dataset, uint64_t seed, bool observe) {
    ddaebm_status status = dataset ? dd_model_check_data(model, dataset) : DDAEBM_OK;
    if (status != DDAEBM_OK)
        return status;
    ddaebm_trainer *trainer = dd_alloc_zero(model->context, 1, sizeof *trainer);
    if (!trainer)
        return DDAEBM_OUT_OF_MEMORY;
    status = copy_model(&trainer->model, model, &model->weights);
    if (status != DDAEBM_OK) {
        dd_free(model->context, trainer);
        return status;
    }
    trainer->dataset = dataset;
    trainer->seed = seed;
    trainer->shards = 1;
    trainer->batch = (size_t)dd_trainer_settings(trainer)->training.batch;
    trainer->slots = dd_step_slots_of(&trainer->model->parameters);
    if (dataset)
        DD_TRY(dd_fingerprint_make(&trainer->data, model->context, dataset));
    DD_TRY(allocate(trainer));
    DD_TRY(dd_trainer_plan(trainer, observe ? DD_STEP_OBSERVED : DD_STEP_PLAIN));
    if (observe)
        DD_TRY(allocate_observed(trainer));
    *out = trainer;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_trainer_free(trainer);
    return status;
}

void ddaebm_trainer_free(ddaebm_trainer *trainer) {
    if (!trainer)
        return;
    ddaebm_context *context = NULL;
    (void)dd_context_hold(&context, trainer->model->context); /* only counts: cannot fail */
    for (size_t i = 0; trainer->observed && i < trainer->graph.observed_count; i++)
        dd_free(context, trainer->observed[i]);
    dd_free(context, trainer->observed);
    free_plan(trainer);
    dd_trainer_free_custom_loss(trainer);
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_free(context, trainer->inputs[i]);
    dd_free(context, trainer->gradients[DDAEBM_NETWORK_ENERGY]); /* all networks' */
    for (int n = 0; n < DD_NETWORKS; n++) {
        dd_free(context, trainer->statistics[n]);
        dd_free(context, trainer->moments[n][0]);
        dd_free(context, trainer->moments[n][1]);
    }
    dd_free(context, trainer->adam);
    dd_trainer_free_undo(trainer);
    dd_weights_free(&trainer->average);
    dd_held_out_free(trainer->held_out);
    ddaebm_model_free(trainer->model);
    dd_free(context, trainer);
    ddaebm_context_free(context);
}

/* Images never: what black and white are is known. */
static bool standardizes(const dd_settings *settings, const ddaebm_dataset *dataset) {
    if (settings->data.image_size > 0)
        return false;
    int64_t when = settings->data.standardize;
    return when == DD_STANDARDIZE_ALWAYS ||
           (when == DD_STANDARDIZE_FILES && !dd_dataset_named(dataset));
}

/* The schedule stands in the plan, which is made anew. */
static ddaebm_status fit_noise(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    double sigma = settings->diffusion.sigma_min;
    if (!settings->diffusion.fit)
        return DDAEBM_OK;
    ddaebm_status status = dd_fit_sigma_min(&sigma, trainer->model, trainer->dataset);
    if (status == DDAEBM_OK)
        status = ddaebm_config_set_real(trainer->model->config, "diffusion.sigma_min",
                                        fmin(sigma, settings->diffusion.sigma_max / 2));
    if (status == DDAEBM_OK)
        status = dd_trainer_plan(trainer, DD_STEP_PLAIN);
    if (status == DDAEBM_OK)
        dd_report(trainer->model->context, DDAEBM_LOG_INFO,
                  "diffusion.sigma_min is %.3g, by the distance between neighbouring rows",
                  settings->diffusion.sigma_min);
    return status;
}

ddaebm_status ddaebm_trainer_create(ddaebm_trainer **out, const ddaebm_model *model,
                                    const ddaebm_dataset *dataset, uint64_t seed) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    DD_REQUIRE(dataset);
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status = dd_trainer_create(&trainer, model, dataset, seed, false);
    if (status != DDAEBM_OK)
        return status;
    dd_model_note_range(model, dataset);
    dd_model_note_kind(trainer->model, dataset);
    status = dd_model_name_columns(trainer->model, dataset);
    if (status == DDAEBM_OK && standardizes(dd_model_settings(model), dataset))
        status = dd_model_measure(trainer->model, dataset);
    if (status == DDAEBM_OK)
        status = fit_noise(trainer);
    if (status == DDAEBM_OK)
        status = dd_held_out_create(&trainer->held_out, trainer);
    if (status == DDAEBM_OK)
        *out = trainer;
    else
        ddaebm_trainer_free(trainer);
    return status;
}

/* --- What it knows and holds. --- */

ddaebm_status ddaebm_trainer_snapshot(ddaebm_model **out, ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(trainer);
    ddaebm_model *model = NULL;
    const dd_weights *last = trainer->averaging ? &trainer->average : &trainer->model->weights;
    ddaebm_status status = copy_model(&model, trainer->model, last);
    if (status == DDAEBM_OK)
        dd_held_out_take_best(trainer, model);
    if (status == DDAEBM_OK && dd_trainer_settings(trainer)->training.calibrate)
        status = dd_calibrate(model, trainer->dataset, trainer->seed);
    if (status == DDAEBM_OK)
        *out = model;
    else
        ddaebm_model_free(model);
    return status;
}

ddaebm_status ddaebm_trainer_set_gradient_hook(ddaebm_trainer *trainer, ddaebm_gradient_hook hook,
                                               void *user) {
    DD_REQUIRE(trainer);
    trainer->hook = hook;
    trainer->hook_user = user;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_set_dataset(ddaebm_trainer *trainer, const ddaebm_dataset *dataset) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(dataset);
    dd_fingerprint data = {.kind = DD_FINGERPRINT_NONE};
    ddaebm_status status = dd_model_check_data(trainer->model, dataset);
    if (status == DDAEBM_OK)
        status = dd_fingerprint_make(&data, trainer->model->context, dataset);
    if (status == DDAEBM_OK)
        status = dd_held_out_change_data(trainer, dataset);
    if (status == DDAEBM_OK)
        trainer->data = data;
    return status;
}

ddaebm_status ddaebm_trainer_set_shard(ddaebm_trainer *trainer, size_t index, size_t count) {
    enum { MOST_SHARDS = 65536 };
    DD_REQUIRE(trainer);
    if (count < 1 || count > MOST_SHARDS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "count is %zu; allowed: 1 to %d", count, MOST_SHARDS);
    if (index >= count)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "index is %zu; allowed: 0 to %zu, one less than count",
                       index, count - 1);
    trainer->shard = index;
    trainer->shards = count;
    return DDAEBM_OK;
}

static ddaebm_status flat_view(ddaebm_trainer *trainer, ddaebm_network network,
                               float *const *arrays, float **values, size_t *elements) {
    if ((unsigned)network >= DD_NETWORKS)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "network is %d; allowed: 0 to %d", (int)network,
                       DD_NETWORKS - 1);
    *values = arrays[network];
    *elements = weights_of(&trainer->model->parameters, network);
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_weights(ddaebm_trainer *trainer, ddaebm_network network,
                                     float **values, size_t *elements) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(values);
    DD_REQUIRE(elements);
    float *arrays[DD_NETWORKS];
    for (int n = 0; n < DD_NETWORKS; n++)
        arrays[n] = trainer->model->weights.values[n][DD_ROLE_WEIGHT];
    return flat_view(trainer, network, arrays, values, elements);
}

ddaebm_status ddaebm_trainer_gradients(ddaebm_trainer *trainer, ddaebm_network network,
                                       float **values, size_t *elements) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(values);
    DD_REQUIRE(elements);
    return flat_view(trainer, network, trainer->gradients, values, elements);
}

uint64_t ddaebm_trainer_steps(const ddaebm_trainer *trainer) {
    return trainer->step;
}

const ddaebm_model *ddaebm_trainer_model(const ddaebm_trainer *trainer) {
    return trainer->model;
}

const ddaebm_config *ddaebm_trainer_config(const ddaebm_trainer *trainer) {
    return trainer->model->config;
}

ddaebm_status ddaebm_config_training_memory(const ddaebm_config *config, ddaebm_context *context,
                                            size_t *bytes) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    DD_REQUIRE(bytes);
    ddaebm_model *model = NULL;
    dd_step_graph graph = {0};
    dd_plan *plan = NULL;
    ddaebm_status status = dd_model_create_blank(&model, context, config);
    if (status != DDAEBM_OK)
        return status;
    const dd_settings *settings = dd_model_settings(model);
    DD_TRY(plan_step(&plan, &graph, model->context, settings, &model->parameters, DD_STEP_PLAIN));
    size_t total = dd_plan_memory(plan) + dd_plan_own_memory(plan) +
                   count_gradients(&model->parameters) * sizeof(float);
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        total += dd_trainer_input_size(settings, i) * sizeof(float);
    /* Weights, moments and averages, and the energy's weights and moments once more; statistics,
     * what they are to become, and their averages. */
    size_t moments = (size_t)(2 - first_moment(settings)),
           averages = settings->optimizer.ema_decay > 0 ? 1 : 0;
    for (int n = 0; n < DD_NETWORKS; n++)
        total += (weights_of(&model->parameters, (ddaebm_network)n) * (1 + moments + averages) +
                  model->parameters.totals[n][DD_ROLE_STATISTIC] * (2 + averages)) *
                 sizeof(float);
    total += weights_of(&model->parameters, DDAEBM_NETWORK_ENERGY) * (1 + moments) * sizeof(float);
    *bytes = total;
cleanup:
    dd_plan_free(plan);
    dd_step_graph_free(&graph);
    ddaebm_model_free(model);
    return status;
}
