/* Files of one image each: the formats that folders of images may have. */
#ifndef DD_IMAGE_FILE_H
#define DD_IMAGE_FILE_H

#include "io/images.h"

#include <stdbool.h>

/* The formats and their endings, for messages. */
#define DD_IMAGE_FORMATS "PNG or JPEG"
#define DD_IMAGE_ENDINGS ".png, .jpg or .jpeg"

/* Returns whether a file's name ends as one of an image does, in whatever case. */
bool dd_image_file_is_named(const char *name);

/* Returns whether a file's first bytes are those of one of the formats. */
bool dd_image_file_recognise(const void *data, size_t size);

/* Reads the image in a file, of at most `most` numbers; the format is found from the content. */
ddaebm_status dd_image_file_parse(dd_images *out, ddaebm_context *context, const void *data,
                                  size_t size, size_t most);

#endif
