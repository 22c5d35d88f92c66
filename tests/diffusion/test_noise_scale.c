/* Noise with a scale for each sample: its draws against the moments of their distributions, the
 * posterior given the scale against numerical integration, and the density of pure noise against
 * the integral over the scales. */
#define _GNU_SOURCE
#include "diffusion/noise_scale.h"
#include "support/harness.h"
#include "support/plain.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

static dd_settings settings_of(dd_noise noise) {
    dd_settings settings = {0};
    settings.diffusion.timesteps = 4;
    settings.diffusion.schedule = DD_SCHEDULE_LOG_SNR;
    settings.diffusion.sigma_min = 0.1;
    settings.diffusion.sigma_max = 10;
    settings.diffusion.beta_limit = 1;
    settings.diffusion.precision = DD_PRECISION_FLOAT64;
    settings.diffusion.noise = noise;
    settings.diffusion.freedom = 5;
    settings.diffusion.mixture_share = 0.2;
    settings.diffusion.mixture_ratio = 4;
    return settings;
}

/* ---- Draws. ---- */

START_TEST(squared_scales_have_mean_one) {
    enum { DRAWS = 200000 };
    for (dd_noise noise = DD_NOISE_GAUSSIAN; noise <= DD_NOISE_MIXTURE; noise++) {
        dd_settings settings = settings_of(noise);
        double mean = 0;
        for (uint64_t i = 0; i < DRAWS; i++)
            mean += dd_noise_scale_draw(&settings, 3, 77, i) / DRAWS;
        ck_assert_double_eq_tol(mean, 1, noise == DD_NOISE_GAUSSIAN ? 1e-9 : 0.03);
    }
}
END_TEST

/* (nu - 2) / s^2 is chi-squared: mean nu, variance 2 nu, and its median. */
START_TEST(students_scales_are_those_of_chi_squared) {
    enum { DRAWS = 200000 };
    const double medians[][2] = {{2.5, 1.8564}, {5, 4.35146}, {30, 29.33603}};
    for (size_t k = 0; k < 3; k++) {
        dd_settings settings = settings_of(DD_NOISE_STUDENT);
        double freedom = settings.diffusion.freedom = medians[k][0], mean = 0, square = 0;
        size_t below = 0;
        for (uint64_t i = 0; i < DRAWS; i++) {
            double chi = (freedom - 2) / dd_noise_scale_draw(&settings, 9, 5, i);
            mean += chi / DRAWS;
            square += chi * chi / DRAWS;
            below += chi < medians[k][1];
        }
        ck_assert_double_eq_tol(mean / freedom, 1, 0.01);
        ck_assert_double_eq_tol((square - mean * mean) / (2 * freedom), 1, 0.03);
        if (k > 0) /* the first is given to few digits */
            ck_assert_double_eq_tol((double)below / DRAWS, 0.5, 0.005);
    }
}
END_TEST

START_TEST(a_mixture_has_two_scales) {
    enum { DRAWS = 20000 };
    dd_settings settings = settings_of(DD_NOISE_MIXTURE);
    size_t wide = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double scale = dd_noise_scale_draw(&settings, 1, 2, i);
        wide += scale > 1;
        ck_assert_double_eq_tol(scale, (scale > 1 ? 16 : 1) / (0.8 + 0.2 * 16), 1e-12);
    }
    ck_assert_double_eq_tol((double)wide / DRAWS, 0.2, 0.02);
}
END_TEST

/* A draw depends on its place alone, and every number of a row has the same scale. */
START_TEST(draws_are_fixed_by_their_place) {
    enum { ROWS = 6, WIDTH = 3 };
    dd_settings settings = settings_of(DD_NOISE_STUDENT), normal = settings_of(DD_NOISE_GAUSSIAN);
    float all[ROWS * WIDTH], last[WIDTH], same[WIDTH];
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        all[i] = 1;
    for (size_t j = 0; j < WIDTH; j++)
        last[j] = same[j] = 1;
    dd_noise_scale_apply(&settings, 4, 6, 10, ROWS, WIDTH, all);
    dd_noise_scale_apply(&settings, 4, 6, 10 + ROWS - 1, 1, WIDTH, last);
    dd_noise_scale_apply(&normal, 4, 6, 10, 1, WIDTH, same);
    for (size_t j = 0; j < WIDTH; j++) {
        ck_assert_float_eq(all[(ROWS - 1) * WIDTH + j], last[j]);
        ck_assert_float_eq(last[j], last[0]);
        ck_assert_float_eq(same[j], 1);
    }
    ck_assert(fabsf(all[0] - all[WIDTH]) > 1e-4f);
}
END_TEST

/* ---- The posterior given a scale. ---- */

static double normal_density(double x, double mean, double variance) {
    return exp(-0.5 * (x - mean) * (x - mean) / variance) / sqrt(2 * pi * variance);
}

/* Mean and variance of q(x_t | x_{t+1}, x_0, s), by the sum over a grid of what it is proportional
 * to. */
static void integrate(const dd_noise_schedule *s, size_t t, double scale, double x0, double x_next,
                      double *mean, double *variance) {
    double sum = 0, first = 0, second = 0, reach = 12 * scale;
    for (int i = 0; i <= 40000; i++) {
        double x = x0 - reach + 2 * reach * i / 40000;
        double weight = normal_density(x, s->a_cum[t] * x0, scale * scale * (1 - s->abar[t])) *
                        normal_density(x_next, s->a[t + 1] * x, scale * scale * s->betas[t + 1]);
        sum += weight;
        first += weight * x;
        second += weight * x * x;
    }
    *mean = first / sum;
    *variance = second / sum - *mean * *mean;
}

START_TEST(the_posterior_given_a_scale_is_exact) {
    dd_settings settings = settings_of(DD_NOISE_STUDENT);
    dd_noise_schedule s;
    ddaebm_context *context = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(dd_noise_schedule_make(&s, context, &settings));
    const double scales[] = {0.3, 1, 2.5};
    for (size_t t = 0; t < s.steps; t++)
        for (size_t k = 0; k < 3; k++) {
            double x0 = 0.7, x_next = s.a_cum[t + 1] * x0 + scales[k] * s.sigma_cum[t + 1] * 0.8;
            double mean, variance;
            integrate(&s, t, scales[k], x0, x_next, &mean, &variance);
            ck_assert_double_eq_tol(s.post_coef_x0[t] * x0 + s.post_coef_next[t] * x_next, mean,
                                    1e-6);
            ck_assert_double_eq_tol(s.post_var[t] * scales[k] * scales[k] / variance, 1, 1e-4);
        }
    dd_noise_schedule_free(&s);
    ddaebm_context_free(context);
}
END_TEST

/* log q(x_{t+1} | x_t) in a graph, with the scale. */
START_TEST(the_density_of_a_step_has_the_scale) {
    enum { SAMPLES = 3, WIDTH = 2 };
    dd_settings settings = settings_of(DD_NOISE_STUDENT);
    ddaebm_context *context = NULL;
    dd_graph *graph = NULL;
    dd_noise_schedule s;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(dd_graph_create(&graph, context));
    ASSERT_OK(dd_noise_schedule_make(&s, context, &settings));
    double timesteps[SAMPLES] = {0, 1, 3}, logs[SAMPLES] = {-1, 0, 1.5};
    double x[SAMPLES * WIDTH] = {0.1, -0.4, 0.3, 2, 1, -1},
                       y[SAMPLES * WIDTH] = {0, 1, -1, 2, 3, 0};
    dd_process process = {.graph = graph,
                          .schedule = &s,
                          .timestep = dd_input(graph, 0, dd_shape_rows(SAMPLES, 1), 0),
                          .scaled = true,
                          .log_variances = dd_input(graph, 1, dd_shape_rows(SAMPLES, 1), 0)};
    dd_node found =
        dd_process_log_next(&process, dd_input(graph, 2, dd_shape_rows(SAMPLES, WIDTH), 0),
                            dd_input(graph, 3, dd_shape_rows(SAMPLES, WIDTH), 0));
    const test_plain_input inputs[] = {{0, -1, timesteps}, {1, -1, logs}, {2, -1, x}, {3, -1, y}};
    test_plain *plain = test_plain_create(graph);
    test_plain_run(plain, inputs, 4);
    for (size_t n = 0; n < SAMPLES; n++) {
        size_t t = (size_t)timesteps[n];
        double expected = 0;
        for (size_t j = n * WIDTH; j < (n + 1) * WIDTH; j++)
            expected += log(normal_density(y[j], s.a[t + 1] * x[j], s.betas[t + 1] * exp(logs[n])));
        ck_assert_double_eq_tol(test_plain_value(plain, found)[n], expected, 1e-5);
    }
    test_plain_free(plain);
    dd_noise_schedule_free(&s);
    dd_graph_free(graph);
    ddaebm_context_free(context);
}
END_TEST

/* ---- The density of pure noise. ---- */

/* The integral of N(x; 0, s^2 I) over the distribution of s^2: for Student's, over chi-squared. */
static double density_by_integral(const dd_settings *settings, double square, double width) {
    double sum = 0, nu = settings->diffusion.freedom;
    if (settings->diffusion.noise == DD_NOISE_MIXTURE) {
        double share = settings->diffusion.mixture_share;
        double narrow = 1 / (1 - share + share * pow(settings->diffusion.mixture_ratio, 2));
        for (int wide = 0; wide < 2; wide++) {
            double v = narrow * (wide ? pow(settings->diffusion.mixture_ratio, 2) : 1);
            sum += (wide ? share : 1 - share) * exp(-0.5 * square / v) / pow(2 * pi * v, width / 2);
        }
        return sum;
    }
    const double step = 1e-3;
    for (double u = -14; u < 7; u += step) { /* chi^2 = e^u */
        double chi = exp(u), v = (nu - 2) / chi;
        double of_chi = exp((nu / 2 - 1) * u - chi / 2 - nu / 2 * log(2) - lgamma(nu / 2));
        sum += step * chi * of_chi * exp(-0.5 * square / v) / pow(2 * pi * v, width / 2);
    }
    return sum;
}

START_TEST(pure_noise_has_the_density_of_its_scales) {
    enum { SAMPLES = 4, WIDTH = 3 };
    double x[SAMPLES * WIDTH] = {0, 0, 0, 1, -1, 0.5, 3, 0, 2, 10, -8, 4};
    for (dd_noise noise = DD_NOISE_STUDENT; noise <= DD_NOISE_MIXTURE; noise++) {
        dd_settings settings = settings_of(noise);
        ddaebm_context *context = NULL;
        dd_graph *graph = NULL;
        ASSERT_OK(ddaebm_context_create(&context, NULL));
        ASSERT_OK(dd_graph_create(&graph, context));
        dd_node found = dd_noise_log_density(graph, &settings,
                                             dd_input(graph, 0, dd_shape_rows(SAMPLES, WIDTH), 0));
        const test_plain_input inputs[] = {{0, -1, x}};
        test_plain *plain = test_plain_create(graph);
        test_plain_run(plain, inputs, 1);
        for (size_t n = 0; n < SAMPLES; n++) {
            double square = 0;
            for (size_t j = n * WIDTH; j < (n + 1) * WIDTH; j++)
                square += x[j] * x[j];
            ck_assert_double_eq_tol(test_plain_value(plain, found)[n],
                                    log(density_by_integral(&settings, square, WIDTH)), 1e-4);
        }
        test_plain_free(plain);
        dd_graph_free(graph);
        ddaebm_context_free(context);
    }
}
END_TEST

int main(void) {
    return RUN_TESTS("diffusion/noise_scale", squared_scales_have_mean_one,
                     students_scales_are_those_of_chi_squared, a_mixture_has_two_scales,
                     draws_are_fixed_by_their_place, the_posterior_given_a_scale_is_exact,
                     the_density_of_a_step_has_the_scale, pure_noise_has_the_density_of_its_scales);
}
