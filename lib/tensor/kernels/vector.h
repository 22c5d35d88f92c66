/* Loops over runs of numbers. The same source is compiled for each instruction set that is worth
 * it; dd_kernels_choose picks. */
#ifndef DD_VECTOR_H
#define DD_VECTOR_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The elementwise loops. */
typedef enum dd_elementwise_kind {
    DD_ELEMENTWISE_COPY,
    DD_ELEMENTWISE_ADD,
    DD_ELEMENTWISE_SUBTRACT,
    DD_ELEMENTWISE_MULTIPLY,
    DD_ELEMENTWISE_AFFINE, /* factor a + shift */
    DD_ELEMENTWISE_POWER,  /* a^factor */
    DD_ELEMENTWISE_EXP,
    DD_ELEMENTWISE_LOG,
    DD_ELEMENTWISE_TANH,
    DD_ELEMENTWISE_SIGMOID,
    DD_ELEMENTWISE_SOFTPLUS, /* log(1 + e^a) */
    DD_ELEMENTWISE_SIN,
    DD_ELEMENTWISE_COS,
    DD_ELEMENTWISE_HEAVISIDE, /* 1 where a > 0, else 0 */
    DD_ELEMENTWISE_LEAKY,     /* a where a > 0, b a elsewhere */
    DD_ELEMENTWISE_SILU,      /* the derivative of a sigmoid(a) of order `factor`, 0 to 2 */
    DD_ELEMENTWISE_COUNT
} dd_elementwise_kind;

/* out[i] = op(a[i], b[i]); out overlaps neither. b is ignored by operations of one
 * input. */
typedef void (*dd_elementwise)(float *restrict out, const float *a, const float *b, size_t count,
                               float factor, float shift);

/* Adam on a run of weights w (Kingma and Ba, 2015):
 *   m = beta1 m + rest1 g,  v = beta2 v + rest2 g^2,  w -= rate m / (sqrt(v) root + epsilon).
 * rest1 = 1 - beta1 and rest2 = 1 - beta2 are given, for a float beta near 1 has too few digits to
 * compute them from; rate and root contain the bias corrections. With m = NULL, beta1 is 0 and m is
 * the gradient. */
typedef struct dd_adam_factors {
    float beta1, rest1, beta2, rest2, rate, root, epsilon;
} dd_adam_factors;

typedef struct dd_kernels {
    const char *name;
    dd_elementwise elementwise[DD_ELEMENTWISE_COUNT];
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
