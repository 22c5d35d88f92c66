#include "tensor/kernels/blas_threads.h"

#include <pthread.h>
#include <stddef.h>

/* Each is NULL unless a library that was linked has it: which BLAS runs is decided when a program
 * is loaded. */
#define WEAK __attribute__((weak))
extern WEAK int openblas_get_num_threads(void);
extern WEAK void openblas_set_num_threads(int);
extern WEAK int openblas_get_parallel(void); /* 0: built without threads */
extern WEAK int flexiblas_get_num_threads(void);
extern WEAK void flexiblas_set_num_threads(int);
extern WEAK int64_t bli_thread_get_num_threads(void);
extern WEAK void bli_thread_set_num_threads(int64_t);
extern WEAK int64_t bli_thread_get_jc_nt(void);
extern WEAK int64_t bli_thread_get_pc_nt(void);
extern WEAK int64_t bli_thread_get_ic_nt(void);
extern WEAK int64_t bli_thread_get_jr_nt(void);
extern WEAK int64_t bli_thread_get_ir_nt(void);
extern WEAK void bli_thread_set_ways(int64_t, int64_t, int64_t, int64_t, int64_t);
extern WEAK int omp_get_max_threads(void);
extern WEAK void omp_set_num_threads(int);
extern WEAK int MKL_Set_Num_Threads_Local(int);

/* --- Of the process. --- */

static bool has_blis_ways(void) {
    return bli_thread_set_ways && bli_thread_get_jc_nt && bli_thread_get_pc_nt &&
           bli_thread_get_ic_nt && bli_thread_get_jr_nt && bli_thread_get_ir_nt;
}

/* BLIS' own integers may have 32 bits: the low half of the register is theirs in any case. */
static int64_t blis_threads(void) {
    return (int32_t)bli_thread_get_num_threads();
}

static bool uses_ways(const dd_blas_settings *s) {
    return s->jc > 1 || s->pc > 1 || s->ic > 1 || s->jr > 1 || s->ir > 1;
}

static void hold_blis(dd_blas_settings *found) {
    found->blis = blis_threads();
    if (found->blis > 1)
        bli_thread_set_num_threads(1);
    if (!has_blis_ways())
        return;
    found->jc = (int32_t)bli_thread_get_jc_nt();
    found->pc = (int32_t)bli_thread_get_pc_nt();
    found->ic = (int32_t)bli_thread_get_ic_nt();
    found->jr = (int32_t)bli_thread_get_jr_nt();
    found->ir = (int32_t)bli_thread_get_ir_nt();
    if (uses_ways(found))
        bli_thread_set_ways(1, 1, 1, 1, 1);
}

static void release_blis(const dd_blas_settings *found) {
    if (found->blis > 1)
        bli_thread_set_num_threads(found->blis);
    if (uses_ways(found))
        bli_thread_set_ways(found->jc, found->pc, found->ic, found->jr, found->ir);
}

/* An OpenBLAS on OpenMP sets the calling thread's number for OpenMP, too, which is the caller's. */
static int openmp_threads(void) {
    return omp_get_max_threads && omp_set_num_threads ? omp_get_max_threads() : 0;
}

static void set_openblas(int threads) {
    int openmp = openmp_threads();
    openblas_set_num_threads(threads);
    if (openmp > 0)
        omp_set_num_threads(openmp);
}

dd_blas_settings dd_blas_hold_process(void) {
    dd_blas_settings found = {0};
    if (openblas_set_num_threads && openblas_get_num_threads &&
        (found.openblas = openblas_get_num_threads()) > 1)
        set_openblas(1);
    if (flexiblas_set_num_threads && flexiblas_get_num_threads &&
        (found.flexiblas = flexiblas_get_num_threads()) > 1)
        flexiblas_set_num_threads(1);
    if (bli_thread_set_num_threads && bli_thread_get_num_threads)
        hold_blis(&found);
    return found;
}

void dd_blas_release_process(const dd_blas_settings *found) {
    if (found->openblas > 1)
        set_openblas(found->openblas);
    if (found->flexiblas > 1)
        flexiblas_set_num_threads(found->flexiblas);
    release_blis(found);
}

/* --- Of the thread. --- */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

dd_blas_hold dd_blas_hold_thread(void) {
    dd_blas_hold hold = {.openmp = openmp_threads(),
                         .is_alone = openblas_get_parallel && openblas_get_parallel() == 0};
    if (hold.is_alone)
        pthread_mutex_lock(&turn);
    if (hold.openmp > 1)
        omp_set_num_threads(1);
    if (MKL_Set_Num_Threads_Local)
        hold.mkl = MKL_Set_Num_Threads_Local(1);
    if (bli_thread_set_num_threads && bli_thread_get_num_threads &&
        (hold.blis = blis_threads()) > 1)
        bli_thread_set_num_threads(1);
    return hold;
}

void dd_blas_release_thread(dd_blas_hold hold) {
    if (hold.openmp > 1)
        omp_set_num_threads(hold.openmp);
    if (MKL_Set_Num_Threads_Local)
        (void)MKL_Set_Num_Threads_Local(hold.mkl);
    if (hold.blis > 1)
        bli_thread_set_num_threads(hold.blis);
    if (hold.is_alone)
        pthread_mutex_unlock(&turn);
}
