/* A table of numbers, as the readers of files hand it over. */
#ifndef DD_ROWS_H
#define DD_ROWS_H

#include <stddef.h>

/* Numbers in a row, at most: the bound of ddaebm_source.width. */
enum { DD_MOST_WIDTH = 1 << 20 };

typedef struct dd_rows {
    float *values; /* [count, width], to be freed with dd_free */
    size_t count;
    size_t width; /* 1 to DD_MOST_WIDTH */
} dd_rows;

#endif
