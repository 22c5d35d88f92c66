#include "io/image_array.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "io/idx.h"
#include "io/image_range.h"
#include "io/npy.h"
#include "io/resize.h"

/* ---- Bytes to floats and back. ---- */

/* Replaces the bytes by floats of the same numbers. */
static ddaebm_status make_floats(dd_content *content, ddaebm_context *context) {
    dd_images *bytes = &content->images;
    const size_t width = dd_image_numbers(bytes->shape), numbers = bytes->count * width;
    size_t size = 0;
    if (!dd_size_mul(&size, numbers, sizeof(float)))
        return dd_fail(DDAEBM_OUT_OF_RANGE, "%zu images of %zu numbers exceed the address space",
                       bytes->count, width);
    float *values = dd_alloc(context, size);
    if (!values)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < numbers; i++)
        values[i] = bytes->pixels[i];

    content->shape = bytes->shape;
    content->rows = (dd_rows){.values = values, .count = bytes->count, .width = width};
    dd_free(context, bytes->block);
    *bytes = (dd_images){.count = 0};
    return DDAEBM_OK;
}

/* Stores whole numbers from 0 to 255 as bytes. */
static ddaebm_status make_bytes(dd_content *content, ddaebm_context *context) {
    dd_rows *rows = &content->rows;
    const size_t numbers = rows->count * rows->width;
    uint8_t *block = dd_alloc(context, numbers);
    if (!block)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < numbers; i++)
        block[i] = (uint8_t)rows->values[i];

    content->images =
        (dd_images){.shape = content->shape, .count = rows->count, .block = block, .pixels = block};
    dd_free(context, rows->values);
    *rows = (dd_rows){.count = 0};
    return DDAEBM_OK;
}

/* Maps 0 and 1 to 0 and 255. */
static void brighten(dd_images *images) {
    for (size_t i = 0; i < images->count * dd_image_numbers(images->shape); i++)
        images->pixels[i] = (uint8_t)(images->pixels[i] * 255);
}

/* ---- Images. ---- */

/* Finds the range of the images and scales them: to bytes from 0 to 255 where these are exact, else
 * to floats from -1 to 1. */
static ddaebm_status apply_range(dd_content *content, ddaebm_context *context, dd_number_kind kind,
                                 const ddaebm_read_options *options) {
    const bool are_bytes = content->images.pixels != NULL;
    dd_image_range range = {0};
    ddaebm_status status =
        are_bytes ? dd_image_range_of_bytes(&range, context, &content->images, options)
                  : dd_image_range_find(&range, context, &content->rows, kind, options);
    if (status == DDAEBM_OK && are_bytes != range.fits_bytes)
        status = range.fits_bytes ? make_bytes(content, context) : make_floats(content, context);
    if (status != DDAEBM_OK)
        return status;

    content->black = range.black;
    content->white = range.white;
    if (!range.fits_bytes)
        dd_image_range_scale(&content->rows, &range);
    else if (range.white == 1)
        brighten(&content->images);
    return DDAEBM_OK;
}

/* Turns the numbers of a file into a set of images: layout, range and size. */
static ddaebm_status finish(dd_content *content, ddaebm_context *context,
                            const dd_image_layout *layout, dd_number_kind kind,
                            const ddaebm_read_options *options) {
    dd_images *bytes = &content->images;
    dd_rows *floats = &content->rows;
    ddaebm_status status = DDAEBM_OK;
    content->shape = layout->shape;
    if (layout->planes && bytes->pixels)
        status = dd_image_layout_interleave(bytes->pixels, 1, context, layout->shape, bytes->count);
    else if (layout->planes)
        status = dd_image_layout_interleave(floats->values, sizeof(float), context, layout->shape,
                                            floats->count);
    if (status == DDAEBM_OK)
        status = apply_range(content, context, kind, options);
    if (status != DDAEBM_OK || options->resize == 0)
        return status;
    return bytes->pixels ? dd_images_resize(bytes, context, options->resize)
                         : dd_rows_resize(floats, &content->shape, context, options->resize);
}

/* Refuses options of images for an array that is read as rows. */
static ddaebm_status check_rows(const ddaebm_read_options *options) {
    if (dd_image_range_asked(options))
        return dd_fail(DDAEBM_INVALID_ARGUMENT, "range is an option of images, and these are rows");
    if (options->resize > 0)
        return dd_fail(DDAEBM_INVALID_ARGUMENT,
                       "resize is an option of images, and these are rows");
    return DDAEBM_OK;
}

ddaebm_status dd_image_array_npy(dd_content *out, ddaebm_context *context, const void *data,
                                 size_t size, const ddaebm_read_options *options) {
    dd_array_axes axes;
    dd_image_layout layout;
    dd_content content = {.is_text = false};
    ddaebm_status status;
    DD_TRY(dd_npy_look(&axes, data, size));
    DD_TRY(dd_image_layout_find(&layout, context, &axes, options->layout));
    content.rank = axes.rank;
    if (layout.shape.height == 0) {
        DD_TRY(check_rows(options));
        DD_TRY(dd_npy_parse(&content.rows, context, data, size));
    } else {
        DD_TRY(axes.kind == DD_BYTES
                   ? dd_npy_parse_bytes(&content.images, context, data, size, layout.shape)
                   : dd_npy_parse_floats(&content.rows, context, data, size));
        DD_TRY(finish(&content, context, &layout, axes.kind, options));
    }

    *out = content;
    content = (dd_content){.is_text = false};
cleanup:
    dd_content_free(&content, context);
    return status;
}

/* Sets *out to the shape of rows, as if each were an image of one line. */
static ddaebm_status measure_rows(dd_image_shape *out, const dd_array_axes *axes) {
    size_t width = 1;
    for (size_t i = 1; i < axes->rank; i++)
        if (!dd_size_mul(&width, width, axes->length[i]))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "its shape exceeds the address space");
    *out = (dd_image_shape){1, width, 1};
    return DDAEBM_OK;
}

ddaebm_status dd_image_array_idx(dd_content *out, ddaebm_context *context, void **data, size_t size,
                                 const ddaebm_read_options *options) {
    dd_array_axes axes;
    dd_image_layout layout;
    dd_content content = {.is_text = false};
    ddaebm_status status;
    DD_TRY(dd_idx_look(&axes, *data, size));
    content.rank = axes.rank;
    const bool by_format = options->layout == DDAEBM_LAYOUT_AUTO &&
                           (axes.rank == 3 || axes.length[3] <= DD_MOST_CHANNELS);
    DD_TRY(dd_image_layout_find(&layout, context, &axes,
                                by_format ? DDAEBM_LAYOUT_NHWC : options->layout));
    const bool rows = layout.shape.height == 0 && options->layout == DDAEBM_LAYOUT_ROWS;
    if (rows) {
        DD_TRY(check_rows(options));
        DD_TRY(measure_rows(&layout.shape, &axes));
    }

    DD_TRY(dd_idx_parse(&content.images, *data, size,
                        dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), layout.shape));
    *data = NULL; /* of the images */
    DD_TRY(rows ? make_floats(&content, context)
                : finish(&content, context, &layout, DD_BYTES, options));

    if (rows)
        content.shape = (dd_image_shape){0, 0, 0};
    *out = content;
    content = (dd_content){.is_text = false};
cleanup:
    dd_content_free(&content, context);
    return status;
}
