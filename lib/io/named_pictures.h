/* Named sets of pictures: files where a Debian package puts them. */
#ifndef DD_NAMED_PICTURES_H
#define DD_NAMED_PICTURES_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct dd_named_pictures {
    const char *name, *path, *package;
} dd_named_pictures;

/* NULL if there is none of the name. */
const dd_named_pictures *dd_named_pictures_find(const char *name);

/* The index-th name, or NULL past the last. */
const char *dd_named_pictures_name(size_t index);

#endif
