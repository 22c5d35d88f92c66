/* A set of images of one size, as the readers of files hand it over: 8 bits a number, kept as they
 * are. */
#ifndef DD_IMAGES_H
#define DD_IMAGES_H

#include "io/rows.h"

#include <ddaebm/context.h>

/* Numbers in a pixel, at most: the bound of data.channels. */
enum { DD_MOST_CHANNELS = 4 };

typedef struct dd_image_shape {
    size_t height, width, channels; /* all 0 for plain rows */
} dd_image_shape;

typedef struct dd_images {
    dd_image_shape shape;
    size_t count;
    uint8_t *block;  /* what is to be freed with dd_free */
    uint8_t *pixels; /* [count, height, width, channels], within the block */
    size_t surplus;  /* of one image's file: bytes that follow its end */
} dd_images;

/* Numbers in an image. */
static inline size_t dd_image_numbers(dd_image_shape shape) {
    return shape.height * shape.width * shape.channels;
}

/* Numbers in an image that is to be made smaller, at most: what a file of some bytes can claim is
 * bounded. */
enum { DD_MOST_TO_RESIZE = 1 << 27 };

/* *bytes of one image. OUT_OF_RANGE beyond `most` numbers, of which DD_MOST_WIDTH are what a row
 * may hold. */
ddaebm_status dd_images_measure_one(size_t *bytes, dd_image_shape shape, size_t most);

/* The sizes of a set that are worth a look: *bytes of all pixels. OUT_OF_RANGE beyond what a row
 * may hold, what a pixel may, or `most` bytes in all; FORMAT for a size of 0. */
ddaebm_status dd_images_measure(size_t *bytes, size_t most, dd_image_shape shape, size_t count);

/* Makes room for more images of the set's shape: the block, which has *capacity bytes, grows with
 * what has come, and never beyond what the context allows a file. */
ddaebm_status dd_images_make_room(dd_images *images, size_t *capacity, ddaebm_context *context,
                                  size_t more);

/* 0..255 to [-1, 1]. */
void dd_images_read(const dd_images *images, size_t first, size_t count, float *out);

#endif
