#include "model/spectrum_fit.h"

#include "base/context.h"
#include "base/rng.h"
#include "layers/spectral.h"

#include <math.h>

/* Limits on the numbers that are read, and on the rows of a set without end. */
enum { MOST_NUMBERS = 1 << 24, UNBOUNDED_ROWS = 65536 };

/* Below, no image varies: a tenth of a grey value of 8 bits. */
static const double least_variance = 1e-6;

typedef struct fit {
    size_t side, channels, width;
    float *cosines; /* [side, side], a frequency a row */
    float *row;     /* [width]: an image */
    double *half,
        *whole;  /* [side, side] each: a channel transformed along its rows, and along both */
    double *sum; /* [width]: of the images */
    double *first, *squares; /* [width] each: sums of the frequencies, and of their squares */
} fit;

static ddaebm_status allocate(fit *f, ddaebm_context *context) {
    size_t square = f->side * f->side;
    f->cosines = dd_alloc_zero(context, square, sizeof *f->cosines);
    f->row = dd_alloc_zero(context, f->width, sizeof *f->row);
    f->half = dd_alloc_zero(context, 2 * square + 3 * f->width, sizeof *f->half);
    if (!f->cosines || !f->row || !f->half)
        return DDAEBM_OUT_OF_MEMORY;
    f->whole = f->half + square;
    f->sum = f->whole + square;
    f->first = f->sum + f->width;
    f->squares = f->first + f->width;
    dd_cosine_matrix(f->cosines, f->side);
    return DDAEBM_OK;
}

static void release(fit *f, ddaebm_context *context) {
    dd_free(context, f->cosines);
    dd_free(context, f->row);
    dd_free(context, f->half);
}

/* Transforms a channel of the row: whole[i, j] is of frequency i across and j down. */
static void transform(fit *f, size_t channel) {
    const size_t n = f->side;
    for (size_t i = 0; i < n; i++)
        for (size_t y = 0; y < n; y++) {
            double sum = 0;
            for (size_t x = 0; x < n; x++)
                sum += (double)f->cosines[i * n + x] *
                       (double)f->row[(y * n + x) * f->channels + channel];
            f->half[i * n + y] = sum;
        }

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t y = 0; y < n; y++)
                sum += (double)f->cosines[j * n + y] * f->half[i * n + y];
            f->whole[i * n + j] = sum;
        }
}

static void add_row(fit *f) {
    const size_t square = f->side * f->side;
    for (size_t k = 0; k < f->width; k++)
        f->sum[k] += (double)f->row[k];
    for (size_t c = 0; c < f->channels; c++) {
        transform(f, c);
        for (size_t k = 0; k < square; k++) {
            f->first[c * square + k] += f->whole[k];
            f->squares[c * square + k] += f->whole[k] * f->whole[k];
        }
    }
}

static void take(const fit *f, double rows, float *mean, float *variance) {
    for (size_t k = 0; k < f->width; k++) {
        double middle = f->first[k] / rows;
        mean[k] = (float)(f->sum[k] / rows);
        variance[k] =
            (float)fmax((f->squares[k] - rows * middle * middle) / (rows - 1), least_variance);
    }
}

ddaebm_status dd_model_fit_spectrum(ddaebm_model *model, const ddaebm_dataset *dataset) {
    const dd_parameters *parameters = &model->parameters;
    const size_t mean = dd_parameters_find(parameters, DD_SPECTRAL_MEAN),
                 variance = dd_parameters_find(parameters, DD_SPECTRAL_VARIANCE);
    const uint64_t all = ddaebm_dataset_rows(dataset);
    fit f = {.width = dd_model_inner_width(model)};
    uint64_t most = MOST_NUMBERS / (uint64_t)f.width + 2, rows = all ? all : UNBOUNDED_ROWS;
    rows = rows < most ? rows : most;
    if (mean == parameters->count || rows < 2)
        return DDAEBM_OK;

    f.side = parameters->items[mean].shape[0];
    f.channels = parameters->items[mean].shape[2];
    ddaebm_status status = allocate(&f, model->context);
    for (uint64_t i = 0; i < rows && status == DDAEBM_OK; i++) {
        status = dd_model_read(model, dataset, all ? dd_rng_permute(i, all, 0, 0) : i, 1, f.row);
        if (status == DDAEBM_OK)
            add_row(&f);
    }
    if (status == DDAEBM_OK)
        take(&f, (double)rows, dd_weights_at(&model->weights, &parameters->items[mean]),
             dd_weights_at(&model->weights, &parameters->items[variance]));
    release(&f, model->context);
    return status;
}
