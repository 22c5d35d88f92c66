#include "train/trainer.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "model/normal_fit.h"
#include "model/spectrum_fit.h"
#include "sample/calibrate.h"
#include "train/fit.h"

#include <math.h>

/* ---- Making and freeing. ---- */

/* Copies a model with other weights of its shape. */
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

    trainer->seed = seed;
    trainer->batch.dataset = dataset;
    if (dataset)
        DD_TRY(dd_fingerprint_make(&trainer->batch.fingerprint, model->context, dataset));
    DD_TRY(dd_batch_allocate(trainer));
    DD_TRY(dd_adapt_create(&trainer->adapt, trainer));
    DD_TRY(dd_planned_step_allocate(trainer));
    DD_TRY(dd_optimizer_allocate(trainer));
    DD_TRY(dd_planned_step_plan(trainer, observe ? DD_STEP_OBSERVED : DD_STEP_PLAIN));
    if (observe)
        DD_TRY(dd_planned_step_observe(trainer));
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
    dd_planned_step_free(trainer);
    dd_custom_loss_free(trainer);
    dd_batch_free(trainer);
    dd_optimizer_free(trainer);
    dd_held_out_free(trainer->held_out);
    dd_adapt_free(trainer->adapt);
    dd_holes_free(trainer->holes);
    ddaebm_model_free(trainer->model);
    dd_free(context, trainer);
    ddaebm_context_free(context);
}

/* Images are never standardised: their range is known. */
static bool standardizes(const dd_settings *settings, const ddaebm_dataset *dataset) {
    if (settings->data.image_size > 0)
        return false;
    int64_t when = settings->data.standardize;
    return settings->data.transform != DD_TRANSFORM_NONE || when == DD_STANDARDIZE_ALWAYS ||
           (when == DD_STANDARDIZE_FILES && !dd_dataset_named(dataset));
}

/* Measures the data: column by column, and then all columns together if rows are whitened. */
static ddaebm_status measure(ddaebm_model *model, const ddaebm_dataset *dataset) {
    ddaebm_status status = dd_model_measure(model, dataset);
    return status == DDAEBM_OK && dd_model_settings(model)->data.whiten
               ? dd_model_fit_normal(model, dataset)
               : status;
}

/* Measures the images that an energy of form normal begins from. Averages begin as the weights. */
static ddaebm_status measure_images(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    if (settings->network.family != DD_FAMILY_NCSNPP || settings->form.energy != DD_FORM_NORMAL)
        return DDAEBM_OK;
    ddaebm_status status = dd_model_fit_spectrum(trainer->model, trainer->batch.dataset);
    if (status == DDAEBM_OK && trainer->optimizer.averaging)
        dd_weights_copy(&trainer->optimizer.average, &trainer->model->weights,
                        &trainer->model->parameters);
    return status;
}

/* Fits the noise of timestep 0 to the data. The plan holds the schedule, so it is made anew. */
static ddaebm_status fit_noise(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    double sigma = settings->diffusion.sigma_min;
    if (!settings->diffusion.fit)
        return DDAEBM_OK;

    ddaebm_status status = dd_fit_sigma_min(&sigma, trainer->model, trainer->batch.dataset);
    if (status == DDAEBM_OK)
        status = ddaebm_config_set_real(trainer->model->config, "diffusion.sigma_min",
                                        fmin(sigma, settings->diffusion.sigma_max / 2));
    if (status == DDAEBM_OK)
        status = dd_planned_step_plan(trainer, DD_STEP_PLAIN);
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
        status = measure(trainer->model, dataset);
    if (status == DDAEBM_OK)
        status = measure_images(trainer);
    if (status == DDAEBM_OK)
        status = dd_holes_open(trainer, dataset, true);
    if (status == DDAEBM_OK)
        status = fit_noise(trainer);
    if (status == DDAEBM_OK)
        status = dd_adapt_begin(trainer);
    if (status == DDAEBM_OK)
        status = dd_held_out_create(&trainer->held_out, trainer);

    if (status == DDAEBM_OK)
        *out = trainer;
    else
        ddaebm_trainer_free(trainer);
    return status;
}

/* ---- The trained model. ---- */

ddaebm_status ddaebm_trainer_snapshot(ddaebm_model **out, ddaebm_trainer *trainer) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(trainer);
    ddaebm_model *model = NULL;
    ddaebm_status status = copy_model(&model, trainer->model, dd_optimizer_weights(trainer));
    if (status == DDAEBM_OK)
        dd_held_out_take_best(trainer, model);
    if (status == DDAEBM_OK && dd_trainer_settings(trainer)->training.calibrate)
        status = trainer->holes ? dd_holes_calibrate(trainer, model)
                                : dd_calibrate(model, trainer->batch.dataset, trainer->seed);

    if (status == DDAEBM_OK)
        *out = model;
    else
        ddaebm_model_free(model);
    return status;
}

/* ---- Properties. ---- */

ddaebm_status ddaebm_trainer_set_dataset(ddaebm_trainer *trainer, const ddaebm_dataset *dataset) {
    DD_REQUIRE(trainer);
    DD_REQUIRE(dataset);
    dd_fingerprint fingerprint = {.kind = DD_FINGERPRINT_NONE};
    ddaebm_status status = dd_model_check_data(trainer->model, dataset);
    if (status == DDAEBM_OK && ddaebm_dataset_missing(dataset) > 0)
        status = dd_fail(DDAEBM_UNSUPPORTED, "values of the data are missing; a trainer takes such "
                                             "data when it is made");
    if (status == DDAEBM_OK)
        status = dd_fingerprint_make(&fingerprint, trainer->model->context, dataset);
    if (status == DDAEBM_OK)
        status = dd_held_out_change_data(trainer, dataset);
    if (status != DDAEBM_OK)
        return status;
    trainer->batch.fingerprint = fingerprint;
    dd_holes_free(trainer->holes);
    trainer->holes = NULL;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_trainer_set_shard(ddaebm_trainer *trainer, size_t index, size_t count) {
    enum { MOST_SHARDS = 65536 };
    DD_REQUIRE(trainer);
    if (count < 1 || count > MOST_SHARDS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "count is %zu; allowed: 1 to %d", count, MOST_SHARDS);
    if (index >= count)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "index is %zu; allowed: 0 to %zu, one less than count",
                       index, count - 1);
    if (count > 1 && trainer->adapt)
        return dd_fail(DDAEBM_STATE, "diffusion.adapt moves timesteps by one trainer's batch; "
                                     "trainers that share a batch need diffusion.adapt none");
    trainer->batch.shard = index;
    trainer->batch.shards = count;
    return DDAEBM_OK;
}

static ddaebm_status flat_view(ddaebm_trainer *trainer, ddaebm_network network,
                               float *const *arrays, float **values, size_t *elements) {
    if ((unsigned)network >= DD_NETWORKS)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "network is %d; allowed: 0 to %d", (int)network,
                       DD_NETWORKS - 1);
    *values = arrays[network];
    *elements = trainer->model->parameters.totals[network][DD_ROLE_WEIGHT];
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
    return flat_view(trainer, network, trainer->planned.gradients, values, elements);
}

uint64_t ddaebm_trainer_seed(const ddaebm_trainer *trainer) {
    return trainer->seed;
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
