#include "support/no_memory.h"

#include <stdbool.h>
#include <stddef.h>

static bool gone;

void no_memory_begin(void) {
    gone = true;
}

void no_memory_end(void) {
    gone = false;
}

/* The linker's names. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    return gone ? NULL : __real_malloc(size);
}
