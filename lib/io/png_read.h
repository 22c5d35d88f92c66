/* Reading PNG files. */
#ifndef DD_PNG_READ_H
#define DD_PNG_READ_H

#include "io/images.h"

#include <stdbool.h>

/* Returns whether a file's first bytes are PNG's. */
bool dd_png_recognise(const void *data, size_t size);

/* Reads one file, of at most `most` numbers, as 8-bit grey, [H, W, 1], or RGB, [H, W, 3]. Palettes
 * become RGB, other depths become 8 bits, and transparent pixels are blended with black.
 * out->surplus counts the bytes after its end. Fails with DDAEBM_FORMAT for a damaged file,
 * DDAEBM_OUT_OF_RANGE beyond the limits, and DDAEBM_UNSUPPORTED without libpng. */
ddaebm_status dd_png_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                           size_t most);

#endif
