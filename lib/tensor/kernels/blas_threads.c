#include "tensor/kernels/blas_threads.h"

#include "base/error.h"

#include <pthread.h>

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

/* What was found: -1 is BLIS' own word for what nobody set. It takes a number of threads, or how
 * many share each of its loops. */
typedef struct settings {
    int openblas, flexiblas;
    int64_t blis, jc, pc, ic, jr, ir;
} settings;

static bool has_blis_ways(void) {
    return bli_thread_set_ways && bli_thread_get_jc_nt && bli_thread_get_pc_nt &&
           bli_thread_get_ic_nt && bli_thread_get_jr_nt && bli_thread_get_ir_nt;
}

/* BLIS' own integers may have 32 bits: the low half of the register is theirs in any case. */
static int64_t blis_threads(void) {
    return (int32_t)bli_thread_get_num_threads();
}

static bool uses_ways(const settings *s) {
    return s->jc > 1 || s->pc > 1 || s->ic > 1 || s->jr > 1 || s->ir > 1;
}

static void hold_blis(settings *found) {
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

static void release_blis(const settings *found) {
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

static settings hold_process(void) {
    settings found = {0};
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

static void release_process(const settings *found) {
    if (found->openblas > 1)
        set_openblas(found->openblas);
    if (found->flexiblas > 1)
        flexiblas_set_num_threads(found->flexiblas);
    release_blis(found);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;
static int inside;
static settings saved;
static _Thread_local int inside_here; /* of this thread */
static bool stranded;                 /* a fork came while another thread computed */

/* A child has one thread: the lock here is to be free in it. Those inside the BLAS may be held, and
 * nobody will give them back. */
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
    return dd_fail(DDAEBM_STATE, "this process was forked while another thread computed, whose "
                                 "locks in the BLAS nobody gives back: "
                                 "fork while no call computes, or execute another program");
}

void dd_blas_enter(void) {
    (void)pthread_once(&fork_watch, watch_forks);
    pthread_mutex_lock(&lock);
    inside_here++;
    if (inside++ == 0)
        saved = hold_process();
    pthread_mutex_unlock(&lock);
}

void dd_blas_leave(void) {
    pthread_mutex_lock(&lock);
    inside_here--;
    if (--inside == 0)
        release_process(&saved);
    pthread_mutex_unlock(&lock);
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
