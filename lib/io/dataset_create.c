#include "base/arithmetic.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "io/content.h"
#include "io/dataset_parts.h"
#include "io/missing.h"
#include "io/named_images.h"

#include <stdio.h>
#include <string.h>

static ddaebm_status check_width(size_t width) {
    if (width < 1 || width > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "width is %zu; allowed: 1 to %d", width, DD_MOST_WIDTH);
    return DDAEBM_OK;
}

/* ---- Named sets. ---- */

static ddaebm_status unknown_name(const char *name) {
    char known[256] = "";
    for (size_t i = 0; ddaebm_dataset_name(i); i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, " %s", ddaebm_dataset_name(i));
    }
    return dd_fail(DDAEBM_NOT_FOUND, "there is no data set '%.60s'; known names:%s", name, known);
}

/* Opens the installed file of a set of images. */
static ddaebm_status open_named_images(ddaebm_dataset **out, ddaebm_context *context,
                                       const dd_named_images *set) {
    ddaebm_status status = ddaebm_dataset_open(out, context, set->path);
    if (status != DDAEBM_NOT_FOUND)
        return status;
    return dd_fail(DDAEBM_NOT_FOUND,
                   "data set %s is not installed: there is no %s; install Debian's package %s, or "
                   "give the path of "
                   "its file",
                   set->name, set->path, set->package);
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
    ddaebm_status status = dd_dataset_make(&dataset, context, DD_SYNTHETIC_WIDTH, 0);
    if (status != DDAEBM_OK)
        return status;

    dataset->named = named;
    dataset->seed = seed;
    dataset->source.read = dd_dataset_read_named;
    *out = dataset;
    return DDAEBM_OK;
}

/* ---- Files, and numbers in memory. ---- */

/* Makes a data set that owns the content, which was allocated in the context. On failure the caller
 * still owns it. */
static ddaebm_status create_owning(ddaebm_dataset **out, ddaebm_context *context,
                                   const dd_content *content) {
    ddaebm_dataset *dataset = NULL;
    bool bytes = content->images.pixels != NULL;
    size_t width = bytes ? dd_image_numbers(content->images.shape) : content->rows.width;
    ddaebm_status status = dd_dataset_make(&dataset, context, width,
                                           bytes ? content->images.count : content->rows.count);
    if (status != DDAEBM_OK)
        return status;

    dataset->rows = content->rows;
    dataset->columns = content->columns;
    dataset->images = content->images;
    dataset->sample_rate = content->sample_rate;
    dataset->missing = dd_missing_count(&content->rows);
    dataset->rank = content->rank;
    dataset->black = content->black;
    dataset->white = content->white;
    dataset->shape = bytes ? content->images.shape : content->shape;
    dataset->source.read = bytes ? dd_dataset_read_images : dd_dataset_read_values;
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
    const bool holes = ours.missing && content.shape.height == 0;
    status = dd_rows_check_finite(&content.rows, holes); /* no rows if the images are bytes */
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

/* Type of a caller's numbers. */
typedef enum number_kind { KIND_PIXELS, KIND_FLOATS, KIND_DOUBLES } number_kind;

/* Puts the numbers into the part of the content for their type. */
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

/* Makes a data set of a copy of a caller's numbers, whose shape is in `content`; with `missing`,
 * NaN is a missing value. */
static ddaebm_status create_copy(ddaebm_dataset **out, ddaebm_context *context, dd_content content,
                                 number_kind kind, const void *numbers, size_t bytes,
                                 bool missing) {
    ddaebm_context *held = NULL;
    ddaebm_status status = dd_context_hold(&held, context);
    if (status != DDAEBM_OK)
        return status;

    void *copy = dd_alloc(held, bytes);
    DD_TRY(copy ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
    memcpy(copy, numbers, bytes);
    place(&content, kind, copy);
    if (kind != KIND_PIXELS)
        DD_TRY(dd_rows_check_finite(&content.rows, missing));
    if (kind != KIND_PIXELS && content.shape.height > 0)
        DD_TRY(dd_rows_check_images(&content.rows));
    DD_TRY(create_owning(out, held, &content));
    copy = NULL;
cleanup:
    dd_free(held, copy);
    ddaebm_context_free(held);
    return status;
}

/* Makes a data set of a copy of rows. */
static ddaebm_status create_rows(ddaebm_dataset **out, ddaebm_context *context, number_kind kind,
                                 const void *rows, size_t count, size_t width, bool missing) {
    size_t elements = 0, bytes = 0, size = kind == KIND_FLOATS ? sizeof(float) : sizeof(double);
    ddaebm_status status = check_width(width);
    if (status != DDAEBM_OK)
        return status;
    if (count < 1 || !dd_size_mul(&elements, count, width) || !dd_size_mul(&bytes, elements, size))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "count is %zu; allowed: 1 to what the address space holds", count);
    dd_content content = {.rows = {.count = count, .width = width}};
    return create_copy(out, context, content, kind, rows, bytes, missing);
}

ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out, ddaebm_context *context,
                                         const float *rows, size_t count, size_t width) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    return create_rows(out, context, KIND_FLOATS, rows, count, width, false);
}

ddaebm_status ddaebm_dataset_create_rows_double(ddaebm_dataset **out, ddaebm_context *context,
                                                const double *rows, size_t count, size_t width) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    return create_rows(out, context, KIND_DOUBLES, rows, count, width, false);
}

ddaebm_status ddaebm_dataset_create_rows_missing(ddaebm_dataset **out, ddaebm_context *context,
                                                 const double *rows, size_t count, size_t width) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    DD_REQUIRE(rows);
    return create_rows(out, context, KIND_DOUBLES, rows, count, width, true);
}

/* Sets *bytes to the size of a caller's images, with numbers of `size` bytes. */
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
    return status == DDAEBM_OK
               ? create_copy(out, context, content, KIND_PIXELS, pixels, bytes, false)
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
    return status == DDAEBM_OK
               ? create_copy(out, context, content, KIND_FLOATS, pixels, bytes, false)
               : status;
}

/* ---- A caller's source. ---- */

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
    DD_TRY(dd_dataset_make(&dataset, context, own.width, own.rows));
    dataset->source = own;
    *out = dataset;

cleanup:
    return status;
}
