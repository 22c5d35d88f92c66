/* The format of MNIST and its relatives: a big-endian header and bytes. */
#ifndef DD_IDX_H
#define DD_IDX_H

#include "io/image_layout.h"

#include <stdbool.h>

/* Whether a file's first bytes are IDX's. */
bool dd_idx_recognise(const void *data, size_t size);

/* What the header says of the axes. FORMAT if cut off, UNSUPPORTED for other types than bytes and
 * other ranks than 3 and 4. */
ddaebm_status dd_idx_look(dd_array_axes *out, const void *data, size_t size);

/* Reads bytes in place, whose axes but the first have as many numbers as `shape`: the block is
 * data, which the images take over on success. Beside what dd_idx_look refuses, FORMAT if too long
 * or empty, OUT_OF_RANGE beyond the limits, of which `most` bytes of pixels is one. */
ddaebm_status dd_idx_parse(dd_images *out, uint8_t *data, size_t size, size_t most,
                           dd_image_shape shape);

#endif
