/* Whitening: the normal distribution of rows of which numbers are missing, the way to what the
 * networks see and back, and that files keep it. */
#define _GNU_SOURCE
#include "model/cholesky.h"
#include "model/normal_fit.h"
#include "support/counted.h"
#include "support/small.h"

#include <math.h>

enum { WIDTH = 4, ROWS = 4000 };

#define WHITENED(width)                                                                            \
    "\"data.width\":" #width ",\"data.standardize\":\"always\",\"data.whiten\":true"

/* x = mean + factor z; the last column is constant. */
static const double mean[WIDTH] = {10, -3, 0.5, 7},
                    factor[WIDTH][WIDTH] = {{2, 0, 0, 0}, {1, 0.5, 0, 0}, {-3, 2, 4, 0}};

static double covariance(size_t i, size_t j) {
    double sum = 0;
    for (size_t k = 0; k < WIDTH; k++)
        sum += factor[i][k] * factor[j][k];
    return sum;
}

/* Draws rows. Of every one the first number is known; others are missing with a probability that
 * depends on it, about `share`. */
static void draw_rows(double *rows, double share) {
    float z[WIDTH], u[WIDTH];
    for (size_t i = 0; i < ROWS; i++) {
        dd_rng_normals(z, 3, dd_stream(DD_STREAM_DATA, 0), i * WIDTH, WIDTH);
        dd_rng_uniforms(u, 4, dd_stream(DD_STREAM_DATA, 0), i * WIDTH, WIDTH);
        for (size_t j = 0; j < WIDTH; j++) {
            double x = mean[j];
            for (size_t k = 0; k < WIDTH; k++)
                x += factor[j][k] * (double)z[k];
            bool missing = j > 0 && (double)u[j] < share * (z[0] > 0 ? 1.5 : 0.5);
            rows[i * WIDTH + j] = missing ? NAN : x;
        }
    }
}

/* A model of such rows, measured and whitened. */
static ddaebm_model *fitted(double share) {
    double *rows = malloc(sizeof(double) * ROWS * WIDTH);
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *model = small_model(context, WHITENED(4), 1);
    draw_rows(rows, share);
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, context, rows, ROWS, WIDTH));
    ASSERT_OK(dd_model_measure(model, dataset));
    ASSERT_OK(dd_model_fit_normal(model, dataset));
    ddaebm_dataset_free(dataset);
    free(rows);
    return model;
}

/* The covariance that a model has found. */
static double found_covariance(const ddaebm_model *model, size_t i, size_t j) {
    double sum = 0;
    for (size_t k = 0; k < WIDTH; k++)
        sum += model->colour[i * WIDTH + k] * model->colour[j * WIDTH + k];
    return sum * model->scale[i] * model->scale[j];
}

/* Half of the values are missing where the first column is large: the means of what is known are
 * off by up to a fifth of a deviation. Errors are a few standard errors of 4,000 rows. */
START_TEST(what_is_missing_by_a_rule_biases_nothing) {
    for (int i = 0; i < 2; i++) {
        ddaebm_model *model = fitted(i == 0 ? 0 : 0.4);
        for (size_t j = 0; j < 3; j++) {
            double deviation = sqrt(covariance(j, j));
            ck_assert_double_eq_tol(model->mean[j], mean[j], 0.08 * deviation);
            for (size_t k = 0; k < 3; k++)
                ck_assert_double_eq_tol(found_covariance(model, j, k), covariance(j, k),
                                        0.08 * deviation * sqrt(covariance(k, k)));
        }
        ck_assert(model->scale[3] == 0 && model->mean[3] == 7);
        ddaebm_model_free(model);
    }
}
END_TEST

/* Rows go in as N(0, I) and come back; gradients follow the chain rule. */
START_TEST(rows_are_decorrelated_and_come_back) {
    ddaebm_model *model = fitted(0);
    double *rows = malloc(sizeof(double) * ROWS * WIDTH), back[WIDTH], gradient[WIDTH];
    float *inner = malloc(sizeof(float) * ROWS * WIDTH);
    draw_rows(rows, 0);
    dd_model_standardize(model, (dd_rows_in){.wide = rows}, 0, ROWS, inner);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t r = 0; r < ROWS; r++)
                sum += (double)inner[r * WIDTH + i] * (double)inner[r * WIDTH + j] / ROWS;
            ck_assert_double_eq_tol(sum, i == j ? 1 : 0, 0.02);
        }

    for (size_t r = 0; r < 20; r++) {
        dd_model_restore(model, inner + r * WIDTH, 1, (dd_rows_out){.wide = back}, 0);
        for (size_t j = 0; j < WIDTH; j++)
            ck_assert_double_eq_tol(back[j], rows[r * WIDTH + j], 1e-4);
    }

    /* of g z over x, by differences */
    const float g[WIDTH] = {1, -2, 0.5f, 3};
    const double step = 1e-2;
    dd_model_restore_gradient(model, g, 1, (dd_rows_in){.wide = rows}, false,
                              (dd_rows_out){.wide = gradient}, 0);
    for (size_t j = 0; j < 3; j++) {
        double ends[2] = {0, 0};
        for (int side = 0; side < 2; side++) {
            memcpy(back, rows, sizeof back);
            back[j] += side ? step : -step;
            float z[WIDTH];
            dd_model_standardize(model, (dd_rows_in){.wide = back}, 0, 1, z);
            for (size_t k = 0; k < WIDTH; k++)
                ends[side] += (double)g[k] * (double)z[k];
        }
        ck_assert_double_eq_tol(gradient[j], (ends[1] - ends[0]) / (2 * step), 1e-3);
    }
    ck_assert(gradient[3] == 0);
    float again[WIDTH];
    dd_model_standardize_gradient(model, (dd_rows_in){.wide = gradient}, (dd_rows_in){.wide = rows},
                                  1, again);
    for (size_t k = 0; k < 3; k++)
        ck_assert_double_eq_tol((double)again[k], (double)g[k], 1e-5);

    double volume = 0.5 * log(4 * 0.25 * 16); /* the factor's diagonal */
    ck_assert_double_eq_tol(dd_model_log_volume(model), volume, 0.05);
    free(rows);
    free(inner);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(files_keep_it) {
    ddaebm_model *model = fitted(0.3), *copy = NULL;
    size_t size = 0;
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&copy, context, bytes, size));
    ck_assert(same_models(model, copy));
    ck_assert_int_eq(memcmp(copy->whiten, model->whiten, sizeof(double) * WIDTH * WIDTH), 0);
    ddaebm_model_free(copy);
    copy = NULL;

    model->colour[1] = 0.1; /* above the diagonal */
    free(bytes);
    bytes = small_bytes(model, &size);
    ASSERT_FAILS(ddaebm_model_load_memory(&copy, context, bytes, size), DDAEBM_OUT_OF_RANGE,
                 "data.colour");
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

/* Two equal columns, columns with one value each, more columns than rows: shrinking keeps the
 * covariance positive definite. */
START_TEST(few_or_equal_columns_are_no_failure) {
    enum { WIDE = 12, FEW = 5 };
    double rows[FEW * WIDE], twins[FEW * 2];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < FEW * WIDE; i++)
        rows[i] = i % 7 == 3 ? (double)NAN : sin((double)(i * i));
    for (size_t i = 0; i < FEW; i++)
        twins[2 * i] = twins[2 * i + 1] = (double)i;
    twins[3] = NAN;

    ddaebm_model *model = small_model(context, WHITENED(12), 1);
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, context, rows, FEW, WIDE));
    ASSERT_OK(dd_model_measure(model, dataset));
    ASSERT_OK(dd_model_fit_normal(model, dataset));
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);

    model = small_model(context, WHITENED(2), 1);
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, context, twins, FEW, 2));
    ASSERT_OK(dd_model_measure(model, dataset));
    ASSERT_OK(dd_model_fit_normal(model, dataset));
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(a_column_without_values_is_refused) {
    const double rows[] = {1, NAN, 2, NAN};
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *model = small_model(context, WHITENED(2), 1);
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, context, rows, 2, 2));
    ASSERT_FAILS(dd_model_measure(model, dataset), DDAEBM_OUT_OF_RANGE,
                 "column 2 of the data has no value");
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
}
END_TEST

static void set_up(void) {
    open_context(1);
}

int main(void) {
    use_fixture(set_up, close_context);
    return RUN_TESTS("normal_fit", what_is_missing_by_a_rule_biases_nothing,
                     rows_are_decorrelated_and_come_back, files_keep_it,
                     few_or_equal_columns_are_no_failure, a_column_without_values_is_refused);
}
