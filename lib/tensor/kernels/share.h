/* How work is cut into parts. */
#ifndef DD_SHARE_H
#define DD_SHARE_H

#include <stddef.h>

/* [first, last) */
typedef struct dd_range {
    size_t first, last;
} dd_range;

/* What part `part` of `parts` has of `count` things. */
static inline dd_range dd_share(size_t count, size_t part, size_t parts) {
    return (dd_range){count * part / parts, count * (part + 1) / parts};
}

#endif
