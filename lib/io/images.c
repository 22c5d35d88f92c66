#include "io/images.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

ddaebm_status dd_images_measure_one(size_t *bytes, dd_image_shape shape, size_t most) {
    if (!dd_size_mul(bytes, shape.height, shape.width) ||
        !dd_size_mul(bytes, *bytes, shape.channels) || *bytes > most)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its %zu x %zu x %zu hold more than %zu numbers%s",
                       shape.height, shape.width, shape.channels, most,
                       most == DD_MOST_WIDTH ? "; --resize S makes larger ones smaller" : "");
    return DDAEBM_OK;
}

ddaebm_status dd_images_measure(size_t *bytes, size_t most, dd_image_shape shape, size_t count) {
    size_t numbers = 0;
    if (count == 0 || shape.height == 0 || shape.width == 0)
        return dd_fail(DDAEBM_FORMAT, "it is empty: %zu images of %zu x %zu pixels", count,
                       shape.height, shape.width);

    if (shape.channels < 1 || shape.channels > DD_MOST_CHANNELS)
        return dd_fail(DDAEBM_OUT_OF_RANGE, "its pixels have %zu channels; allowed: 1 to %d",
                       shape.channels, DD_MOST_CHANNELS);
    if (!dd_size_mul(&numbers, shape.height, shape.width) ||
        !dd_size_mul(&numbers, numbers, shape.channels) || numbers > DD_MOST_WIDTH)
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "its images of %zu x %zu x %zu hold more than %d numbers", shape.height,
                       shape.width, shape.channels, DD_MOST_WIDTH);

    if (!dd_size_mul(bytes, numbers, count) || *bytes > most)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "its %zu images of %zu bytes take more than the %zu bytes allowed" DD_RAISE_LIMIT,
            count, numbers, most);
    return DDAEBM_OK;
}

ddaebm_status dd_images_make_room(dd_images *images, size_t *capacity, ddaebm_context *context,
                                  size_t more) {
    const size_t most = dd_context_most(context, DDAEBM_LIMIT_FILE_BYTES);
    size_t bytes = 0;
    ddaebm_status status = dd_images_measure(&bytes, most, images->shape, images->count + more);
    if (status != DDAEBM_OK)
        return status;
    uint8_t *grown = dd_grow_within(context, images->block, capacity, bytes, 1, most);
    if (!grown)
        return DDAEBM_OUT_OF_MEMORY;
    images->block = images->pixels = grown;
    return DDAEBM_OK;
}

void dd_images_read(const dd_images *images, size_t first, size_t count, float *out) {
    size_t numbers = dd_image_numbers(images->shape);
    const uint8_t *from = images->pixels + first * numbers;
    for (size_t i = 0; i < count * numbers; i++)
        out[i] = (float)from[i] / 127.5f - 1;
}
