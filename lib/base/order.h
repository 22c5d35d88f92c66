/* The order of numbers, for qsort. */
#ifndef DD_ORDER_H
#define DD_ORDER_H

#include "base/ieee.h"

/* Compares two doubles, which are not NaN: ascending. */
static inline int dd_ascending(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

#endif
