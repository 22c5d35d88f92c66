/* The data's own units and the networks': each column shifted by its mean and divided by its deviation. */
#include "model/model.h"

#include "base/context.h"
#include "base/error.h"

#include <math.h>

void dd_model_standardize(const ddaebm_model *model, const float *in, size_t count, float *out) {
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = (in[i * width + j] - model->mean[j]) / model->scale[j];
}

void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, float *out) {
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = in[i * width + j] * model->scale[j] + model->mean[j];
}

static ddaebm_status measure_rows(ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t rows, double *sums, float *block) {
    enum { BLOCK = 256 };
    size_t width = ddaebm_model_width(model);
    double *squares = sums + width;
    for (uint64_t first = 0; first < rows; first += BLOCK) {
        size_t count = rows - first < BLOCK ? (size_t)(rows - first) : BLOCK;
        ddaebm_status status = ddaebm_dataset_read(dataset, first, count, block);
        if (status != DDAEBM_OK)
            return status;
        for (size_t i = 0; i < count * width; i++) {
            double from_first = (double)block[i] - (double)model->mean[i % width]; /* about a row of the data: no cancellation */
            sums[i % width] += from_first;
            squares[i % width] += from_first * from_first;
        }
    }
    return DDAEBM_OK;
}

/* Mean and standard deviation of each column; a constant column is shifted alone. */
ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset) {
    enum { UNBOUNDED_ROWS = 65536, BLOCK = 256 };
    size_t width = ddaebm_model_width(model);
    uint64_t rows = ddaebm_dataset_rows(dataset) ? ddaebm_dataset_rows(dataset) : UNBOUNDED_ROWS;
    double *sums = dd_alloc_zero(model->context, 2 * width, sizeof *sums);
    float *block = dd_alloc_zero(model->context, BLOCK * width, sizeof *block);
    ddaebm_status status = sums && block ? ddaebm_dataset_read(dataset, 0, 1, model->mean) : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        status = measure_rows(model, dataset, rows, sums, block);
    for (size_t j = 0; status == DDAEBM_OK && j < width; j++) {
        double mean = sums[j] / (double)rows, variance = sums[width + j] / (double)rows - mean * mean;
        double middle = (double)model->mean[j] + mean;
        bool constant = variance <= 1e-12 * middle * middle || variance <= 1e-30;
        if (!isfinite(mean) || !isfinite(variance))
            status = dd_fail(DDAEBM_NOT_FINITE, "column %zu of the data has no finite mean and deviation", j);
        model->mean[j] = (float)middle;
        model->scale[j] = constant ? 1.0f : (float)sqrt(variance);
        if (constant)
            dd_report(model->context, DDAEBM_LOG_WARNING, "column %zu of the data is constant", j);
    }
    dd_free(model->context, sums);
    dd_free(model->context, block);
    return status;
}
