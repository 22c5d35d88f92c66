#define _POSIX_C_SOURCE 200809L /* for what BLIS' header takes of pthread.h */
#include "tensor/kernels/blas_matmul.h"

#include "tensor/kernels/blas_threads.h"

#include "tensor/kernels/cblas_header.h"
#include <string.h>

/* How many products are summed by one call. For small matrices OpenBLAS adds all of them to one
 * float in turn, and a weight's gradient sums as many as there are pixels: that would cost digits.
 */
enum { MOST_INNER = 1024 };

/* A macro, because headers give the type of these different names, or none. */
#define TRANSPOSED(is_transposed) ((is_transposed) ? CblasTrans : CblasNoTrans)

/* c = op(B)^T a */
static void row_times_matrix(const dd_matmul_call *call, float beta) {
    bool as_stored = call->transpose_b;
    int n = (int)call->n, k = (int)call->k;
    cblas_sgemv(CblasRowMajor, TRANSPOSED(!as_stored), as_stored ? n : k, as_stored ? k : n, 1.0f,
                call->b, (int)call->b_stride, call->a, 1, beta, call->c, 1);
}

/* c = op(A) b */
static void matrix_times_column(const dd_matmul_call *call, float beta) {
    bool is_transposed = call->transpose_a;
    int m = (int)call->m, k = (int)call->k, b_step = call->transpose_b ? 1 : (int)call->b_stride;
    cblas_sgemv(CblasRowMajor, TRANSPOSED(is_transposed), is_transposed ? k : m,
                is_transposed ? m : k, 1.0f, call->a, (int)call->a_stride, call->b, b_step, beta,
                call->c, 1);
}

static void matrix_times_matrix(const dd_matmul_call *call, float beta) {
    int m = (int)call->m, n = (int)call->n, k = (int)call->k;
    int lda = (int)call->a_stride, ldb = (int)call->b_stride, ldc = (int)call->c_stride;
    for (int first = 0; first < k; first += MOST_INNER) {
        const float *a = call->a + (size_t)first * (call->transpose_a ? call->a_stride : 1);
        const float *b = call->b + (size_t)first * (call->transpose_b ? 1 : call->b_stride);
        int inner = k - first < MOST_INNER ? k - first : MOST_INNER;
        cblas_sgemm(CblasRowMajor, TRANSPOSED(call->transpose_a), TRANSPOSED(call->transpose_b), m,
                    n, inner, 1.0f, a, lda, b, ldb, first == 0 ? beta : 1.0f, call->c, ldc);
    }
}

void dd_matmul_run(const dd_matmul_call *call) {
    const float beta = call->start ? 1.0f : call->beta;
    for (size_t i = 0; call->start && i < call->m; i++)
        memcpy(call->c + i * call->c_stride, call->start, call->n * sizeof *call->c);

    dd_blas_hold hold = dd_blas_hold_thread();
    if (call->m == 1 && (call->k == 1 || !call->transpose_a))
        row_times_matrix(call, beta);
    else if (call->n == 1 && call->c_stride == 1)
        matrix_times_column(call, beta);
    else
        matrix_times_matrix(call, beta);
    dd_blas_release_thread(hold);
}

/* Returns where part `part` of `parts` begins in `size` rows or columns: at a multiple of 8, so
 * that parts keep to whole vectors. */
static size_t boundary(size_t size, size_t part, size_t parts) {
    return part == parts ? size : size * part / parts / 8 * 8;
}

void dd_matmul_run_part(const dd_matmul_call *call, size_t part, size_t parts) {
    dd_matmul_call mine = *call;
    bool by_rows = call->m >= call->n;
    size_t whole = by_rows ? call->m : call->n;
    size_t first = boundary(whole, part, parts), last = boundary(whole, part + 1, parts);
    if (first == last)
        return;

    if (by_rows) {
        mine.m = last - first;
        mine.a += call->transpose_a ? first : first * call->a_stride;
        mine.c += first * call->c_stride;
    } else {
        mine.n = last - first;
        mine.b += call->transpose_b ? first * call->b_stride : first;
        if (mine.start)
            mine.start += first;
        mine.c += first;
    }
    dd_matmul_run(&mine);
}
