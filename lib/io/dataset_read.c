#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/dataset_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Sources of the library's own. ---- */

ddaebm_status dd_dataset_read_named(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    dd_synthetic_read(dataset->named, dataset->seed, first, count, out);
    return DDAEBM_OK;
}

/* Rounds a row to 32 bits. Missing numbers stay NaN. */
static ddaebm_status narrow_row(const double *row, size_t number, size_t width, float *out) {
    for (size_t j = 0; j < width; j++) {
        out[j] = (float)row[j];
        if (isfinite(row[j]) && !isfinite(out[j]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "row %zu, column %zu (both from 1) is %g, beyond 32-bit numbers: use "
                           "ddaebm_dataset_read_double",
                           number + 1, j + 1, row[j]);
    }
    return DDAEBM_OK;
}

ddaebm_status dd_dataset_read_values(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    const dd_rows *rows = &dataset->rows;
    const size_t width = dataset->source.width;
    if (!rows->wide && dataset->window == 0) {
        memcpy(out, rows->values + (size_t)first * width, count * width * sizeof *out);
        return DDAEBM_OK;
    }

    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        const size_t row = (size_t)first + i, start = dd_dataset_start(dataset, row);
        if (rows->wide)
            status = narrow_row(rows->wide + start, row, width, out + i * width);
        else
            memcpy(out + i * width, rows->values + start, width * sizeof *out);
    }
    return status;
}

ddaebm_status dd_dataset_read_images(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    dd_images_read(&dataset->images, (size_t)first, count, out);
    return DDAEBM_OK;
}

/* ---- Public functions. ---- */

/* Checks that the rows exist, and that their numbers of `size` bytes fit the address space. */
static ddaebm_status check_read(const ddaebm_dataset *dataset, uint64_t first, size_t count,
                                size_t size) {
    const ddaebm_source *source = &dataset->source;
    uint64_t rows = source->rows ? source->rows : dataset->named ? DD_SYNTHETIC_ROWS : UINT64_MAX;
    size_t elements = 0, bytes = 0;
    if (first > rows || count > rows - first)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "rows %" PRIu64 " to %" PRIu64 " + %zu are asked of a set of %" PRIu64,
                       first, first, count, rows);
    if (!dd_size_mul(&elements, count, source->width) || !dd_size_mul(&bytes, elements, size))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%zu rows of %zu numbers exceed the address space",
                       count, source->width);
    return DDAEBM_OK;
}

/* Reads through the source; a failure of the caller's own gets a message. */
static ddaebm_status read_floats(const ddaebm_dataset *dataset, uint64_t first, size_t count,
                                 float *out) {
    const ddaebm_source *source = &dataset->source;
    ddaebm_status status = source->read(source->user, first, count, out);
    if (status != DDAEBM_OK && source->user != dataset)
        (void)dd_fail(
            status, "the caller's data source failed to read %zu rows from row %" PRIu64 " on: %s",
            count, first, ddaebm_status_text(status));
    return status;
}

ddaebm_status ddaebm_dataset_read(const ddaebm_dataset *dataset, uint64_t first, size_t count,
                                  float *out) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(dataset);
    DD_REQUIRE(out);
    ddaebm_status status = check_read(dataset, first, count, sizeof *out);
    return status == DDAEBM_OK && count > 0 ? read_floats(dataset, first, count, out) : status;
}

/* Converts floats in the second half of an array to doubles that fill all of it. */
static void widen(double *out, size_t count) {
    const char *floats = (const char *)(out + count) - count * sizeof(float);
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, floats + i * sizeof value, sizeof value);
        out[i] = (double)value;
    }
}

ddaebm_status ddaebm_dataset_read_double(const ddaebm_dataset *dataset, uint64_t first,
                                         size_t count, double *out) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(dataset);
    DD_REQUIRE(out);
    ddaebm_status status = check_read(dataset, first, count, sizeof *out);
    if (status != DDAEBM_OK || count == 0)
        return status;

    size_t width = dataset->source.width, numbers = count * width;
    if (dataset->rows.wide) {
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * width,
                   dataset->rows.wide + dd_dataset_start(dataset, (size_t)first + i),
                   width * sizeof *out);
        return DDAEBM_OK;
    }
    status = read_floats(dataset, first, count,
                         (float *)(void *)((char *)(out + numbers) - numbers * sizeof(float)));
    if (status == DDAEBM_OK)
        widen(out, numbers);
    return status;
}
