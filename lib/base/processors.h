/* The number of processors that the process may use, and the default number of threads. */
#ifndef DD_PROCESSORS_H
#define DD_PROCESSORS_H

#include "base/ieee.h"

#include <stddef.h>

enum { DD_MOST_THREADS = 256 };

/* Fills an affinity mask of `bytes` bytes; returns 0 or an errno, EINVAL if the mask is too short.
 */
typedef int (*dd_affinity_function)(size_t bytes, unsigned long *mask);

/* Returns the number of processors in the affinity mask; 1 if it cannot be read. Does not allocate.
 */
int dd_processors_in(dd_affinity_function affinity);

/* Returns the number of processors that the calling thread may run on now. */
int dd_processors_allowed(void);

/* Returns the control groups' quota, rounded up to whole processors; 0 if there is none. Reads
 * files.
 */
int dd_processors_quota(void);

/* What the number of threads was chosen by. */
typedef enum dd_threads_reason {
    DD_THREADS_PROCESSORS,
    DD_THREADS_QUOTA,
    DD_THREADS_ENVIRONMENT
} dd_threads_reason;

typedef struct dd_threads_choice {
    int threads; /* 1 to DD_MOST_THREADS */
    dd_threads_reason reason;
    int processors; /* in the affinity mask */
    double quota;   /* in processors; 0 for none */
} dd_threads_choice;

/* Chooses the number of threads: the first number of `environment`, the value of OMP_NUM_THREADS or
 * NULL, if it has one; else the smaller of processors and quota. */
dd_threads_choice dd_threads_choose(int processors, double quota, const char *environment);

/* Writes what the number was chosen by, as text. */
void dd_threads_explain(char *out, size_t size, const dd_threads_choice *choice);

/* Chooses for this process, now. */
dd_threads_choice dd_threads_default(void);

#endif
