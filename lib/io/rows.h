/* A table of numbers, as the readers of files hand it over. */
#ifndef DD_ROWS_H
#define DD_ROWS_H

#include <stddef.h>

/* Numbers in a row, at most: the bound of ddaebm_source.width. */
enum { DD_MOST_WIDTH = 1 << 20 };

/* The numbers are [count, width], to be freed with dd_free: floats if a float holds each as it was,
 * else doubles. */
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
