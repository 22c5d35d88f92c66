#include "tensor/exec/computation.h"

#include "base/error.h"
#include "tensor/kernels/blas_threads.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;
static int inside;                    /* computations under way, of all threads */
static dd_blas_settings saved;        /* before the first of them */
static _Thread_local int inside_here; /* of this thread */
static bool stranded;                 /* a fork came while another thread computed */

/* A child has one thread, and needs the lock here to be free. Locks inside the BLAS may be held by
 * threads that the child does not have: nobody will give them back. */
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

ddaebm_status dd_computation_check(void) {
    if (!stranded)
        return DDAEBM_OK;
    return dd_fail(DDAEBM_STATE, "this process was forked while another thread computed, and may "
                                 "hold locks of the BLAS that are never released: "
                                 "fork while no call computes, or execute another program");
}

void dd_computation_begin(void) {
    (void)pthread_once(&fork_watch, watch_forks);
    pthread_mutex_lock(&lock);
    inside_here++;
    if (inside++ == 0)
        saved = dd_blas_hold_process();
    pthread_mutex_unlock(&lock);
}

void dd_computation_end(void) {
    pthread_mutex_lock(&lock);
    inside_here--;
    if (--inside == 0)
        dd_blas_release_process(&saved);
    pthread_mutex_unlock(&lock);
}
