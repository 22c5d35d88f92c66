/* Every BLAS' own threads are one while the library computes, and as they were afterwards. The BLAS
 * that is linked has some of these functions at most: here are all of them. */
#define _GNU_SOURCE
#include "support/harness.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/kernels/matmul.h"

#include <pthread.h>
#include <sched.h>

/* --- Settings of the process. --- */

static int openblas = 3, flexiblas = 4;
static int64_t blis = 5, ways[5] = {-1, -1, -1, -1, -1};
static _Thread_local int blis_is_local, blis_here = 6; /* AMD's: a number of each thread */

int openblas_get_num_threads(void);
void openblas_set_num_threads(int);
int flexiblas_get_num_threads(void);
void flexiblas_set_num_threads(int);
int openblas_get_parallel(void);
int64_t bli_thread_get_num_threads(void);
void bli_thread_set_num_threads(int64_t);
int64_t bli_thread_get_jc_nt(void);
int64_t bli_thread_get_pc_nt(void);
int64_t bli_thread_get_ic_nt(void);
int64_t bli_thread_get_jr_nt(void);
int64_t bli_thread_get_ir_nt(void);
void bli_thread_set_ways(int64_t, int64_t, int64_t, int64_t, int64_t);
int omp_get_max_threads(void);
void omp_set_num_threads(int);
int MKL_Set_Num_Threads_Local(int);

static _Thread_local int openmp = 7, mkl, ones_of_openmp, ones_of_mkl;

int openblas_get_num_threads(void) {
    return openblas;
}

void openblas_set_num_threads(int threads) { /* as one that was built on OpenMP does */
    openblas = openmp = threads;
}

static int is_parallel = 1;

int openblas_get_parallel(void) {
    return is_parallel;
}

int flexiblas_get_num_threads(void) {
    return flexiblas;
}

void flexiblas_set_num_threads(int threads) {
    flexiblas = threads;
}

int64_t bli_thread_get_num_threads(void) { /* of 32 bits, beside what was in the register */
    return ((int64_t)9 << 32) | (uint32_t)(blis_is_local ? blis_here : blis);
}

void bli_thread_set_num_threads(int64_t threads) {
    if (blis_is_local)
        blis_here = (int)threads;
    else
        blis = threads;
}

int64_t bli_thread_get_jc_nt(void) {
    return ways[0];
}

int64_t bli_thread_get_pc_nt(void) {
    return ways[1];
}

int64_t bli_thread_get_ic_nt(void) {
    return ways[2];
}

int64_t bli_thread_get_jr_nt(void) {
    return ways[3];
}

int64_t bli_thread_get_ir_nt(void) {
    return ways[4];
}

void bli_thread_set_ways(int64_t jc, int64_t pc, int64_t ic, int64_t jr, int64_t ir) {
    memcpy(ways, (int64_t[]){jc, pc, ic, jr, ir}, sizeof ways);
}

/* --- Settings of each thread. --- */

int omp_get_max_threads(void) {
    return openmp;
}

void omp_set_num_threads(int threads) {
    openmp = threads;
    ones_of_openmp += threads == 1;
}

int MKL_Set_Num_Threads_Local(int threads) {
    int before = mkl;
    mkl = threads;
    ones_of_mkl += threads == 1;
    return before;
}

/* --- Tests. --- */

static void assert_process(int n, int64_t of_blis, int64_t jc, int64_t ic) {
    ck_assert_int_eq(openblas, n == 1 ? 1 : 3);
    ck_assert_int_eq(flexiblas, n == 1 ? 1 : 4);
    ck_assert_int_eq(blis, of_blis);
    ck_assert_int_eq(ways[0], jc);
    ck_assert_int_eq(ways[2], ic);
}

START_TEST(the_last_to_leave_puts_back) {
    for (int i = 0; i < 3; i++) {
        dd_blas_enter();
        assert_process(1, 1, -1, -1);
        dd_blas_enter();
        dd_blas_leave();
        assert_process(1, 1, -1, -1);
        dd_blas_leave();
        assert_process(3, 5, -1, -1);
    }
}
END_TEST

/* BLIS_JC_NT=2 BLIS_IC_NT=3, with and without BLIS_NUM_THREADS: shares of loops count before a
 * number of threads. */
START_TEST(shares_of_loops_are_put_back) {
    for (int64_t threads = -1; threads <= 1; threads++) {
        blis = threads;
        bli_thread_set_ways(2, 1, 3, 1, 1);
        dd_blas_enter();
        assert_process(1, threads, 1, 1);
        dd_blas_leave();
        assert_process(3, threads, 2, 3);
    }
}
END_TEST

static dd_matmul_call product(float *c) {
    static const float a[] = {1, 2, 3, 4};
    return (dd_matmul_call){.m = 2,
                            .n = 2,
                            .k = 2,
                            .a = a,
                            .b = a,
                            .c = c,
                            .a_stride = 2,
                            .b_stride = 2,
                            .c_stride = 2};
}

static void *multiply(void *argument) {
    float c[4];
    dd_matmul_call call = product(c);
    mkl = 8;
    blis_is_local = 1;
    ones_of_openmp = ones_of_mkl = 0;
    dd_matmul_run(&call);
    bool is_right = c[0] == 7 && c[3] == 22, were_held = ones_of_openmp == 1 && ones_of_mkl == 1;
    return is_right && were_held && openmp == 7 && mkl == 8 && blis_here == 6 ? argument : NULL;
}

/* A setting of the thread is made on each that multiplies, the caller's or another. */
START_TEST(each_thread_is_held) {
    pthread_t other;
    void *result = NULL;
    dd_blas_enter();
    ck_assert_int_eq(openmp, 7);
    ck_assert_int_eq(pthread_create(&other, NULL, multiply, &result), 0);
    ck_assert_int_eq(pthread_join(other, &result), 0);
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_nonnull(multiply(&result));
    dd_blas_leave();
    ck_assert_int_eq(openmp, 7);
}
END_TEST

START_TEST(a_hold_ends_in_what_was) {
    blis_is_local = 1;
    dd_blas_hold hold = dd_blas_hold_thread();
    ck_assert_int_eq(openmp, 1);
    ck_assert_int_eq(mkl, 1);
    ck_assert_int_eq(blis_here, 1);
    dd_blas_release_thread(hold);
    ck_assert_int_eq(openmp, 7);
    ck_assert_int_eq(mkl, 0);
    ck_assert_int_eq(blis_here, 6);
}
END_TEST

static atomic_int inside;

static void *hold_long(void *argument) {
    bool was_alone = true;
    for (int i = 0; i < 2000; i++) {
        dd_blas_hold hold = dd_blas_hold_thread();
        was_alone = atomic_fetch_add(&inside, 1) == 0 && was_alone;
        sched_yield();
        atomic_fetch_sub(&inside, 1);
        dd_blas_release_thread(hold);
    }
    return was_alone ? argument : NULL;
}

/* An OpenBLAS without threads of its own is not made for those of others. */
START_TEST(threads_take_turns_where_they_must) {
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    void *result = NULL;
    is_parallel = 0;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hold_long, &result), 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_nonnull(result);
    }
}
END_TEST

int main(void) {
    return RUN_TESTS("threads of the BLAS", the_last_to_leave_puts_back,
                     shares_of_loops_are_put_back, each_thread_is_held, a_hold_ends_in_what_was,
                     threads_take_turns_where_they_must);
}
