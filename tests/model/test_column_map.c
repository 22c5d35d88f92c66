/* Maps of columns before they are standardised: logarithms and normal scores of quantiles. The maps
 * and their slopes, what training finds, densities in the data's own numbers, files, refusals. */
#define _GNU_SOURCE
#include "model/column_map.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/normaliser.h>
#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>
#include <math.h>

enum { ROWS = 400, WIDTH = 3 };

#define LOG "\"data.width\":3,\"data.transform\":\"log\""
#define QUANTILE "\"data.width\":3,\"data.transform\":\"quantile\""
#define NORMAL_NOISE "\"diffusion.beta_max\":20"

/* Log-normal columns of other units; the last is constant. */
static ddaebm_dataset *skewed(double constant) {
    static double rows[ROWS * WIDTH];
    float normals[ROWS * WIDTH];
    ddaebm_dataset *dataset = NULL;
    dd_rng_normals(normals, 11, dd_stream(DD_STREAM_DATA, 0), 0, ROWS * WIDTH);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i * WIDTH] = exp((double)normals[i * WIDTH]);
        rows[i * WIDTH + 1] = 1e4 * exp(0.3 * (double)normals[i * WIDTH + 1]);
        rows[i * WIDTH + 2] = constant;
    }
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, rows, ROWS, WIDTH));
    return dataset;
}

static ddaebm_model *trained(const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_model *model = small_model(context, changes, 3), *found = NULL;
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 4, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&found, trainer));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    return found;
}

static const char *const kinds[] = {LOG "," NORMAL_NOISE, QUANTILE "," NORMAL_NOISE};

/* ---- The maps. ---- */

START_TEST(maps_increase_and_have_inverses) {
    ddaebm_dataset *dataset = skewed(7);
    ddaebm_model *model = trained(kinds[_i], dataset);
    for (double x = 1e-3; x < 60; x *= 1.07) { /* beyond both ends of the data */
        double y = dd_column_map_in(model, 0, x), step = 1e-6 * x;
        ck_assert_double_eq_tol(dd_column_map_out(model, 0, y) / x, 1, 1e-9);
        ck_assert_double_gt(dd_column_map_in(model, 0, x * 1.01), y);
        double slope = (dd_column_map_in(model, 0, x + step) - y) / step,
               expected = exp(dd_column_map_log_slope(model, 0, x));
        ck_assert_double_eq_tol(slope / expected, 1, 1e-4);
    }
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Mapped columns are standard normal, or nearly; and rows come back. */
START_TEST(columns_are_mapped_before_they_are_standardised) {
    ddaebm_dataset *dataset = skewed(7);
    ddaebm_model *model = trained(kinds[_i], dataset);
    static float inner[ROWS * WIDTH];
    static double rows[ROWS * WIDTH], back[ROWS * WIDTH];
    ASSERT_OK(dd_model_read(model, dataset, 0, ROWS, inner));
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, ROWS, rows));
    dd_model_restore(model, inner, ROWS, (dd_rows_out){.wide = back}, 0);
    for (size_t j = 0; j < 2; j++) {
        double mean = 0, square = 0, cube = 0;
        for (size_t i = 0; i < ROWS; i++) {
            double z = (double)inner[i * WIDTH + j];
            mean += z / ROWS;
            square += z * z / ROWS;
            cube += z * z * z / ROWS;
            ck_assert_double_eq_tol(back[i * WIDTH + j] / rows[i * WIDTH + j], 1, 1e-5);
        }
        ck_assert_double_eq_tol(mean, 0, 1e-5);
        ck_assert_double_eq_tol(square, 1, 1e-5);
        ck_assert_double_eq_tol(cube, 0, 0.4); /* of the logarithms of the first: 6 and more */
    }
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert_double_eq((double)inner[i * WIDTH + 2], 0);
        ck_assert_double_eq(back[i * WIDTH + 2], 7);
    }
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Numbers that are often the same: an increasing map all the same. */
START_TEST(repeated_numbers_have_a_place_each) {
    double rows[ROWS];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = (double)(i % 3);
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, rows, ROWS, 1));
    ddaebm_model *model =
        trained("\"data.width\":1,\"data.transform\":\"quantile\"," NORMAL_NOISE, dataset);
    double last = -INFINITY;
    for (double x = -1; x < 3.5; x += 0.25) {
        double y = dd_column_map_in(model, 0, x);
        ck_assert_double_gt(y, last);
        ck_assert_double_eq_tol(dd_column_map_out(model, 0, y), x, 1e-6);
        last = y;
    }
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* ---- Densities. ---- */

/* The gradient of the score is that of its differences. */
START_TEST(gradients_are_those_of_the_score) {
    ddaebm_dataset *dataset = skewed(7);
    ddaebm_model *model = trained(kinds[_i], dataset);
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    double rows[5 * WIDTH] = {0.7, 1.1e4, 7}, gradient[WIDTH], steps[2] = {2e-3, 20};
    float scores[5];
    for (size_t j = 0; model->knots && j < 2; j++) { /* within a piece, where slopes are constant */
        const double *knot = model->knots + j * DD_KNOTS + 100;
        rows[j] = (knot[0] + knot[1]) / 2;
        steps[j] = (knot[1] - knot[0]) / 4;
    }
    for (size_t k = 0; k < 4; k++) {
        memcpy(rows + (k + 1) * WIDTH, rows, WIDTH * sizeof *rows);
        rows[(k + 1) * WIDTH + k / 2] += (k % 2 ? -1 : 1) * steps[k / 2];
    }
    ASSERT_OK(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, 5, 0, scores));
    ASSERT_OK(ddaebm_scorer_gradient_double(scorer, rows, 1, 0, gradient));
    for (size_t j = 0; j < 2; j++) {
        double difference = ((double)scores[1 + 2 * j] - (double)scores[2 + 2 * j]) / 2 / steps[j];
        ck_assert_double_eq_tol(difference, gradient[j], 0.1 * fabs(gradient[j]) + 1e-3 / steps[j]);
    }
    ck_assert_double_eq(gradient[2], 0);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* exp of the normalised score, summed over the line. */
START_TEST(normalised_densities_integrate_to_one) {
    enum { POINTS = 6000 };
    static double rows[POINTS];
    static float scores[POINTS];
    static double data[ROWS];
    float normals[ROWS];
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT;
    dd_rng_normals(normals, 11, dd_stream(DD_STREAM_DATA, 0), 0, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        data[i] = 5 * exp(0.5 * (double)normals[i]);
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, data, ROWS, 1));
    ddaebm_model *model = trained(_i ? "\"data.width\":1,\"data.transform\":\"quantile\",\"form."
                                       "energy\":\"distance\"," NORMAL_NOISE
                                     : "\"data.width\":1,\"data.transform\":\"log\",\"form."
                                       "energy\":\"distance\"," NORMAL_NOISE,
                                  dataset);
    options.samples = 2000;
    ASSERT_OK(ddaebm_model_fit_normaliser(model, &options, NULL, NULL));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    for (size_t i = 0; i < POINTS; i++) /* evenly in the logarithm, for quantiles on the line */
        rows[i] =
            _i ? -30 + 100 * ((double)i + 0.5) / POINTS : exp(-4 + 10 * ((double)i + 0.5) / POINTS);
    ASSERT_OK(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, POINTS, 0, scores));
    double sum = 0;
    for (size_t i = 0; i < POINTS; i++)
        sum += exp((double)scores[i]) * (_i ? 100.0 / POINTS : 10.0 / POINTS * rows[i]);
    ck_assert_double_eq_tol(sum, 1, 0.05);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* ---- Files and refusals. ---- */

START_TEST(files_keep_the_map) {
    ddaebm_dataset *dataset = skewed(7);
    ddaebm_model *model = trained(kinds[_i], dataset), *loaded = NULL;
    size_t size = 0;
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&loaded, context, bytes, size));
    ck_assert(same_models(model, loaded));
    for (double x = 0.01; x < 40; x *= 2)
        ck_assert_double_eq(dd_column_map_in(model, 0, x), dd_column_map_in(loaded, 0, x));
    free(bytes);
    ddaebm_model_free(loaded);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(numbers_without_a_logarithm_are_refused) {
    ddaebm_dataset *dataset = skewed(0), *negative = small_rows(context, 50, WIDTH);
    ddaebm_model *fresh = small_model(context, kinds[0], 3), *model = trained(kinds[0], dataset);
    ddaebm_trainer *trainer = NULL;
    ddaebm_scorer *scorer = NULL;
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, fresh, negative, 5), DDAEBM_OUT_OF_RANGE,
                 " of the data holds -");
    ck_assert_ptr_null(trainer);
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    const double rows[2 * WIDTH] = {1, 1e4, 0, 1, -1e4, 0}; /* a constant of 0 has none, either */
    float scores[2];
    ASSERT_OK(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, 1, 0, scores));
    ASSERT_FAILS(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, 2, 0, scores),
                 DDAEBM_OUT_OF_RANGE, "row 1: column 2 (from 1) is -10000");
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    ddaebm_model_free(fresh);
    ddaebm_dataset_free(negative);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(images_have_no_columns) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_config_create(&config, context, "fashion-small"));
    ASSERT_OK(ddaebm_config_set(config, "data.transform", "log"));
    ASSERT_FAILS(ddaebm_model_create(&model, context, config, 0), DDAEBM_OUT_OF_RANGE,
                 "data.transform is of columns");
    ddaebm_config_free(config);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_dataset *dataset = skewed(7);
    ddaebm_model *model = small_model(context, kinds[1], 3);
    ddaebm_trainer *trainer = NULL;
    SWEEP_ALLOCATIONS(counted, trainer, ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    const TTest *const each[] = {maps_increase_and_have_inverses,
                                 columns_are_mapped_before_they_are_standardised,
                                 gradients_are_those_of_the_score,
                                 normalised_densities_integrate_to_one, files_keep_the_map};
    const TTest *const once[] = {repeated_numbers_have_a_place_each,
                                 numbers_without_a_logarithm_are_refused, images_have_no_columns,
                                 memory_may_run_out};
    int failed = run_loop_tests("column_map, both", each, 5, 2);
    return run_tests("column_map", once, sizeof once / sizeof *once) || failed;
}
