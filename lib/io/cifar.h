/* CIFAR-10's binary batches: records of a label and 32 x 32 pixels, red, green and blue one plane
 * after the other. */
#ifndef DD_CIFAR_H
#define DD_CIFAR_H

#include "io/folder.h"
#include "io/images.h"

#include <stdbool.h>

/* Whether a file is of whole records with labels from 0 to 9. */
bool dd_cifar_recognise(const void *data, size_t size);

/* Images of one file's bytes. FORMAT if they are not whole records. */
ddaebm_status dd_cifar_parse(dd_images *out, ddaebm_context *context, const void *data,
                             size_t size);

/* Images of all the named files of a folder, in their order. */
ddaebm_status dd_cifar_read_folder(dd_images *out, ddaebm_context *context, const char *path,
                                   const dd_names *names);

#endif
