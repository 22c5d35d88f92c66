/* Sizes that come from outside are multiplied and added here, and nowhere else. */
#ifndef DD_CHECKED_H
#define DD_CHECKED_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* *out = a * b; false, with *out untouched by any meaning, on overflow. */
static inline bool dd_size_mul(size_t *out, size_t a, size_t b) {
    return !__builtin_mul_overflow(a, b, out);
}

/* *out = a + b; false on overflow. */
static inline bool dd_size_add(size_t *out, size_t a, size_t b) {
    return !__builtin_add_overflow(a, b, out);
}

#endif
