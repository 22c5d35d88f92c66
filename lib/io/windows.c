/* Overlapping windows of a series as rows, and series put together from windows. */
#include <ddaebm/series.h>

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/dataset_parts.h"

#include <stdio.h>
#include <string.h>

static size_t windows_of(size_t samples, size_t window, size_t hop) {
    size_t beyond = samples - window; /* where the last begins */
    return 1 + beyond / hop + (beyond % hop > 0);
}

static size_t first_sample(size_t index, size_t samples, size_t window, size_t hop) {
    size_t last = samples - window;
    return index < last / hop + 1 ? index * hop : last;
}

static ddaebm_status check_shape(size_t samples, size_t window, size_t hop) {
    if (window < 1 || window > samples)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "the window is %zu samples; allowed: 1 to %zu, those of the series", window,
                       samples);
    if (hop < 1 || hop > window)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "the hop is %zu samples; allowed: 1 to %zu, the window",
                       hop, window);
    return DDAEBM_OK;
}

/* ---- Cutting. ---- */

size_t dd_dataset_start(const ddaebm_dataset *dataset, size_t row) {
    if (dataset->window == 0)
        return row * dataset->source.width;
    return first_sample(row, dataset->rows.count, dataset->window, dataset->hop) *
           dataset->rows.width;
}

static ddaebm_status check_series(const ddaebm_dataset *series, size_t window, size_t hop) {
    size_t numbers = 0;
    if (series->source.rows == 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "windows are of a series with an end");
    if (series->source.rows > SIZE_MAX)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "the series exceeds the address space");
    if (ddaebm_dataset_missing(series) > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "values of the series are missing; windows are of series without gaps");
    if (series->shape.height > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "windows are of series of numbers, and these are images");
    ddaebm_status status = check_shape((size_t)series->source.rows, window, hop);
    if (status == DDAEBM_OK &&
        (!dd_size_mul(&numbers, window, series->source.width) || numbers > DD_MOST_WIDTH))
        status = dd_fail(DDAEBM_OUT_OF_RANGE,
                         "a window of %zu samples of %zu channels; allowed: %d numbers", window,
                         series->source.width, DD_MOST_WIDTH);
    return status;
}

/* Copies a series into rows, in 64 bits if it has them. */
static ddaebm_status copy_series(dd_rows *rows, const ddaebm_dataset *series) {
    const bool wide = series->rows.wide != NULL;
    size_t numbers = 0;
    rows->count = (size_t)series->source.rows;
    rows->width = series->source.width;
    if (dd_size_mul(&numbers, rows->count, rows->width)) {
        if (wide)
            rows->wide = dd_alloc_zero(series->context, numbers, sizeof *rows->wide);
        else
            rows->values = dd_alloc_zero(series->context, numbers, sizeof *rows->values);
    }
    if (!rows->wide && !rows->values)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for a series of %zu samples", rows->count);

    ddaebm_status status = wide ? ddaebm_dataset_read_double(series, 0, rows->count, rows->wide)
                                : ddaebm_dataset_read(series, 0, rows->count, rows->values);
    return status == DDAEBM_OK ? dd_rows_check_finite(rows, false) : status;
}

/* Names the columns of windows as CHANNEL[SAMPLE], with the channel's name or its number from 1, so
 * that a model refuses windows of other channels. Where the names would be too long there are none.
 */
static ddaebm_status name_columns(ddaebm_dataset *dataset, const ddaebm_dataset *series) {
    enum { MOST_DIGITS = 48 }; /* of both numbers, with brackets and NUL */
    const size_t channels = series->source.width;
    size_t longest = 0, bytes = 0;
    for (size_t c = 0; c < channels; c++) {
        const char *name = dd_column_name(&series->columns, c);
        size_t length = name ? strlen(name) : 0;
        longest = length > longest ? length : longest;
    }
    if (!dd_size_mul(&bytes, dataset->source.width, longest + MOST_DIGITS) ||
        bytes > DD_MOST_NAME_BYTES)
        return DDAEBM_OK;

    char *text = dd_alloc_zero(dataset->context, longest + MOST_DIGITS, 1);
    ddaebm_status status = text ? dd_column_names_make(&dataset->columns, dataset->context,
                                                       dataset->source.width, bytes)
                                : DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < dataset->source.width && status == DDAEBM_OK; i++) {
        const char *name = dd_column_name(&series->columns, i % channels);
        int length = name ? snprintf(text, longest + MOST_DIGITS, "%s[%zu]", name, i / channels)
                          : snprintf(text, longest + MOST_DIGITS, "%zu[%zu]", i % channels + 1,
                                     i / channels);
        dd_column_names_put(&dataset->columns, i, text, (size_t)length);
    }
    dd_free(dataset->context, text);
    return status;
}

ddaebm_status ddaebm_dataset_create_windows(ddaebm_dataset **out, const ddaebm_dataset *series,
                                            size_t window, size_t hop) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(series);
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status;
    DD_TRY(check_series(series, window, hop));
    DD_TRY(dd_dataset_make(&dataset, series->context, window * series->source.width,
                           windows_of((size_t)series->source.rows, window, hop)));
    DD_TRY(copy_series(&dataset->rows, series));
    DD_TRY(name_columns(dataset, series));
    dataset->window = window;
    dataset->hop = hop;
    dataset->sample_rate = series->sample_rate;
    dataset->source.read = dd_dataset_read_values;
    *out = dataset;
    dataset = NULL;
cleanup:
    ddaebm_dataset_free(dataset);
    return status;
}

ddaebm_status ddaebm_dataset_windows(const ddaebm_dataset *dataset, ddaebm_windows *shape) {
    DD_REQUIRE(dataset);
    DD_REQUIRE(shape);
    ddaebm_status status = dd_struct_check(shape, "DDAEBM_WINDOWS_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (dataset->window == 0)
        return dd_fail(DDAEBM_NOT_FOUND, "the rows of this set are no windows");
    ddaebm_windows told = {.samples = dataset->rows.count,
                           .channels = dataset->rows.width,
                           .window = dataset->window,
                           .hop = dataset->hop};
    dd_struct_out(shape, &told, sizeof told);
    return DDAEBM_OK;
}

size_t ddaebm_dataset_sample_rate(const ddaebm_dataset *dataset) {
    return dataset->sample_rate;
}

/* ---- Adding. ---- */

/* Adds a window to the means. A number that is equal to a mean leaves it as it is. */
static void add_window(const ddaebm_windows *shape, const double *row, double *series,
                       double *weights) {
    for (size_t k = 0; k < shape->window; k++) {
        size_t before = k + 1, after = shape->window - k;
        double weight = (double)(before < after ? before : after);
        double share = weights[k] > 0 ? weight / (weights[k] + weight) : 1;
        weights[k] += weight;
        for (size_t c = 0; c < shape->channels; c++) {
            double *mean = series + k * shape->channels + c;
            double number = row[k * shape->channels + c];
            *mean = share == 1 ? number : *mean + (number - *mean) * share;
        }
    }
}

ddaebm_status ddaebm_windows_add(const ddaebm_windows *shape, const double *rows, size_t first,
                                 size_t count, double *series, double *weights) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(shape);
    ddaebm_windows own = DDAEBM_WINDOWS_INIT;
    ddaebm_status status = dd_struct_in(&own, sizeof own, shape, "DDAEBM_WINDOWS_INIT");
    if (status == DDAEBM_OK)
        status = check_shape(own.samples, own.window, own.hop);
    if (status == DDAEBM_OK && own.channels < 1)
        status = dd_fail(DDAEBM_OUT_OF_RANGE, "channels is 0; allowed: at least 1");
    if (status != DDAEBM_OK || count == 0)
        return status;

    const size_t windows = windows_of(own.samples, own.window, own.hop);
    DD_REQUIRE(rows);
    DD_REQUIRE(series);
    DD_REQUIRE(weights);
    if (first > windows || count > windows - first)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "windows %zu to %zu + %zu are added to a series of %zu",
                       first, first, count, windows);
    for (size_t i = 0; i < count; i++) {
        size_t at = first_sample(first + i, own.samples, own.window, own.hop);
        add_window(&own, rows + i * own.window * own.channels, series + at * own.channels,
                   weights + at);
    }
    return DDAEBM_OK;
}
