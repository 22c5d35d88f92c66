/* Checked arithmetic for sizes that come from outside. Such sizes are multiplied and added only
 * here.
 */
#ifndef DD_CHECKED_H
#define DD_CHECKED_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Sets *out to a * b; false on overflow, with *out unspecified. */
static inline bool dd_size_mul(size_t *out, size_t a, size_t b) {
    return !__builtin_mul_overflow(a, b, out);
}

/* Sets *out to a + b; false on overflow, with *out unspecified. */
static inline bool dd_size_add(size_t *out, size_t a, size_t b) {
    return !__builtin_add_overflow(a, b, out);
}

#endif
