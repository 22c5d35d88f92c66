#include "io/dataset.h"

#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/content.h"
#include "io/image_range.h"
#include "io/named_images.h"
#include "io/synthetic.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* All kinds are read through `source`: the caller's own, or one of the readers below with the set
 * itself as its user. */
struct ddaebm_dataset {
    ddaebm_context *context;
    ddaebm_source source;
    const dd_synthetic *named; /* NULL for other kinds */
    uint64_t seed;
    dd_rows rows;     /* owned; without numbers for other kinds than rows in memory */
    dd_images images; /* owned; without pixels for other kinds than bytes in memory */
    dd_image_shape shape;
    dd_column_names columns;
};

static ddaebm_status read_named(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    dd_synthetic_read(dataset->named, dataset->seed, first, count, out);
    return DDAEBM_OK;
}

/* A number of 64 bits becomes the nearest of 32. */
static ddaebm_status read_values(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    size_t width = dataset->source.width, before = (size_t)first * width;
    if (!dataset->rows.wide) {
        memcpy(out, dataset->rows.values + before, count * width * sizeof *out);
        return DDAEBM_OK;
    }

    for (size_t i = 0; i < count * width; i++) {
        double value = dataset->rows.wide[before + i];
        out[i] = (float)value;
        if (!isfinite(out[i]))
            return dd_fail(DDAEBM_OUT_OF_RANGE,
                           "row %zu, column %zu (both from 1) is %g, beyond 32-bit numbers: use "
                           "ddaebm_dataset_read_double",
                           (before + i) / width + 1, (before + i) % width + 1, value);
    }
    return DDAEBM_OK;
}

static ddaebm_status read_images(void *user, uint64_t first, size_t count, float *out) {
    const ddaebm_dataset *dataset = user;
    dd_images_read(&dataset->images, (size_t)first, count, out);
    return DDAEBM_OK;
}

static ddaebm_status create(ddaebm_dataset **out, ddaebm_context *context, size_t width,
                            uint64_t rows) {
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

static ddaebm_status check_finite(const dd_rows *rows) {
    for (size_t i = 0; i < rows->count * rows->width; i++)
        if (!isfinite(dd_rows_at(rows, i)))
            return dd_fail(
                DDAEBM_NOT_FINITE,
                "row %zu, column %zu (both from 1) is %s; only finite numbers are allowed",
                i / rows->width + 1, i % rows->width + 1,
                isnan(dd_rows_at(rows, i)) ? "not a number" : "infinite");
    return DDAEBM_OK;
}

/* The first number below -most or above it, or how many there are. */
static size_t find_beyond(const dd_rows *rows, double most) {
    for (size_t i = 0; i < rows->count * rows->width; i++)
        if (!(fabs(dd_rows_at(rows, i)) <= most))
            return i;
    return rows->count * rows->width;
}

static ddaebm_status check_images(const dd_rows *rows) {
    size_t at = find_beyond(rows, 1);
    if (at == rows->count * rows->width)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "row %zu, column %zu (both from 1) is %g; images are of numbers from -1, black, "
                   "to 1, white: scale them, give "
                   "bytes, or say which numbers are black and white (--range LOW:HIGH)",
                   at / rows->width + 1, at % rows->width + 1, dd_rows_at(rows, at));
}

static ddaebm_status unknown_name(const char *name) {
    char known[256] = "";
    for (size_t i = 0; ddaebm_dataset_name(i); i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, " %s", ddaebm_dataset_name(i));
    }
    return dd_fail(DDAEBM_NOT_FOUND, "there is no data set '%.60s'; the named ones are%s", name,
                   known);
}

static ddaebm_status open_named_images(ddaebm_dataset **out, ddaebm_context *context,
                                       const dd_named_images *set) {
    ddaebm_status status = ddaebm_dataset_open(out, context, set->path);
    if (status != DDAEBM_NOT_FOUND)
        return status;
    return dd_fail(
        DDAEBM_NOT_FOUND,
        "data set %s is not here: install Debian's package %s, or give the path of its file; no %s",
        set->name, set->package, set->path);
}

ddaebm_status ddaebm_dataset_create_named(ddaebm_dataset **out, ddaebm_context *context,
                                          const char *name, uint64_t seed) {
    DD_REQUIRE(out);
    DD_REQUIRE(name);
    const dd_named_images *images = dd_named_images_find(name);
    if (images)
        return open_named_images(out, context, images);

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

/* Makes a set whose content, allocated in the context, it takes over on success. */
static ddaebm_status create_owning(ddaebm_dataset **out, ddaebm_context *context,
                                   const dd_content *content) {
    ddaebm_dataset *dataset = NULL;
    bool bytes = content->images.pixels != NULL;
    size_t width = bytes ? dd_image_numbers(content->images.shape) : content->rows.width;
    ddaebm_status status =
        create(&dataset, context, width, bytes ? content->images.count : content->rows.count);
    if (status != DDAEBM_OK)
        return status;

    dataset->rows = content->rows;
    dataset->columns = content->columns;
    dataset->images = content->images;
    dataset->shape = bytes ? content->images.shape : content->shape;
    dataset->source.read = bytes ? read_images : read_values;
    *out = dataset;
    return DDAEBM_OK;
}

ddaebm_status ddaebm_dataset_open(ddaebm_dataset **out, ddaebm_context *context, const char *path) {
    const ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    return ddaebm_dataset_open_with(out, context, path, &options);
}

ddaebm_status ddaebm_dataset_open_with(ddaebm_dataset **out, ddaebm_context *context,
                                       const char *path, const ddaebm_read_options *options) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(path);
    DD_REQUIRE(options);
    ddaebm_context *held = NULL;
    dd_content content = {0};
    ddaebm_read_options ours = DDAEBM_READ_OPTIONS_INIT;
    ddaebm_status status = dd_struct_in(&ours, sizeof ours, options, "DDAEBM_READ_OPTIONS_INIT");
    if (status == DDAEBM_OK)
        status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    DD_TRY(dd_content_read(&content, held, path, &ours));
    status = check_finite(&content.rows); /* of none, where images are bytes */
    if (status != DDAEBM_OK) {
        (void)dd_fail_in(status, path);
        goto cleanup;
    }

    DD_TRY(create_owning(out, held, &content));
    content = (dd_content){0};
cleanup:
    dd_content_free(&content, held);
    ddaebm_context_free(held);
    return status;
}

/* What a caller's numbers are. */
typedef enum number_kind { KIND_PIXELS, KIND_FLOATS, KIND_DOUBLES } number_kind;

static void place(dd_content *content, number_kind kind, void *numbers) {
    switch (kind) {
    case KIND_PIXELS:
        content->images.block = content->images.pixels = numbers;
        return;
    case KIND_FLOATS:
        content->rows.values = numbers;
        return;
    case KIND_DOUBLES:
        content->rows.wide = numbers;
    }
}

/* Makes a set of a copy of numbers, whose shape stands in `content`. */
static ddaebm_status create_copy(ddaebm_dataset **out, ddaebm_context *context, dd_content content,
                                 number_kind kind, const void *numbers, size_t bytes) {
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    void *copy = dd_alloc(held, bytes);
    DD_TRY(copy ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
    memcpy(copy, numbers, bytes);
    place(&content, kind, copy);
    if (kind != KIND_PIXELS)
        DD_TRY(check_finite(&content.rows));
    if (kind != KIND_PIXELS && content.shape.height > 0)
        DD_TRY(check_images(&content.rows));
    DD_TRY(create_owning(out, held, &content));
    copy = NULL;
cleanup:
    dd_free(held, copy);
    ddaebm_context_free(held);
    return status;
}

static ddaebm_status create_rows(ddaebm_dataset **out, ddaebm_context *context, number_kind kind,
                                 const void *rows, size_t count, size_t width) {
    size_t elements = 0, bytes = 0, size = kind == KIND_FLOATS ? sizeof(float) : sizeof(double);
    ddaebm_status status = check_width(width);
    if (status != DDAEBM_OK)
        return status;
    if (count < 1 || !dd_size_mul(&elements, count, width) || !dd_size_mul(&bytes, elements, size))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "count is %zu; allowed: 1 to what the address space holds", count);
    dd_content content = {.rows = {.count = count, .width = width}};
    return create_copy(out, context, content, kind, rows, bytes);
}

ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out, ddaebm_context *context,
                                         const float *rows, size_t count, size_t width) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    return create_rows(out, context, KIND_FLOATS, rows, count, width);
}

ddaebm_status ddaebm_dataset_create_rows_double(ddaebm_dataset **out, ddaebm_context *context,
                                                const double *rows, size_t count, size_t width) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    return create_rows(out, context, KIND_DOUBLES, rows, count, width);
}

/* *bytes of a caller's images, each number of a size. */
static ddaebm_status measure_images(size_t *bytes, const ddaebm_context *context,
                                    dd_image_shape shape, size_t count, size_t size) {
    if (count < 1 || shape.height < 1 || shape.width < 1)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "count is %zu, height %zu and width %zu; allowed: at least 1", count,
                       shape.height, shape.width);
    ddaebm_status status =
        dd_images_measure(bytes, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), shape, count);
    if (status == DDAEBM_OK && !dd_size_mul(bytes, *bytes, size))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "count is %zu; allowed: what the address space holds",
                       count);
    return status;
}

ddaebm_status ddaebm_dataset_create_images(ddaebm_dataset **out, ddaebm_context *context,
                                           const uint8_t *pixels, size_t count, size_t height,
                                           size_t width, size_t channels) {
    DD_REQUIRE(out);
    DD_REQUIRE(pixels);
    size_t bytes = 0;
    dd_content content = {.images = {.shape = {height, width, channels}, .count = count}};
    ddaebm_status status =
        measure_images(&bytes, context, content.images.shape, count, sizeof *pixels);
    return status == DDAEBM_OK ? create_copy(out, context, content, KIND_PIXELS, pixels, bytes)
                               : status;
}

ddaebm_status ddaebm_dataset_create_images_float(ddaebm_dataset **out, ddaebm_context *context,
                                                 const float *pixels, size_t count, size_t height,
                                                 size_t width, size_t channels) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(pixels);
    size_t bytes = 0;
    dd_content content = {.shape = {height, width, channels}};
    ddaebm_status status = measure_images(&bytes, context, content.shape, count, sizeof *pixels);
    content.rows = (dd_rows){.count = count, .width = dd_image_numbers(content.shape)};
    return status == DDAEBM_OK ? create_copy(out, context, content, KIND_FLOATS, pixels, bytes)
                               : status;
}

ddaebm_status ddaebm_dataset_create_source(ddaebm_dataset **out, ddaebm_context *context,
                                           const ddaebm_source *source) {
    DD_REQUIRE(out);
    DD_REQUIRE(source);
    ddaebm_dataset *dataset = NULL;
    ddaebm_source own = DDAEBM_SOURCE_INIT;
    ddaebm_status status;
    DD_TRY(dd_struct_in(&own, sizeof own, source, "DDAEBM_SOURCE_INIT"));
    if (!own.read)
        DD_TRY(dd_fail(DDAEBM_INVALID_ARGUMENT, "source->read must be set"));
    DD_TRY(check_width(own.width));
    DD_TRY(create(&dataset, context, own.width, own.rows));
    dataset->source = own;
    *out = dataset;
cleanup:
    return status;
}

void ddaebm_dataset_free(ddaebm_dataset *dataset) {
    if (!dataset)
        return;
    ddaebm_context *context = dataset->context;
    dd_free(context, dataset->rows.values);
    dd_free(context, dataset->rows.wide);
    dd_column_names_free(&dataset->columns, context);
    dd_free(context, dataset->images.block);
    dd_free(context, dataset);
    ddaebm_context_free(context);
}

size_t ddaebm_dataset_width(const ddaebm_dataset *dataset) {
    return dataset->source.width;
}

uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset) {
    return dataset->source.rows;
}

void ddaebm_dataset_image_shape(const ddaebm_dataset *dataset, size_t *height, size_t *width,
                                size_t *channels) {
    *height = dataset->shape.height;
    *width = dataset->shape.width;
    *channels = dataset->shape.channels;
}

/* Rows that are to be images. */
static ddaebm_status refuse_rows(const dd_rows *rows, size_t at, size_t side, size_t channels) {
    char shape[80] = "[N, height, width]";
    if (side > 0)
        (void)snprintf(shape, sizeof shape, channels > 1 ? "[N, %zu, %zu, %zu]" : "[N, %zu, %zu]",
                       side, side, channels);
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "row %zu, column %zu (both from 1) is %g; the model's images go from -1 (black) "
                   "to 1 (white): give the data as an "
                   "array %s of images (--layout nhwc), or bring it to that range",
                   at / rows->width + 1, at % rows->width + 1, dd_rows_at(rows, at), shape);
}

bool dd_dataset_within(const ddaebm_dataset *dataset, double most) {
    const dd_rows *rows = &dataset->rows;
    return find_beyond(rows, most) == rows->count * rows->width;
}

ddaebm_status dd_dataset_check_images(const ddaebm_dataset *dataset, double most, size_t side,
                                      size_t channels) {
    const dd_rows *rows = &dataset->rows; /* of no numbers, where they are drawn or read */
    if (dataset->shape.height > 0)
        return check_images(rows);
    size_t at = find_beyond(rows, most);
    return at == rows->count * rows->width ? DDAEBM_OK : refuse_rows(rows, at, side, channels);
}

bool dd_dataset_never_negative(const ddaebm_dataset *dataset) {
    enum { FIRST = 100 };
    const dd_rows *rows = &dataset->rows;
    size_t count = (rows->count < FIRST ? rows->count : FIRST) * rows->width;
    for (size_t i = 0; i < count; i++)
        if (dd_rows_at(rows, i) < 0)
            return false;
    return count > 0;
}

bool dd_dataset_named(const ddaebm_dataset *dataset) {
    return dataset->named != NULL;
}

const char *dd_dataset_drawn(const ddaebm_dataset *dataset, uint64_t *seed) {
    if (!dataset->named)
        return NULL;
    *seed = dataset->seed;
    return dd_synthetic_name_of(dataset->named);
}

bool dd_dataset_in_memory(const ddaebm_dataset *dataset) {
    return dataset->source.user == dataset && !dataset->named;
}

const double *dd_dataset_doubles(const ddaebm_dataset *dataset) {
    return dataset->rows.wide;
}

const dd_column_names *dd_dataset_columns(const ddaebm_dataset *dataset) {
    return &dataset->columns;
}

const char *ddaebm_dataset_column_name(const ddaebm_dataset *dataset, size_t index) {
    return dd_column_name(&dataset->columns, index);
}

/* Whether there are such rows, and room for them at `size` bytes a number. */
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

/* Floats in the second half of an array become the doubles that fill it. */
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
        memcpy(out, dataset->rows.wide + (size_t)first * width, numbers * sizeof *out);
        return DDAEBM_OK;
    }
    status = read_floats(dataset, first, count,
                         (float *)(void *)((char *)(out + numbers) - numbers * sizeof(float)));
    if (status == DDAEBM_OK)
        widen(out, numbers);
    return status;
}

const char *ddaebm_dataset_name(size_t index) {
    size_t drawn = 0;
    while (dd_synthetic_name(drawn))
        drawn++;
    return index < drawn ? dd_synthetic_name(index) : dd_named_images_name(index - drawn);
}
