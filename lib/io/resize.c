#include "io/resize.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

/* Maps one axis of an image to `side` pixels. Lengths are whole numbers of parts: a pixel of the
 * image has `side` of them, a pixel of the result `outer`. */
typedef struct axis {
    size_t side, outer; /* pixels of the result, and of the padded square that it averages */
    size_t before,
        there; /* of that square: black pixels before the image, and pixels of the image */
} axis;

static axis make_axis(size_t side, size_t outer, size_t there) {
    return (axis){side, outer, (outer - there) / 2, there};
}

/* Finds the pixels of the image that a pixel of the result covers: *first to *end - 1. */
static void find_covered(size_t *first, size_t *end, const axis *a, size_t at) {
    const size_t low = at * a->outer / a->side,
                 high = ((at + 1) * a->outer + a->side - 1) / a->side;
    *first = low > a->before ? low - a->before : 0;
    *end = high > a->before ? high - a->before : 0;
    if (*end > a->there)
        *end = a->there;
}

/* Returns the parts of a pixel of the image that lie in a pixel of the result. */
static size_t overlap(const axis *a, size_t pixel, size_t at) {
    const size_t begin = (a->before + pixel) * a->side, end = begin + a->side, low = at * a->outer,
                 high = low + a->outer;
    return (end < high ? end : high) - (begin > low ? begin : low);
}

static size_t outer_side(size_t side, dd_image_shape shape) {
    const size_t longer = shape.height > shape.width ? shape.height : shape.width;
    return longer > side ? longer : side;
}

/* A pixel of the result is the sum of the image's pixels, each times its overlap in parts, divided
 * by its own area of outer * outer parts. There is one function for bytes, whose sums are exact in
 * integers, and one for floats. */
#define DEFINE_RESIZE(name, number, sum_type, finish)                                              \
    void name(number *out, size_t side, const number *image, dd_image_shape shape) {               \
        const size_t outer = outer_side(side, shape), channels = shape.channels;                   \
        const axis rows = make_axis(side, outer, shape.height),                                    \
                   columns = make_axis(side, outer, shape.width);                                  \
        const sum_type area = (sum_type)outer * (sum_type)outer;                                   \
        for (size_t i = 0; i < side * side; i++, out += channels) {                                \
            const size_t y = i / side, x = i % side;                                               \
            size_t top, bottom, left, right;                                                       \
            sum_type sums[DD_MOST_CHANNELS] = {0}, covered = 0;                                    \
            find_covered(&top, &bottom, &rows, y);                                                 \
            find_covered(&left, &right, &columns, x);                                              \
            for (size_t v = top; v < bottom; v++)                                                  \
                for (size_t u = left; u < right; u++) {                                            \
                    const sum_type weight =                                                        \
                        (sum_type)(overlap(&rows, v, y) * overlap(&columns, u, x));                \
                    for (size_t c = 0; c < channels; c++)                                          \
                        sums[c] += weight * (sum_type)image[(v * shape.width + u) * channels + c]; \
                    covered += weight;                                                             \
                }                                                                                  \
            for (size_t c = 0; c < channels; c++)                                                  \
                out[c] = (number)(finish);                                                         \
        }                                                                                          \
    }
DEFINE_RESIZE(dd_resize_bytes, uint8_t, uint64_t, ((void)covered, (sums[c] + area / 2) / area))
DEFINE_RESIZE(dd_resize_floats, float, double, (sums[c] - (area - covered)) / area)
#undef DEFINE_RESIZE

static dd_image_shape square_of(size_t side, dd_image_shape shape) {
    return (dd_image_shape){side, side, shape.channels};
}

ddaebm_status dd_images_resize(dd_images *images, ddaebm_context *context, size_t side) {
    const dd_image_shape square = square_of(side, images->shape);
    const size_t before = dd_image_numbers(images->shape), after = dd_image_numbers(square);
    size_t bytes = 0;
    ddaebm_status status = dd_images_measure(
        &bytes, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), square, images->count);
    uint8_t *block = status == DDAEBM_OK ? dd_alloc(context, bytes) : NULL;
    if (!block)
        return status == DDAEBM_OK ? DDAEBM_OUT_OF_MEMORY : status;

    for (size_t i = 0; i < images->count; i++)
        dd_resize_bytes(block + i * after, side, images->pixels + i * before, images->shape);
    dd_free(context, images->block);
    images->block = images->pixels = block;
    images->shape = square;
    return DDAEBM_OK;
}

ddaebm_status dd_rows_resize(dd_rows *images, dd_image_shape *shape, ddaebm_context *context,
                             size_t side) {
    const dd_image_shape square = square_of(side, *shape);
    const size_t width = dd_image_numbers(square);
    size_t bytes = 0;
    ddaebm_status status = dd_images_measure(
        &bytes, dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES), square, images->count);
    if (status == DDAEBM_OK && !dd_size_mul(&bytes, bytes, sizeof(float)))
        status = dd_fail(DDAEBM_OUT_OF_RANGE, "%zu images of %zu numbers exceed the address space",
                         images->count, width);
    float *values = status == DDAEBM_OK ? dd_alloc(context, bytes) : NULL;
    if (!values)
        return status == DDAEBM_OK ? DDAEBM_OUT_OF_MEMORY : status;

    for (size_t i = 0; i < images->count; i++)
        dd_resize_floats(values + i * width, side, images->values + i * images->width, *shape);
    dd_free(context, images->values);
    images->values = values;
    images->width = width;
    *shape = square;
    return DDAEBM_OK;
}
