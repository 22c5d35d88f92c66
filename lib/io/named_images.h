/* Named sets of images, in files of Debian packages. */
#ifndef DD_NAMED_IMAGES_H
#define DD_NAMED_IMAGES_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dd_named_images {
    const char *name, *path, *package;
} dd_named_images;

/* Finds a set by its name; NULL if there is none. */
const dd_named_images *dd_named_images_find(const char *name);

/* Returns the index-th name, or NULL past the last. */
const char *dd_named_images_name(size_t index);

#endif
