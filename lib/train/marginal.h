/* The log-density that rows would have if their columns were independent. */
#ifndef DD_MARGINAL_H
#define DD_MARGINAL_H

#include "base/threads.h"

/* Sets out [count, width] to the log-density of each number of rows [count, width] among those of
 * its column: a normal kernel around each, with Silverman's bandwidth. It is 0 in columns that are
 * constant, or hold a NaN. The same bits for any number of threads. */
void dd_marginal_log_density(double *out, const float *rows, size_t count, size_t width,
                             dd_pool *pool);

#endif
