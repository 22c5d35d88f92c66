/* A thread's sleep until another wakes it: a futex where the system has them, else a mutex and a
 * condition variable. */
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

/* One sleeper's own. It says that it is about to sleep (dd_doze_announce), looks once more whether
 * there is a reason not to, and then sleeps (dd_doze) or thinks better of it (dd_doze_cancel). Who
 * makes such a reason calls dd_doze_end afterwards. */
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

/* Returns when it has been ended, at once if that was before. */
void dd_doze(dd_sleeper *sleeper);

/* Ends the sleep; false if there was none, announced or begun. */
bool dd_doze_end(dd_sleeper *sleeper);

#endif
