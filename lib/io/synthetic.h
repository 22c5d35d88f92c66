/* The named two-dimensional data sets of the published toy experiments. */
#ifndef DD_SYNTHETIC_H
#define DD_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

/* A data set; constant, never freed. */
typedef struct dd_synthetic dd_synthetic;

enum { DD_SYNTHETIC_WIDTH = 2 };

/* Rows of a set: random numbers have a 64-bit counter, and a row uses eight. */
#define DD_SYNTHETIC_ROWS (UINT64_C(1) << 61)

/* Finds a set by its name; NULL if there is none. */
const dd_synthetic *dd_synthetic_find(const char *name);

/* Returns the name of a set. */
const char *dd_synthetic_name_of(const dd_synthetic *set);

/* Returns the index-th name, or NULL past the last. */
const char *dd_synthetic_name(size_t index);

/* Draws rows first .. first + count - 1, below DD_SYNTHETIC_ROWS. Rows are independent; row i
 * depends on (set, seed, i) alone. */
void dd_synthetic_read(const dd_synthetic *set, uint64_t seed, uint64_t first, size_t count,
                       float *out);

#endif
