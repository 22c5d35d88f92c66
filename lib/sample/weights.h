/* Sums of importance weights that are given by their logarithms. */
#ifndef DD_WEIGHTS_H
#define DD_WEIGHTS_H

#include <math.h>
#include <stddef.h>

/* Sums of exp(log weight - largest) and of its square, over `count` weights. */
typedef struct dd_weight_sums {
    double largest, sum, squares, count;
} dd_weight_sums;

static inline dd_weight_sums dd_weight_sums_of(const double *log_weights, size_t count) {
    dd_weight_sums sums = {.largest = -INFINITY, .count = (double)count};
    for (size_t i = 0; i < count; i++)
        sums.largest = log_weights[i] > sums.largest ? log_weights[i] : sums.largest;

    for (size_t i = 0; i < count; i++) {
        double weight = exp(log_weights[i] - sums.largest);
        sums.sum += weight;
        sums.squares += weight * weight;
    }
    return sums;
}

/* Returns the variance of the weights relative to their squared mean. */
static inline double dd_weight_variance(const dd_weight_sums *sums) {
    return sums->count * sums->squares / (sums->sum * sums->sum) - 1;
}

#endif
