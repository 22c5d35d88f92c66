/* How many processors the process may use, and how many threads that means. */
#ifndef DD_PROCESSORS_H
#define DD_PROCESSORS_H

#include "base/ieee.h"

#include <stddef.h>

enum { DD_MOST_THREADS = 256 };

/* Fills an affinity mask of `bytes` bytes; an errno, EINVAL if it is too short. */
typedef int (*dd_affinity_function)(size_t bytes, unsigned long *mask);

/* Processors in the mask, of any size; 1 if it cannot be had. Does not allocate. */
int dd_processors_in(dd_affinity_function affinity);

/* Processors that the calling thread may run on now. */
int dd_processors_allowed(void);

/* What the control groups' quota allows, rounded up to whole processors; 0 if there is none. Reads
 * files. */
int dd_processors_quota(void);

/* What decides the number of threads. */
typedef enum dd_threads_reason {
    DD_THREADS_PROCESSORS,
    DD_THREADS_QUOTA,
    DD_THREADS_ENVIRONMENT
} dd_threads_reason;

typedef struct dd_threads_choice {
    int threads; /* 1 to DD_MOST_THREADS */
    dd_threads_reason reason;
    int processors; /* allowed */
    double quota;   /* 0: none */
} dd_threads_choice;

/* `environment` is OMP_NUM_THREADS or NULL: its first number counts as it is, anything else is
 * ignored. */
dd_threads_choice dd_threads_choose(int processors, double quota, const char *environment);

/* What decided it, in words. */
void dd_threads_explain(char *out, size_t size, const dd_threads_choice *choice);

/* For this process, now. */
dd_threads_choice dd_threads_default(void);

#endif
