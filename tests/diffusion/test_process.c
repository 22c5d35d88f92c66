/* The forward process and its posterior as nodes of a graph, evaluated by plain loops in double and
 * compared with the formulas. Tables are rounded to float in a graph, hence NEAR. */
#define _GNU_SOURCE
#include "diffusion/process.h"
#include "support/harness.h"
#include "support/plain.h"

#include <math.h>

#define NEAR 1e-6

enum { STEPS = 5, SAMPLES = 7, MOST_WIDTH = 12 };

/* All that a test of one shape of data needs. */
typedef struct scene {
    ddaebm_context *context;
    dd_graph *graph;
    dd_noise_schedule schedule;
    dd_process process;
    dd_node x, y, noise;
    size_t width;
    double timestep[SAMPLES], numbers[3][SAMPLES * MOST_WIDTH];
} scene;

static double some_number(size_t i) {
    return sin((double)i * 12.9898) * 2;
}

static void open_scene(scene *s, bool images) {
    dd_settings settings = {0};
    settings.diffusion.timesteps = STEPS;
    settings.diffusion.beta_min = 0.1;
    settings.diffusion.beta_max = 20;
    settings.diffusion.beta_limit = 1;
    settings.diffusion.precision = DD_PRECISION_FLOAT64;
    *s = (scene){.width = images ? 12 : 3};
    ASSERT_OK(ddaebm_context_create(&s->context, NULL));
    ASSERT_OK(dd_graph_create(&s->graph, s->context));
    ASSERT_OK(dd_noise_schedule_make(&s->schedule, s->context, &settings));
    dd_shape shape = images ? (dd_shape){{SAMPLES, 2, 2, 3}} : dd_shape_rows(SAMPLES, 3);
    s->process = (dd_process){.graph = s->graph,
                              .schedule = &s->schedule,
                              .timestep = dd_input(s->graph, 0, dd_shape_rows(SAMPLES, 1), 0)};
    s->x = dd_input(s->graph, 1, shape, 0);
    s->y = dd_input(s->graph, 2, shape, 0);
    s->noise = dd_input(s->graph, 3, shape, 0);
    for (size_t n = 0; n < SAMPLES; n++) /* every timestep, the first and the last twice or so */
        s->timestep[n] = (double)((n * 3) % STEPS);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < SAMPLES * s->width; i++)
            s->numbers[k][i] = some_number(k * 1000 + i);
}

static void close_scene(scene *s) {
    dd_noise_schedule_free(&s->schedule);
    dd_graph_free(s->graph);
    ddaebm_context_free(s->context);
}

/* Value of a node, [SAMPLES, each]. */
static void evaluate(const scene *s, dd_node node, double *out, size_t each) {
    ck_assert_int_eq(dd_graph_status(s->graph), DDAEBM_OK);
    ck_assert_uint_eq(dd_shape_elements(dd_graph_shape(s->graph, node)), SAMPLES * each);
    const test_plain_input inputs[] = {{0, -1, s->timestep},
                                       {1, -1, s->numbers[0]},
                                       {2, -1, s->numbers[1]},
                                       {3, -1, s->numbers[2]}};
    test_plain *plain = test_plain_create(s->graph);
    test_plain_run(plain, inputs, 4);
    memcpy(out, test_plain_value(plain, node), SAMPLES * each * sizeof *out);
    test_plain_free(plain);
}

static size_t timestep_of(const scene *s, size_t i) {
    return (size_t)s->timestep[i / s->width];
}

static void assert_near(double value, double expected) {
    ck_assert_double_eq_tol(value, expected, NEAR * (1 + fabs(expected)));
}

START_TEST(samples_are_counted) {
    scene s;
    open_scene(&s, _i);
    dd_shape one = dd_shape_a_sample(s.graph, s.x),
             expected = _i ? (dd_shape){{SAMPLES, 1, 1, 1}} : dd_shape_rows(SAMPLES, 1);
    ck_assert_uint_eq(dd_samples(s.graph, s.x), SAMPLES);
    ck_assert(dd_shape_equal(one, expected));
    close_scene(&s);
}
END_TEST

START_TEST(tables_are_read_at_each_samples_level) {
    scene s;
    open_scene(&s, _i);
    double now[SAMPLES], next[SAMPLES];
    dd_node at = dd_process_at(&s.process, s.schedule.a_cum, 0, s.x),
            after = dd_process_at(&s.process, s.schedule.a_cum, 1, s.x);
    ck_assert(dd_shape_equal(dd_graph_shape(s.graph, at), dd_shape_a_sample(s.graph, s.x)));
    evaluate(&s, at, now, 1);
    evaluate(&s, after, next, 1);
    for (size_t n = 0; n < SAMPLES; n++) {
        ck_assert_double_eq(now[n], (double)(float)s.schedule.a_cum[(size_t)s.timestep[n]]);
        ck_assert_double_eq(next[n], (double)(float)s.schedule.a_cum[(size_t)s.timestep[n] + 1]);
    }
    close_scene(&s);
}
END_TEST

START_TEST(data_is_diffused) {
    scene s;
    open_scene(&s, _i);
    double diffused[SAMPLES * MOST_WIDTH], stepped[SAMPLES * MOST_WIDTH];
    evaluate(&s, dd_process_diffuse(&s.process, s.x, s.noise), diffused, s.width);
    evaluate(&s, dd_process_next(&s.process, s.y, s.noise), stepped, s.width);
    for (size_t i = 0; i < SAMPLES * s.width; i++) {
        size_t t = timestep_of(&s, i);
        assert_near(diffused[i], s.schedule.a_cum[t] * s.numbers[0][i] +
                                     s.schedule.sigma_cum[t] * s.numbers[2][i]);
        assert_near(stepped[i], s.schedule.a[t + 1] * s.numbers[1][i] +
                                    s.schedule.sigma[t + 1] * s.numbers[2][i]);
    }
    close_scene(&s);
}
END_TEST

/* Through timestep t to t+1 with independent noises: the signal and the variance of the result are
 * those of timestep t+1. */
START_TEST(a_step_from_level_t_has_the_marginal_of_the_next) {
    scene s;
    open_scene(&s, _i);
    double from_data[SAMPLES * MOST_WIDTH], from_first[SAMPLES * MOST_WIDTH],
        from_second[SAMPLES * MOST_WIDTH];
    dd_node next = dd_process_next(&s.process, dd_process_diffuse(&s.process, s.x, s.y), s.noise);
    double *const unit[] = {from_data, from_first, from_second};
    for (size_t k = 0; k < 3; k++) { /* the map is linear: one input at a time */
        for (size_t j = 0; j < 3; j++)
            for (size_t i = 0; i < SAMPLES * s.width; i++)
                s.numbers[j][i] = j == k;
        evaluate(&s, next, unit[k], s.width);
    }
    for (size_t i = 0; i < SAMPLES * s.width; i++) {
        size_t t = timestep_of(&s, i);
        assert_near(from_data[i], s.schedule.a_cum[t + 1]);
        assert_near(from_first[i] * from_first[i] + from_second[i] * from_second[i],
                    1 - s.schedule.abar[t + 1]);
    }
    close_scene(&s);
}
END_TEST

static double log_normal(double x, double mean, double variance) {
    return -0.5 * (x - mean) * (x - mean) / variance - 0.5 * log(2 * acos(-1) * variance);
}

START_TEST(log_densities_are_those_of_the_formula) {
    scene s;
    open_scene(&s, _i);
    double of_next[SAMPLES], of_any[SAMPLES];
    evaluate(&s, dd_process_log_next(&s.process, s.x, s.y), of_next, 1);
    dd_node log_variance = dd_process_at(&s.process, s.schedule.post_logvar, 0, s.x);
    evaluate(&s, dd_gaussian_log_density(s.graph, s.x, s.y, log_variance), of_any, 1);
    for (size_t n = 0; n < SAMPLES; n++) {
        size_t t = (size_t)s.timestep[n];
        double next = 0, any = 0;
        for (size_t i = n * s.width; i < (n + 1) * s.width; i++) {
            next += log_normal(s.numbers[1][i], s.schedule.a[t + 1] * s.numbers[0][i],
                               s.schedule.betas[t + 1]);
            any += log_normal(s.numbers[0][i], s.numbers[1][i], s.schedule.post_var[t]);
        }
        assert_near(of_next[n], next);
        assert_near(of_any[n], any);
    }
    close_scene(&s);
}
END_TEST

/* At timestep 0 the mean itself; elsewhere with noise of the posterior's deviation. */
START_TEST(the_posterior_is_drawn) {
    scene s;
    open_scene(&s, _i);
    double mean[SAMPLES * MOST_WIDTH], draw[SAMPLES * MOST_WIDTH];
    evaluate(&s, dd_posterior_mean(&s.process, s.x, s.y), mean, s.width);
    evaluate(&s, dd_posterior_draw(&s.process, s.x, s.y, s.noise), draw, s.width);
    size_t without_noise = 0;
    for (size_t i = 0; i < SAMPLES * s.width; i++) {
        size_t t = timestep_of(&s, i);
        double expected = s.schedule.post_coef_x0[t] * s.numbers[0][i] +
                          s.schedule.post_coef_next[t] * s.numbers[1][i];
        assert_near(mean[i], expected);
        assert_near(draw[i],
                    expected + (t > 0 ? sqrt(s.schedule.post_var[t]) * s.numbers[2][i] : 0));
        without_noise += t == 0;
        if (t == 0)
            ck_assert_double_eq(draw[i], mean[i]);
    }
    ck_assert_uint_ge(without_noise, s.width);
    close_scene(&s);
}
END_TEST

/* With the true x_0, a draw has the marginal of timestep t: what makes sampling work. */
START_TEST(the_posterior_of_the_truth_has_the_marginal_of_its_level) {
    scene s;
    open_scene(&s, _i);
    for (size_t n = 0; n < SAMPLES; n++)
        s.timestep[n] = 1 + (double)(n % (STEPS - 1));
    for (size_t t = 1; t < STEPS; t++) {
        double c = s.schedule.post_coef_next[t], deviation = sqrt(1 - s.schedule.abar[t + 1]);
        double draw[SAMPLES * MOST_WIDTH], spread[SAMPLES * MOST_WIDTH];
        for (size_t i = 0; i < SAMPLES * s.width;
             i++) { /* x_{t+1} = a_cum x_0 + sigma_cum e, at x_0 = 1 and e = 0 */
            s.numbers[0][i] = 1;
            s.numbers[1][i] = s.schedule.a_cum[t + 1];
            s.numbers[2][i] = 0;
        }
        evaluate(&s, dd_posterior_draw(&s.process, s.x, s.y, s.noise), draw, s.width);
        for (size_t i = 0; i < SAMPLES * s.width; i++) {
            s.numbers[0][i] = s.numbers[1][i] = 0;
            s.numbers[2][i] = 1;
        }
        evaluate(&s, dd_posterior_draw(&s.process, s.x, s.y, s.noise), spread, s.width);
        for (size_t i = 0; i < SAMPLES * s.width; i++)
            if (timestep_of(&s, i) == t) {
                assert_near(draw[i], s.schedule.a_cum[t]);
                assert_near(c * c * deviation * deviation + spread[i] * spread[i],
                            1 - s.schedule.abar[t]);
            }
    }
    close_scene(&s);
}
END_TEST

/* Each for rows and for images. */
int main(void) {
    const TTest *const tests[] = {samples_are_counted,
                                  tables_are_read_at_each_samples_level,
                                  data_is_diffused,
                                  a_step_from_level_t_has_the_marginal_of_the_next,
                                  log_densities_are_those_of_the_formula,
                                  the_posterior_is_drawn,
                                  the_posterior_of_the_truth_has_the_marginal_of_its_level};
    return run_loop_tests("process", tests, sizeof tests / sizeof *tests, 2);
}
