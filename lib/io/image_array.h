/* Reading arrays, NPY and IDX, as images or rows. */
#ifndef DD_IMAGE_ARRAY_H
#define DD_IMAGE_ARRAY_H

#include "io/content.h"
#include "io/image_layout.h"

/* Reads an NPY file as rows, or as images, by layout and range. */
ddaebm_status dd_image_array_npy(dd_content *out, ddaebm_context *context, const void *data,
                                 size_t size, const ddaebm_read_options *options);

/* Reads an IDX file, [N, H, W] or [N, H, W, C], likewise. Where the images keep *data, it is set to
 * NULL. */
ddaebm_status dd_image_array_idx(dd_content *out, ddaebm_context *context, void **data, size_t size,
                                 const ddaebm_read_options *options);

#endif
