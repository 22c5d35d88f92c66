/* A BLAS has threads of its own, which would compete with the library's. Here its number of threads
 * is set to one and restored, in OpenBLAS, BLIS, FlexiBLAS, MKL and OpenMP, whichever is linked. */
#ifndef DD_BLAS_THREADS_H
#define DD_BLAS_THREADS_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stdint.h>

/* The settings of the process. BLIS takes a number of threads, or how many share each of its loops;
 * -1 is its word for what nobody set. */
typedef struct dd_blas_settings {
    int openblas, flexiblas;
    int64_t blis, jc, pc, ic, jr, ir;
} dd_blas_settings;

/* Sets the process's settings to one thread and returns what they were; puts them back. Not to be
 * called by two threads at once (exec/computation.c sees to that). */
dd_blas_settings dd_blas_hold_process(void);
void dd_blas_release_process(const dd_blas_settings *found);

/* The settings of a thread: 0 where they are not held. */
typedef struct dd_blas_hold {
    int openmp, mkl;
    int64_t blis;
    bool is_alone; /* no other thread is in the BLAS */
} dd_blas_hold;

/* The same for settings of the calling thread (OpenMP, MKL, and BLIS where dd_blas_hold_process did
 * not reach this thread): around each call of the BLAS. An OpenBLAS that was built without threads
 * gives two callers one buffer: there, threads take turns. */
dd_blas_hold dd_blas_hold_thread(void);
void dd_blas_release_thread(dd_blas_hold hold);

#endif
