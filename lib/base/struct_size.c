#include "base/struct_size.h"

#include "base/error.h"

#include <string.h>

/* Larger than any struct of the interface: such a struct_size was not initialised. */
enum { MOST = 4096 };

static size_t claimed_size(const void *theirs) {
    size_t size = 0;
    memcpy(&size, theirs, sizeof size);
    return size;
}

/* Structs begin with a size_t, so their sizes are multiples of its size. */
ddaebm_status dd_struct_check(const void *theirs, const char *init) {
    size_t size = claimed_size(theirs);
    if (size >= sizeof(size_t) && size <= MOST && size % sizeof(size_t) == 0)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_INVALID_ARGUMENT,
                   "struct_size is %zu, which no version of the struct has: initialise it with %s",
                   size, init);
}

ddaebm_status dd_struct_in(void *ours, size_t size, const void *theirs, const char *init) {
    ddaebm_status status = dd_struct_check(theirs, init);
    if (status != DDAEBM_OK)
        return status;

    size_t there = claimed_size(theirs), common = there < size ? there : size,
           skip = sizeof(size_t);
    for (size_t i = size; i < there; i++)
        if (((const unsigned char *)theirs)[i] != 0)
            return dd_fail(
                DDAEBM_UNSUPPORTED,
                "the struct that %s initialises sets a field that this version of the library does "
                "not know (struct_size is %zu, this version has %zu): leave it zero, or use a "
                "newer "
                "library",
                init, there, size);
    memcpy((char *)ours + skip, (const char *)theirs + skip, common - skip);
    return DDAEBM_OK;
}

void dd_struct_out(void *theirs, const void *ours, size_t size) {
    size_t there = claimed_size(theirs), common = there < size ? there : size,
           skip = sizeof(size_t);
    memcpy((char *)theirs + skip, (const char *)ours + skip, common - skip);
}
