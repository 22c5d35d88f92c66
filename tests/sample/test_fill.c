/* Filling rows: where the conditional distribution is known, by a formula or by a sum over a grid;
 * known values, seeds, and what is refused. */
#define _GNU_SOURCE
#include "model/cholesky.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/restorer.h>
#include <ddaebm/scorer.h>
#include <math.h>

enum { WIDTH = 3 };

#define NORMAL                                                                                     \
    "\"data.width\":3,\"form.energy\":\"normal\",\"diffusion.schedule\":\"karras\","               \
    "\"diffusion.sigma_min\":0.3,\"diffusion.sigma_max\":12"

/* Of standardised columns; and the columns' mean and scale. */
static const double correlations[WIDTH][WIDTH] = {{1, 0.8, -0.5}, {0.8, 1, -0.2}, {-0.5, -0.2, 1}};
static const double means[WIDTH] = {5, -1, 0}, scales[WIDTH] = {2, 10, 0.1};

static void scale_energy(ddaebm_model *model, float factor) {
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        ASSERT_OK(ddaebm_model_parameter_info(model, i, &info));
        if (strncmp(info.name, "energy.", 7) != 0)
            continue;
        float *values = malloc(info.elements * sizeof *values);
        ASSERT_OK(ddaebm_model_parameter(model, info.name, values, info.elements));
        for (size_t k = 0; k < info.elements; k++)
            values[k] *= factor;
        ASSERT_OK(ddaebm_model_set_parameter(model, info.name, values, info.elements));
        free(values);
    }
}

/* A normal distribution, with the networks' changes times a factor. */
static ddaebm_model *make(float factor, bool whitened) {
    ddaebm_model *model = small_model(context, NORMAL, 3);
    scale_energy(model, factor);
    ASSERT_OK(ddaebm_model_set_temperature(model, 1));
    memcpy(model->mean, means, sizeof means);
    memcpy(model->scale, scales, sizeof scales);
    if (!whitened)
        return model;
    ASSERT_OK(dd_model_make_whitening(model));
    memcpy(model->colour, correlations, sizeof correlations);
    ck_assert(dd_cholesky(model->colour, WIDTH));
    ck_assert(dd_lower_invert(model->whiten, model->colour, WIDTH));
    return model;
}

static void fill(const ddaebm_model *model, const double *rows, size_t count, size_t draws,
                 uint64_t first, double *mean, double *out) {
    ddaebm_restorer *restorer = NULL;
    ddaebm_fill_options options = DDAEBM_FILL_OPTIONS_INIT;
    options.draws = draws;
    options.seed = 7;
    options.first = first;
    ASSERT_OK(ddaebm_restorer_create(&restorer, model));
    ASSERT_OK(ddaebm_restorer_fill(restorer, rows, count, &options, mean, out));
    ddaebm_restorer_free(restorer);
}

/* The second number given the first, and the last two given the first: means by the formula for
 * normal distributions to rounding, moments of 400 draws within five standard errors. */
START_TEST(normal_distributions_are_filled_by_their_formula) {
    enum { DRAWS = 400 };
    const double x = 7, row[] = {x, NAN, NAN};
    double mean[WIDTH], draws[DRAWS][WIDTH], slope[2] = {0.8, -0.5};
    ddaebm_model *model = make(0, true);
    fill(model, row, 1, DRAWS, 0, mean, &draws[0][0]);
    ck_assert(mean[0] == x);

    for (int j = 1; j < WIDTH; j++) {
        double wanted = means[j] + slope[j - 1] * (x - means[0]) / scales[0] * scales[j];
        double deviation = scales[j] * sqrt(1 - slope[j - 1] * slope[j - 1]), sum = 0, squares = 0;
        ck_assert_double_eq_tol(mean[j], wanted, 1e-4 * scales[j]);
        for (int k = 0; k < DRAWS; k++) {
            ck_assert(draws[k][0] == x);
            sum += (draws[k][j] - wanted) / deviation;
            squares += pow((draws[k][j] - wanted) / deviation, 2);
        }
        ck_assert_double_eq_tol(sum / DRAWS, 0, 5 / sqrt(DRAWS));
        ck_assert_double_eq_tol(squares / DRAWS, 1, 5 * sqrt(2.0 / DRAWS));
    }
    ddaebm_model_free(model);
}
END_TEST

/* Mean of the second number given others, by a sum over its values of exp f. */
static double mean_by_sum(const ddaebm_model *model, const double *row) {
    enum { POINTS = 801 };
    static double points[POINTS][WIDTH];
    static float scores[POINTS];
    double sum = 0, weighted = 0, largest = -1e300;
    ddaebm_scorer *scorer = NULL;
    for (int i = 0; i < POINTS; i++) {
        memcpy(points[i], row, sizeof points[i]);
        points[i][1] = means[1] + scales[1] * (-8 + 16.0 * i / (POINTS - 1));
    }
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(
        ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, &points[0][0], POINTS, 0, scores));
    ddaebm_scorer_free(scorer);
    for (int i = 0; i < POINTS; i++)
        largest = (double)scores[i] > largest ? (double)scores[i] : largest;
    for (int i = 0; i < POINTS; i++) {
        double weight = exp((double)scores[i] - largest);
        sum += weight;
        weighted += weight * points[i][1];
    }
    return weighted / sum;
}

/* Energies without a formula, in whitened coordinates and in standardised ones. */
START_TEST(any_energy_is_filled_as_a_sum_says) {
    enum { DRAWS = 400 };
    for (int whitened = 0; whitened < 2; whitened++) {
        ddaebm_model *model = make(2.5f, whitened);
        const double row[] = {6, NAN, 0.05};
        double mean[WIDTH], draws[DRAWS][WIDTH], sum = 0, wanted = mean_by_sum(model, row);
        fill(model, row, 1, DRAWS, 0, mean, &draws[0][0]);
        for (int k = 0; k < DRAWS; k++)
            sum += draws[k][1] / DRAWS;
        ck_assert_double_eq_tol(sum, wanted, 0.2 * scales[1]);
        ck_assert_double_eq_tol(mean[1], wanted, 0.1 * scales[1]);
        ddaebm_model_free(model);
    }
}
END_TEST

/* Whole rows, empty rows, constant columns. */
START_TEST(known_values_stay_and_constants_are_filled) {
    const double rows[][WIDTH] = {{1, 2, 3}, {NAN, NAN, NAN}, {1, NAN, 0.1}, {4, 5, 6}};
    double mean[4][WIDTH], draws[2][4][WIDTH];
    ddaebm_model *model = make(1, true);
    model->scale[1] = 0;
    for (size_t j = 0; j < WIDTH; j++)
        for (size_t k = 0; k < WIDTH; k++)
            if ((j == 1) != (k == 1))
                model->colour[j * WIDTH + k] = model->whiten[j * WIDTH + k] = 0;
    fill(model, &rows[0][0], 4, 2, 0, &mean[0][0], &draws[0][0][0]);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < WIDTH; j++)
                if (!isnan(rows[i][j]))
                    ck_assert(mean[i][j] == rows[i][j] && draws[k][i][j] == rows[i][j]);
                else if (j == 1)
                    ck_assert(mean[i][j] == means[1] && draws[k][i][j] == means[1]);
                else
                    ck_assert(isfinite(mean[i][j]) && draws[0][i][j] != draws[1][i][j]);
    ddaebm_model_free(model);
}
END_TEST

/* A draw depends on seed, row and number alone, up to rounding: not on the rows beside it, on how
 * many draws there are, or on threads. */
START_TEST(draws_are_fixed_by_seed_and_index) {
    enum { ROWS = 60 };
    double rows[ROWS][WIDTH], all[2][ROWS][WIDTH], some[1][20][WIDTH];
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDTH; j++)
            rows[i][j] =
                (i + j) % 3 == 0 ? (double)NAN : means[j] + scales[j] * sin((double)(i * j));
    ddaebm_model *model = make(1, true);
    fill(model, &rows[0][0], ROWS, 2, 100, NULL, &all[0][0][0]);
    fill(model, &rows[30][0], 20, 1, 130, NULL, &some[0][0][0]);
    for (size_t i = 0; i < 20; i++)
        for (size_t j = 0; j < WIDTH; j++)
            ck_assert_double_eq_tol(some[0][i][j], all[0][30 + i][j], 1e-3 * scales[j]);
    ddaebm_model_free(model);
}
END_TEST

static int cancel(void *user, uint64_t done, uint64_t total) {
    size_t *calls = user;
    ck_assert_uint_le(done, total);
    return ++*calls == 2;
}

START_TEST(bad_input_is_refused) {
    double row[] = {1, NAN, INFINITY}, out[WIDTH];
    size_t calls = 0;
    ddaebm_model *model = make(1, true);
    ddaebm_restorer *restorer = NULL;
    ddaebm_fill_options options = DDAEBM_FILL_OPTIONS_INIT;
    ASSERT_OK(ddaebm_restorer_create(&restorer, model));
    ASSERT_FAILS(ddaebm_restorer_fill(restorer, row, 1, &options, out, NULL), DDAEBM_NOT_FINITE,
                 "row 1, column 3 (both from 1) is infinite");
    row[2] = 0;
    ASSERT_FAILS(ddaebm_restorer_fill(restorer, NULL, 1, &options, out, NULL),
                 DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_FAILS(ddaebm_restorer_fill(restorer, row, 1, NULL, out, NULL), DDAEBM_INVALID_ARGUMENT,
                 "options");
    options.draws = 2000000;
    ASSERT_FAILS(ddaebm_restorer_fill(restorer, row, 1, &options, out, NULL), DDAEBM_OUT_OF_RANGE,
                 "draws are 2000000");
    options.draws = 3;
    ASSERT_OK(ddaebm_restorer_fill(restorer, row, 0, &options, out, NULL));
    ASSERT_OK(ddaebm_restorer_set_progress(restorer, cancel, &calls));
    ck_assert_int_eq(ddaebm_restorer_fill(restorer, row, 1, &options, out, NULL), DDAEBM_CANCELLED);
    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
}
END_TEST

static void set_up(void) {
    open_context(2);
}

int main(void) {
    use_fixture(set_up, close_context);
    return RUN_TESTS("fill", normal_distributions_are_filled_by_their_formula,
                     any_energy_is_filled_as_a_sum_says, known_values_stay_and_constants_are_filled,
                     draws_are_fixed_by_seed_and_index, bad_input_is_refused);
}
