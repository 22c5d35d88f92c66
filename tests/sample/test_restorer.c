/* The restorer: posteriors that are known, for noise, missing numbers and maps of the caller; what
 * fixes a draw; failures. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/restorer.h>
#include <math.h>

enum { WIDTH = 3, DRAWS = 4000 };

/* A generator whose draws are those of standard normal x_0, exactly. */
static ddaebm_model *normal_model(size_t width) {
    char changes[256];
    (void)snprintf(changes, sizeof changes,
                   "\"form.residual\":true,\"form.proposal\":true,\"network.latent_width\":%zu,"
                   "\"diffusion.schedule\":\"karras\",\"diffusion.timesteps\":12,"
                   "\"diffusion.sigma_min\":0.02,\"diffusion.sigma_max\":20,\"data.width\":%zu",
                   width, width);
    ddaebm_model *model = small_model(context, changes, 1);
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        ASSERT_OK(ddaebm_model_parameter_info(model, i, &info));
        if (strncmp(info.name, "generator.", 10) != 0)
            continue;
        float *zeros = calloc(info.elements, sizeof *zeros);
        ASSERT_OK(ddaebm_model_set_parameter(model, info.name, zeros, info.elements));
        free(zeros);
    }
    return model;
}

/* Columns of mean 5 - j and standard deviation 2^j. */
static ddaebm_model *model_with_units(void) {
    ddaebm_model *model = normal_model(WIDTH);
    for (int j = 0; j < WIDTH; j++) {
        model->mean[j] = 5 - j;
        model->scale[j] = 1 << j;
    }
    return model;
}

static ddaebm_restorer *restorer_of(const ddaebm_model *model, double noise) {
    ddaebm_restorer *restorer = NULL;
    ASSERT_OK(ddaebm_restorer_create(&restorer, model));
    ASSERT_OK(ddaebm_restorer_set_noise(restorer, &noise, 1));
    return restorer;
}

static void check_near(double found, double wanted, double tolerance, const char *what) {
    ck_assert_msg(fabs(found - wanted) <= tolerance, "%s is %g, not %g +- %g", what, found, wanted,
                  tolerance);
}

/* --- Known posteriors. --- */

static void check_noise(double noise) {
    open_context(2);
    ddaebm_model *model = model_with_units();
    ddaebm_restorer *restorer = restorer_of(model, noise);
    const double y[] = {6, 3, 5};
    double mean[WIDTH], deviation[WIDTH];
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 3, 0, 1, y, DRAWS, mean, deviation));
    for (int j = 0; j < WIDTH; j++) {
        double share = 1 / (1 + noise * noise / model->scale[j] / model->scale[j]);
        double wanted = model->mean[j] + share * (y[j] - model->mean[j]),
               spread = model->scale[j] * sqrt(1 - share);
        check_near(mean[j], wanted, 4.5 * spread / sqrt(DRAWS), "a mean");
        check_near(deviation[j], spread, 0.07 * spread, "a standard deviation");
    }
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}

/* Columns of unequal units: one noise lies at another timestep for each. */
START_TEST(noise_is_taken_away_by_the_rule_of_bayes) {
    check_noise(0.3);
    check_noise(1.1);
}
END_TEST

START_TEST(missing_numbers_are_drawn_and_known_ones_kept) {
    open_context(2);
    ddaebm_model *model = model_with_units();
    ddaebm_restorer *restorer = restorer_of(model, 0);
    const double y[] = {6.123456789012345, NAN, 5};
    double mean[WIDTH], deviation[WIDTH], two[2 * WIDTH];
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 3, 0, 1, y, DRAWS, mean, deviation));
    ASSERT_OK(ddaebm_restorer_draw_double(restorer, 3, 0, 1, y, 2, two));
    for (int j = 0; j < WIDTH; j += 2) {
        ck_assert_double_eq(mean[j], y[j]);
        ck_assert_double_eq(two[WIDTH + j], y[j]);
        ck_assert_double_eq(deviation[j], 0);
    }
    check_near(mean[1], 4, 4.5 * 2 / sqrt(DRAWS), "the mean");
    check_near(deviation[1], 2, 0.1, "the standard deviation");
    ck_assert_double_ne(two[1], two[WIDTH + 1]);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* y = (x0 + x1, x1 - x2): A of 2 x 3. */
static ddaebm_status add_neighbours(void *user, size_t count, const double *x, double *y) {
    (void)user;
    for (size_t i = 0; i < count; i++) {
        y[2 * i] = x[3 * i] + x[3 * i + 1];
        y[2 * i + 1] = x[3 * i + 1] - x[3 * i + 2];
    }
    return DDAEBM_OK;
}

static ddaebm_status add_neighbours_back(void *user, size_t count, const double *y, double *x) {
    (void)user;
    for (size_t i = 0; i < count; i++) {
        x[3 * i] = y[2 * i];
        x[3 * i + 1] = y[2 * i] + y[2 * i + 1];
        x[3 * i + 2] = -y[2 * i + 1];
    }
    return DDAEBM_OK;
}

static ddaebm_operator neighbours(void) {
    ddaebm_operator map = DDAEBM_OPERATOR_INIT;
    map.measured = 2;
    map.apply = add_neighbours;
    map.apply_transpose = add_neighbours_back;
    return map;
}

/* With S = A A' + noise^2 = ((2, 1), (1, 2)) + 0.25 I, the mean is A' S^-1 y and the covariance I -
 * A' S^-1 A, for standard normal x. */
START_TEST(a_map_of_the_caller_has_its_posterior) {
    open_context(2);
    ddaebm_model *model = normal_model(WIDTH);
    ddaebm_restorer *restorer = NULL;
    const ddaebm_operator map = neighbours();
    const double noise = 0.5, y[] = {1.5, -1}, a = 2.25, det = a * a - 1;
    const double u[] = {(a * y[0] - y[1]) / det, (a * y[1] - y[0]) / det};
    const double means[] = {u[0], u[0] + u[1], -u[1]},
                 variances[] = {1 - a / det, 1 - (2 * a - 2) / det, 1 - a / det};
    double mean[WIDTH], deviation[WIDTH];
    ASSERT_OK(ddaebm_restorer_create(&restorer, model));
    ASSERT_OK(ddaebm_restorer_set_operator(restorer, &map));
    ASSERT_OK(ddaebm_restorer_set_noise(restorer, &noise, 1));
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 3, 0, 1, y, DRAWS, mean, deviation));
    for (int j = 0; j < WIDTH; j++) {
        check_near(mean[j], means[j], 0.08, "a mean");
        check_near(deviation[j], sqrt(variances[j]), 0.08, "a standard deviation");
    }
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(the_noise_is_estimated) {
    open_context(2);
    enum { COLUMNS = 16, ROWS = 64 };
    ddaebm_model *model = normal_model(COLUMNS);
    ddaebm_restorer *restorer = restorer_of(model, 0);
    static float normals[ROWS * COLUMNS];
    static double y[ROWS * COLUMNS];
    double found = 0;
    dd_rng_normals(normals, 8, dd_stream(DD_STREAM_DATA, 0), 0, ROWS * COLUMNS);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        y[i] = sqrt(1 + 0.8 * 0.8) * (double)normals[i];
    ASSERT_OK(ddaebm_restorer_fit_noise(restorer, 1, ROWS, y, &found));
    check_near(found, 0.8, 0.12, "the noise");
    for (size_t i = 0; i < COLUMNS; i++)
        y[i] = NAN;
    ASSERT_FAILS(ddaebm_restorer_fit_noise(restorer, 1, 1, y, &found), DDAEBM_NOT_FINITE,
                 "missing");
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- What fixes a draw. --- */

START_TEST(a_draw_is_fixed_by_seed_and_number) {
    open_context(2);
    enum { ROWS = 40 };
    ddaebm_model *model = model_with_units();
    ddaebm_restorer *restorer = restorer_of(model, 0.5);
    static float y[ROWS * WIDTH], all[3 * ROWS * WIDTH], part[2 * 7 * WIDTH];
    dd_rng_normals(y, 2, dd_stream(DD_STREAM_DATA, 0), 0, ROWS * WIDTH);
    y[30 * WIDTH] = NAN;
    ASSERT_OK(ddaebm_restorer_draw(restorer, 9, 100, ROWS, y, 3, all));
    ASSERT_OK(ddaebm_restorer_draw(restorer, 9, 128, 7, y + 28 * WIDTH, 2, part));
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 7 * WIDTH; i++)
            check_near((double)part[k * 7 * WIDTH + i], (double)all[(k * ROWS + 28) * WIDTH + i],
                       1e-4, "a draw");
    ASSERT_OK(ddaebm_restorer_draw(restorer, 10, 128, 7, y + 28 * WIDTH, 2, part));
    ck_assert(fabs((double)part[0] - (double)all[28 * WIDTH]) > 1e-3);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(draws_do_not_allocate) {
    open_context(2);
    ddaebm_model *model = model_with_units();
    ddaebm_restorer *restorer = restorer_of(model, 0.5);
    const double y[] = {6, NAN, 5, 1, 2, 3};
    double mean[2 * WIDTH], all[4 * 2 * WIDTH];
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 1, 0, 2, y, 4, mean, NULL));
    size_t calls = counted.calls;
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 2, 0, 2, y, 4, mean, NULL));
    ASSERT_OK(ddaebm_restorer_draw_double(restorer, 2, 0, 2, y, 4, all));
    ck_assert_uint_eq(counted.calls, calls);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- Failures. --- */

START_TEST(it_runs_out_of_memory) {
    open_context(1);
    ddaebm_model *model = normal_model(WIDTH);
    ddaebm_restorer *restorer = NULL;
    SWEEP_ALLOCATIONS(counted, restorer, ddaebm_restorer_create(&restorer, model));
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

static int cancel(void *user, uint64_t done, uint64_t total) {
    (void)user;
    ck_assert_uint_le(done, total);
    return 1;
}

static ddaebm_status refuse(void *user, size_t count, const double *x, double *y) {
    (void)user;
    (void)count;
    (void)x;
    (void)y;
    return DDAEBM_UNSUPPORTED;
}

START_TEST(it_cancels_and_goes_on) {
    open_context(1); /* the caller alone reports, and with two another may have every chunk */
    ddaebm_model *model = normal_model(WIDTH);
    ddaebm_restorer *restorer = restorer_of(model, 0.5);
    static double y[200 * WIDTH], mean[200 * WIDTH];
    ASSERT_OK(ddaebm_restorer_set_progress(restorer, cancel, NULL));
    ck_assert_int_eq(ddaebm_restorer_mean_double(restorer, 1, 0, 200, y, 8, mean, NULL),
                     DDAEBM_CANCELLED);
    ASSERT_OK(ddaebm_restorer_set_progress(restorer, NULL, NULL));
    ASSERT_OK(ddaebm_restorer_mean_double(restorer, 1, 0, 200, y, 8, mean, NULL));

    ddaebm_operator map = neighbours();
    map.apply = refuse;
    ASSERT_OK(ddaebm_restorer_set_operator(restorer, &map));
    ck_assert_int_eq(ddaebm_restorer_mean_double(restorer, 1, 0, 1, y, 1, mean, NULL),
                     DDAEBM_UNSUPPORTED);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(arguments_are_checked) {
    open_context(1);
    ddaebm_model *model = normal_model(WIDTH);
    ddaebm_restorer *restorer = restorer_of(model, 0.5);
    double y[] = {1, 2, 3}, out[WIDTH];
    const double negative = -1, endless = INFINITY, none = NAN;
    ASSERT_FAILS(ddaebm_restorer_set_noise(restorer, &negative, 1), DDAEBM_OUT_OF_RANGE, "-1");
    ASSERT_FAILS(ddaebm_restorer_set_noise(restorer, &endless, 1), DDAEBM_OUT_OF_RANGE, "inf");
    ASSERT_FAILS(ddaebm_restorer_set_noise(restorer, &none, 1), DDAEBM_OUT_OF_RANGE, "nan");
    ASSERT_FAILS(ddaebm_restorer_set_noise(restorer, y, 2), DDAEBM_MISMATCH, "1 or 3");
    ASSERT_FAILS(ddaebm_restorer_draw_double(restorer, 1, 0, 1, y, 0, out), DDAEBM_OUT_OF_RANGE,
                 "draws");
    ASSERT_FAILS(ddaebm_restorer_draw_double(restorer, 1, 0, 1, NULL, 1, out),
                 DDAEBM_INVALID_ARGUMENT, "y");
    ASSERT_FAILS(ddaebm_restorer_mean_double(restorer, 1, 0, 1, y, 1, NULL, NULL),
                 DDAEBM_INVALID_ARGUMENT, "mean");
    y[1] = INFINITY;
    ASSERT_FAILS(ddaebm_restorer_draw_double(restorer, 1, 0, 1, y, 1, out), DDAEBM_NOT_FINITE,
                 "number 1");
    ddaebm_operator map = DDAEBM_OPERATOR_INIT;
    ASSERT_FAILS(ddaebm_restorer_set_operator(restorer, &map), DDAEBM_INVALID_ARGUMENT, "apply");
    map = neighbours();
    map.measured = 0;
    ASSERT_FAILS(ddaebm_restorer_set_operator(restorer, &map), DDAEBM_OUT_OF_RANGE, "0 numbers");
    ck_assert_int_eq(ddaebm_restorer_create(NULL, model), DDAEBM_INVALID_ARGUMENT);
    ddaebm_restorer_free(NULL);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("restorer", noise_is_taken_away_by_the_rule_of_bayes,
                     missing_numbers_are_drawn_and_known_ones_kept,
                     a_map_of_the_caller_has_its_posterior, the_noise_is_estimated,
                     a_draw_is_fixed_by_seed_and_number, draws_do_not_allocate,
                     it_runs_out_of_memory, it_cancels_and_goes_on, arguments_are_checked);
}
