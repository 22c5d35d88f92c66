/* Images of another size. */
#ifndef DD_RESIZE_H
#define DD_RESIZE_H

#include "io/images.h"

/* Side of a square that images are brought to, at most. */
enum { DD_MOST_SIDE = 1024 };

/* An image of any size becomes a square of `side` pixels. It is laid in the middle of a black
 * square, as large as its longer side or as `side`, whichever is more; where a difference is odd,
 * the smaller part is above and to the left. If that square is larger than `side`, each pixel is
 * the average over the area that it covers. Sides are at most DD_MOST_SIDE, images' at most 2^20.
 */
void dd_resize_bytes(uint8_t *out, size_t side, const uint8_t *image,
                     dd_image_shape shape); /* black is 0; rounded to the nearest */
void dd_resize_floats(float *out, size_t side, const float *image,
                      dd_image_shape shape); /* black is -1 */

/* A whole set, in a new block. */
ddaebm_status dd_images_resize(dd_images *images, ddaebm_context *context, size_t side);
ddaebm_status dd_rows_resize(dd_rows *images, dd_image_shape *shape, ddaebm_context *context,
                             size_t side);

#endif
