/* Adam, averages and rates against a few lines of double. */
#define _GNU_SOURCE
#include "base/context.h"
#include "base/rng.h"
#include "support/harness.h"
#include "train/optimizer.h"

#include <float.h>
#include <math.h>

/* Enough for several threads, and no multiple of any vector's length. */
enum { MANY = 40003 };

static ddaebm_context *context;

static void begin(int threads) {
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, threads));
}

static float *normals(size_t count, uint64_t number) {
    float *values = malloc(count * sizeof *values);
    dd_rng_normals(values, 9, dd_stream(DD_STREAM_DATA, number), 0, count);
    return values;
}

static dd_settings settings_of(double beta1, double beta2, double epsilon) {
    dd_settings settings = {0};
    settings.optimizer.beta1 = beta1;
    settings.optimizer.beta2 = beta2;
    settings.optimizer.epsilon = epsilon;
    return settings;
}

/* Kingma and Ba's algorithm 1, as they write it. */
static void adam_in_double(double *weights, double *m, double *v, const float *gradients,
                           size_t count, int step, double rate, const dd_settings *settings) {
    double beta1 = settings->optimizer.beta1, beta2 = settings->optimizer.beta2;
    for (size_t i = 0; i < count; i++) {
        double g = (double)gradients[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        weights[i] -= rate * (m[i] / (1 - pow(beta1, step))) /
                      (sqrt(v[i] / (1 - pow(beta2, step))) + settings->optimizer.epsilon);
    }
}

static void compare_adam(size_t count, int steps, int threads, dd_settings settings) {
    begin(threads);
    float *weights = normals(count, 0), *m = calloc(count, sizeof *m),
          *v = calloc(count, sizeof *v);
    double *exact[3];
    for (int k = 0; k < 3; k++)
        exact[k] = calloc(count, sizeof **exact);
    for (size_t i = 0; i < count; i++)
        exact[0][i] = (double)weights[i];
    dd_adam_state state = {.m = m, .v = v};
    for (int step = 1; step <= steps; step++) {
        double rate = 0.01 / step;
        float *gradients = normals(count, (uint64_t)step);
        for (size_t i = 0; i < count; i++)
            gradients[i] *= i % 3 == 0 ? 1e-6f : i % 3 == 1 ? 1.0f : 1e3f;
        dd_adam_update(&state, weights, gradients, count, rate, &settings,
                       dd_context_pool(context));
        adam_in_double(exact[0], exact[1], exact[2], gradients, count, step, rate, &settings);
        free(gradients);
    }
    ck_assert_uint_eq(state.updates, (uint64_t)steps);
    for (size_t i = 0; i < count; i++) {
        double scale = i % 3 == 0 ? 1e-6 : i % 3 == 1 ? 1 : 1e3;
        ck_assert_double_eq_tol((double)weights[i], exact[0][i], 2e-6 * (1 + fabs(exact[0][i])));
        ck_assert_double_eq_tol((double)m[i], exact[1][i], 1e-5 * scale);
        ck_assert_double_eq_tol((double)v[i], exact[2][i], 1e-5 * exact[2][i]);
    }
    for (int k = 0; k < 3; k++)
        free(exact[k]);
    free(weights);
    free(m);
    free(v);
    ddaebm_context_free(context);
}

START_TEST(adam_is_that_of_the_paper) {
    for (size_t count = 1; count <= 70; count += count < 20 ? 1 : 25)
        compare_adam(count, 40, 1, settings_of(0.9, 0.999, 1e-8));
    compare_adam(64, 40, 1, settings_of(0, 0.9, 1e-8));
    compare_adam(64, 40, 1, settings_of(0.5, 0.9, 1e-3));
    compare_adam(64, 40, 1, settings_of(0, 0, 1e-8));
    for (int threads = 1; threads <= 3; threads++)
        compare_adam(MANY, 3, threads, settings_of(0.5, 0.9, 1e-8));
}
END_TEST

/* The first step is the rate times the gradient's sign, whatever the gradient's size; none without
 * one. */
START_TEST(the_first_step_is_the_rate) {
    float weights[4] = {1, 1, 1, 1}, m[4] = {0}, v[4] = {0};
    const float gradients[4] = {1e6f, -1e-3f, 0, 1e-8f};
    const double moved[4] = {-0.25, 0.25, 0, -0.125}; /* the last is as small as epsilon */
    dd_settings settings = settings_of(0.5, 0.9, 1e-8);
    dd_adam_state state = {.m = m, .v = v};
    begin(1);
    dd_adam_update(&state, weights, gradients, 4, 0.25, &settings, dd_context_pool(context));
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol((double)weights[i], 1 + moved[i], 1e-5);
    ddaebm_context_free(context);
}
END_TEST

/* After very many updates the corrections are gone, and nothing overflows. */
START_TEST(old_states_are_fine) {
    float weight = 1, m = 0.5f, v = 4;
    const float gradient = 1;
    dd_settings settings = settings_of(0.5, 0.75, 1e-8);
    dd_adam_state state = {.m = &m, .v = &v, .updates = UINT64_C(1) << 40};
    begin(1);
    dd_adam_update(&state, &weight, &gradient, 1, 0.1, &settings, dd_context_pool(context));
    ck_assert_double_eq_tol((double)weight, 1 - 0.1 * 0.75 / sqrt(0.75 * 4 + 0.25), 1e-6);
    ck_assert_uint_eq(state.updates, (UINT64_C(1) << 40) + 1);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(averages_move_towards_the_weights) {
    for (int threads = 1; threads <= 3; threads++) {
        begin(threads);
        float *average = normals(MANY, 1), *weights = normals(MANY, 2), *before = normals(MANY, 1);
        dd_average_update(average, weights, MANY, 0.9, dd_context_pool(context));
        for (size_t i = 0; i < MANY; i++)
            ck_assert_double_eq_tol((double)average[i],
                                    0.9 * (double)before[i] + 0.1 * (double)weights[i], 1e-6);
        dd_average_update(average, weights, MANY, 0, dd_context_pool(context)); /* a fresh start */
        for (size_t i = 0; i < MANY; i++)
            ck_assert_float_eq(average[i], weights[i]);
        free(average);
        free(weights);
        free(before);
        ddaebm_context_free(context);
    }
}
END_TEST

START_TEST(one_number_that_is_not_finite_is_found) {
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const size_t places[] = {0, 1, 7, 8, 31, 32, 33, 20001, 39999, MANY - 2, MANY - 1};
    for (int threads = 1; threads <= 3; threads++) {
        begin(threads);
        float *values = normals(MANY, 1);
        values[5] = 3e38f;
        values[6] = -1e-45f;
        ck_assert(dd_all_within(values, MANY, FLT_MAX, dd_context_pool(context)));
        ck_assert(dd_all_within(values, 0, FLT_MAX, dd_context_pool(context)));
        for (size_t p = 0; p < sizeof places / sizeof *places; p++)
            for (int k = 0; k < 3; k++) {
                float before = values[places[p]];
                values[places[p]] = bad[k];
                ck_assert(!dd_all_within(values, MANY, FLT_MAX, dd_context_pool(context)));
                ck_assert_int_eq(
                    dd_all_within(values, places[p], FLT_MAX, dd_context_pool(context)),
                    true); /* it is beyond the end */
                ck_assert(!dd_all_within(values, places[p] + 1, FLT_MAX, dd_context_pool(context)));
                values[places[p]] = before;
            }
        free(values);
        ddaebm_context_free(context);
    }
}
END_TEST

START_TEST(rates_are_constant_or_fall_as_a_cosine) {
    dd_settings settings = {0};
    settings.optimizer.final_rate = 1e-5;
    settings.optimizer.rate_schedule = DD_RATE_CONSTANT;
    for (uint64_t step = 0; step < 300; step += 50)
        ck_assert_double_eq(dd_learning_rate(&settings, 1e-3, step, 100), 1e-3);
    settings.optimizer.rate_schedule = DD_RATE_COSINE;
    ck_assert_double_eq(dd_learning_rate(&settings, 1e-3, 0, 100), 1e-3);
    ck_assert_double_eq_tol(dd_learning_rate(&settings, 1e-3, 50, 100), (1e-3 + 1e-5) / 2, 1e-15);
    ck_assert_double_eq_tol(dd_learning_rate(&settings, 1e-3, 25, 100),
                            1e-5 + (1e-3 - 1e-5) * (1 + sqrt(0.5)) / 2, 1e-15);
    ck_assert_double_eq_tol(dd_learning_rate(&settings, 1e-3, 100, 100), 1e-5, 1e-18);
    ck_assert_double_eq_tol(dd_learning_rate(&settings, 1e-3, 1000, 100), 1e-5,
                            1e-18); /* a run that goes on past its end */
    for (uint64_t step = 1; step <= 100; step++)
        ck_assert_double_lt(dd_learning_rate(&settings, 1e-3, step, 100),
                            dd_learning_rate(&settings, 1e-3, step - 1, 100));
}
END_TEST

int main(void) {
    return RUN_TESTS("optimizer", adam_is_that_of_the_paper, the_first_step_is_the_rate,
                     old_states_are_fine, averages_move_towards_the_weights,
                     one_number_that_is_not_finite_is_found,
                     rates_are_constant_or_fall_as_a_cosine);
}
