#include "tensor/kernels/matmul.h"

#include "base/error.h"

#include <cblas.h>
#include <pthread.h>
#include <string.h>

/* How many products are summed at once: where matrices are small, OpenBLAS adds all of them to one float in turn, and those of a weight's
 * gradient are as many as pixels. */
enum { MOST_INNER = 1024 };

void dd_matmul_run(const dd_matmul_call *call) {
    CBLAS_TRANSPOSE ta = call->transpose_a ? CblasTrans : CblasNoTrans, tb = call->transpose_b ? CblasTrans : CblasNoTrans;
    int m = (int)call->m, n = (int)call->n, k = (int)call->k;
    const float beta = call->start ? 1.0f : call->beta;
    for (size_t i = 0; call->start && i < call->m; i++)
        memcpy(call->c + i * call->c_stride, call->start, call->n * sizeof *call->c);
    int lda = (int)call->a_stride, ldb = (int)call->b_stride, ldc = (int)call->c_stride;
    if (m == 1 && (k == 1 || !call->transpose_a)) { /* c = op(B)^T a */
        bool as_stored = call->transpose_b;
        cblas_sgemv(CblasRowMajor, as_stored ? CblasNoTrans : CblasTrans, as_stored ? n : k, as_stored ? k : n, 1.0f, call->b, ldb,
                    call->a, 1, beta, call->c, 1);
        return;
    }
    if (n == 1 && ldc == 1) { /* c = op(A) b */
        int b_step = call->transpose_b ? 1 : ldb;
        cblas_sgemv(CblasRowMajor, ta, call->transpose_a ? k : m, call->transpose_a ? m : k, 1.0f, call->a, lda, call->b, b_step,
                    beta, call->c, 1);
        return;
    }
    for (int first = 0; first < k; first += MOST_INNER) {
        const float *a = call->a + (size_t)first * (call->transpose_a ? call->a_stride : 1);
        const float *b = call->b + (size_t)first * (call->transpose_b ? 1 : call->b_stride);
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k - first < MOST_INNER ? k - first : MOST_INNER, 1.0f, a, lda, b, ldb,
                    first == 0 ? beta : 1.0f, call->c, ldc);
    }
}

/* Where part `part` of `parts` begins in `size` rows or columns: at a multiple of 8, so that parts keep to whole vectors. */
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

/* --- The threads of OpenBLAS, if that is the BLAS that was linked. --- */

extern void openblas_set_num_threads(int) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;
static int inside, saved;
static _Thread_local int inside_here; /* of this thread */
static bool stranded;                 /* a fork came while another thread computed */

/* A child has one thread: the lock here is to be free in it. Those inside the BLAS may be held, and nobody will give them back. */
static void before_fork(void) {
    pthread_mutex_lock(&lock);
}

static void after_fork(void) {
    pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void) {
    stranded = stranded || inside > inside_here;
    inside = inside_here;
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void) {
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

ddaebm_status dd_blas_check(void) {
    if (!stranded)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE,
                   "this process was forked while another thread computed, whose locks in the BLAS nobody gives back: "
                   "fork while no call computes, or execute another program");
}

static bool can_hold_threads(void) {
    return openblas_set_num_threads && openblas_get_num_threads;
}

void dd_blas_enter(void) {
    (void)pthread_once(&fork_watch, watch_forks);
    pthread_mutex_lock(&lock);
    inside_here++;
    if (inside++ == 0 && can_hold_threads()) {
        saved = openblas_get_num_threads();
        if (saved != 1)
            openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&lock);
}

void dd_blas_leave(void) {
    pthread_mutex_lock(&lock);
    inside_here--;
    if (--inside == 0 && can_hold_threads() && saved != 1)
        openblas_set_num_threads(saved);
    pthread_mutex_unlock(&lock);
}
