/* The tables of the forward process: identities that any schedule has, the posterior against brute
 * force, and what a model makes of a schedule that does not end in noise. */
#define _GNU_SOURCE
#include "base/context.h"
#include "diffusion/noise_schedule.h"
#include "support/counted.h"
#include "support/small.h"

#include <math.h>

typedef struct kind {
    dd_schedule_kind schedule;
    dd_grid grid;
    double low, high;
} kind;

static const kind kinds[] = {{DD_SCHEDULE_VP, DD_GRID_UNIFORM, 0.01, 0.1},
                             {DD_SCHEDULE_VP, DD_GRID_UNIFORM, 0.1, 20},
                             {DD_SCHEDULE_VP, DD_GRID_LSUN, 0.1, 20},
                             {DD_SCHEDULE_GEOMETRIC, DD_GRID_UNIFORM, 0.01, 0.1},
                             {DD_SCHEDULE_GEOMETRIC, DD_GRID_UNIFORM, 0.001, 0.99},
                             {DD_SCHEDULE_KARRAS, DD_GRID_UNIFORM, 0.02, 80},
                             {DD_SCHEDULE_COSINE, DD_GRID_UNIFORM, 0.03, 80},
                             {DD_SCHEDULE_LOG_SNR, DD_GRID_UNIFORM, 0.03, 80}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const int steps_tried[] = {2, 3, 4, 8, 64, 500};

enum { STEPS_TRIED = sizeof steps_tried / sizeof *steps_tried };

static dd_settings settings_of(const kind *k, int64_t steps, dd_precision precision) {
    dd_settings settings = {0};
    settings.diffusion.timesteps = steps;
    settings.diffusion.schedule = k->schedule;
    settings.diffusion.grid = k->grid;
    settings.diffusion.beta_min = k->low;
    settings.diffusion.beta_max = k->high;
    settings.diffusion.sigma_min = k->low;
    settings.diffusion.sigma_max = k->high;
    settings.diffusion.rho = 7;
    settings.diffusion.beta_limit = 1;
    settings.diffusion.precision = precision;
    return settings;
}

static dd_noise_schedule make(const kind *k, int64_t steps, dd_precision precision) {
    dd_settings settings = settings_of(k, steps, precision);
    dd_noise_schedule schedule;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, &settings));
    ck_assert_uint_eq(schedule.steps, (size_t)steps);
    return schedule;
}

/* a^2 + sigma^2 = 1 at every timestep, so a unit variance stays one; what is left of the signal is
 * the product of what each step leaves, and that is 1 minus the variance that the schedule asks
 * for. */
static void check_forward(const dd_noise_schedule *s) {
    double product = 1;
    for (size_t i = 0; i <= s->steps; i++) {
        product *= 1 - s->betas[i];
        ck_assert_double_eq_tol(s->a[i] * s->a[i] + s->sigma[i] * s->sigma[i], 1, 1e-14);
        ck_assert_double_eq_tol(s->a_cum[i] * s->a_cum[i] + s->sigma_cum[i] * s->sigma_cum[i], 1,
                                1e-14);
        ck_assert_double_eq_tol(s->abar[i], product, 1e-13);
        ck_assert_double_eq_tol(s->a_cum[i] * s->a_cum[i], product, 1e-13);
        ck_assert_double_eq_tol(1 - s->var[i], product, 1e-12);
        ck_assert_double_eq_tol(s->weight[i],
                                s->t[i] > 0 ? 0.6 * exp(log(s->t[i]) * log(3) / log(2)) : 0, 1e-14);
        if (i == 0)
            continue;
        ck_assert_double_gt(s->t[i], s->t[i - 1]);
        ck_assert_double_gt(s->betas[i], 0);
        ck_assert_double_lt(s->betas[i], 1);
        ck_assert_double_lt(s->abar[i], s->abar[i - 1]);
    }
    ck_assert_double_eq(s->t[s->steps], 1);
}

/* One more step of noise on timestep t is timestep t+1; the posterior of timestep t given both ends
 * has the mean and the variance that put timestep t back together. */
static void check_composition(const dd_noise_schedule *s) {
    for (size_t t = 0; t < s->steps; t++) {
        double signal = s->a[t + 1] * s->a_cum[t];
        double noise =
            s->a[t + 1] * s->a[t + 1] * s->sigma_cum[t] * s->sigma_cum[t] + s->betas[t + 1];
        ck_assert_double_eq_tol(signal, s->a_cum[t + 1], 1e-13);
        ck_assert_double_eq_tol(noise, s->sigma_cum[t + 1] * s->sigma_cum[t + 1], 1e-12);
        double mean = s->post_coef_x0[t] + s->post_coef_next[t] * s->a_cum[t + 1];
        double variance =
            s->post_coef_next[t] * s->post_coef_next[t] * (1 - s->abar[t + 1]) + s->post_var[t];
        ck_assert_double_eq_tol(mean, s->a_cum[t], 1e-9);
        ck_assert_double_eq_tol(variance, 1 - s->abar[t], 1e-9);
        if (s->post_var[t] > 0)
            ck_assert_double_eq_tol(exp(s->post_logvar[t]), s->post_var[t], 1e-14);
    }
}

START_TEST(exact_tables_obey_their_identities) {
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < STEPS_TRIED; i++) {
            dd_noise_schedule s = make(&kinds[k], steps_tried[i], DD_PRECISION_FLOAT64);
            check_forward(&s);
            check_composition(&s);
            dd_noise_schedule_free(&s);
        }
}
END_TEST

/* The formulas as the paper writes them, at their ends. */
START_TEST(times_and_variances_are_the_published_ones) {
    dd_noise_schedule s = make(&kinds[1], 4, DD_PRECISION_FLOAT64);
    for (int i = 0; i <= 4; i++) {
        double t = i / 4.0 * 0.999 + 0.001;
        ck_assert_double_eq_tol(s.t[i], t, 1e-15);
        ck_assert_double_eq_tol(s.var[i], -expm1(-t * t * 19.9 / 2 - t * 0.1), 1e-14);
    }
    dd_noise_schedule_free(&s);
    s = make(&kinds[3], 4, DD_PRECISION_FLOAT64);
    for (int i = 0; i <= 4; i++)
        ck_assert_double_eq_tol(s.var[i], 0.01 * pow(10, i / 4.0 * 0.999 + 0.001), 1e-14);
    dd_noise_schedule_free(&s);
    s = make(&kinds[2], 4, DD_PRECISION_FLOAT64);
    for (int i = 0; i <= 4; i++) /* a stride of 1000 / 6, cut */
        ck_assert_double_eq_tol(s.t[i], i < 4 ? i * 166 / 999.0 : 1, 1e-15);
    dd_noise_schedule_free(&s);
}
END_TEST

/* The ratio of noise to signal: its seventh root is even in time, or the angle whose tangent it is,
 * or its logarithm. */
START_TEST(ratios_of_noise_to_signal_grow_as_they_are_said_to) {
    enum { STEPS = 8 };
    dd_noise_schedule karras = make(&kinds[5], STEPS, DD_PRECISION_FLOAT64),
                      cosine = make(&kinds[6], STEPS, DD_PRECISION_FLOAT64),
                      log_snr = make(&kinds[7], STEPS, DD_PRECISION_FLOAT64);
    for (int i = 0; i <= STEPS; i++) {
        double u = (double)i / STEPS, root = (1 - u) * pow(0.02, 1 / 7.0) + u * pow(80, 1 / 7.0);
        ck_assert_double_eq_tol(karras.sigma_cum[i] / karras.a_cum[i] / pow(root, 7), 1, 1e-9);
        ck_assert_double_eq_tol(cosine.sigma_cum[i] / cosine.a_cum[i] /
                                    tan((1 - u) * atan(0.03) + u * atan(80)),
                                1, 1e-9);
        ck_assert_double_eq_tol(log_snr.abar[i] / (1 - log_snr.abar[i]) /
                                    (pow(0.03, 2 * u - 2) * pow(80, -2 * u)),
                                1, 1e-9);
    }
    dd_noise_schedule_free(&karras);
    dd_noise_schedule_free(&cosine);
    dd_noise_schedule_free(&log_snr);
}
END_TEST

/* The lsun grid begins at time 0, the others' at 0.001: no schedule goes below its least noise. */
START_TEST(the_lsun_grid_begins_with_the_least_noise) {
    static const dd_schedule_kind by_ratio[] = {DD_SCHEDULE_KARRAS, DD_SCHEDULE_COSINE,
                                                DD_SCHEDULE_LOG_SNR, DD_SCHEDULE_LEVELS};
    for (size_t i = 0; i < sizeof by_ratio / sizeof *by_ratio; i++) {
        const kind one = {by_ratio[i], DD_GRID_LSUN, 0.02, 1e4};
        dd_settings settings = settings_of(&one, 4, DD_PRECISION_FLOAT64);
        dd_noise_schedule s;
        settings.diffusion.rho = 1;
        settings.diffusion.levels = (dd_reals){.count = 5, .values = {0.02, 0.1, 1, 10, 1e4}};
        ASSERT_OK(dd_noise_schedule_make(&s, context, &settings));
        ck_assert_double_eq_tol(s.sigma_cum[0] / s.a_cum[0], 0.02, 1e-12);
        ck_assert_double_eq_tol(s.sigma_cum[4] / s.a_cum[4], 1e4, 1);
        dd_noise_schedule_free(&s);
    }
}
END_TEST

/* Mean and variance of q(x_t | x_{t+1}, x_0) by summing the product of the two densities that it
 * is. */
static void integrate_posterior(const dd_noise_schedule *s, size_t t, double x0, double x_next,
                                double *mean, double *variance) {
    enum { POINTS = 20001 };
    double prior_mean = s->a_cum[t] * x0, prior_variance = 1 - s->abar[t], sums[3] = {0};
    double from_next = x_next / s->a[t + 1], next_deviation = s->sigma[t + 1] / s->a[t + 1];
    double precision = 1 / prior_variance + 1 / (next_deviation * next_deviation),
           reach = 12 / sqrt(precision);
    double low = fmin(prior_mean, from_next) - reach, high = fmax(prior_mean, from_next) + reach,
           most = -INFINITY;
    for (int pass = 0; pass < 2; pass++) /* first the largest exponent, lest all underflow */
        for (int i = 0; i < POINTS; i++) {
            double x = low + (high - low) * i / (POINTS - 1), d = x - prior_mean,
                   e = x_next - s->a[t + 1] * x;
            double exponent = -0.5 * d * d / prior_variance - 0.5 * e * e / s->betas[t + 1];
            most = pass == 0 ? fmax(most, exponent) : most;
            double density = pass == 0 ? 0 : exp(exponent - most);
            sums[0] += density;
            sums[1] += density * (x - low);
            sums[2] += density * (x - low) * (x - low);
        }
    *mean = sums[1] / sums[0] + low;
    *variance = sums[2] / sums[0] - sums[1] / sums[0] * (sums[1] / sums[0]);
}

START_TEST(the_posterior_is_that_of_brute_force) {
    static const double pairs[][2] = {{0, 0}, {1, 1.3}, {-0.7, 0.4}};
    for (int k = 0; k < KINDS; k++)
        for (int steps = 1; steps <= 8; steps *= 2) {
            if (kinds[k].grid == DD_GRID_LSUN) /* its timestep 0 is a point */
                continue;
            dd_noise_schedule s = make(&kinds[k], steps, DD_PRECISION_FLOAT64);
            for (size_t t = 0; t < s.steps; t++)
                for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
                    double mean, variance,
                        x0 = pairs[p][0],
                        x_next = s.a[t + 1] * s.a_cum[t] * x0 + s.sigma_cum[t + 1] * pairs[p][1];
                    integrate_posterior(&s, t, x0, x_next, &mean, &variance);
                    double scale = sqrt(s.post_var[t]);
                    ck_assert_double_eq_tol(s.post_coef_x0[t] * x0 + s.post_coef_next[t] * x_next,
                                            mean, 1e-6 * scale);
                    ck_assert_double_eq_tol(s.post_var[t] / variance, 1, 1e-6);
                }
            dd_noise_schedule_free(&s);
        }
}
END_TEST

/* With abar at 1 the first posterior is a point, and its log variance minus infinity: never used,
 * for there is no noise at timestep 0.
 */
static void check_finite(const dd_noise_schedule *s, bool point) {
    const double *all[] = {s->t,     s->var,   s->weight,    s->betas, s->a,
                           s->sigma, s->a_cum, s->sigma_cum, s->abar};
    const double *a_step[] = {s->post_coef_x0, s->post_coef_next, s->post_var, s->post_logvar};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; i <= s->steps; i++)
            ck_assert_msg(isfinite(all[k][i]), "table %zu at %zu of %zu is %g", k, i, s->steps,
                          all[k][i]);
    for (size_t k = 0; k < sizeof a_step / sizeof *a_step; k++)
        for (size_t i = k == 3 && point ? 1 : 0; i < s->steps; i++)
            ck_assert_msg(isfinite(a_step[k][i]), "posterior table %zu at %zu of %zu is %g", k, i,
                          s->steps, a_step[k][i]);
}

START_TEST(tables_are_finite) {
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < STEPS_TRIED; i++)
            for (int precision = 0; precision < 2; precision++) {
                dd_noise_schedule s = make(&kinds[k], steps_tried[i], (dd_precision)precision);
                check_finite(&s, kinds[k].grid == DD_GRID_LSUN);
                dd_noise_schedule_free(&s);
            }
    dd_noise_schedule one = make(&kinds[0], 1, DD_PRECISION_FLOAT32),
                      most = make(&kinds[1], 1000, DD_PRECISION_FLOAT32);
    check_finite(&one, false);
    check_finite(&most, false);
    dd_noise_schedule_free(&one);
    dd_noise_schedule_free(&most);
}
END_TEST

/* The published arithmetic is off by less than half a per cent at the usual T, and float is all
 * that it is. */
START_TEST(published_precision_is_near_the_exact_one) {
    for (int k = 0; k < KINDS; k++) {
        dd_noise_schedule exact = make(&kinds[k], 4, DD_PRECISION_FLOAT64),
                          published = make(&kinds[k], 4, DD_PRECISION_FLOAT32);
        for (size_t i = 0; i <= 4; i++) {
            ck_assert_double_eq_tol(published.betas[i], exact.betas[i], 1e-6);
            ck_assert_double_eq_tol(published.abar[i], exact.abar[i], 1e-6);
            ck_assert_double_eq_tol(published.sigma_cum[i], exact.sigma_cum[i],
                                    5e-3 * exact.sigma_cum[i] + 1e-9);
            ck_assert_double_eq(published.abar[i], (double)(float)published.abar[i]);
            ck_assert_double_eq(published.sigma[i], (double)(float)published.sigma[i]);
        }
        dd_noise_schedule_free(&exact);
        dd_noise_schedule_free(&published);
    }
}
END_TEST

START_TEST(limits_and_floors_cut) {
    dd_settings settings = settings_of(&kinds[1], 8, DD_PRECISION_FLOAT64);
    dd_noise_schedule free_one = make(&kinds[1], 8, DD_PRECISION_FLOAT64), s;
    settings.diffusion.beta_limit = 0.5;
    settings.diffusion.variance_floor = 0.2;
    ASSERT_OK(dd_noise_schedule_make(&s, context, &settings));
    for (size_t i = 1; i <= 8; i++)
        ck_assert_double_eq(s.betas[i], fmin(free_one.betas[i], 0.5));
    for (size_t i = 0; i < 8; i++)
        ck_assert_double_eq_tol(s.post_logvar[i], log(fmax(s.post_var[i], 0.2)), 1e-15);
    ck_assert_double_lt(s.post_var[0], 0.2);
    dd_noise_schedule_free(&free_one);
    dd_noise_schedule_free(&s);
}
END_TEST

START_TEST(no_memory_is_a_status) {
    dd_settings settings = settings_of(&kinds[0], 4, DD_PRECISION_FLOAT32);
    dd_noise_schedule s;
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(dd_noise_schedule_make(&s, context, &settings), DDAEBM_OUT_OF_MEMORY);
    dd_noise_schedule_free(&s);
}
END_TEST

/* --- What a model makes of it. --- */

static heard create(const char *preset, const char *changes, ddaebm_status expected) {
    heard log = {0};
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_context_set_log(context, hear, &log, DDAEBM_LOG_WARNING));
    ASSERT_OK(ddaebm_config_create(&config, context, preset));
    ASSERT_OK(ddaebm_config_parse(config, changes, strlen(changes)));
    ck_assert_int_eq(ddaebm_model_create(&model, context, config, 1), expected);
    ck_assert_int_eq(model != NULL, expected == DDAEBM_OK);
    ASSERT_OK(ddaebm_context_set_log(context, NULL, NULL, DDAEBM_LOG_WARNING));
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    return log;
}

START_TEST(a_schedule_that_does_not_end_in_noise_draws_a_warning) {
    heard toy = create("toy", "{}", DDAEBM_OK), points = create("points", "{}", DDAEBM_OK),
          vector = create("vector", "{}", DDAEBM_OK);
    ck_assert_uint_eq(toy.warnings, 1);
    ck_assert_ptr_nonnull(strstr(toy.last, "95%"));
    ck_assert_ptr_nonnull(strstr(toy.last, "N(0, I)"));
    ck_assert_ptr_nonnull(strstr(toy.last, "diffusion.beta_max"));
    ck_assert_uint_eq(points.warnings, 0);
    ck_assert_uint_eq(vector.warnings, 0);
    ck_assert_uint_eq(create("toy", "{\"diffusion.beta_max\": 20}", DDAEBM_OK).warnings, 0);
    ck_assert_uint_eq(create("points", "{\"diffusion.sigma_max\": 2}", DDAEBM_OK).warnings, 1);
    (void)create("points", "{\"diffusion.sigma_min\": 0.5, \"diffusion.sigma_max\": 0.5}",
                 DDAEBM_OUT_OF_RANGE);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "diffusion.sigma_min"));
}
END_TEST

START_TEST(a_schedule_without_noise_is_refused) {
    (void)create("toy",
                 "{\"diffusion.beta_min\": 1e-8, \"diffusion.beta_max\": 2e-8, "
                 "\"diffusion.timesteps\": 1000}",
                 DDAEBM_OUT_OF_RANGE);
    const char *why = ddaebm_error_message();
    ck_assert_msg(strstr(why, "diffusion.beta_min") && strstr(why, "diffusion.timesteps"), "%s",
                  why);
    ck_assert_msg(strstr(why, "leave no noise") != NULL, "%s", why);
}
END_TEST

/* Each with the keys of its schedule. */
START_TEST(a_schedule_without_signal_is_refused) {
    static const char *const cases[][2] = {
        {"{\"diffusion.beta_max\":145}", "diffusion.beta_max"},
        {"{\"diffusion.schedule\":\"levels\",\"diffusion.timesteps\":2,\"diffusion.grid\":"
         "\"lsun\",\"diffusion.levels\":[0.1,9000,10000]}",
         "diffusion.levels"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)create("toy", cases[i][0], DDAEBM_OUT_OF_RANGE);
        const char *why = ddaebm_error_message();
        ck_assert_msg(strstr(why, cases[i][1]) && strstr(why, "leave no signal"), "%s", why);
    }
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("noise_schedule", exact_tables_obey_their_identities,
                     times_and_variances_are_the_published_ones,
                     ratios_of_noise_to_signal_grow_as_they_are_said_to,
                     the_lsun_grid_begins_with_the_least_noise,
                     the_posterior_is_that_of_brute_force, tables_are_finite,
                     published_precision_is_near_the_exact_one, limits_and_floors_cut,
                     no_memory_is_a_status, a_schedule_that_does_not_end_in_noise_draws_a_warning,
                     a_schedule_without_noise_is_refused, a_schedule_without_signal_is_refused);
}
