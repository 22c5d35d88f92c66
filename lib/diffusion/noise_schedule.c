#include "diffusion/noise_schedule.h"

#include "base/context.h"

#include <math.h>

/* Rounds to float if `single`. The double result of one operation on floats is exact enough that
 * its rounding is that of float arithmetic. */
static double rounded(bool single, double x) {
    return single ? (double)(float)x : x;
}

static void fill_times(dd_noise_schedule *s, const dd_settings *settings, bool single) {
    size_t steps = s->steps;
    size_t stride = steps > 1 ? 1000 / (2 * (steps - 1)) : 0;
    for (size_t i = 0; i <= steps; i++)
        if (settings->diffusion.grid == DD_GRID_LSUN)
            s->t[i] = rounded(single, (i < steps ? (double)(i * stride) : 999.0) / 999.0);
        else
            s->t[i] = (double)i / (double)steps * (1.0 - 1e-3) + 1e-3;
}

static double variance_of_ratio(double ratio) {
    return ratio * ratio / (1 + ratio * ratio);
}

/* s^2 / (1 + s^2) for a noise-to-signal ratio s, with s^(1/rho) linear in time (Karras et al.,
 * 2022). */
static double karras_variance(const dd_settings *settings, double u) {
    double low = pow(settings->diffusion.sigma_min, 1 / settings->diffusion.rho);
    double high = pow(settings->diffusion.sigma_max, 1 / settings->diffusion.rho);
    return variance_of_ratio(pow(low + u * (high - low), settings->diffusion.rho));
}

/* The same for a ratio whose logarithm is linear in time. */
static double log_snr_variance(const dd_settings *settings, double u) {
    double low = log(settings->diffusion.sigma_min), high = log(settings->diffusion.sigma_max);
    return variance_of_ratio(exp(low + u * (high - low)));
}

/* The same for the ratios of diffusion.levels, linear in between; u is a timestep over T. */
static double level_variance(const dd_settings *settings, double u) {
    const dd_reals *levels = &settings->diffusion.levels;
    double place = u * (double)(levels->count - 1), below = floor(place + 1e-9);
    size_t i = (size_t)below;
    double rest = place - below > 1e-9 ? place - below : 0;
    double ratio = levels->values[i];
    if (rest > 0 && i + 1 < levels->count)
        ratio += rest * (levels->values[i + 1] - ratio);
    return variance_of_ratio(ratio);
}

/* sin^2 of an angle that is linear in time; its tangent is the noise-to-signal ratio. */
static double cosine_variance(const dd_settings *settings, double u) {
    double low = atan(settings->diffusion.sigma_min), high = atan(settings->diffusion.sigma_max);
    double amplitude = sin(low + u * (high - low));
    return amplitude * amplitude;
}

/* Noise variance at time t, by diffusion.schedule. */
static double variance(const dd_settings *settings, double t, bool single) {
    double low = settings->diffusion.beta_min, high = settings->diffusion.beta_max;
    if (settings->diffusion.schedule == DD_SCHEDULE_GEOMETRIC)
        return rounded(single, low * rounded(single, pow(rounded(single, high / low), t)));
    double from_zero = t > 1e-3 ? (t - 1e-3) / (1 - 1e-3) : 0; /* the lsun grid begins at 0 */
    if (settings->diffusion.schedule == DD_SCHEDULE_KARRAS)
        return rounded(single, karras_variance(settings, from_zero));
    if (settings->diffusion.schedule == DD_SCHEDULE_COSINE)
        return rounded(single, cosine_variance(settings, from_zero));
    if (settings->diffusion.schedule == DD_SCHEDULE_LOG_SNR)
        return rounded(single, log_snr_variance(settings, from_zero));
    if (settings->diffusion.schedule == DD_SCHEDULE_LEVELS)
        return rounded(single, level_variance(settings, from_zero));

    double square = rounded(single, -0.25 * rounded(single, t * t));
    double quadratic = rounded(single, square * rounded(single, high - low));
    double linear = rounded(single, rounded(single, 0.5 * t) * rounded(single, low));
    double log_mean = rounded(single, quadratic - linear);
    return rounded(single, 1.0 - rounded(single, exp(2.0 * log_mean)));
}

/* Fills the tables of the forward process. */
static void fill_forward(dd_noise_schedule *s, const dd_settings *settings, bool single_times,
                         bool single) {
    double product = 1;
    for (size_t i = 0; i <= s->steps; i++) {
        s->var[i] = variance(settings, s->t[i], single_times);

        double keep = rounded(single_times, 1.0 - s->var[i]);
        double before = i > 0 ? rounded(single_times, 1.0 - s->var[i - 1]) : 1.0;
        double beta =
            i > 0 ? rounded(single_times, 1.0 - rounded(single_times, keep / before)) : s->var[0];
        if (i > 0 && beta > settings->diffusion.beta_limit)
            beta = settings->diffusion.beta_limit;

        s->betas[i] = rounded(single, beta);
        double rest = rounded(single, 1.0 - s->betas[i]);
        s->a[i] = rounded(single, sqrt(rest));
        s->sigma[i] = rounded(single, sqrt(s->betas[i]));
        s->a_cum[i] = i > 0 ? rounded(single, s->a_cum[i - 1] * s->a[i]) : s->a[0];
        s->sigma_cum[i] = rounded(
            single, sqrt(rounded(single, 1.0 - rounded(single, s->a_cum[i] * s->a_cum[i]))));

        product *= rest; /* a cumulative product kept in double, as torch does on a CPU */
        s->abar[i] = rounded(single, product);
        s->weight[i] = rounded(
            single_times, 0.6 * rounded(single_times, pow(s->t[i], log(1.0 / 3.0) / log(0.5))));
    }
}

/* Fills the tables of the posterior q(x_t | x_{t+1}, x_0) (Ho et al., 2020). */
static void fill_posterior(dd_noise_schedule *s, const dd_settings *settings, bool single) {
    for (size_t i = 0; i < s->steps; i++) {
        double rest = rounded(single, 1.0 - s->abar[i]),
               rest_next = rounded(single, 1.0 - s->abar[i + 1]);
        double beta = s->betas[i + 1];
        s->post_var[i] = rounded(single, rounded(single, beta * rest) / rest_next);
        s->post_coef_x0[i] =
            rounded(single, rounded(single, beta * rounded(single, sqrt(s->abar[i]))) / rest_next);
        s->post_coef_next[i] = rounded(single, rounded(single, rest * s->a[i + 1]) / rest_next);
        double floored = s->post_var[i] > settings->diffusion.variance_floor
                             ? s->post_var[i]
                             : settings->diffusion.variance_floor;
        s->post_logvar[i] = rounded(single, log(rounded(single, floored)));
    }
}

ddaebm_status dd_noise_schedule_make(dd_noise_schedule *out, ddaebm_context *context,
                                     const dd_settings *settings) {
    size_t steps = (size_t)settings->diffusion.timesteps;
    double **tables[] = {
        &out->t,          &out->var,          &out->weight,         &out->betas,
        &out->a,          &out->sigma,        &out->a_cum,          &out->sigma_cum,
        &out->abar,       &out->post_coef_x0, &out->post_coef_next, &out->post_var,
        &out->post_logvar};
    size_t count = sizeof tables / sizeof *tables;
    *out = (dd_noise_schedule){.steps = steps, .context = context};
    double *block = dd_alloc_zero(context, count * (steps + 1), sizeof *block);
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < count; i++)
        *tables[i] = block + i * (steps + 1);
    bool single = settings->diffusion.precision == DD_PRECISION_FLOAT32;
    bool single_times = single && settings->diffusion.grid == DD_GRID_LSUN;
    fill_times(out, settings, single_times);
    fill_forward(out, settings, single_times, single);
    fill_posterior(out, settings, single);
    return DDAEBM_OK;
}

void dd_noise_schedule_free(dd_noise_schedule *schedule) {
    if (schedule->context)
        dd_free(schedule->context, schedule->t);
    *schedule = (dd_noise_schedule){0};
}
