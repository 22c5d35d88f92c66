#include "train/trainer.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/calibrate.h"
#include "tensor/kernels/matmul.h"

#include <math.h>
#include <string.h>

static const dd_settings *settings_of(const ddaebm_trainer *trainer) {
    return dd_model_settings(trainer->model);
}

static dd_pool *pool_of(const ddaebm_trainer *trainer) {
    return dd_context_pool(trainer->model->context);
}

/* --- Making one. --- */

/* Elements of each input. */
static size_t input_width(const dd_settings *settings, int slot) {
    if (slot == DD_SLOT_LEVEL)
        return 1;
    return (size_t)(slot == DD_SLOT_LATENT || slot == DD_SLOT_NOISE_ENCODER ? settings->network.latent_width
                                                                            : settings->data.width);
}

static ddaebm_status allocate(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    const dd_parameters *parameters = &trainer->model->parameters;
    bool good = true;
    for (int i = 0; i < DD_SLOT_INPUTS; i++) {
        trainer->inputs[i] = dd_alloc_zero(context, trainer->batch * input_width(settings_of(trainer), i), sizeof(float));
        good = good && trainer->inputs[i];
    }
    for (int n = 0; n < DD_NETWORKS; n++) {
        size_t weights = parameters->totals[n][DD_ROLE_WEIGHT];
        trainer->gradients[n] = dd_alloc_zero(context, weights, sizeof(float));
        trainer->statistics[n] = dd_alloc_zero(context, parameters->totals[n][DD_ROLE_STATISTIC], sizeof(float));
        for (int k = 0; k < 2; k++) {
            trainer->moments[n][k] = dd_alloc_zero(context, weights, sizeof(float));
            good = good && trainer->moments[n][k];
        }
        good = good && trainer->gradients[n] && trainer->statistics[n];
    }
    trainer->adam = dd_alloc_zero(context, parameters->count, sizeof *trainer->adam);
    if (!good || !trainer->adam)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->items[i].role == DD_ROLE_WEIGHT)
            for (int k = 0; k < 2; k++)
                *(k ? &trainer->adam[i].v : &trainer->adam[i].m) =
                    trainer->moments[parameters->items[i].network][k] + parameters->items[i].offset;
    trainer->averaging = settings_of(trainer)->optimizer.ema_decay > 0;
    if (!trainer->averaging)
        return DDAEBM_OK;
    ddaebm_status status = dd_weights_create(&trainer->average, context, parameters);
    if (status == DDAEBM_OK)
        dd_weights_copy(&trainer->average, &trainer->model->weights, parameters);
    return status;
}

static ddaebm_status find_fake_scale(ddaebm_trainer *trainer) {
    dd_noise_schedule schedule;
    ddaebm_status status = dd_noise_schedule_make(&schedule, trainer->model->context, settings_of(trainer));
    if (status != DDAEBM_OK)
        return status;
    trainer->fake_scale = schedule.sigma_cum[1];
    dd_noise_schedule_free(&schedule);
    return DDAEBM_OK;
}

static ddaebm_status allocate_observed(ddaebm_trainer *trainer) {
    ddaebm_context *context = trainer->model->context;
    trainer->observed = dd_alloc_zero(context, trainer->graph.observed_count, sizeof *trainer->observed);
    for (size_t i = 0; trainer->observed && i < trainer->graph.observed_count; i++) {
        dd_shape shape = dd_graph_shape(trainer->graph.graph, trainer->graph.observed[i].node);
        trainer->observed[i] = dd_alloc_zero(context, dd_shape_elements(shape), sizeof(float));
        if (!trainer->observed[i])
            return DDAEBM_OUT_OF_MEMORY;
        dd_workspace_bind(trainer->workspace, trainer->slots.observed + (dd_slot)i, trainer->observed[i]);
    }
    return trainer->observed ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static void bind(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_workspace_bind(trainer->workspace, i, trainer->inputs[i]);
    for (int i = 0; i < DD_LOSSES; i++)
        dd_workspace_bind(trainer->workspace, trainer->slots.losses + i, &trainer->losses[i]);
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            continue;
        dd_workspace_bind(trainer->workspace, trainer->slots.parameters + (dd_slot)i, dd_weights_at(&trainer->model->weights, p));
        if (p->role == DD_ROLE_WEIGHT)
            dd_workspace_bind(trainer->workspace, trainer->slots.gradients + (dd_slot)i,
                              trainer->gradients[p->network] + p->offset);
        else
            dd_workspace_bind(trainer->workspace, trainer->slots.statistics + (dd_slot)i,
                              trainer->statistics[p->network] + p->offset);
    }
}

/* A plan for one step; the trainer's graph is the plan's from then on. */
static ddaebm_status plan_step(dd_plan **out, dd_step_graph *graph, ddaebm_context *context, const dd_settings *settings,
                               dd_parameters *parameters, bool observe) {
    ddaebm_status status = dd_step_graph_build(graph, context, settings, parameters, (size_t)settings->training.batch, observe);
    if (status != DDAEBM_OK)
        return status;
    dd_plan_options options = {.phases = 2, .parts = dd_pool_threads(dd_context_pool(context))};
    status = dd_plan_create(out, graph->graph, options);
    if (status != DDAEBM_OK) {
        dd_graph_free(graph->graph);
        dd_step_graph_free(graph);
    }
    return status;
}

static ddaebm_status copy_model(ddaebm_model **out, const ddaebm_model *model, const dd_weights *weights) {
    ddaebm_model *copy = NULL;
    ddaebm_status status = dd_model_create_blank(&copy, model->context, model->config);
    if (status != DDAEBM_OK)
        return status;
    dd_weights_copy(&copy->weights, weights, &model->parameters);
    memcpy(copy->mean, model->mean, ddaebm_model_width(model) * sizeof *copy->mean);
    memcpy(copy->scale, model->scale, ddaebm_model_width(model) * sizeof *copy->scale);
    copy->temperature = model->temperature;
    *out = copy;
    return DDAEBM_OK;
}

ddaebm_status dd_trainer_create(ddaebm_trainer **out, const ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t seed,
                                bool observe) {
    if (dataset && ddaebm_dataset_width(dataset) != ddaebm_model_width(model))
        return dd_fail(DDAEBM_MISMATCH, "the data has rows of %zu numbers, the model of %zu: set data.width",
                       ddaebm_dataset_width(dataset), ddaebm_model_width(model));
    ddaebm_trainer *trainer = dd_alloc_zero(model->context, 1, sizeof *trainer);
    if (!trainer)
        return DDAEBM_OUT_OF_MEMORY;
    ddaebm_status status = copy_model(&trainer->model, model, &model->weights);
    if (status != DDAEBM_OK) {
        dd_free(model->context, trainer);
        return status;
    }
    trainer->dataset = dataset;
    trainer->seed = seed;
    trainer->batch = (size_t)settings_of(trainer)->training.batch;
    trainer->slots = dd_step_slots_of(&trainer->model->parameters);
    DD_TRY(allocate(trainer));
    DD_TRY(find_fake_scale(trainer));
    DD_TRY(plan_step(&trainer->plan, &trainer->graph, trainer->model->context, settings_of(trainer), &trainer->model->parameters,
                     observe));
    DD_TRY(dd_workspace_create(&trainer->workspace, trainer->plan));
    bind(trainer);
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
    dd_workspace_free(trainer->workspace);
    for (size_t i = 0; trainer->observed && i < trainer->graph.observed_count; i++)
        dd_free(context, trainer->observed[i]);
    dd_free(context, trainer->observed);
    dd_plan_free(trainer->plan);
    dd_step_graph_free(&trainer->graph);
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_free(context, trainer->inputs[i]);
    for (int n = 0; n < DD_NETWORKS; n++) {
        dd_free(context, trainer->gradients[n]);
        dd_free(context, trainer->statistics[n]);
        dd_free(context, trainer->moments[n][0]);
        dd_free(context, trainer->moments[n][1]);
    }
    dd_free(context, trainer->adam);
    dd_weights_free(&trainer->average);
    ddaebm_model_free(trainer->model);
    dd_free(context, trainer);
    ddaebm_context_free(context);
}

/* --- The statistics of the data. --- */

static ddaebm_status measure_rows(ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t rows, double *sums, float *block) {
    enum { BLOCK = 256 };
    size_t width = ddaebm_model_width(model);
    double *squares = sums + width;
    for (uint64_t first = 0; first < rows; first += BLOCK) {
        size_t count = rows - first < BLOCK ? (size_t)(rows - first) : BLOCK;
        ddaebm_status status = ddaebm_dataset_read(dataset, first, count, block);
        if (status != DDAEBM_OK)
            return status;
        for (size_t i = 0; i < count * width; i++) {
            double from_first = (double)block[i] - (double)model->mean[i % width]; /* about a row of the data: no cancellation */
            sums[i % width] += from_first;
            squares[i % width] += from_first * from_first;
        }
    }
    return DDAEBM_OK;
}

/* Mean and standard deviation of each column; a constant column is shifted alone. */
static ddaebm_status measure(ddaebm_model *model, const ddaebm_dataset *dataset) {
    enum { UNBOUNDED_ROWS = 65536, BLOCK = 256 };
    size_t width = ddaebm_model_width(model);
    uint64_t rows = ddaebm_dataset_rows(dataset) ? ddaebm_dataset_rows(dataset) : UNBOUNDED_ROWS;
    double *sums = dd_alloc_zero(model->context, 2 * width, sizeof *sums);
    float *block = dd_alloc_zero(model->context, BLOCK * width, sizeof *block);
    ddaebm_status status = sums && block ? ddaebm_dataset_read(dataset, 0, 1, model->mean) : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        status = measure_rows(model, dataset, rows, sums, block);
    for (size_t j = 0; status == DDAEBM_OK && j < width; j++) {
        double mean = sums[j] / (double)rows, variance = sums[width + j] / (double)rows - mean * mean;
        double middle = (double)model->mean[j] + mean;
        bool constant = variance <= 1e-12 * middle * middle || variance <= 1e-30;
        if (!isfinite(mean) || !isfinite(variance))
            status = dd_fail(DDAEBM_NOT_FINITE, "column %zu of the data has no finite mean and deviation", j);
        model->mean[j] = (float)middle;
        model->scale[j] = constant ? 1.0f : (float)sqrt(variance);
        if (constant)
            dd_report(model->context, DDAEBM_LOG_WARNING, "column %zu of the data is constant", j);
    }
    dd_free(model->context, sums);
    dd_free(model->context, block);
    return status;
}

ddaebm_status ddaebm_trainer_create(ddaebm_trainer **out, const ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t seed) {
    DD_REQUIRE(out);
    DD_REQUIRE(model);
    DD_REQUIRE(dataset);
    ddaebm_trainer *trainer = NULL;
    ddaebm_status status = dd_trainer_create(&trainer, model, dataset, seed, false);
    if (status != DDAEBM_OK)
        return status;
    int64_t standardize = dd_model_settings(model)->data.standardize;
    if (standardize == DD_STANDARDIZE_ALWAYS || (standardize == DD_STANDARDIZE_FILES && !dd_dataset_named(dataset)))
        status = measure(trainer->model, dataset);
    if (status == DDAEBM_OK)
        *out = trainer;
    else
        ddaebm_trainer_free(trainer);
    return status;
}

/* --- A step. --- */

/* Row `index` of the endless sequence of training rows: epochs of a finite set, each shuffled; an unbounded set in its order. */
static ddaebm_status read_row(const ddaebm_trainer *trainer, uint64_t index, float *row) {
    uint64_t rows = ddaebm_dataset_rows(trainer->dataset);
    uint64_t at = rows ? dd_rng_permute(index % rows, rows, trainer->seed, index / rows) : index;
    return ddaebm_dataset_read(trainer->dataset, at, 1, row);
}

/* Uniform, or level 0 with a share of its own. */
static uint64_t level_of(const ddaebm_trainer *trainer, uint32_t word, uint64_t levels) {
    double share = settings_of(trainer)->training.first_level, u = ((double)word + 0.5) * 0x1p-32;
    if (share <= 0 || levels == 1)
        return (uint64_t)word * levels >> 32;
    return u < share ? 0 : 1 + (uint64_t)((u - share) / (1 - share) * (double)(levels - 1));
}

static void draw_levels(const ddaebm_trainer *trainer) {
    uint64_t levels = ddaebm_model_levels(trainer->model);
    float *out = trainer->inputs[DD_SLOT_LEVEL];
    for (size_t i = 0; i < trainer->batch; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_LEVEL, trainer->step), i, 1);
        out[i] = (float)level_of(trainer, word, levels);
    }
}

/* Noise of level 1 on a share of the generated samples at level 0, for the energy alone. */
static void draw_fake_noise(const ddaebm_trainer *trainer) {
    const dd_settings *settings = settings_of(trainer);
    double faded = (double)trainer->step / ((double)settings->training.steps * settings->objective.fake_noise_until);
    double share = settings->objective.fake_noise * fmax(0, 1 - faded);
    size_t width = ddaebm_model_width(trainer->model);
    float *out = trainer->inputs[DD_SLOT_NOISE_FAKE];
    if (settings->objective.fake_noise <= 0)
        return;
    dd_rng_normals(out, trainer->seed, dd_stream(DD_STREAM_NOISE_FAKE, trainer->step), 0, trainer->batch * width);
    for (size_t i = 0; i < trainer->batch; i++) {
        float chance;
        dd_rng_uniforms(&chance, trainer->seed, dd_stream(DD_STREAM_CHOICE_FAKE, trainer->step), i, 1);
        bool noisy = trainer->inputs[DD_SLOT_LEVEL][i] == 0 && (double)chance < share;
        for (size_t j = 0; j < width; j++)
            out[i * width + j] *= noisy ? (float)trainer->fake_scale : 0.0f;
    }
}

ddaebm_status dd_trainer_draw(ddaebm_trainer *trainer) {
    static const struct {
        int slot;
        dd_purpose purpose;
    } noises[] = {{DD_SLOT_NOISE_T, DD_STREAM_NOISE_T},
                  {DD_SLOT_NOISE_NEXT, DD_STREAM_NOISE_NEXT},
                  {DD_SLOT_NOISE_POSTERIOR, DD_STREAM_NOISE_POSTERIOR},
                  {DD_SLOT_LATENT, DD_STREAM_LATENT},
                  {DD_SLOT_NOISE_ENCODER, DD_STREAM_NOISE_ENCODER}};
    size_t width = ddaebm_model_width(trainer->model);
    float *x0 = trainer->inputs[DD_SLOT_X0];
    for (size_t i = 0; i < trainer->batch; i++) {
        ddaebm_status status = read_row(trainer, trainer->step * trainer->batch + i, x0 + i * width);
        if (status != DDAEBM_OK)
            return status;
    }
    dd_model_standardize(trainer->model, x0, trainer->batch, x0);
    draw_levels(trainer);
    draw_fake_noise(trainer);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++)
        dd_rng_normals(trainer->inputs[noises[i].slot], trainer->seed, dd_stream(noises[i].purpose, trainer->step), 0,
                       trainer->batch * input_width(settings_of(trainer), noises[i].slot));
    return DDAEBM_OK;
}

/* Where no loss reaches, a hook may have written in the step before. */
static void clear_unused_gradients(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_WEIGHT && !trainer->graph.used[i])
            memset(trainer->gradients[p->network] + p->offset, 0, p->elements * sizeof(float));
    }
}

void dd_trainer_compute(ddaebm_trainer *trainer, int phase) {
    clear_unused_gradients(trainer);
    dd_blas_enter();
    dd_workspace_run(trainer->workspace, phase, pool_of(trainer), false);
    dd_blas_leave();
}

/* Refuses to go on with a loss or a gradient that is not finite; no weight has changed. */
static ddaebm_status check_finite(const ddaebm_trainer *trainer, ddaebm_network network, dd_loss loss) {
    const char *name = dd_network_name(network);
    unsigned long long step = (unsigned long long)trainer->step + 1;
    if (!isfinite(trainer->losses[loss]))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "step %llu: the loss of the %s is %g; its weights stay as they were. Lower the learning rate, or "
                       "raise objective.gamma",
                       step, name, (double)trainer->losses[loss]);
    if (!dd_all_finite(trainer->gradients[network], trainer->model->parameters.totals[network][DD_ROLE_WEIGHT], pool_of(trainer)))
        return dd_fail(DDAEBM_NOT_FINITE,
                       "step %llu: a gradient of the %s is not finite; its weights stay as they were. Lower the learning "
                       "rate, or raise objective.gamma",
                       step, name);
    return DDAEBM_OK;
}

static ddaebm_status call_hook(ddaebm_trainer *trainer, ddaebm_network network) {
    if (!trainer->hook)
        return DDAEBM_OK;
    ddaebm_status status = trainer->hook(trainer->hook_user, network, trainer->gradients[network],
                                         trainer->model->parameters.totals[network][DD_ROLE_WEIGHT]);
    return status == DDAEBM_OK ? status
                               : dd_fail(status, "the gradient hook stopped step %llu", (unsigned long long)trainer->step + 1);
}

/* Adam on those weights of a network that its loss depends on. Neighbours with as many updates are taken in one go. */
static void update(ddaebm_trainer *trainer, ddaebm_network network, double rate) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count;) {
        const dd_parameter *p = &parameters->items[i];
        if (p->network != network || p->role != DD_ROLE_WEIGHT || !trainer->graph.used[i]) {
            i++;
            continue;
        }
        dd_adam_state state = trainer->adam[i];
        size_t count = 0;
        for (; i < parameters->count && parameters->items[i].network == network; i++) {
            const dd_parameter *next = &parameters->items[i];
            if (next->role != DD_ROLE_WEIGHT)
                continue; /* statistics lie elsewhere */
            if (!trainer->graph.used[i] || trainer->adam[i].updates != state.updates)
                break;
            count += next->elements;
            trainer->adam[i].updates++;
        }
        dd_adam_update(&state, dd_weights_at(&trainer->model->weights, p), trainer->gradients[network] + p->offset, count, rate,
                       settings_of(trainer), pool_of(trainer));
    }
}

static double rate_now(const ddaebm_trainer *trainer, double first) {
    return dd_learning_rate(settings_of(trainer), first, trainer->step, (uint64_t)settings_of(trainer)->training.steps);
}

/* A half is done once a step: phases of a plan are run once each, in turn. */
static ddaebm_status expect_stage(const ddaebm_trainer *trainer, dd_stage least, dd_stage most, const char *call,
                                  const char *before) {
    if (trainer->stage >= least && trainer->stage <= most)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE, "%s comes after %s, once a step", call, before);
}

ddaebm_status ddaebm_trainer_energy_gradients(ddaebm_trainer *trainer) {
    DD_REQUIRE(trainer);
    trainer->stage = DD_STAGE_BEGIN; /* whatever was begun: its batch is about to go */
    ddaebm_status status = dd_trainer_draw(trainer);
    if (status != DDAEBM_OK)
        return status;
    dd_trainer_compute(trainer, 0);
    trainer->stage = DD_STAGE_ENERGY_KNOWN;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_energy_update(ddaebm_trainer *trainer) {
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(expect_stage(trainer, DD_STAGE_ENERGY_KNOWN, DD_STAGE_ENERGY_KNOWN, __func__, "ddaebm_trainer_energy_gradients"));
    DD_TRY(call_hook(trainer, DDAEBM_NETWORK_ENERGY));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_ENERGY, DD_LOSS_ENERGY));
    update(trainer, DDAEBM_NETWORK_ENERGY, rate_now(trainer, settings_of(trainer)->optimizer.energy_rate));
    trainer->stage = DD_STAGE_ENERGY_UPDATED;
cleanup:
    return status;
}

ddaebm_status ddaebm_trainer_generator_gradients(ddaebm_trainer *trainer) {
    DD_REQUIRE(trainer);
    ddaebm_status status =
        expect_stage(trainer, DD_STAGE_ENERGY_KNOWN, DD_STAGE_ENERGY_UPDATED, __func__, "ddaebm_trainer_energy_gradients");
    if (status != DDAEBM_OK)
        return status;
    dd_trainer_compute(trainer, 1);
    trainer->stage = DD_STAGE_GENERATOR_KNOWN;
    return DDAEBM_OK;
}

/* What the batch norms of this step saw becomes the model's. */
static void commit_statistics(ddaebm_trainer *trainer) {
    const dd_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role == DD_ROLE_COUNTER)
            trainer->model->weights.counters[p->network][p->offset] += trainer->graph.calls[i];
        else if (trainer->graph.moved[i])
            memcpy(dd_weights_at(&trainer->model->weights, p), trainer->statistics[p->network] + p->offset,
                   p->elements * sizeof(float));
    }
}

/* Averages start as the weights after the first step. Statistics of a batch norm are averaged with the weights that they belong to.
 */
static void update_averages(ddaebm_trainer *trainer) {
    if (!trainer->averaging)
        return;
    const dd_parameters *parameters = &trainer->model->parameters;
    double decay = trainer->step == 1 ? 0 : settings_of(trainer)->optimizer.ema_decay;
    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++)
            dd_average_update(trainer->average.values[n][role], trainer->model->weights.values[n][role],
                              parameters->totals[n][role], decay, pool_of(trainer));
        memcpy(trainer->average.counters[n], trainer->model->weights.counters[n],
               parameters->totals[n][DD_ROLE_COUNTER] * sizeof(int64_t));
    }
}

static void report(const ddaebm_trainer *trainer, double rate, ddaebm_step_statistics *out) {
    const float *losses = trainer->losses;
    *out = (ddaebm_step_statistics){.struct_size = sizeof *out,
                                    .step = trainer->step,
                                    .learning_rate = rate,
                                    .energy_loss = (double)losses[DD_LOSS_ENERGY],
                                    .energy_real = (double)losses[DD_LOSS_ENERGY_REAL],
                                    .energy_fake = (double)losses[DD_LOSS_ENERGY_FAKE],
                                    .penalty = (double)losses[DD_LOSS_PENALTY],
                                    .generator_loss = (double)losses[DD_LOSS_GENERATOR],
                                    .adversarial_loss = (double)losses[DD_LOSS_ADVERSARIAL],
                                    .latent_loss = (double)losses[DD_LOSS_LATENT],
                                    .divergence_loss = (double)losses[DD_LOSS_DIVERGENCE],
                                    .reconstruction_loss = (double)losses[DD_LOSS_RECONSTRUCTION]};
}

static ddaebm_status check_statistics(const ddaebm_step_statistics *statistics) {
    if (!statistics || statistics->struct_size == sizeof *statistics)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_INVALID_ARGUMENT, "statistics->struct_size is %zu, not %zu: use DDAEBM_STEP_STATISTICS_INIT",
                   statistics->struct_size, sizeof *statistics);
}

ddaebm_status ddaebm_trainer_generator_update(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics) {
    DD_REQUIRE(trainer);
    ddaebm_status status;
    DD_TRY(check_statistics(statistics));
    DD_TRY(
        expect_stage(trainer, DD_STAGE_GENERATOR_KNOWN, DD_STAGE_GENERATOR_KNOWN, __func__, "ddaebm_trainer_generator_gradients"));
    DD_TRY(call_hook(trainer, DDAEBM_NETWORK_GENERATOR));
    DD_TRY(call_hook(trainer, DDAEBM_NETWORK_ENCODER));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_GENERATOR, DD_LOSS_GENERATOR));
    DD_TRY(check_finite(trainer, DDAEBM_NETWORK_ENCODER, DD_LOSS_GENERATOR));
    double rate = rate_now(trainer, settings_of(trainer)->optimizer.generator_rate);
    update(trainer, DDAEBM_NETWORK_GENERATOR, rate);
    update(trainer, DDAEBM_NETWORK_ENCODER, rate);
    commit_statistics(trainer);
    trainer->step++;
    update_averages(trainer);
    trainer->stage = DD_STAGE_BEGIN;
    if (statistics)
        report(trainer, rate, statistics);
cleanup:
    return status;
}

ddaebm_status ddaebm_trainer_step(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics) {
    ddaebm_status status;
    DD_TRY(check_statistics(statistics));
    DD_TRY(ddaebm_trainer_energy_gradients(trainer));
    DD_TRY(ddaebm_trainer_energy_update(trainer));
    DD_TRY(ddaebm_trainer_generator_gradients(trainer));
    DD_TRY(ddaebm_trainer_generator_update(trainer, statistics));
cleanup:
    return status;
}

ddaebm_status ddaebm_trainer_run(ddaebm_trainer *trainer, uint64_t last, ddaebm_step_function function, void *user) {
    DD_REQUIRE(trainer);
    ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
    while (trainer->step < last) {
        ddaebm_status status = ddaebm_trainer_step(trainer, &statistics);
        if (status != DDAEBM_OK)
            return status;
        if (function && function(user, &statistics, last) != 0)
            return dd_fail(DDAEBM_CANCELLED, "training was cancelled after step %llu", (unsigned long long)trainer->step);
    }
    return DDAEBM_OK;
}

/* --- What it knows and holds. --- */

ddaebm_status ddaebm_trainer_snapshot(ddaebm_trainer *trainer, ddaebm_model **out) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(out);
    ddaebm_model *model = NULL;
    ddaebm_status status = copy_model(&model, trainer->model, trainer->averaging ? &trainer->average : &trainer->model->weights);
    if (status == DDAEBM_OK && settings_of(trainer)->training.calibrate)
        status = dd_calibrate(model, trainer->dataset, trainer->seed);
    if (status == DDAEBM_OK)
        *out = model;
    else
        ddaebm_model_free(model);
    return status;
}

ddaebm_status ddaebm_trainer_set_hook(ddaebm_trainer *trainer, ddaebm_gradient_hook hook, void *user) {
    DD_REQUIRE(trainer);
    trainer->hook = hook;
    trainer->hook_user = user;
    return DDAEBM_OK;
}

static ddaebm_status flat_view(ddaebm_trainer *trainer, ddaebm_network network, float *const *arrays, float **values,
                               size_t *elements) {
    if ((unsigned)network >= DD_NETWORKS)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "network is %d; allowed: 0 to %d", (int)network, DD_NETWORKS - 1);
    *values = arrays[network];
    *elements = trainer->model->parameters.totals[network][DD_ROLE_WEIGHT];
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_weights(ddaebm_trainer *trainer, ddaebm_network network, float **values, size_t *elements) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(values);
    DD_REQUIRE(elements);
    float *arrays[DD_NETWORKS];
    for (int n = 0; n < DD_NETWORKS; n++)
        arrays[n] = trainer->model->weights.values[n][DD_ROLE_WEIGHT];
    return flat_view(trainer, network, arrays, values, elements);
}

ddaebm_status ddaebm_trainer_gradients(ddaebm_trainer *trainer, ddaebm_network network, float **values, size_t *elements) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(values);
    DD_REQUIRE(elements);
    return flat_view(trainer, network, trainer->gradients, values, elements);
}

uint64_t ddaebm_trainer_steps(const ddaebm_trainer *trainer) {
    return trainer->step;
}

const ddaebm_config *ddaebm_trainer_config(const ddaebm_trainer *trainer) {
    return trainer->model->config;
}

ddaebm_status ddaebm_trainer_memory(ddaebm_context *context, const ddaebm_config *config, size_t *bytes) {
    DD_REQUIRE(config);
    DD_REQUIRE(bytes);
    ddaebm_model *model = NULL;
    dd_step_graph graph = {0};
    dd_plan *plan = NULL;
    ddaebm_status status = dd_model_create_blank(&model, context, config);
    if (status != DDAEBM_OK)
        return status;
    const dd_settings *settings = dd_model_settings(model);
    DD_TRY(plan_step(&plan, &graph, model->context, settings, &model->parameters, false));
    size_t total = dd_plan_memory(plan);
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        total += (size_t)settings->training.batch * input_width(settings, i) * sizeof(float);
    for (int n = 0; n < DD_NETWORKS; n++) {
        size_t copies = settings->optimizer.ema_decay > 0 ? 5 : 4; /* weights, gradients, two moments, average */
        total += model->parameters.totals[n][DD_ROLE_WEIGHT] * copies * sizeof(float);
        total += model->parameters.totals[n][DD_ROLE_STATISTIC] * (copies - 2) * sizeof(float);
    }
    *bytes = total;
cleanup:
    dd_plan_free(plan);
    dd_step_graph_free(&graph);
    ddaebm_model_free(model);
    return status;
}
