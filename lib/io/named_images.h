/* Named sets of images: files where a Debian package puts them. */
#ifndef DD_NAMED_IMAGES_H
#define DD_NAMED_IMAGES_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dd_named_images {
    const char *name, *path, *package;
} dd_named_images;

/* NULL if there is none of the name. */
const dd_named_images *dd_named_images_find(const char *name);

/* The index-th name, or NULL past the last. */
const char *dd_named_images_name(size_t index);

#endif
