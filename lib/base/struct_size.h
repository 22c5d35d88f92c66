/* Structs that cross the border begin with the size that their caller's headers give them. Those
 * only ever grow at the end, so that caller and library need not be of one version. */
#ifndef DD_STRUCT_SIZE_H
#define DD_STRUCT_SIZE_H

#include <ddaebm/status.h>
#include <stddef.h>

/* Takes a caller's struct over into ours, of `size` bytes, which holds the defaults: they stay
 * where an older caller has no such field. INVALID_ARGUMENT for a struct_size that no version has
 * (`init` names the macro that sets it), UNSUPPORTED if a newer caller set a field that is not
 * known here. Ours is untouched on failure. */
ddaebm_status dd_struct_in(void *ours, size_t size, const void *theirs, const char *init);

/* The first half of that check, for a struct that is to be written. */
ddaebm_status dd_struct_check(const void *theirs, const char *init);

/* Gives a checked caller as much of ours as there is room for. The caller's struct_size, and what
 * we do not know, stay. */
void dd_struct_out(void *theirs, const void *ours, size_t size);

#endif
