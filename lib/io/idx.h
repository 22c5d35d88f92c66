/* The format of MNIST and its relatives: a big-endian header and bytes. */
#ifndef DD_IDX_H
#define DD_IDX_H

#include "io/pictures.h"

#include <stdbool.h>

/* Whether a file's first bytes are IDX's. */
bool dd_idx_recognise(const void *data, size_t size);

/* Reads pictures, bytes of rank 3 [N, H, W] or 4 [N, H, W, C], in place: the block is data, which pictures take over on success. FORMAT if
 * cut off, too long or empty, UNSUPPORTED for other types and ranks, OUT_OF_RANGE beyond the limits, of which
 * `most` bytes of pixels is one. */
ddaebm_status dd_idx_parse(dd_pictures *out, uint8_t *data, size_t size, size_t most);

#endif
