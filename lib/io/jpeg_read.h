/* Images from JPEG files. */
#ifndef DD_JPEG_READ_H
#define DD_JPEG_READ_H

#include "io/images.h"

#include <stdbool.h>

/* Whether a file's first bytes are JPEG's. */
bool dd_jpeg_recognise(const void *data, size_t size);

/* One file's pixels, `most` numbers at most: grey ([H, W, 1]) or RGB ([H, W, 3]). What follows the
 * end is counted in out->surplus. FORMAT for a damaged file, also where libjpeg would guess what is
 * missing; OUT_OF_RANGE beyond the limits; UNSUPPORTED for CMYK and in a build without libjpeg.
 * libjpeg's own memory is not the context's. */
ddaebm_status dd_jpeg_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                            size_t most);

#endif
