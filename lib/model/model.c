#include "model/model.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "config/config.h"
#include "config/settings_check.h"
#include "diffusion/noise_schedule.h"
#include "layers/network.h"
#include "model/column_map.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Largest fraction of the data's variance at a last timestep that passes for N(0, I). */
static const double most_signal_left = 0.05;

ddaebm_status dd_model_check_energy(const ddaebm_model *model) {
    if (dd_model_settings(model)->objective.kind != DD_OBJECTIVE_LOGISTIC)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE, "the model has no energy: it was trained with objective.kind "
                                 "logistic, whose discriminator sees pairs of rows; it can be "
                                 "sampled from, not scored or refined");
}

const dd_settings *dd_model_settings(const ddaebm_model *model) {
    return dd_config_settings(model->config);
}

/* Initial temperature: with weight w on the latent term, the optimal energy is w log p + const.
 * Positive as a float as well, which files store. */
static double first_temperature(const dd_settings *settings) {
    double seen = settings->objective.timestep_contrast > 0
                      ? 1
                      : settings->objective.temperature; /* the contrast makes f/w log p */
    return fmax(dd_settings_density_weight(settings) * seen, FLT_MIN);
}

/* Names the keys that say how much noise each timestep has. */
static const char *noise_keys(const dd_settings *settings) {
    switch ((dd_schedule_kind)settings->diffusion.schedule) {
    case DD_SCHEDULE_VP:
    case DD_SCHEDULE_GEOMETRIC:
        return "diffusion.beta_min and diffusion.beta_max";
    case DD_SCHEDULE_LEVELS:
        return "the numbers of diffusion.levels";
    case DD_SCHEDULE_KARRAS:
    case DD_SCHEDULE_COSINE:
    case DD_SCHEDULE_LOG_SNR:
        break;
    }
    return "diffusion.sigma_min and diffusion.sigma_max";
}

/* Refuses tables that are not finite, and warns if they do not end in noise. */
static ddaebm_status check_schedule(ddaebm_context *context, const dd_settings *settings) {
    dd_noise_schedule schedule;
    ddaebm_status status = dd_noise_schedule_make(&schedule, context, settings);
    if (status != DDAEBM_OK)
        return status;

    size_t steps = schedule.steps;
    double left = schedule.abar[steps], sum = 0;
    for (size_t i = 0; i < steps; i++)
        sum += schedule.post_coef_x0[i] + schedule.post_coef_next[i] + schedule.sigma_cum[i] +
               1 / schedule.sigma[i + 1];
    bool spent = schedule.var[steps - 1] >= 1;
    dd_noise_schedule_free(&schedule);
    if (!isfinite(sum) && spent)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "%s over diffusion.timesteps %zu leave no signal before the last: lower the "
                       "larger ones",
                       noise_keys(settings), steps);
    if (!isfinite(sum))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "%s over diffusion.timesteps %zu leave no noise between two timesteps: "
                       "raise them or use "
                       "fewer timesteps",
                       noise_keys(settings), steps);
    if (left > most_signal_left)
        dd_report(
            context, DDAEBM_LOG_WARNING,
            "at the last timestep %.0f%% of the variance is still signal, but sampling starts "
            "from pure noise, N(0, I), so samples will not match the data; raise "
            "diffusion.beta_max (with diffusion.schedule vp, 20 ends in pure noise) or, where the "
            "schedule has it, diffusion.sigma_max",
            100 * left);
    return DDAEBM_OK;
}

ddaebm_status dd_model_declare(ddaebm_model **out, ddaebm_context *context,
                               const ddaebm_config *config) {
    const dd_settings *settings = dd_config_settings(config);
    ddaebm_status status = dd_settings_check(settings);
    if (status != DDAEBM_OK)
        return status;
    ddaebm_context *held = NULL;
    status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;
    ddaebm_model *model = dd_alloc_zero(held, 1, sizeof *model);
    if (!model) {
        ddaebm_context_free(held);
        return DDAEBM_OUT_OF_MEMORY;
    }

    model->context = held;
    DD_TRY(ddaebm_config_copy(&model->config, config));
    DD_TRY(check_schedule(held, settings));
    DD_TRY(dd_network_declare(&model->parameters, held, settings));
    model->temperature = (double)(float)first_temperature(settings);
    *out = model;
cleanup:
    if (status != DDAEBM_OK)
        ddaebm_model_free(model);
    return status;
}

ddaebm_status dd_model_make_weights(ddaebm_model *model) {
    size_t width = ddaebm_model_width(model);
    ddaebm_status status = dd_weights_create(&model->weights, model->context, &model->parameters);
    if (status != DDAEBM_OK)
        return status;
    model->mean = dd_alloc_zero(model->context, width, sizeof *model->mean);
    model->scale = dd_alloc_zero(model->context, width, sizeof *model->scale);
    size_t knots = dd_column_map_size(model);
    if (knots > 0)
        model->knots = dd_alloc_zero(model->context, knots, sizeof *model->knots);
    if (!model->mean || !model->scale || (knots > 0 && !model->knots))
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < width; i++)
        model->scale[i] = 1;
    return DDAEBM_OK;
}

ddaebm_status dd_model_create_blank(ddaebm_model **out, ddaebm_context *context,
                                    const ddaebm_config *config) {
    ddaebm_model *model = NULL;
    ddaebm_status status = dd_model_declare(&model, context, config);
    if (status == DDAEBM_OK)
        status = dd_model_make_weights(model);
    if (status == DDAEBM_OK)
        *out = model;
    else
        ddaebm_model_free(model);
    return status;
}

ddaebm_status ddaebm_model_create(ddaebm_model **out, ddaebm_context *context,
                                  const ddaebm_config *config, uint64_t seed) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(config);
    ddaebm_status status = dd_model_create_blank(out, context, config);
    if (status == DDAEBM_OK)
        dd_weights_draw(&(*out)->weights, &(*out)->parameters, seed);
    return status;
}

void ddaebm_model_free(ddaebm_model *model) {
    if (!model)
        return;

    ddaebm_context *context = model->context;
    ddaebm_config_free(model->config);
    dd_parameters_free(&model->parameters);
    dd_weights_free(&model->weights);
    dd_free(context, model->mean);
    dd_free(context, model->scale);
    dd_free(context, model->knots);
    dd_free(context, model->colour);
    dd_free(context, model->whiten);
    dd_column_names_free(&model->columns, context);
    dd_free(context, model->typical_mean);
    dd_free(context, model);
    ddaebm_context_free(context);
}

ddaebm_status dd_model_copy_data(ddaebm_model *to, const ddaebm_model *from) {
    size_t width = ddaebm_model_width(from);
    dd_column_names columns = {.items = NULL};
    ddaebm_status status = from->colour ? dd_model_make_whitening(to) : DDAEBM_OK;
    if (status == DDAEBM_OK)
        status = dd_column_names_copy(&columns, to->context, &from->columns);
    if (status != DDAEBM_OK)
        return status;
    if (from->colour) {
        memcpy(to->colour, from->colour, width * width * sizeof *to->colour);
        memcpy(to->whiten, from->whiten, width * width * sizeof *to->whiten);
    }
    dd_column_names_free(&to->columns, to->context);
    to->columns = columns;
    to->measured = from->measured;
    to->kind = from->kind;
    memcpy(to->mean, from->mean, width * sizeof *to->mean);
    memcpy(to->scale, from->scale, width * sizeof *to->scale);
    if (from->knots)
        memcpy(to->knots, from->knots, dd_column_map_size(from) * sizeof *to->knots);
    return DDAEBM_OK;
}

ddaebm_status dd_model_make_whitening(ddaebm_model *model) {
    size_t width = ddaebm_model_width(model);
    size_t row = width * sizeof(double); /* width is at most 2^20 */
    if (model->colour)
        return DDAEBM_OK;
    double *colour = dd_alloc_zero(model->context, width, row),
           *whiten = dd_alloc_zero(model->context, width, row);
    if (!colour || !whiten) {
        dd_free(model->context, colour);
        dd_free(model->context, whiten);
        return DDAEBM_OUT_OF_MEMORY;
    }
    for (size_t j = 0; j < width; j++)
        colour[j * width + j] = whiten[j * width + j] = 1;
    model->colour = colour;
    model->whiten = whiten;
    return DDAEBM_OK;
}

const char *ddaebm_model_column_name(const ddaebm_model *model, size_t index) {
    return dd_column_name(&model->columns, index);
}

size_t dd_model_statistics(const ddaebm_model *model) {
    const dd_settings *settings = dd_model_settings(model);
    bool oriented =
        settings->network.family == DD_FAMILY_NCSNPP && settings->objective.transform_contrast > 0;
    return DD_PLAIN_STATISTICS + oriented;
}

size_t dd_model_typicality_width(const ddaebm_model *model) {
    return ddaebm_model_timesteps(model) * dd_model_statistics(model);
}

ddaebm_status dd_model_make_typicality(ddaebm_model *model) {
    size_t width = dd_model_typicality_width(model);
    if (model->typical_mean)
        return DDAEBM_OK;
    model->typical_mean =
        dd_alloc_zero(model->context, width * (width + 2), sizeof *model->typical_mean);
    if (!model->typical_mean)
        return DDAEBM_OUT_OF_MEMORY;
    model->typical_slope = model->typical_mean + width;
    model->typical_precision = model->typical_slope + width;
    return DDAEBM_OK;
}

const ddaebm_config *ddaebm_model_config(const ddaebm_model *model) {
    return model->config;
}

size_t ddaebm_model_width(const ddaebm_model *model) {
    return dd_settings_width(dd_model_settings(model));
}

void ddaebm_model_image_shape(const ddaebm_model *model, size_t *height, size_t *width,
                              size_t *channels) {
    size_t side = dd_settings_outer_side(dd_model_settings(model));
    *height = *width = side;
    *channels = side ? (size_t)dd_model_settings(model)->data.channels : 0;
}

size_t ddaebm_model_timesteps(const ddaebm_model *model) {
    return (size_t)dd_model_settings(model)->diffusion.timesteps;
}

double ddaebm_model_temperature(const ddaebm_model *model) {
    return model->temperature;
}

uint64_t ddaebm_model_best_step(const ddaebm_model *model) {
    return model->best_step;
}

double ddaebm_model_held_out_contrast(const ddaebm_model *model) {
    return model->contrast;
}

ddaebm_status ddaebm_model_set_temperature(ddaebm_model *model, double temperature) {
    DD_REQUIRE(model);
    if (!((float)temperature > 0) || !isfinite((float)temperature))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "temperature is %g; allowed: finite and above 0",
                       temperature);
    model->temperature = (double)(float)temperature; /* as files store it */
    model->normaliser.known = false;
    return DDAEBM_OK;
}

/* --- Tensors by name. --- */

size_t ddaebm_model_parameter_count(const ddaebm_model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->parameters.count; i++)
        count += model->parameters.items[i].role != DD_ROLE_COUNTER;
    return count;
}

ddaebm_status ddaebm_model_parameter_info(const ddaebm_model *model, size_t index,
                                          ddaebm_parameter_info *info) {
    DD_REQUIRE(model);
    DD_REQUIRE(info);
    ddaebm_status status = dd_struct_check(info, "DDAEBM_PARAMETER_INFO_INIT");
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0, seen = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->role == DD_ROLE_COUNTER || seen++ != index)
            continue;
        ddaebm_parameter_info known = {.name = p->name,
                                       .network = p->network,
                                       .rank = p->rank,
                                       .elements = p->elements,
                                       .trained = p->role == DD_ROLE_WEIGHT,
                                       .offset = p->role == DD_ROLE_WEIGHT ? p->offset : 0};
        memcpy(known.shape, p->shape, sizeof known.shape);
        dd_struct_out(info, &known, sizeof known);
        return DDAEBM_OK;
    }
    return dd_fail(DDAEBM_NOT_FOUND, "parameter %zu: this model has %zu", index,
                   ddaebm_model_parameter_count(model));
}

static ddaebm_status find_tensor(const ddaebm_model *model, const char *name, size_t elements,
                                 const dd_parameter **out) {
    size_t i = dd_parameters_find(&model->parameters, name);
    if (i == model->parameters.count || model->parameters.items[i].role == DD_ROLE_COUNTER)
        return dd_fail(DDAEBM_NOT_FOUND, "no parameter is named %.100s", name);
    if (model->parameters.items[i].elements != elements)
        return dd_fail(DDAEBM_MISMATCH, "%s has %zu elements, not %zu", name,
                       model->parameters.items[i].elements, elements);
    *out = &model->parameters.items[i];
    return DDAEBM_OK;
}

ddaebm_status ddaebm_model_parameter(const ddaebm_model *model, const char *name, float *values,
                                     size_t elements) {
    DD_REQUIRE(model);
    DD_REQUIRE(name);
    DD_REQUIRE(values);
    const dd_parameter *parameter = NULL;
    ddaebm_status status = find_tensor(model, name, elements, &parameter);
    if (status == DDAEBM_OK)
        memcpy(values, dd_weights_at(&model->weights, parameter), elements * sizeof *values);
    return status;
}

ddaebm_status ddaebm_model_set_parameter(ddaebm_model *model, const char *name, const float *values,
                                         size_t elements) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    DD_REQUIRE(name);
    DD_REQUIRE(values);
    const dd_parameter *parameter = NULL;
    ddaebm_status status = find_tensor(model, name, elements, &parameter);
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0; i < elements; i++)
        if (!isfinite(values[i]))
            return dd_fail(DDAEBM_NOT_FINITE, "element %zu given for %s is %g", i, name,
                           (double)values[i]);
    status = dd_weights_own(&model->weights, &model->parameters, parameter->network);
    if (status != DDAEBM_OK)
        return status;
    memcpy(dd_weights_at(&model->weights, parameter), values, elements * sizeof *values);
    model->normaliser.known = false;
    return DDAEBM_OK;
}
