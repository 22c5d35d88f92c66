/* Loops over images, row by row: filters and normalisations. Compiled for each instruction set, as
 * vector.c is; dd_map_kernels_choose picks. */
#ifndef DD_MAPS_H
#define DD_MAPS_H

#include "base/ieee.h"

#include <stddef.h>

/* Sums over the rows of a matrix, one for each column. */
typedef struct dd_moments {
    double *x, *xx, *g, *gx; /* of x and its square; of g and g x */
} dd_moments;

/* What normalises each column: y = (x - centre) scale + shift, where shift corrects for the
 * rounding of the mean to centre; and, for the gradient, the mean of g as the sum of two floats
 * (slope, slope_rest) and that of g y (slope_along). */
typedef struct dd_standard {
    float *centre, *scale, *shift;
    float *slope, *slope_rest, *slope_along;
} dd_standard;

/* rows x width numbers, each row `stride` after the one before. */
typedef struct dd_matrix_size {
    size_t rows, width, stride;
} dd_matrix_size;

typedef struct dd_map_kernels {
    const char *name;
    /* out[m out_stride + c] = sum over taps k of weights[k] in[k][m in_stride + c]; at least one
     * tap */
    void (*mix)(float *restrict out, size_t out_stride, const float *const *in,
                const float *weights, size_t taps, size_t in_stride, size_t pixels,
                size_t channels);
    void (*moments)(dd_moments totals, const float *x, dd_matrix_size size); /* adds to x and xx */
    void (*moments_along)(dd_moments totals, const float *x, const float *g,
                          dd_matrix_size size); /* adds to all four */
    void (*standardize)(float *restrict out, const float *x, dd_standard by, dd_matrix_size size);
    /* out = scale (g - mean g - y mean(g y)) */
    void (*standardize_gradient)(float *restrict out, const float *x, const float *g,
                                 dd_standard by, dd_matrix_size size);
} dd_map_kernels;

extern const dd_map_kernels dd_map_kernels_portable;
#ifdef DD_HAVE_AVX2
extern const dd_map_kernels dd_map_kernels_avx2;
#endif
#ifdef DD_HAVE_AVX512
extern const dd_map_kernels dd_map_kernels_avx512;
#endif

/* Those of the set that is chosen (instructions.h). */
const dd_map_kernels *dd_map_kernels_choose(void);

#endif
