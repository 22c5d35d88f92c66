/* Folders of images. */
#ifndef DD_IMAGE_FOLDER_H
#define DD_IMAGE_FOLDER_H

#include "io/images.h"

#include <ddaebm/dataset.h>

/* Reads a folder of PNG and JPEG files as the options say, or of CIFAR-10 batches. One line reports
 * what was passed over. Fails with DDAEBM_FORMAT if there is no image, DDAEBM_MISMATCH for the
 * first file of another size or number of channels, and DDAEBM_IO for a name without a file;
 * messages name the file. */
ddaebm_status dd_image_folder_read(dd_images *out, ddaebm_context *context, const char *path,
                                   const ddaebm_read_options *options);

#endif
