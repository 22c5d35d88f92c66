/* What a processor does to runs of numbers. The same source is compiled for each instruction set
 * that is worth it; dd_kernels_choose picks. */
#ifndef DD_VECTOR_H
#define DD_VECTOR_H

#include "base/ieee.h"
#include "tensor/ops.h"

/* out[i] = op(a[i], b[i]); out overlaps neither. b is ignored by operations of one input. */
typedef void (*dd_elementwise)(float *restrict out, const float *a, const float *b, size_t count,
                               float factor, float shift);

/* Adam on a run of weights (Kingma and Ba, 2015): m = b1 m + rest1 g, v = b2 v + rest2 g^2, p -=
 * rate m / (sqrt(v) root + epsilon), with rest = 1 - beta (not to be had from a float beta near 1),
 * and rate and root holding the corrections for the first steps. Without an m, NULL, b1 is 0: m is
 * the gradient. */
typedef struct dd_adam_factors {
    float beta1, rest1, beta2, rest2, rate, root, epsilon;
} dd_adam_factors;

typedef struct dd_kernels {
    const char *name;
    dd_elementwise elementwise[DD_OP_COUNT]; /* NULL for operations of other kinds */
    double (*sum)(const float *x, size_t count);
    void (*sum_columns)(float *restrict totals, const float *x, size_t rows, size_t width,
                        size_t stride); /* totals[j] = sum of column j */
    void (*add_columns)(double *restrict totals, const float *x, size_t rows, size_t width,
                        size_t stride); /* totals[j] += sum of column j */
    void (*softmax)(float *restrict out, const float *x, size_t rows,
                    size_t width); /* each row e^x over its sum */
    void (*adam)(float *restrict weights, const float *restrict gradients, float *restrict m,
                 float *restrict v, size_t count, dd_adam_factors factors);
    void (*average)(float *restrict average, const float *restrict values, size_t count,
                    float decay, float rest); /* decay average + rest values */
    bool (*all_within)(const float *x, size_t count,
                       float bound); /* whether |x| <= bound, which is finite, for all */
} dd_kernels;

extern const dd_kernels dd_kernels_portable;
#ifdef DD_HAVE_AVX2
extern const dd_kernels dd_kernels_avx2;
#endif
#ifdef DD_HAVE_AVX512
extern const dd_kernels dd_kernels_avx512;
#endif

/* Those of the set that is chosen (instructions.h). */
const dd_kernels *dd_kernels_choose(void);

#endif
