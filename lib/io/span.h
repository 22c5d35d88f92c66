/* Bytes to be written, borrowed. */
#ifndef DD_SPAN_H
#define DD_SPAN_H

#include "base/ieee.h"

#include <stddef.h>

typedef struct dd_span {
    const void *data; /* may be NULL if size is 0 */
    size_t size;
} dd_span;

#endif
