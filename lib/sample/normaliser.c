#include <ddaebm/normaliser.h>

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "sample/annealing.h"
#include "sample/weights.h"

#include <ddaebm/sampler.h>
#include <math.h>

enum {
    ROW_SAMPLES = 8192,
    IMAGE_SAMPLES = 128,
    MOST_SAMPLES = 1000000,
    MOST_STEPS = 1000000,
    SCOUTS = 512, /* chains that find the bridge */
    REFINEMENT = 60
};

/* The relative variance of weights from one density to the next while the bridge is found, and what
 * all of them together are to come to. */
static const double found_gap = 0.05, wanted_variance = 0.1;

/* Mean of exp(log weights), in its logarithm, with the standard error of that. */
typedef struct estimate {
    double log_mean, standard_error, effective_samples;
} estimate;

static estimate average(const double *log_weights, size_t count) {
    dd_weight_sums sums = dd_weight_sums_of(log_weights, count);
    double variance = dd_weight_variance(&sums);
    return (estimate){.log_mean = sums.largest + log(sums.sum / sums.count),
                      .standard_error = sqrt(fmax(variance, 0) / sums.count),
                      .effective_samples = sums.sum * sums.sum / sums.squares};
}

/* --- The parts of the work. --- */

typedef struct work {
    ddaebm_model *model;
    ddaebm_normaliser_options options;
    dd_cloud *cloud;
    dd_bridge bridge;
    double *log_weights; /* [samples] */
    float *rows;         /* [samples, inner width] */
    dd_cloud_call call;
} work;

/* Finds a bridge with few chains, and refines it to the number of steps asked for. */
static ddaebm_status make_bridge(work *w) {
    ddaebm_context *context = w->model->context;
    dd_bridge found = {0};
    dd_cloud *scouts = NULL;
    size_t count = w->options.samples < SCOUTS ? w->options.samples : SCOUTS, parts;
    ddaebm_status status;
    DD_TRY(dd_cloud_create(&scouts, w->model, count));
    DD_TRY(dd_cloud_find_bridge(scouts, &w->call, found_gap, &found));

    parts = (size_t)ceil((double)found.count * found_gap / wanted_variance);
    if (w->options.steps > 0)
        parts = w->options.steps / found.count;
    DD_TRY(dd_bridge_refine(&w->bridge, context, &found, parts > 0 ? parts : 1));
cleanup:
    dd_free(context, found.points);
    dd_cloud_free(scouts);
    return status;
}

/* Samples of the energy at timestep 0: the generator's, refined. */
static ddaebm_status draw_rows(work *w) {
    ddaebm_context *context = w->model->context;
    size_t count = w->options.samples;
    ddaebm_sampler *sampler = NULL;
    double *wide = dd_alloc_zero(context, count, ddaebm_model_width(w->model) * sizeof *wide);
    ddaebm_status status = wide ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    DD_TRY(status);
    DD_TRY(ddaebm_sampler_create(&sampler, w->model));
    DD_TRY(ddaebm_sampler_set_refinement(sampler, REFINEMENT, 1));
    DD_TRY(ddaebm_sampler_draw_double(sampler, w->options.seed, 0, count, wide));
    dd_model_standardize(w->model, (dd_rows_in){.wide = wide}, 0, count, w->rows);
cleanup:
    ddaebm_sampler_free(sampler);
    dd_free(context, wide);
    return status;
}

/* Estimates log Z along the bridge in both directions. */
static ddaebm_status measure(work *w, dd_normaliser *out) {
    size_t count = w->options.samples;
    ddaebm_status status;
    DD_TRY(dd_cloud_forward(w->cloud, &w->call, &w->bridge, w->log_weights));
    estimate forward = average(w->log_weights, count);
    DD_TRY(draw_rows(w));
    DD_TRY(dd_cloud_backward(w->cloud, &w->call, &w->bridge, w->rows, w->log_weights));
    estimate backward = average(w->log_weights, count);

    *out = (dd_normaliser){.known = true,
                           .log_z = forward.log_mean,
                           .error = forward.standard_error,
                           .gap = -backward.log_mean - forward.log_mean,
                           .effective_samples = forward.effective_samples};
    if (!isfinite(out->log_z) || !isfinite(out->error) || !isfinite(out->gap))
        status = dd_fail(DDAEBM_NOT_FINITE, "exp(f / temperature) has no finite integral");
cleanup:
    return status;
}

/* Allocates what the estimate needs, and makes it. */
static ddaebm_status fit(work *w, dd_normaliser *out) {
    ddaebm_context *context = w->model->context;
    size_t count = w->options.samples;
    ddaebm_status status;

    DD_TRY(make_bridge(w));
    DD_TRY(dd_cloud_create(&w->cloud, w->model, count));
    w->log_weights = dd_alloc_zero(context, count, sizeof *w->log_weights);
    w->rows = dd_alloc_zero(context, count, dd_model_inner_width(w->model) * sizeof *w->rows);
    status = w->log_weights && w->rows ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    w->call.total = 2 * w->bridge.count;
    if (status == DDAEBM_OK)
        status = measure(w, out);

cleanup:
    dd_cloud_free(w->cloud);
    dd_free(context, w->bridge.points);
    dd_free(context, w->log_weights);
    dd_free(context, w->rows);
    return status;
}

/* --- The interface. --- */

/* Checks the options, or the defaults if none are given, and fills in what they leave open. */
static ddaebm_status read_options(ddaebm_normaliser_options *out, const ddaebm_model *model,
                                  const ddaebm_normaliser_options *given) {
    *out = (ddaebm_normaliser_options)DDAEBM_NORMALISER_OPTIONS_INIT;
    if (given) {
        ddaebm_status status =
            dd_struct_in(out, sizeof *out, given, "DDAEBM_NORMALISER_OPTIONS_INIT");
        if (status != DDAEBM_OK)
            return status;
    }

    if (out->samples > MOST_SAMPLES || out->samples == 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "samples are %zu; allowed: 2 to %d, or 0", out->samples,
                       (int)MOST_SAMPLES);
    if (out->steps > MOST_STEPS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "steps are %zu; allowed: 0 to %d", out->steps,
                       (int)MOST_STEPS);
    if (out->samples == 0)
        out->samples =
            dd_settings_outer_side(dd_model_settings(model)) ? IMAGE_SAMPLES : ROW_SAMPLES;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_model_fit_normaliser(ddaebm_model *model,
                                          const ddaebm_normaliser_options *options,
                                          ddaebm_progress_function progress, void *user) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    work w = {.model = model};
    dd_normaliser found = {0};
    ddaebm_status status = dd_model_check_energy(model);
    if (status == DDAEBM_OK)
        status = read_options(&w.options, model, options);
    if (status != DDAEBM_OK)
        return status;

    w.call = (dd_cloud_call){
        .seed = w.options.seed, .progress = progress, .progress_user = user, .total = 1};
    status = fit(&w, &found);
    if (status == DDAEBM_OK)
        model->normaliser = found;
    return status;
}

ddaebm_status ddaebm_model_normaliser(const ddaebm_model *model, ddaebm_normaliser *info) {
    DD_REQUIRE(model);
    DD_REQUIRE(info);
    ddaebm_status status = dd_struct_check(info, "DDAEBM_NORMALISER_INIT");
    if (status != DDAEBM_OK)
        return status;
    const dd_normaliser *known = &model->normaliser;
    if (!known->known)
        return dd_fail(DDAEBM_NOT_FOUND, "the model is not normalised");

    ddaebm_normaliser told = {.log_z = known->log_z,
                              .standard_error = known->error,
                              .gap = known->gap,
                              .effective_samples = known->effective_samples};
    dd_struct_out(info, &told, sizeof told);
    return DDAEBM_OK;
}
