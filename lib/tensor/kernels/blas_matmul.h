/* Matrix products by CBLAS. No other file knows of CBLAS. */
#ifndef DD_BLAS_MATMUL_H
#define DD_BLAS_MATMUL_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* C [m, n] = op(A) op(B) + beta C, over rows of the given strides: op(A) is [m, k], op(B) [k, n].
 * With a `start`, of n numbers, C = op(A) op(B) + start in each row. All sizes fit an int (checked
 * when a graph is planned). */
typedef struct dd_matmul_call {
    size_t m, n, k;
    bool transpose_a, transpose_b;
    const float *a, *b, *start; /* start: NULL for zeros */
    float *c;
    size_t a_stride, b_stride, c_stride;
    float beta;
} dd_matmul_call;

void dd_matmul_run(const dd_matmul_call *call);

/* Computes part `part` of `parts` of a product: a band of its rows, or of its columns if there are
 * more of those. */
void dd_matmul_run_part(const dd_matmul_call *call, size_t part, size_t parts);

#endif
