/* Reading JPEG files. */
#ifndef DD_JPEG_READ_H
#define DD_JPEG_READ_H

#include "io/images.h"

#include <stdbool.h>

/* Returns whether a file's first bytes are JPEG's. */
bool dd_jpeg_recognise(const void *data, size_t size);

/* Reads one file, of at most `most` numbers: grey, [H, W, 1], or RGB, [H, W, 3]. out->surplus
 * counts the bytes after its end. Fails with DDAEBM_FORMAT for a damaged file, even where libjpeg
 * would guess what is missing, DDAEBM_OUT_OF_RANGE beyond the limits, and DDAEBM_UNSUPPORTED for
 * CMYK and without libjpeg. libjpeg's own memory does not come from the context. */
ddaebm_status dd_jpeg_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                            size_t most);

#endif
