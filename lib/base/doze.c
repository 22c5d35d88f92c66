#define _GNU_SOURCE /* syscall */
#include "base/doze.h"

#ifdef DD_HAVE_FUTEX
#include <errno.h>
#include <linux/futex.h>
#include <unistd.h>
#endif

void dd_doze_announce(dd_sleeper *sleeper) {
    atomic_store(&sleeper->asleep, 1);
}

void dd_doze_cancel(dd_sleeper *sleeper) {
    atomic_store(&sleeper->asleep, 0);
}

#ifdef DD_HAVE_FUTEX

void dd_doze_init(dd_sleeper *sleeper) {
    atomic_init(&sleeper->asleep, 0);
}

void dd_doze_destroy(dd_sleeper *sleeper) {
    (void)sleeper;
}

void dd_doze(dd_sleeper *sleeper) {
    int before = errno;
    while (atomic_load(&sleeper->asleep) == 1)
        (void)syscall(SYS_futex, &sleeper->asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    errno = before;
}

bool dd_doze_end(dd_sleeper *sleeper) {
    if (atomic_load(&sleeper->asleep) == 0 || atomic_exchange(&sleeper->asleep, 0) == 0)
        return false;
    int before = errno;
    (void)syscall(SYS_futex, &sleeper->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = before;
    return true;
}

#else

void dd_doze_init(dd_sleeper *sleeper) {
    atomic_init(&sleeper->asleep, 0);
    pthread_mutex_init(&sleeper->lock, NULL);
    pthread_cond_init(&sleeper->wake, NULL);
}

void dd_doze_destroy(dd_sleeper *sleeper) {
    pthread_cond_destroy(&sleeper->wake);
    pthread_mutex_destroy(&sleeper->lock);
}

void dd_doze(dd_sleeper *sleeper) {
    pthread_mutex_lock(&sleeper->lock);
    while (atomic_load(&sleeper->asleep) == 1)
        pthread_cond_wait(&sleeper->wake, &sleeper->lock);
    pthread_mutex_unlock(&sleeper->lock);
}

bool dd_doze_end(dd_sleeper *sleeper) {
    if (atomic_load(&sleeper->asleep) == 0)
        return false;
    pthread_mutex_lock(&sleeper->lock);
    bool ended = atomic_exchange(&sleeper->asleep, 0) == 1;
    pthread_cond_signal(&sleeper->wake);
    pthread_mutex_unlock(&sleeper->lock);
    return ended;
}

#endif
