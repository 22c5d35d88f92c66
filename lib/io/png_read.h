/* Images from PNG files. */
#ifndef DD_PNG_READ_H
#define DD_PNG_READ_H

#include "io/images.h"

#include <stdbool.h>

/* Whether a file's first bytes are PNG's. */
bool dd_png_recognise(const void *data, size_t size);

/* One file's pixels, of 8 bits and `most` numbers at most: grey ([H, W, 1]) or RGB ([H, W, 3]).
 * Palettes become RGB, fewer bits and 16 become 8, and transparent pixels are laid over black. What
 * follows the end is counted in out->surplus. FORMAT for a damaged file, OUT_OF_RANGE beyond the
 * limits, UNSUPPORTED in a build without libpng. */
ddaebm_status dd_png_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                           size_t most);

#endif
