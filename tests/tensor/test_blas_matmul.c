/* Long products keep their digits, whatever the BLAS does with small matrices. */
#define _GNU_SOURCE
#include "base/rng.h"
#include "support/extremes.h"
#include "support/harness.h"
#include "tensor/exec/computation.h"
#include "tensor/kernels/blas_matmul.h"

#include <math.h>

/* BLIS adds to C one product after the other, so that splitting a sum into several calls does not
 * help. */
extern char *openblas_get_config(void) __attribute__((weak));

enum { SIDE = 7, INNER = 16384 };

static float a[SIDE * INNER], b[SIDE * INNER], c[SIDE * SIDE];

/* _i: which of the two are transposed. Each number is a sum of INNER positive products. */
START_TEST(long_sums_keep_their_digits) {
    const bool transpose_a = _i & 1, transpose_b = _i & 2;
    dd_rng_uniforms(a, 1, dd_stream(DD_STREAM_DATA, 0), 0, SIDE * INNER);
    dd_rng_uniforms(b, 2, dd_stream(DD_STREAM_DATA, 0), 0, SIDE * INNER);
    dd_computation_begin();
    dd_matmul_run(&(dd_matmul_call){.transpose_a = transpose_a,
                                    .transpose_b = transpose_b,
                                    .m = SIDE,
                                    .n = SIDE,
                                    .k = INNER,
                                    .a = a,
                                    .a_stride = transpose_a ? SIDE : INNER,
                                    .b = b,
                                    .b_stride = transpose_b ? INNER : SIDE,
                                    .c = c,
                                    .c_stride = SIDE});
    dd_computation_end();
    double worst = 0;
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            double sum = 0;
            for (size_t k = 0; k < INNER; k++)
                sum += (double)a[transpose_a ? k * SIDE + i : i * INNER + k] *
                       (double)b[transpose_b ? j * INNER + k : k * SIDE + j];
            worst = larger(worst, fabs((double)c[i * SIDE + j] - sum) / sum);
        }
    printf("transposed %d %d: %.2g\n", transpose_a, transpose_b, worst);
    ck_assert_double_lt(worst, openblas_get_config ? 2e-6 : 1e-5);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {long_sums_keep_their_digits};
    return run_loop_tests("matmul", tests, 1, 4);
}
