/* CIFAR-10's binary batches: records of a label byte and 32 x 32 pixels, as one plane each of red,
 * green and blue. */
#ifndef DD_CIFAR_H
#define DD_CIFAR_H

#include "io/folder.h"
#include "io/images.h"

#include <stdbool.h>

/* Returns whether a file consists of whole records with labels from 0 to 9. */
bool dd_cifar_recognise(const void *data, size_t size);

/* Reads the images of one file. Fails with DDAEBM_FORMAT if it does not consist of whole records.
 */
ddaebm_status dd_cifar_parse(dd_images *out, ddaebm_context *context, const void *data,
                             size_t size);

/* Reads the images of the named files of a folder, in their order. */
ddaebm_status dd_cifar_read_folder(dd_images *out, ddaebm_context *context, const char *path,
                                   const dd_names *names);

#endif
