/* Sets of images that are folders. */
#ifndef DD_IMAGE_FOLDER_H
#define DD_IMAGE_FOLDER_H

#include "io/images.h"

#include <ddaebm/dataset.h>

/* Reads a folder of PNG and JPEG files as the options say, or CIFAR-10's batches. What is passed
 * over is reported in one line. FORMAT without any image, MISMATCH for the first file whose size or
 * channels differ, IO for one that is not there behind its name; failures name the file. */
ddaebm_status dd_image_folder_read(dd_images *out, ddaebm_context *context, const char *path,
                                   const ddaebm_read_options *options);

/* One file's image of `most` numbers at most, by its content. */
ddaebm_status dd_image_parse(dd_images *out, ddaebm_context *context, const void *data, size_t size,
                             size_t most);

#endif
