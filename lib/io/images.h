/* A set of 8-bit images of one size. */
#ifndef DD_IMAGES_H
#define DD_IMAGES_H

#include "io/rows.h"

#include <ddaebm/context.h>

/* Most channels of an image: the bound of data.channels. */
enum { DD_MOST_CHANNELS = 4 };

typedef struct dd_image_shape {
    size_t height, width, channels; /* all 0 for plain rows */
} dd_image_shape;

typedef struct dd_images {
    dd_image_shape shape;
    size_t count;
    uint8_t *block;  /* freed with dd_free */
    uint8_t *pixels; /* [count, height, width, channels], within the block */
    size_t surplus;  /* bytes after the image's end in its file, for single images */
} dd_images;

/* Returns the numbers per image. */
static inline size_t dd_image_numbers(dd_image_shape shape) {
    return shape.height * shape.width * shape.channels;
}

/* Most numbers of an image that will be made smaller, which bounds what a small file can claim. */
enum { DD_MOST_TO_RESIZE = 1 << 27 };

/* Sets *bytes to the size of one image. Fails with DDAEBM_OUT_OF_RANGE beyond `most` numbers; a row
 * may have DD_MOST_WIDTH. */
ddaebm_status dd_images_measure_one(size_t *bytes, dd_image_shape shape, size_t most);

/* Checks the sizes of a set and sets *bytes to the size of all pixels. Fails with
 * DDAEBM_OUT_OF_RANGE beyond the limits on a row and on channels and beyond `most` bytes, and with
 * DDAEBM_FORMAT for a size of 0. */
ddaebm_status dd_images_measure(size_t *bytes, size_t most, dd_image_shape shape, size_t count);

/* Makes room for more images of the same shape. The block of *capacity bytes grows with what has
 * been read, up to the limit of the context on files. */
ddaebm_status dd_images_make_room(dd_images *images, size_t *capacity, ddaebm_context *context,
                                  size_t more);

/* Reads images as floats, 0 to 255 mapped to [-1, 1]. */
void dd_images_read(const dd_images *images, size_t first, size_t count, float *out);

#endif
