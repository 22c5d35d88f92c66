/* A table of numbers. */
#ifndef DD_ROWS_H
#define DD_ROWS_H

#include <stddef.h>

/* Most numbers in a row: the bound of ddaebm_source.width. */
enum { DD_MOST_WIDTH = 1 << 20 };

/* Numbers [count, width], freed with dd_free: floats if these hold every number exactly, else
 * doubles. */
typedef struct dd_rows {
    float *values; /* NULL for doubles */
    size_t count;
    size_t width; /* 1 to DD_MOST_WIDTH */
    double *wide; /* NULL for floats */
} dd_rows;

static inline double dd_rows_at(const dd_rows *rows, size_t i) {
    return rows->wide ? rows->wide[i] : (double)rows->values[i];
}

#endif
