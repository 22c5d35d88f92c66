#include "train/marginal.h"

#include "base/ieee.h"

#include <math.h>

/* A column of a table with rows of `width` numbers. */
typedef struct column {
    const float *numbers;
    size_t count, width;
} column;

/* Returns the kernel's standard deviation (Silverman, 1986), or 0 for a constant column. */
static double bandwidth_of(const column *sample) {
    double sum = 0, squares = 0, count = (double)sample->count;
    for (size_t i = 0; i < sample->count; i++) {
        double x = (double)sample->numbers[i * sample->width];
        sum += x;
        squares += x * x;
    }
    double variance = squares / count - sum / count * (sum / count);
    return variance > 1e-12 ? 1.06 * sqrt(variance) * pow(count, -0.2) : 0;
}

static double log_density(double x, const column *sample, double bandwidth) {
    const double root_of_two_pi = 2.50662827463100050;
    double sum = 0;
    for (size_t k = 0; k < sample->count; k++) {
        double z = (x - (double)sample->numbers[k * sample->width]) / bandwidth;
        sum += exp(-0.5 * z * z);
    }
    return log(sum / ((double)sample->count * bandwidth * root_of_two_pi));
}

void dd_marginal_add(double *out, const float *rows, size_t count, const float *sample,
                     size_t sample_count, size_t width) {
    for (size_t j = 0; j < width; j++) {
        const column numbers = {sample + j, sample_count, width};
        double bandwidth = bandwidth_of(&numbers);
        for (size_t i = 0; bandwidth > 0 && i < count; i++)
            out[i] += log_density((double)rows[i * width + j], &numbers, bandwidth);
    }
}
