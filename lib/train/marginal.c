#include "train/marginal.h"

#include "base/ieee.h"

#include <math.h>

/* A table, whose columns are shared among threads. */
typedef struct table {
    const float *rows; /* [count, width] */
    size_t count, width;
    double *out;  /* [count, width] */
    size_t parts; /* each has every parts-th column */
} table;

/* Returns the kernel's standard deviation (Silverman, 1986), or 0 for a constant column. */
static double bandwidth_of(const table *t, size_t j) {
    double sum = 0, squares = 0, count = (double)t->count;
    for (size_t i = 0; i < t->count; i++) {
        double x = (double)t->rows[i * t->width + j];
        sum += x;
        squares += x * x;
    }
    double variance = squares / count - sum / count * (sum / count);
    return variance > 1e-12 ? 1.06 * sqrt(variance) * pow(count, -0.2) : 0;
}

static double log_density(const table *t, size_t i, size_t j, double bandwidth) {
    const double root_of_two_pi = 2.50662827463100050;
    double sum = 0, x = (double)t->rows[i * t->width + j];
    for (size_t k = 0; k < t->count; k++) {
        double z = (x - (double)t->rows[k * t->width + j]) / bandwidth;
        sum += exp(-0.5 * z * z);
    }
    return log(sum / ((double)t->count * bandwidth * root_of_two_pi));
}

static void run_column(const table *t, size_t j) {
    double bandwidth = bandwidth_of(t, j);
    for (size_t i = 0; i < t->count; i++)
        t->out[i * t->width + j] = bandwidth > 0 ? log_density(t, i, j, bandwidth) : 0;
}

static void run_part(void *argument, size_t part, int taker) {
    (void)taker;
    const table *t = argument;
    for (size_t j = part; j < t->width; j += t->parts)
        run_column(t, j);
}

void dd_marginal_log_density(double *out, const float *rows, size_t count, size_t width,
                             dd_pool *pool) {
    table t = {rows, count, width, out, (size_t)dd_pool_threads(pool)};
    dd_pool_run(pool, false, &(dd_work){.parts = t.parts, .function = run_part, .argument = &t});
}
