/* Sleeping until another thread wakes it: by a futex where the system has them, else by a mutex and
 * a condition variable. */
#ifndef DD_DOZE_H
#define DD_DOZE_H

#include "base/ieee.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#if defined(__linux__) && !defined(DD_NO_FUTEX)
#include <sys/syscall.h>
#ifdef SYS_futex
#define DD_HAVE_FUTEX
#endif
#endif

/* The state of one thread that sleeps. It announces that it is about to (dd_doze_announce), checks
 * once more what it waits for, and then sleeps (dd_doze) or stays awake (dd_doze_cancel). The
 * thread that makes it come true calls dd_doze_end afterwards. */
typedef struct dd_sleeper {
    atomic_uint asleep; /* 0 or 1 */
#ifndef DD_HAVE_FUTEX
    pthread_mutex_t lock;
    pthread_cond_t wake;
#endif
} dd_sleeper;

void dd_doze_init(dd_sleeper *sleeper);
void dd_doze_destroy(dd_sleeper *sleeper);

void dd_doze_announce(dd_sleeper *sleeper);
void dd_doze_cancel(dd_sleeper *sleeper);

/* Sleeps until dd_doze_end; returns at once if that was called since the announcement. */
void dd_doze(dd_sleeper *sleeper);

/* Ends a sleep that was announced or has begun; returns false if there is none. */
bool dd_doze_end(dd_sleeper *sleeper);

#endif
