/* The system gives fewer threads than were asked for, or none: everything goes on, on those that
 * there are, with the same bits. This program is linked so that pthread_create passes here first
 * (CMakeLists.txt). */
#define _GNU_SOURCE
#include "embedding/embedding.h"
#include "support/counted.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { THREADS = 4 };

static atomic_int asked, allowed; /* threads, since it was set */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ck_assert(sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
              sigismember(&mask, SIGUSR1) == 1);
    return atomic_fetch_add(&asked, 1) < atomic_load(&allowed)
               ? __real_pthread_create(thread, attributes, function, argument)
               : EAGAIN;
}

static void allow(int threads) {
    atomic_store(&asked, 0);
    atomic_store(&allowed, threads);
}

/* _i threads beside the caller's own. */
START_TEST(fewer_threads_do_the_same_work) {
    static task all, fewer;
    open_context(THREADS);
    allow(THREADS);
    do_task(context, &all);
    ck_assert_int_eq(atomic_load(&asked), THREADS - 1);
    close_context();
    open_context(THREADS);
    allow(_i);
    do_task(context, &fewer);
    ck_assert_int_gt(atomic_load(&asked), _i); /* and was refused */
    close_context();
    ck_assert_mem_eq(&all, &fewer, sizeof all);
}
END_TEST

/* What was refused for want of threads is asked for again while there is none, and then had. */
START_TEST(threads_may_come_later) {
    static task none, later;
    open_context(THREADS);
    allow(0);
    do_task(context, &none);
    allow(THREADS);
    do_task(context, &later);
    ck_assert_int_eq(atomic_load(&asked), THREADS - 1);
    ck_assert_mem_eq(&none, &later, sizeof none);
    close_context();
}
END_TEST

int main(void) {
    const TTest *const some[] = {fewer_threads_do_the_same_work}, *const once[] = {
                                                                      threads_may_come_later};
    return run_loop_tests("fewer threads", some, 1, THREADS - 1) |
           run_tests("threads later", once, 1);
}
