#include "base/ieee.h"

#include "model/normal_fit.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/cholesky.h"

#include <math.h>
#include <string.h>

/* Bounds of the work: multiplications in all, and iterations. */
static const double most_work = 2e10;
enum { FEWEST_ITERATIONS = 5, USUAL_ITERATIONS = 20, MOST_ITERATIONS = 100 };

/* Change of a covariance that ends the iterations, columns having a deviation of 1. */
static const double small_change = 1e-4;

/* Least shrinking of correlations, so that equal columns have a covariance with an inverse. */
static const double least_shrinking = 1e-6;

typedef struct fit {
    ddaebm_model *model;
    size_t width, count, iterations;
    double *rows;       /* [count, width]: standardised, NaN where a number is missing */
    double *mean;       /* [width] */
    double *covariance; /* [width, width] */
    double *precision;  /* [width, width]: its inverse */
    double *sum, *squares, *root, *inverse; /* [width], and [width, width] each */
    double *block, *block_inverse;          /* [width, width]: of one row's missing numbers */
    double *together;                       /* [width, width]: rows that know both numbers */
    double *row, *slope;                    /* [width] */
    size_t *missing;                        /* [width] */
} fit;

/* ---- Reading. ---- */

/* Chooses how many rows are read, and how often: `share` of the numbers are missing. */
static void choose_work(fit *f, uint64_t rows, double share) {
    double width = (double)f->width, missing = share * width;
    double of_a_row = width * width + missing * missing * missing;
    double most = most_work / USUAL_ITERATIONS / of_a_row;
    most = most < 2 * width ? 2 * width : most;
    f->count = (double)rows < most ? (size_t)rows : (size_t)most;

    double iterations = most_work / ((double)f->count * of_a_row);
    f->iterations = iterations < FEWEST_ITERATIONS ? FEWEST_ITERATIONS
                    : iterations > MOST_ITERATIONS ? MOST_ITERATIONS
                                                   : (size_t)iterations;
}

/* Counts the rows that know both numbers of a pair. */
static void count_known(const fit *f, const double *row) {
    for (size_t j = 0; j < f->width; j++)
        for (size_t k = 0; k < f->width && !isnan(row[j]); k++)
            f->together[j * f->width + k] += isnan(row[k]) ? 0 : 1;
}

static ddaebm_status read_rows(const fit *f, const ddaebm_dataset *dataset,
                               const ddaebm_dataset *given, uint64_t rows) {
    const ddaebm_model *model = f->model;
    for (size_t i = 0; i < f->count; i++) {
        double *row = f->rows + i * f->width;
        uint64_t at = f->count < rows ? dd_rng_permute(i, rows, 0, 0) : i;
        ddaebm_status status = ddaebm_dataset_read_double(given, at, 1, row);
        if (status != DDAEBM_OK)
            return status;
        count_known(f, row);
        status = ddaebm_dataset_read_double(dataset, at, 1, row);
        if (status != DDAEBM_OK)
            return status;
        for (size_t j = 0; j < f->width; j++)
            row[j] = model->scale[j] > 0 ? (row[j] - model->mean[j]) / model->scale[j] : 0;
    }
    return DDAEBM_OK;
}

/* ---- An iteration. ---- */

/* Inverts the covariance. */
static bool invert(const fit *f) {
    size_t n = f->width;
    memcpy(f->root, f->covariance, n * n * sizeof *f->root);
    if (!dd_cholesky(f->root, n) || !dd_lower_invert(f->inverse, f->root, n))
        return false;
    memset(f->precision, 0, n * n * sizeof *f->precision);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i <= k; i++)
            for (size_t j = 0; j <= k; j++)
                f->precision[i * n + j] += f->inverse[k * n + i] * f->inverse[k * n + j];
    return true;
}

/* Adds the covariance of a row's missing numbers given the others to the squares: the inverse of
 * their block of the precision, whose factor is in f->block. */
static bool add_uncertainty(const fit *f, size_t count) {
    double *inverse = f->block_inverse;
    if (!dd_lower_invert(inverse, f->block, count))
        return false;
    for (size_t k = 0; k < count; k++)
        for (size_t a = 0; a <= k; a++)
            for (size_t b = 0; b <= k; b++)
                f->squares[f->missing[a] * f->width + f->missing[b]] +=
                    inverse[k * count + a] * inverse[k * count + b];
    return true;
}

/* Sets f->row to a row's distances from the mean, with the expectation of what is missing. */
static bool expect(const fit *f, const double *row) {
    size_t count = 0, n = f->width;
    for (size_t j = 0; j < n; j++) {
        f->row[j] = isnan(row[j]) ? 0 : row[j] - f->mean[j];
        if (isnan(row[j]))
            f->missing[count++] = j;
    }
    if (count == 0)
        return true;

    for (size_t a = 0; a < count; a++) {
        const double *precision = f->precision + f->missing[a] * n;
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum -= precision[j] * f->row[j];
        f->slope[a] = sum;
        for (size_t b = 0; b < count; b++)
            f->block[a * count + b] = precision[f->missing[b]];
    }
    if (!dd_cholesky(f->block, count))
        return false;
    dd_lower_solve(f->block, count, f->slope);
    dd_lower_solve_transposed(f->block, count, f->slope);
    for (size_t a = 0; a < count; a++)
        f->row[f->missing[a]] = f->slope[a];
    return add_uncertainty(f, count);
}

/* What correlations are shrunk by: the sum of their sampling variances, for as many rows as know
 * both numbers, over that of their squares, which has the least expected squared error (Schaefer
 * and Strimmer, 2005). `squares` is a covariance. */
static double shrinking(const fit *f) {
    size_t n = f->width;
    double variances = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (!(f->model->scale[i] > 0 && f->model->scale[j] > 0))
                continue;
            double r = f->squares[i * n + j] / sqrt(f->squares[i * n + i] * f->squares[j * n + j]),
                   rows = f->together[i * n + j];
            variances += (1 - r * r) * (1 - r * r) / (rows > 2 ? rows - 1 : 1);
            sum += r * r;
        }
    double share = sum > 0 ? variances / sum : 1;
    return share < 1 ? share > least_shrinking ? share : least_shrinking : 1;
}

/* Makes the covariance from the sums; returns its largest change, NaN if it is not finite. */
static double maximise(const fit *f) {
    size_t n = f->width;
    double number = (double)f->count, change = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            f->squares[i * n + j] =
                f->squares[i * n + j] / number - f->sum[i] * f->sum[j] / (number * number);
    double keep = 1 - shrinking(f);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double *old = f->covariance + i * n + j;
            double value = f->squares[i * n + j] * (i == j ? 1 : keep);
            if (i == j && !(f->model->scale[i] > 0))
                value = 1;
            change = fabs(value - *old) <= change ? change : fabs(value - *old);
            *old = value;
        }
    for (size_t j = 0; j < n; j++)
        f->mean[j] += f->sum[j] / number;
    return change;
}

static ddaebm_status iterate(const fit *f) {
    size_t n = f->width;
    double change = 1;
    for (size_t step = 0; step < f->iterations && change > small_change; step++) {
        memset(f->sum, 0, n * sizeof *f->sum);
        memset(f->squares, 0, n * n * sizeof *f->squares);
        bool good = invert(f);
        for (size_t r = 0; r < f->count && good; r++) {
            good = expect(f, f->rows + r * n);
            for (size_t i = 0; i < n; i++) {
                f->sum[i] += f->row[i];
                for (size_t j = 0; j < n; j++)
                    f->squares[i * n + j] += f->row[i] * f->row[j];
            }
        }
        change = good ? maximise(f) : NAN;
        if (!isfinite(change))
            return dd_fail(DDAEBM_NOT_FINITE,
                           "the covariance of the columns is not positive definite: data.whiten "
                           "cannot be used with this data");
    }
    return DDAEBM_OK;
}

/* ---- The whole. ---- */

/* Moves the fit into the model: mean and scale of the columns, and the factor of their correlation.
 */
static ddaebm_status take(const fit *f) {
    ddaebm_model *model = f->model;
    size_t n = f->width;
    ddaebm_status status = dd_model_make_whitening(model);
    if (status != DDAEBM_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        f->row[i] = sqrt(f->covariance[i * n + i]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            model->colour[i * n + j] = f->covariance[i * n + j] / (f->row[i] * f->row[j]);
    if (!dd_cholesky(model->colour, n) || !dd_lower_invert(model->whiten, model->colour, n))
        return dd_fail(DDAEBM_NOT_FINITE, "the correlation of the columns has no inverse");
    for (size_t j = 0; j < n; j++) {
        model->mean[j] += f->mean[j] * model->scale[j];
        model->scale[j] *= f->row[j];
    }
    return DDAEBM_OK;
}

static ddaebm_status allocate(fit *f) {
    ddaebm_context *context = f->model->context;
    size_t n = f->width;
    double **const squares[] = {&f->covariance, &f->precision, &f->squares,       &f->root,
                                &f->inverse,    &f->block,     &f->block_inverse, &f->together};
    double **const lines[] = {&f->mean, &f->sum, &f->row, &f->slope};
    bool good = true;
    for (size_t k = 0; k < sizeof squares / sizeof *squares; k++)
        good = (*squares[k] = dd_alloc_zero(context, n * n, sizeof(double))) && good;
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        good = (*lines[k] = dd_alloc_zero(context, n, sizeof(double))) && good;
    f->missing = dd_alloc_zero(context, n, sizeof *f->missing);
    f->rows = dd_alloc_zero(context, f->count * n, sizeof *f->rows);
    for (size_t j = 0; j < n && good; j++)
        f->covariance[j * n + j] = 1;
    return good && f->missing && f->rows ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

static void release(fit *f) {
    ddaebm_context *context = f->model->context;
    double *const all[] = {f->covariance, f->precision,     f->squares,  f->root, f->inverse,
                           f->block,      f->block_inverse, f->together, f->mean, f->sum,
                           f->row,        f->slope,         f->rows};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        dd_free(context, all[k]);
    dd_free(context, f->missing);
}

ddaebm_status dd_model_fit_normal(ddaebm_model *model, const ddaebm_dataset *dataset) {
    return dd_model_fit_normal_filled(model, dataset, dataset);
}

ddaebm_status dd_model_fit_normal_filled(ddaebm_model *model, const ddaebm_dataset *dataset,
                                         const ddaebm_dataset *given) {
    enum { UNBOUNDED_ROWS = 65536 };
    fit f = {.model = model, .width = ddaebm_model_width(model)};
    uint64_t rows = ddaebm_dataset_rows(dataset) ? ddaebm_dataset_rows(dataset) : UNBOUNDED_ROWS;
    if (f.width > DD_MOST_WHITENED)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "data.whiten is true and rows have %zu numbers; allowed: up to %d", f.width,
                       DD_MOST_WHITENED);

    choose_work(&f, rows,
                (double)ddaebm_dataset_missing(dataset) / ((double)rows * (double)f.width));
    ddaebm_status status = allocate(&f);
    if (status == DDAEBM_OK)
        status = read_rows(&f, dataset, given, rows);
    if (status == DDAEBM_OK)
        status = iterate(&f);
    if (status == DDAEBM_OK)
        status = take(&f);
    release(&f);
    return status;
}
