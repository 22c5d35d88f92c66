#include "sample/typicality.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "model/cholesky.h"

#include <ddaebm/scorer.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 2048 };

/* Converts progress of one timestep to that of all. */
typedef struct timestep_progress {
    const dd_statistics_job *whole;
    uint64_t before, total;
} timestep_progress;

static int tell(void *user, uint64_t done, uint64_t total) {
    const timestep_progress *self = user;
    (void)total; /* of this timestep */
    return self->whole->progress(self->whole->progress_user, self->before + done, self->total);
}

/* Measures the statistics of all timesteps, one row a sample: [count, timesteps x
 * dd_model_statistics]. Ignores timestep and stride of `whole`. */
static ddaebm_status measure_all(dd_statistics *statistics, const ddaebm_model *model,
                                 const dd_statistics_job *whole) {
    size_t timesteps = ddaebm_model_timesteps(model), each = dd_model_statistics(model);
    ddaebm_status status = DDAEBM_OK;

    for (size_t t = 0; t < timesteps && status == DDAEBM_OK; t++) {
        timestep_progress progress = {whole, (uint64_t)t * whole->count,
                                      (uint64_t)timesteps * whole->count};
        dd_statistics_job one = *whole;
        one.timestep = t;
        one.out = whole->out + t * each;
        one.stride = timesteps * each;
        one.progress = whole->progress ? tell : NULL;
        one.progress_user = &progress;
        status = dd_statistics_measure(statistics, &one);
    }

    return status;
}

/* Typicality of one row's statistics. */
static double typicality_of(const ddaebm_model *model, const float *v) {
    size_t width = dd_model_typicality_width(model);
    double above = 0, distance = 0;

    for (size_t j = 0; j < width; j++) {
        double away = (double)v[j] - (double)model->typical_mean[j];
        above += away * (double)model->typical_slope[j];
        for (size_t k = 0; k < width; k++)
            distance += away * (double)model->typical_precision[j * width + k] *
                        ((double)v[k] - (double)model->typical_mean[k]);
    }
    return above - 0.5 * distance;
}

ddaebm_status dd_typicality(dd_statistics *statistics, const ddaebm_model *model,
                            const dd_statistics_job *asked) {
    size_t width = dd_model_typicality_width(model), room = 0;
    if (!model->typical_mean)
        return dd_fail(DDAEBM_STATE, "the model does not know what is typical: call "
                                     "ddaebm_model_fit_typicality with its training data");
    dd_statistics_job all = *asked;
    float *values = all.out =
        dd_size_mul(&room, asked->count, width) ? dd_statistics_room(statistics, room) : NULL;
    if (!values)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the statistics of %zu rows",
                       asked->count);
    ddaebm_status status = measure_all(statistics, model, &all);
    if (status != DDAEBM_OK)
        return status;

    for (size_t i = 0; i < asked->count; i++)
        asked->out[i] = (float)typicality_of(model, values + i * width);
    return DDAEBM_OK;
}

/* --- Fitting. --- */

/* Inverts a covariance [n, n] in place: (L L^T)^-1 = L^-T L^-1. `inverse` is room for L^-1. */
static bool invert(double *a, size_t n, double *inverse) {
    if (!dd_cholesky(a, n) || !dd_lower_invert(inverse, a, n))
        return false;
    memset(a, 0, n * n * sizeof *a);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i <= k; i++)
            for (size_t j = 0; j <= k; j++)
                a[i * n + j] += inverse[k * n + i] * inverse[k * n + j];
    return true;
}

/* What is fitted to statistics; doubles of the model's tensors, and room for an inverse. */
typedef struct fitted {
    double *mean, *slope, *precision, *room;
} fitted;

/* Computes mean, slope and inverse covariance of values [count, width]; `each` statistics a
 * timestep. A ridge of a thousandth keeps statistics that hardly vary from dominating. */
static bool fit(const float *values, size_t count, size_t width, size_t each, fitted *f) {
    double *mean = f->mean, *precision = f->precision;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            mean[j] += (double)values[i * width + j] / (double)count;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            for (size_t k = 0; k < width; k++)
                precision[j * width + k] += ((double)values[i * width + j] - mean[j]) *
                                            ((double)values[i * width + k] - mean[k]) /
                                            (double)(count - 1);

    for (size_t j = 0; j < width; j++) {
        double variance = precision[j * width + j] = 1.001 * precision[j * width + j] + 1e-9;
        f->slope[j] =
            j % each == DD_STATISTIC_ORIENTATION ? DD_ORIENTATION_WEIGHT / sqrt(variance) : 0;
    }
    return invert(precision, width, f->room);
}

/* Reads rows spread evenly over a finite set, or the first of an unbounded one, as the networks see
 * them. */
static ddaebm_status read_spread(const ddaebm_model *model, const ddaebm_dataset *dataset,
                                 size_t count, float *rows) {
    size_t width = dd_model_inner_width(model);
    uint64_t all = ddaebm_dataset_rows(dataset);
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++)
        status = dd_model_read(model, dataset, all ? all / count * i : i, 1, rows + i * width);
    return status;
}

static ddaebm_status keep(ddaebm_model *model, const fitted *f) {
    size_t width = dd_model_typicality_width(model);
    ddaebm_status status = dd_model_make_typicality(model);
    if (status != DDAEBM_OK)
        return status;
    for (size_t j = 0; j < width; j++) {
        model->typical_mean[j] = (float)f->mean[j];
        model->typical_slope[j] = (float)f->slope[j];
    }
    for (size_t j = 0; j < width * width; j++)
        model->typical_precision[j] = (float)f->precision[j];
    return DDAEBM_OK;
}

ddaebm_status ddaebm_model_fit_typicality(ddaebm_model *model, const ddaebm_dataset *dataset) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    DD_REQUIRE(dataset);
    ddaebm_status status = dd_model_check_energy(model);
    if (status == DDAEBM_OK)
        status = dd_model_check_data(model, dataset);
    if (status != DDAEBM_OK)
        return status;

    uint64_t all = ddaebm_dataset_rows(dataset);
    size_t count = all && all < MOST_ROWS ? (size_t)all : MOST_ROWS,
           width = dd_model_typicality_width(model);
    if (count <= width)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "the data has %zu rows; typicality of %zu statistics needs more than that",
                       count, width);
    ddaebm_context *context = model->context;
    dd_statistics *statistics = NULL;
    float *rows = dd_alloc_zero(context, count * dd_model_inner_width(model), sizeof *rows);
    float *values = dd_alloc_zero(context, count * width, sizeof *values);
    fitted f = {0};
    f.mean = dd_alloc_zero(context, 2 * width * (width + 1), sizeof *f.mean);
    if (!rows || !values || !f.mean) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }
    f.slope = f.mean + width;
    f.precision = f.slope + width;
    f.room = f.precision + width * width;

    DD_TRY(read_spread(model, dataset, count, rows));
    DD_TRY(dd_statistics_create(&statistics, model));
    DD_TRY(
        measure_all(statistics, model,
                    &(dd_statistics_job){.rows = {.inner = rows}, .count = count, .out = values}));
    if (fit(values, count, width, dd_model_statistics(model), &f))
        status = keep(model, &f);
    else
        status = dd_fail(DDAEBM_NOT_FINITE, "the data's statistics have no finite covariance");
cleanup:
    dd_statistics_free(statistics);
    dd_free(context, rows);
    dd_free(context, values);
    dd_free(context, f.mean);
    return status;
}
