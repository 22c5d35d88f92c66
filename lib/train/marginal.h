/* The log-density that rows would have if their columns were independent. */
#ifndef DD_MARGINAL_H
#define DD_MARGINAL_H

#include <stddef.h>

/* Adds to out[count] the sum over the columns of rows [count, width] of the log-density of each
 * number among those of its column in sample [sample_count, width]: a normal kernel around each,
 * with Silverman's bandwidth. Columns that are constant, or hold a NaN, add nothing. */
void dd_marginal_add(double *out, const float *rows, size_t count, const float *sample,
                     size_t sample_count, size_t width);

#endif
