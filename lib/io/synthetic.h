/* The named two-dimensional sets of the published toy experiments. */
#ifndef DD_SYNTHETIC_H
#define DD_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

/* One of the sets; constant, never freed. */
typedef struct dd_synthetic dd_synthetic;

enum { DD_SYNTHETIC_WIDTH = 2 };

/* Rows that a set has: random numbers come by a 64-bit counter, eight to a row. */
#define DD_SYNTHETIC_ROWS (UINT64_C(1) << 61)

/* NULL if there is none of the name. */
const dd_synthetic *dd_synthetic_find(const char *name);

/* A set's own name. */
const char *dd_synthetic_name_of(const dd_synthetic *set);

/* The index-th name, or NULL past the last. */
const char *dd_synthetic_name(size_t index);

/* Rows first .. first+count-1, below DD_SYNTHETIC_ROWS: independent draws, row i fixed by (set,
 * seed, i). */
void dd_synthetic_read(const dd_synthetic *set, uint64_t seed, uint64_t first, size_t count,
                       float *out);

#endif
