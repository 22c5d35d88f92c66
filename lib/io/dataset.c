#include "io/dataset.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/npy.h"
#include "io/synthetic.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a data file, at most. */
#define MOST_BYTES ((size_t)(UINT64_C(4) << 30 < SIZE_MAX ? UINT64_C(4) << 30 : SIZE_MAX))

/* All kinds are read through `source`: the caller's own, or one of the two readers below with the set itself as its user. */
struct ddaebm_dataset {
    ddaebm_context *context;
    ddaebm_source source;
    const dd_synthetic *named; /* NULL for other kinds */
    uint64_t seed;
    float *values; /* owned; NULL for other kinds than rows in memory */
};

static ddaebm_status read_named(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    dd_synthetic_read(dataset->named, dataset->seed, first, count, out);
    return DDAEBM_OK;
}

static ddaebm_status read_values(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    size_t width = dataset->source.width;
    memcpy(out, dataset->values + (size_t)first * width, count * width * sizeof *out);
    return DDAEBM_OK;
}

static ddaebm_status create(ddaebm_dataset **out, ddaebm_context *context, size_t width, uint64_t rows) {
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;
    ddaebm_dataset *dataset = dd_alloc_zero(held, 1, sizeof *dataset);
    if (!dataset) {
        ddaebm_context_free(held);
        return DDAEBM_OUT_OF_MEMORY;
    }
    dataset->context = held;
    dataset->source = (ddaebm_source)DDAEBM_SOURCE_INIT;
    dataset->source.width = width;
    dataset->source.rows = rows;
    dataset->source.user = dataset;
    *out = dataset;
    return DDAEBM_OK;
}

static ddaebm_status check_width(size_t width) {
    if (width < 1 || width > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "width is %zu; allowed: 1 to %d", width, DD_MOST_WIDTH);
    return DDAEBM_OK;
}

static ddaebm_status check_finite(const float *values, size_t count, size_t width) {
    for (size_t row = 0; row < count; row++)
        for (size_t column = 0; column < width; column++) {
            float value = values[row * width + column];
            if (!isfinite(value))
                return dd_fail(DDAEBM_NOT_FINITE, "row %zu, column %zu (both from 1) is %s; only finite 32-bit numbers are allowed",
                               row + 1, column + 1, isnan(value) ? "not a number" : "infinite");
        }
    return DDAEBM_OK;
}

static ddaebm_status unknown_name(const char *name) {
    char known[256] = "";
    for (size_t i = 0; dd_synthetic_name(i); i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, " %s", dd_synthetic_name(i));
    }
    return dd_fail(DDAEBM_NOT_FOUND, "there is no data set '%.60s'; the named ones are%s", name, known);
}

ddaebm_status ddaebm_dataset_create_named(ddaebm_dataset **out, ddaebm_context *context, const char *name, uint64_t seed) {
    DD_REQUIRE(out);
    DD_REQUIRE(name);
    const dd_synthetic *named = dd_synthetic_find(name);
    if (!named)
        return unknown_name(name);
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status = create(&dataset, context, DD_SYNTHETIC_WIDTH, 0);
    if (status != DDAEBM_OK)
        return status;
    dataset->named = named;
    dataset->seed = seed;
    dataset->source.read = read_named;
    *out = dataset;
    return DDAEBM_OK;
}

/* Makes a set of rows whose values, allocated in the context, it takes over on success. */
static ddaebm_status create_owning(ddaebm_dataset **out, ddaebm_context *context, const dd_rows *rows) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status = create(&dataset, context, rows->width, rows->count);
    if (status != DDAEBM_OK)
        return status;
    dataset->values = rows->values;
    dataset->source.read = read_values;
    *out = dataset;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_dataset_open(ddaebm_dataset **out, ddaebm_context *context, const char *path) {
    DD_REQUIRE(out);
    DD_REQUIRE(path);
    ddaebm_context *held = NULL;
    void *data = NULL;
    size_t size = 0;
    dd_rows rows = {NULL, 0, 0};
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;
    DD_TRY(dd_file_read(held, path, MOST_BYTES, &data, &size));
    status = dd_npy_recognise(data, size) ? dd_npy_parse(&rows, held, data, size) : dd_csv_parse(&rows, held, data, size);
    if (status == DDAEBM_OK)
        status = check_finite(rows.values, rows.count, rows.width);
    if (status != DDAEBM_OK) {
        (void)dd_fail_in(status, path);
        goto cleanup;
    }
    DD_TRY(create_owning(out, held, &rows));
    rows.values = NULL;
cleanup:
    dd_free(held, rows.values);
    dd_free(held, data);
    ddaebm_context_free(held);
    return status;
}

ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out, ddaebm_context *context, const float *rows, size_t count,
                                         size_t width) {
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    size_t elements = 0, bytes = 0;
    ddaebm_context *held = NULL;
    dd_rows copy = {NULL, count, width};
    ddaebm_status status = check_width(width);
    if (status != DDAEBM_OK)
        return status;
    if (count < 1 || !dd_size_mul(&elements, count, width) || !dd_size_mul(&bytes, elements, sizeof *rows))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "count is %zu; allowed: 1 to what the address space holds", count);
    DD_TRY(check_finite(rows, count, width));
    DD_TRY(dd_context_hold(&held, context));
    copy.values = dd_alloc(held, bytes);
    if (!copy.values) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }
    memcpy(copy.values, rows, bytes);
    DD_TRY(create_owning(out, held, &copy));
    copy.values = NULL;
cleanup:
    if (held)
        dd_free(held, copy.values);
    ddaebm_context_free(held);
    return status;
}

ddaebm_status ddaebm_dataset_create_source(ddaebm_dataset **out, ddaebm_context *context, const ddaebm_source *source) {
    DD_REQUIRE(out);
    DD_REQUIRE(source);
    if (source->struct_size != sizeof *source)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "source->struct_size is %zu, not %zu: use DDAEBM_SOURCE_INIT", source->struct_size,
                       sizeof *source);
    if (!source->read)
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "source->read must be set");
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status = check_width(source->width);
    if (status != DDAEBM_OK)
        return status;
    status = create(&dataset, context, source->width, source->rows);
    if (status != DDAEBM_OK)
        return status;
    dataset->source = *source;
    *out = dataset;
    return DDAEBM_OK;
}

void ddaebm_dataset_free(ddaebm_dataset *dataset) {
    if (!dataset)
        return;
    ddaebm_context *context = dataset->context;
    dd_free(context, dataset->values);
    dd_free(context, dataset);
    ddaebm_context_free(context);
}

size_t ddaebm_dataset_width(const ddaebm_dataset *dataset) {
    return dataset->source.width;
}

uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset) {
    return dataset->source.rows;
}

bool dd_dataset_named(const ddaebm_dataset *dataset) {
    return dataset->named != NULL;
}

ddaebm_status ddaebm_dataset_read(const ddaebm_dataset *dataset, uint64_t first, size_t count, float *out) {
    DD_REQUIRE(dataset);
    DD_REQUIRE(out);
    const ddaebm_source *source = &dataset->source;
    uint64_t rows = source->rows ? source->rows : dataset->named ? DD_SYNTHETIC_ROWS : UINT64_MAX;
    size_t elements = 0, bytes = 0;
    if (first > rows || count > rows - first)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "rows %" PRIu64 " to %" PRIu64 " + %zu are asked of a set of %" PRIu64, first, first,
                       count, rows);
    if (!dd_size_mul(&elements, count, source->width) || !dd_size_mul(&bytes, elements, sizeof *out))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%zu rows of %zu numbers exceed the address space", count, source->width);
    if (count == 0)
        return DDAEBM_OK;
    ddaebm_status status = source->read(source->user, first, count, out);
    if (status != DDAEBM_OK && source->user != dataset)
        (void)dd_fail(status, "the caller's data source failed to read %zu rows from row %" PRIu64 " on: %s", count, first,
                      ddaebm_status_text(status));
    return status;
}

const char *ddaebm_dataset_name(size_t index) {
    return dd_synthetic_name(index);
}
