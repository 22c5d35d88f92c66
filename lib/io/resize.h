/* Changing the size of images. */
#ifndef DD_RESIZE_H
#define DD_RESIZE_H

#include "io/images.h"

/* Largest side that images are resized to. */
enum { DD_MOST_SIDE = 1024 };

/* Resizes an image of any size to a square of `side` pixels. The image is centred in a black square
 * as large as its longer side or `side`, whichever is more; an odd difference leaves the smaller
 * part above and to the left. A square larger than `side` is reduced by averaging over areas.
 * `side` is at most DD_MOST_SIDE, the sides of the image 2^20. */
void dd_resize_bytes(uint8_t *out, size_t side, const uint8_t *image,
                     dd_image_shape shape); /* black is 0; rounds to nearest */
void dd_resize_floats(float *out, size_t side, const float *image,
                      dd_image_shape shape); /* black is -1 */

/* Resizes a whole set, into a new block. */
ddaebm_status dd_images_resize(dd_images *images, ddaebm_context *context, size_t side);
ddaebm_status dd_rows_resize(dd_rows *images, dd_image_shape *shape, ddaebm_context *context,
                             size_t side);

#endif
