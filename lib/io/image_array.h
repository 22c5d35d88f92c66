/* Arrays of images: what NPY and IDX files hold. */
#ifndef DD_IMAGE_ARRAY_H
#define DD_IMAGE_ARRAY_H

#include "io/content.h"
#include "io/image_layout.h"

/* Reads an NPY file: as rows, or as images by layout and range. */
ddaebm_status dd_image_array_npy(dd_content *out, ddaebm_context *context, const void *data,
                                 size_t size, const ddaebm_read_options *options);

/* Likewise an IDX file, whose format is [N, H, W] or [N, H, W, C]. *data is taken over, and set to
 * NULL, where the images lie in it. */
ddaebm_status dd_image_array_idx(dd_content *out, ddaebm_context *context, void **data, size_t size,
                                 const ddaebm_read_options *options);

#endif
