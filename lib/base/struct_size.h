/* Public structs that begin with struct_size, the size in the caller's version of the headers. Such
 * structs only grow at the end, so caller and library may be of different versions. */
#ifndef DD_STRUCT_SIZE_H
#define DD_STRUCT_SIZE_H

#include "base/ieee.h"

#include <ddaebm/status.h>
#include <stddef.h>

/* Copies a caller's struct into ours, of `size` bytes, which holds the defaults; fields that an
 * older caller lacks keep them. Fails with DDAEBM_INVALID_ARGUMENT for a struct_size that no
 * version has
 * (`init` names the macro that sets it), and with DDAEBM_UNSUPPORTED if a newer caller set a field
 * that this version lacks. On failure ours is untouched. */
ddaebm_status dd_struct_in(void *ours, size_t size, const void *theirs, const char *init);

/* Checks the struct_size alone, for a struct that will be written. */
ddaebm_status dd_struct_check(const void *theirs, const char *init);

/* Copies our struct into a caller's that dd_struct_check has passed, as far as that has the fields.
 * The caller's struct_size and its unknown fields stay. */
void dd_struct_out(void *theirs, const void *ours, size_t size);

#endif
