/* The data's own units and the networks': each column of rows shifted by its mean and divided by its deviation; pictures as they are, on
 * black. */
#include "model/model.h"

#include "base/context.h"
#include "base/error.h"
#include "io/dataset.h"

#include <math.h>
#include <string.h>

static const float black = -1;

size_t dd_model_inner_width(const ddaebm_model *model) {
    return dd_settings_inner_width(dd_model_settings(model));
}

/* Lines of a padded picture. */
typedef struct frame {
    size_t lines;  /* of the picture inside */
    size_t line;   /* numbers in each */
    size_t before; /* in the border, up to the first of them */
    size_t gap;    /* and between one and the next */
} frame;

static frame frame_of(const ddaebm_model *model) {
    const dd_settings *settings = dd_model_settings(model);
    size_t side = dd_settings_outer_side(settings), channels = (size_t)settings->data.channels;
    size_t padding = (size_t)settings->data.padding, whole = (size_t)settings->data.image_size;
    return (frame){side, side * channels, (padding * whole + padding) * channels, 2 * padding * channels};
}

static bool has_pictures(const ddaebm_model *model) {
    return dd_model_settings(model)->data.image_size > 0;
}

static float *fill(float *at, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        *at++ = value;
    return at;
}

/* Every line moves towards the front, or stays, where in is the end of out: so none is written over before it is read. */
static void pad(const frame *f, const float *in, float *out, float border) {
    out = fill(out, f->before, border);
    for (size_t y = 0; y < f->lines; y++) {
        memmove(out, in, f->line * sizeof *out);
        in += f->line;
        out = fill(out + f->line, y + 1 < f->lines ? f->gap : f->before, border);
    }
}

static void pad_all(const ddaebm_model *model, const float *in, size_t count, float *out, float border) {
    frame f = frame_of(model);
    for (size_t i = 0; i < count; i++)
        pad(&f, in + i * ddaebm_model_width(model), out + i * dd_model_inner_width(model), border);
}

/* Every line moves towards the front. */
static void cut(const frame *f, const float *in, float *out) {
    in += f->before;
    for (size_t y = 0; y < f->lines; y++, in += f->line + f->gap, out += f->line)
        memmove(out, in, f->line * sizeof *out);
}

static void cut_all(const ddaebm_model *model, const float *in, size_t count, float *out) {
    frame f = frame_of(model);
    for (size_t i = 0; i < count; i++)
        cut(&f, in + i * dd_model_inner_width(model), out + i * ddaebm_model_width(model));
}

void dd_model_standardize(const ddaebm_model *model, const float *in, size_t count, float *out) {
    size_t width = ddaebm_model_width(model);
    if (has_pictures(model)) {
        pad_all(model, in, count, out, black);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = (in[i * width + j] - model->mean[j]) / model->scale[j];
}

void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, float *out) {
    if (has_pictures(model)) {
        cut_all(model, in, count, out);
        return;
    }
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = in[i * width + j] * model->scale[j] + model->mean[j];
}

void dd_model_restore_gradient(const ddaebm_model *model, const float *in, size_t count, float *out) {
    if (has_pictures(model)) {
        cut_all(model, in, count, out);
        return;
    }
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = in[i * width + j] / model->scale[j];
}

void dd_model_standardize_gradient(const ddaebm_model *model, const float *in, size_t count, float *out) {
    if (has_pictures(model)) {
        pad_all(model, in, count, out, 0);
        return;
    }
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = in[i * width + j] * model->scale[j];
}

ddaebm_status dd_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    size_t height = 0, width = 0, channels = 0, side = 0, other = 0, wanted = 0;
    ddaebm_dataset_image_shape(dataset, &height, &width, &channels);
    ddaebm_model_image_shape(model, &side, &other, &wanted);
    bool halved = dd_model_settings(model)->network.family == DD_FAMILY_NCSNPP;
    if (side > 0 && height > 0 && (height != side || width != side || channels != wanted))
        return dd_fail(DDAEBM_MISMATCH,
                       "the data has pictures of %zu x %zu x %zu (height, width, channels), the model takes %zu x %zu x %zu: "
                       "data.image_size less data.padding on both sides, and data.channels%s",
                       height, width, channels, side, side, wanted,
                       halved ? "; these networks can be made for squares of an even side up to 128" : "");
    if (ddaebm_dataset_width(dataset) != ddaebm_model_width(model))
        return dd_fail(DDAEBM_MISMATCH, "the data has rows of %zu numbers, the model of %zu: set %s", ddaebm_dataset_width(dataset),
                       ddaebm_model_width(model), side ? "data.image_size, data.padding and data.channels" : "data.width");
    return side > 0 ? dd_dataset_check_pictures(dataset) : DDAEBM_OK;
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
