/* Converts between the units of the data and those of the networks. Columns of rows are
 * standardised in double, because the mean may be far larger than the differences; images are
 * padded with black. */
#include "model/model.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "io/dataset.h"
#include "model/column_map.h"

#include <ddaebm/scorer.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const float black = -1;

size_t dd_model_inner_width(const ddaebm_model *model) {
    return dd_settings_inner_width(dd_model_settings(model));
}

/* Layout of a padded image. */
typedef struct frame {
    size_t lines;  /* number of lines of the image inside */
    size_t line;   /* numbers in a line */
    size_t before; /* numbers of the border before the first line */
    size_t gap;    /* numbers of the border between two lines */
} frame;

static frame frame_of(const ddaebm_model *model) {
    const dd_settings *settings = dd_model_settings(model);
    size_t side = dd_settings_outer_side(settings), channels = (size_t)settings->data.channels;
    size_t padding = (size_t)settings->data.padding, whole = (size_t)settings->data.image_size;
    return (frame){side, side * channels, (padding * whole + padding) * channels,
                   2 * padding * channels};
}

static bool is_of_images(const ddaebm_model *model) {
    return dd_model_settings(model)->data.image_size > 0;
}

static float *fill(float *at, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        *at++ = value;
    return at;
}

/* Pads an image. `in` may be the end of `out`: every line moves towards the front, so none is
 * overwritten before it is read. */
static void pad(const frame *f, const float *in, float *out, float border) {
    out = fill(out, f->before, border);
    for (size_t y = 0; y < f->lines; y++) {
        memmove(out, in, f->line * sizeof *out);
        in += f->line;
        out = fill(out + f->line, y + 1 < f->lines ? f->gap : f->before, border);
    }
}

static void pad_all(const ddaebm_model *model, const float *in, size_t count, float *out,
                    float border) {
    frame f = frame_of(model);
    for (size_t i = 0; i < count; i++)
        pad(&f, in + i * ddaebm_model_width(model), out + i * dd_model_inner_width(model), border);
}

/* Removes the border. Every number moves towards the front, so `out` may be `in`. */
static void cut_all(const ddaebm_model *model, const float *in, size_t count, dd_rows_out out,
                    size_t first) {
    frame f = frame_of(model);
    size_t at = first * ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++) {
        const float *line = in + i * dd_model_inner_width(model) + f.before;
        for (size_t y = 0; y < f.lines; y++, line += f.line + f.gap)
            for (size_t x = 0; x < f.line; x++)
                dd_rows_put(out, at++, (double)line[x]);
    }
}

/* Pads rows; float64 ones are first converted to the end of `out`. */
static void pad_rows(const ddaebm_model *model, dd_rows_in in, size_t first, size_t count,
                     float *out, float border) {
    size_t width = ddaebm_model_width(model), numbers = count * width;
    const float *rows = in.narrow ? in.narrow + first * width : NULL;
    if (!rows) {
        float *at_the_end = out + count * (dd_model_inner_width(model) - width);
        for (size_t i = 0; i < numbers; i++)
            at_the_end[i] = (float)in.wide[first * width + i];
        rows = at_the_end;
    }
    pad_all(model, rows, count, out, border);
}

static double standardized(const ddaebm_model *model, dd_rows_in in, size_t row, size_t j) {
    double number = dd_rows_number(in, row * ddaebm_model_width(model) + j);
    return model->scale[j] > 0
               ? (dd_column_map_in(model, j, number) - model->mean[j]) / model->scale[j]
               : 0;
}

/* Number j of a row as the networks see it. It reads none after j, so that rows may be converted in
 * place from their ends. */
static double whitened(const ddaebm_model *model, dd_rows_in in, size_t row, size_t j) {
    const double *factors = model->whiten + j * ddaebm_model_width(model);
    double sum = 0;
    for (size_t k = 0; k <= j; k++)
        sum += factors[k] * standardized(model, in, row, k);
    return sum;
}

/* sum over k <= j of factors[j, k] row[k] */
static double times_lower(const double *factors, const float *row, size_t width, size_t j) {
    double sum = 0;
    for (size_t k = 0; k <= j; k++)
        sum += factors[j * width + k] * (double)row[k];
    return sum;
}

/* sum over k >= j of factors[k, j] row[k] */
static double times_transposed(const double *factors, const float *row, size_t width, size_t j) {
    double sum = 0;
    for (size_t k = j; k < width; k++)
        sum += factors[k * width + j] * (double)row[k];
    return sum;
}

void dd_model_standardize(const ddaebm_model *model, dd_rows_in in, size_t first, size_t count,
                          float *out) {
    size_t width = ddaebm_model_width(model);
    if (in.inner) {
        memcpy(out, in.inner + first * dd_model_inner_width(model),
               count * dd_model_inner_width(model) * sizeof *out);
        return;
    }

    if (is_of_images(model)) {
        pad_rows(model, in, first, count, out, black);
        return;
    }

    for (size_t i = 0; i < count; i++)
        for (size_t j = width; j-- > 0;)
            out[i * width + j] = (float)(model->whiten ? whitened(model, in, first + i, j)
                                                       : standardized(model, in, first + i, j));
}

ddaebm_status dd_model_read(const ddaebm_model *model, const ddaebm_dataset *dataset,
                            uint64_t first, size_t count, float *out) {
    if (dd_dataset_doubles(dataset, first)) {
        for (size_t i = 0; i < count; i++)
            dd_model_standardize(model,
                                 (dd_rows_in){.wide = dd_dataset_doubles(dataset, first + i)}, 0, 1,
                                 out + i * dd_model_inner_width(model));
        return DDAEBM_OK;
    }
    float *rows = out + count * (dd_model_inner_width(model) - ddaebm_model_width(model));
    ddaebm_status status = ddaebm_dataset_read(dataset, first, count, rows);
    if (status == DDAEBM_OK)
        dd_model_standardize(model, (dd_rows_in){.narrow = rows}, 0, count, out);
    return status;
}

static bool is_whole(double number) {
    return number == floor(number);
}

/* Whether a number is another one rounded to float32, unless that underflows. */
static bool is_rounded(double number, double exact) {
    return number != 0 && number == (double)(float)exact;
}

/* Whether a number is a column's constant, up to precision: either may be rounded to float32 or
 * written with 15 digits. Integers in float64 are exact, since a whole hour of Unix time is the
 * same float32. */
static bool is_constant(double number, double constant, bool narrow) {
    const double last_digit = 24 * DBL_EPSILON; /* at most half a unit of the 15th digit */
    if (number == constant)
        return true;
    if (narrow && number == (double)(float)constant)
        return true;
    if (is_whole(number) && is_whole(constant))
        return false;
    if (fabs(number - constant) <= last_digit * fabs(constant))
        return true;
    return !is_whole(number) && !is_whole(constant) &&
           (is_rounded(number, constant) || is_rounded(constant, number));
}

/* Whether column j was constant and has another number in the row. */
static bool is_other(const ddaebm_model *model, dd_rows_in in, size_t row, size_t j) {
    size_t at = row * ddaebm_model_width(model) + j;
    return !(model->scale[j] > 0) &&
           !is_constant(dd_rows_number(in, at), model->mean[j], in.narrow != NULL);
}

/* What the score loses for one such column. */
static double one_penalty(const ddaebm_model *model) {
    return log((double)model->measured + 2);
}

double dd_model_column_penalty(const ddaebm_model *model, dd_rows_in in, size_t row,
                               size_t column) {
    return is_other(model, in, row, column) ? one_penalty(model) : 0;
}

double dd_model_penalty(const ddaebm_model *model, dd_rows_in in, size_t row) {
    size_t width = ddaebm_model_width(model), others = 0;
    if (in.inner || is_of_images(model))
        return 0;
    for (size_t j = 0; j < width; j++)
        others += is_other(model, in, row, j);
    return others > 0 ? (double)others * one_penalty(model) : 0;
}

void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, dd_rows_out out,
                      size_t first) {
    size_t width = ddaebm_model_width(model);
    if (is_of_images(model)) {
        cut_all(model, in, count, out, first);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = width; j-- > 0;) {
            const float *row = in + i * width;
            double number =
                model->colour ? times_lower(model->colour, row, width, j) : (double)row[j];
            double spread = model->scale[j] > 0 ? number * model->scale[j] : 0;
            dd_rows_put(out, (first + i) * width + j,
                        model->scale[j] > 0 ? dd_column_map_out(model, j, spread + model->mean[j])
                                            : spread + model->mean[j]);
        }
}

/* Gradient with respect to number `at` of the rows, from that with respect to what it is mapped to.
 */
static double gradient_at(const ddaebm_model *model, size_t j, double gradient, dd_rows_in rows,
                          size_t at, bool density) {
    if (!dd_has_column_map(model))
        return gradient;
    double x = dd_rows_number(rows, at);
    return gradient * exp(dd_column_map_log_slope(model, j, x)) +
           (density ? dd_column_map_bend(model, j, x) : 0);
}

void dd_model_restore_gradient(const ddaebm_model *model, const float *in, size_t count,
                               dd_rows_in rows, bool density, dd_rows_out out, size_t first) {
    size_t width = ddaebm_model_width(model);
    if (is_of_images(model)) {
        cut_all(model, in, count, out, first);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++) {
            const float *row = in + i * width;
            size_t at = (first + i) * width + j;
            double number =
                model->whiten ? times_transposed(model->whiten, row, width, j) : (double)row[j];
            dd_rows_put(out, at,
                        model->scale[j] > 0
                            ? gradient_at(model, j, number / model->scale[j], rows, at, density)
                            : 0);
        }
}

void dd_model_restore_spread(const ddaebm_model *model, const float *in, size_t count,
                             dd_rows_out out, size_t first) {
    size_t width = ddaebm_model_width(model);
    if (is_of_images(model)) {
        cut_all(model, in, count, out, first);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            dd_rows_put(out, (first + i) * width + j, (double)in[i * width + j] * model->scale[j]);
}

double dd_model_log_slope(const ddaebm_model *model, dd_rows_in in, size_t row) {
    size_t width = ddaebm_model_width(model);
    double sum = 0;
    for (size_t j = 0; dd_has_column_map(model) && !in.inner && j < width; j++)
        if (model->scale[j] > 0)
            sum += dd_column_map_log_slope(model, j, dd_rows_number(in, row * width + j));
    return sum;
}

/* Slope of the map of column j at a number of the rows. */
static double slope_at(const ddaebm_model *model, size_t j, dd_rows_in rows, size_t at) {
    return dd_has_column_map(model) && model->scale[j] > 0
               ? exp(dd_column_map_log_slope(model, j, dd_rows_number(rows, at)))
               : 1;
}

void dd_model_standardize_gradient(const ddaebm_model *model, dd_rows_in in, dd_rows_in rows,
                                   size_t count, float *out) {
    if (is_of_images(model)) {
        pad_rows(model, in, 0, count, out, 0);
        return;
    }
    size_t width = ddaebm_model_width(model);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = (float)(dd_rows_number(in, i * width + j) * model->scale[j] /
                                         slope_at(model, j, rows, i * width + j));
    for (size_t i = 0; model->colour && i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = (float)times_transposed(model->colour, out + i * width, width, j);
}

/* ---- Whether data fits. ---- */

static bool holds_images(const ddaebm_dataset *dataset) {
    size_t height = 0, width = 0, channels = 0;
    ddaebm_dataset_image_shape(dataset, &height, &width, &channels);
    return height > 0;
}

/* Networks of rows may have been trained on images, whose shape is not in their configuration. */
static bool takes_images(const ddaebm_model *model) {
    return is_of_images(model) || model->kind == DD_KIND_IMAGES;
}

/* Checks the shape of images for a model of images; accepts all else. */
static ddaebm_status check_shape(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    size_t height = 0, width = 0, channels = 0, side = 0, other = 0, wanted = 0;
    ddaebm_dataset_image_shape(dataset, &height, &width, &channels);
    ddaebm_model_image_shape(model, &side, &other, &wanted);
    bool halved = dd_model_settings(model)->network.family == DD_FAMILY_NCSNPP;
    if (side == 0 || height == 0 || (height == side && width == side && channels == wanted))
        return DDAEBM_OK;

    return dd_fail(DDAEBM_MISMATCH,
                   "the data has images of %zu x %zu x %zu (height, width, channels), the model "
                   "takes %zu x %zu x %zu: "
                   "data.image_size less data.padding on both sides, and data.channels%s%s",
                   height, width, channels, side, side, wanted,
                   halved ? "; these networks can be made for squares of an even side up to 128"
                          : "",
                   channels == wanted ? "; --resize brings files of images to a size" : "");
}

/* Refuses images for a model of rows, whose numbers have other units. An untrained model accepts
 * both. */
static ddaebm_status check_kind(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    if (!holds_images(dataset) || is_of_images(model) || model->kind != DD_KIND_ROWS)
        return DDAEBM_OK;
    return dd_fail(
        DDAEBM_MISMATCH,
        "the data are images, the model was trained on rows: read them as rows (--layout rows; "
        "ddaebm_read_options.layout)");
}

/* Checks everything but the range of numbers. */
static ddaebm_status check_fit(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    ddaebm_status status = check_kind(model, dataset);
    if (status == DDAEBM_OK)
        status = check_shape(model, dataset);
    if (status == DDAEBM_OK && ddaebm_dataset_width(dataset) != ddaebm_model_width(model))
        return dd_fail(
            DDAEBM_MISMATCH, "the data has rows of %zu numbers, the model of %zu: set %s",
            ddaebm_dataset_width(dataset), ddaebm_model_width(model),
            is_of_images(model) ? "data.image_size, data.padding and data.channels" : "data.width");
    return status == DDAEBM_OK ? ddaebm_model_check_columns(model, dataset) : status;
}

/* Largest size of numbers for a model of images: in training that of samples, in scoring that of
 * noise. */
static const double most_of_samples = 1.1, most_of_noise = 16;

static ddaebm_status check_range(const ddaebm_model *model, const ddaebm_dataset *dataset,
                                 double most) {
    size_t side = 0, other = 0, channels = 0;
    ddaebm_model_image_shape(model, &side, &other, &channels);
    return takes_images(model) ? dd_dataset_check_images(dataset, most, side, channels) : DDAEBM_OK;
}

ddaebm_status dd_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    ddaebm_status status = check_fit(model, dataset);
    return status == DDAEBM_OK ? check_range(model, dataset, most_of_samples) : status;
}

ddaebm_status ddaebm_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(model);
    DD_REQUIRE(dataset);
    ddaebm_status status = check_fit(model, dataset);
    if (status == DDAEBM_OK &&
        !holds_images(dataset)) /* images have been checked when they were read */
        status = check_range(model, dataset, most_of_noise);
    if (status == DDAEBM_OK)
        dd_model_note_range(model, dataset);
    return status;
}

void dd_model_note_range(const ddaebm_model *model, const ddaebm_dataset *dataset) {
    if (!takes_images(model) || holds_images(dataset))
        return;
    if (!dd_dataset_within(dataset, most_of_samples))
        dd_report(
            model->context, DDAEBM_LOG_INFO,
            "some numbers lie beyond the model's images, which go from -1 (black) to 1 (white)");
    if (dd_dataset_never_negative(dataset))
        dd_report(model->context, DDAEBM_LOG_INFO,
                  "no number of the first rows is negative, and the model's images go from -1 "
                  "(black) to 1 (white): rows of another "
                  "range are to be brought to that");
}

void dd_model_note_kind(ddaebm_model *model, const ddaebm_dataset *dataset) {
    if (holds_images(dataset))
        model->kind = DD_KIND_IMAGES;
    else if (dd_dataset_in_memory(dataset) && !is_of_images(model))
        model->kind = DD_KIND_ROWS;
}

/* --- Numbers that do not move. --- */

ddaebm_status dd_model_find_fixed(const ddaebm_model *model, float **fixed, float **moves) {
    ddaebm_context *context = model->context;
    size_t inner = dd_model_inner_width(model), width = ddaebm_model_width(model);
    float *row = dd_alloc_zero(context, width, sizeof *row);
    *fixed = dd_alloc_zero(context, inner, sizeof **fixed);
    *moves = dd_alloc_zero(context, inner, sizeof **moves);
    if (!row || !*fixed || !*moves) {
        dd_free(context, row);
        return DDAEBM_OUT_OF_MEMORY;
    }

    if (dd_has_column_map(model)) /* of no columns that are mapped to what is not finite */
        dd_model_restore(model, *fixed, 1, (dd_rows_out){.narrow = row}, 0);
    else
        dd_model_standardize(model, (dd_rows_in){.narrow = row}, 0, 1, *fixed);
    for (size_t j = 0; j < width; j++)
        row[j] = 1;
    if (is_of_images(model))
        dd_model_standardize_gradient(model, (dd_rows_in){.narrow = row},
                                      (dd_rows_in){.narrow = row}, 1, *moves);
    for (size_t j = 0; j < inner && !is_of_images(model); j++)
        (*moves)[j] = model->scale[j] > 0 ? 1.0f : 0.0f;
    dd_free(context, row);
    return DDAEBM_OK;
}

/* What whitening divides a number by, the numbers before it given. */
static double root_of(const ddaebm_model *model, size_t j) {
    return model->colour ? model->colour[j * ddaebm_model_width(model) + j] : 1;
}

double dd_model_log_volume(const ddaebm_model *model) {
    double sum = 0;
    if (is_of_images(model))
        return 0;
    for (size_t j = 0; j < ddaebm_model_width(model); j++)
        sum += model->scale[j] > 0 ? log(model->scale[j] * root_of(model, j)) : 0;
    return sum;
}

double dd_model_score_offset(const ddaebm_model *model, size_t timestep) {
    bool applies = model->normaliser.known && timestep == 0;
    return applies ? model->normaliser.log_z + dd_model_log_volume(model) : 0;
}
