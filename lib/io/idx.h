/* The IDX format of MNIST and similar sets: a big-endian header and bytes. */
#ifndef DD_IDX_H
#define DD_IDX_H

#include "io/image_layout.h"

#include <stdbool.h>

/* Returns whether a file's first bytes are IDX's. */
bool dd_idx_recognise(const void *data, size_t size);

/* Reads the axes from the header. Fails with DDAEBM_FORMAT if it is cut off, and with
 * DDAEBM_UNSUPPORTED for types other than bytes and for ranks other than 3 and 4. */
ddaebm_status dd_idx_look(dd_array_axes *out, const void *data, size_t size);

/* Reads images in place. Each image, that is all axes but the first, must have as many numbers as
 * `shape`. On success the images own `data`. Fails as dd_idx_look, with DDAEBM_FORMAT if the file
 * is too long or empty, and with DDAEBM_OUT_OF_RANGE beyond the limits, such as `most` bytes of
 * pixels. */
ddaebm_status dd_idx_parse(dd_images *out, uint8_t *data, size_t size, size_t most,
                           dd_image_shape shape);

#endif
