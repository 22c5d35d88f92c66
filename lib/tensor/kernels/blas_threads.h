/* A BLAS has threads of its own, which would fight with the library's. Here they are held to one,
 * and put back. */
#ifndef DD_BLAS_THREADS_H
#define DD_BLAS_THREADS_H

#include <ddaebm/status.h>
#include <stdbool.h>
#include <stdint.h>

/* Between these two the BLAS keeps to the calling thread, as far as that is a setting of the
 * process (OpenBLAS, BLIS, FlexiBLAS). The setting is saved when the first computation begins and
 * put back when the last one ends. */
void dd_blas_enter(void);
void dd_blas_leave(void);

/* STATE in a child that was forked while another thread was between those two: it must not compute.
 */
ddaebm_status dd_blas_check(void);

/* What a thread's own settings were: 0 where they are not held. */
typedef struct dd_blas_hold {
    int openmp, mkl;
    int64_t blis;
    bool is_alone; /* no other thread is in the BLAS */
} dd_blas_hold;

/* Around each call of the BLAS, on the thread that makes it: as far as it is a setting of the
 * thread (OpenMP, MKL, and BLIS where dd_blas_enter did not reach this thread). An OpenBLAS that
 * was built without threads gives two callers one buffer: there, threads take turns. */
dd_blas_hold dd_blas_hold_thread(void);
void dd_blas_release_thread(dd_blas_hold hold);

#endif
