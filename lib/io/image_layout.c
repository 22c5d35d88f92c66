#include "io/image_layout.h"

#include "base/context.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#define ROWS_REMEDY "--layout rows reads each entry of the first axis as a row of numbers"

/* Writes a shape as "[60000, 28, 28]". */
static const char *describe(char out[120], const dd_array_axes *axes) {
    size_t used = 0;
    for (size_t i = 0; i < axes->rank && i < DD_ARRAY_AXES; i++)
        used +=
            (size_t)snprintf(out + used, 120 - used, "%s%zu", i == 0 ? "[" : ", ", axes->length[i]);
    (void)snprintf(out + used, 120 - used, "]");
    return out;
}

static dd_image_shape channels_last(const dd_array_axes *axes) {
    return (dd_image_shape){axes->length[1], axes->length[2],
                            axes->rank == 4 ? axes->length[3] : 1};
}

static dd_image_shape channels_first(const dd_array_axes *axes) {
    if (axes->rank == 3)
        return channels_last(axes);
    return (dd_image_shape){axes->length[2], axes->length[3], axes->length[1]};
}

static bool has_channels(dd_image_shape shape) {
    return shape.channels <= DD_MOST_CHANNELS;
}

static bool is_square(dd_image_shape shape) {
    return shape.height == shape.width;
}

static ddaebm_status take(dd_image_layout *out, const dd_array_axes *axes, bool planes) {
    out->shape = planes ? channels_first(axes) : channels_last(axes);
    out->planes = planes && axes->rank == 4;
    return DDAEBM_OK;
}

/* Checks the layout that the options ask for. */
static ddaebm_status check_asked(dd_image_layout *out, const dd_array_axes *axes, bool planes) {
    char text[120];
    if (axes->rank != 3 && axes->rank != 4)
        return dd_fail(
            DDAEBM_INVALID_ARGUMENT,
            "layout %s needs an array of 3 or 4 axes, and this one has %zu; leave it out, "
            "and each entry of the first axis "
            "is a row",
            planes ? "nchw" : "nhwc", axes->rank);
    (void)take(out, axes, planes);
    if (!has_channels(out->shape))
        return dd_fail(
            DDAEBM_INVALID_ARGUMENT, "by layout %s its shape %s has %zu channels; allowed: 1 to %d",
            planes ? "nchw" : "nhwc", describe(text, axes), out->shape.channels, DD_MOST_CHANNELS);
    return DDAEBM_OK;
}

/* Guesses the layout of three axes: images of one channel, unless the last axis looks like the
 * channels of a single image. */
static ddaebm_status guess_of_three(dd_image_layout *out, const dd_array_axes *axes) {
    char text[120];
    const size_t height = axes->length[1], last = axes->length[2];
    if (last <= DD_MOST_CHANNELS && height != last)
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "its shape %s may be one image of %zu channels, %zu images of %zu x %zu, or "
                       "rows: --layout nhwc reads "
                       "[N, H, W], and " ROWS_REMEDY,
                       describe(text, axes), last, axes->length[0], height, last);
    return take(out, axes, false);
}

static ddaebm_status refuse_channels(const dd_array_axes *axes) {
    char text[120];
    return dd_fail(
        DDAEBM_UNSUPPORTED,
        "its shape %s is not one of images: those are [N, H, W], [N, H, W, C] or [N, C, H, "
        "W] with 1 to %d channels; " ROWS_REMEDY,
        describe(text, axes), DD_MOST_CHANNELS);
}

/* Guesses the layout of four axes: the axis that can be the channels is. */
static ddaebm_status guess_of_four(dd_image_layout *out, ddaebm_context *context,
                                   const dd_array_axes *axes) {
    char text[120];
    const dd_image_shape last = channels_last(axes), first = channels_first(axes);
    const bool can_be_last = has_channels(last), can_be_first = has_channels(first);
    if (!can_be_last && !can_be_first)
        return refuse_channels(axes);
    if (can_be_last && can_be_first && is_square(last) == is_square(first))
        return dd_fail(DDAEBM_UNSUPPORTED,
                       "its shape %s may be [N, H, W, C] or [N, C, H, W]: --layout nhwc reads it "
                       "as the first, --layout nchw as "
                       "the second, and " ROWS_REMEDY,
                       describe(text, axes));

    const bool planes = can_be_first && (!can_be_last || is_square(first));
    if (can_be_first)
        dd_report(context, DDAEBM_LOG_INFO,
                  "shape %s is read as [N, %s] (layout %s); --layout %s reads it %s",
                  describe(text, axes), planes ? "C, H, W" : "H, W, C", planes ? "nchw" : "nhwc",
                  planes ? can_be_last ? "nhwc" : "rows" : "nchw",
                  can_be_last ? "the other way" : "as rows");
    return take(out, axes, planes);
}

ddaebm_status dd_image_layout_find(dd_image_layout *out, ddaebm_context *context,
                                   const dd_array_axes *axes, ddaebm_layout asked) {
    dd_image_layout layout = {.planes = false};
    ddaebm_status status = DDAEBM_OK;
    if (asked == DDAEBM_LAYOUT_NHWC || asked == DDAEBM_LAYOUT_NCHW)
        status = check_asked(&layout, axes, asked == DDAEBM_LAYOUT_NCHW);
    else if (asked == DDAEBM_LAYOUT_AUTO && axes->rank == 3)
        status = guess_of_three(&layout, axes);
    else if (asked == DDAEBM_LAYOUT_AUTO && axes->rank == 4)
        status = guess_of_four(&layout, context, axes);
    else if (asked == DDAEBM_LAYOUT_AUTO && axes->rank > 4)
        dd_report(context, DDAEBM_LOG_INFO,
                  "an array of %zu axes is not one of images: each entry of the first axis is read "
                  "as a row",
                  axes->rank);

    if (status == DDAEBM_OK)
        *out = layout;
    return status;
}

ddaebm_status dd_image_layout_interleave(void *numbers, size_t size, ddaebm_context *context,
                                         dd_image_shape shape, size_t count) {
    const size_t plane = shape.height * shape.width, bytes = plane * shape.channels * size;
    char *image = numbers, *copy = dd_alloc(context, bytes);
    if (!copy)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t i = 0; i < count; i++, image += bytes) {
        memcpy(copy, image, bytes);
        for (size_t c = 0; c < shape.channels; c++)
            for (size_t at = 0; at < plane; at++)
                memcpy(image + (at * shape.channels + c) * size, copy + (c * plane + at) * size,
                       size);
    }

    dd_free(context, copy);
    return DDAEBM_OK;
}
