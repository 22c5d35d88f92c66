/* The pool: every part runs once whoever takes it, nobody waits for who has taken nothing, callers
 * that find it busy run alone, and it can be used again, shared and replaced. Linked so that
 * pthread_create passes here first (CMakeLists.txt). */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "base/threads.h"

#include "base/context.h"
#include "support/runner.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 8, CALLERS = 8 };

static ddaebm_context *context_of(int threads) {
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(context, threads), DDAEBM_OK);
    return context;
}

/* Of so many processors, whatever the machine has: as many may take part. */
static dd_pool *pool_of(ddaebm_context *context, int threads, int processors) {
    dd_pool *pool = NULL;
    ck_assert_int_eq(dd_pool_create(&pool, context, threads, processors), DDAEBM_OK);
    return pool;
}

/* --- Every part once. --- */

enum { PARTS = DD_MOST_PARTS };

typedef struct roll_call {
    atomic_int parts[PARTS], takers[MOST];
    atomic_int outside; /* takers beyond the bound */
    int bound;
} roll_call;

static void sign_in(void *argument, size_t part, int taker) {
    roll_call *call = argument;
    atomic_fetch_add(&call->parts[part], 1);
    if (taker < 0 || taker >= call->bound)
        atomic_fetch_add(&call->outside, 1);
    else
        atomic_fetch_add(&call->takers[taker], 1);
}

static void expect_once(roll_call *call, size_t parts) {
    for (size_t i = 0; i < PARTS; i++)
        ck_assert_int_eq(atomic_load(&call->parts[i]), i < parts);
    ck_assert_int_eq(atomic_load(&call->outside), 0);
}

/* Of 1 to MOST threads; more threads than parts, and the other way round. */
START_TEST(every_part_runs_once) {
    static const size_t parts[] = {0, 1, 2, 3, 5, 8, 17, 200, PARTS};
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, _i, _i);
    ck_assert_int_eq(dd_pool_threads(pool), _i);
    for (size_t run = 0; run < 20 * sizeof parts / sizeof *parts; run++) {
        roll_call call = {.bound = _i};
        size_t count = parts[run % (sizeof parts / sizeof *parts)];
        dd_pool_run(
            pool, run % 5 == 0,
            &(dd_work){
                .parts = count, .small = run % 3 == 0, .function = sign_in, .argument = &call});
        expect_once(&call, count);
    }
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

START_TEST(alone_is_the_caller) {
    ddaebm_context *context = context_of(4);
    roll_call call = {.bound = 1};
    dd_pool_run(dd_context_pool(context), true,
                &(dd_work){.parts = 9, .function = sign_in, .argument = &call});
    expect_once(&call, 9);
    ddaebm_context_free(context);
}
END_TEST

/* Neither more than there are processors, nor more than the work has room for. */
START_TEST(takers_are_bounded) {
    ddaebm_context *context = context_of(1);
    dd_pool *few = pool_of(context, MOST, _i), *many = pool_of(context, MOST, MOST);
    for (int run = 0; run < 200; run++) {
        roll_call by_processors = {.bound = _i}, by_room = {.bound = _i};
        dd_pool_run(few, false,
                    &(dd_work){.parts = 64, .function = sign_in, .argument = &by_processors});
        dd_pool_run(
            many, false,
            &(dd_work){.parts = 64, .takers = _i, .function = sign_in, .argument = &by_room});
        expect_once(&by_processors, 64);
        expect_once(&by_room, 64);
    }
    dd_pool_free(few, context);
    dd_pool_free(many, context);
    ddaebm_context_free(context);
}
END_TEST

/* --- Together. --- */

typedef struct meeting {
    pthread_barrier_t all;
    atomic_int takers[MOST];
} meeting;

static void meet(void *argument, size_t part, int taker) {
    meeting *m = argument;
    (void)part;
    atomic_fetch_add(&m->takers[taker], 1);
    (void)pthread_barrier_wait(&m->all);
}

/* As many parts as takers, each of which waits for all others: each taker has one. Sleepers wake
 * for it. */
START_TEST(all_threads_share) {
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, _i, _i);
    for (int run = 0; run < 3; run++) {
        meeting m = {.takers = {0}};
        ck_assert_int_eq(pthread_barrier_init(&m.all, NULL, (unsigned)_i), 0);
        (void)nanosleep(&(struct timespec){.tv_nsec = run * 20000000}, NULL);
        dd_pool_run(pool, false, &(dd_work){.parts = (size_t)_i, .function = meet, .argument = &m});
        for (int i = 0; i < _i; i++)
            ck_assert_int_eq(atomic_load(&m.takers[i]), 1);
        pthread_barrier_destroy(&m.all);
        dd_pool_free(pool, context); /* what its pace has learnt goes with it */
        pool = pool_of(context, _i, _i);
    }
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

/* --- Threads that do not come. They begin when they are let. --- */

static atomic_bool held_back;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

typedef struct beginning {
    void *(*function)(void *);
    void *argument;
} beginning;

static void *begin_late(void *argument) {
    beginning b = *(beginning *)argument;
    free(argument);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return b.function(b.argument);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument) {
    if (!atomic_load(&held_back))
        return __real_pthread_create(thread, attributes, function, argument);
    beginning *b = malloc(sizeof *b);
    ck_assert_ptr_nonnull(b);
    *b = (beginning){function, argument};
    return __real_pthread_create(thread, attributes, begin_late, b);
}

START_TEST(who_has_taken_nothing_holds_nobody_up) {
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, 4, 4);
    pthread_mutex_lock(&gate);
    atomic_store(&held_back, true);
    for (int run = 0; run < 100; run++) {
        roll_call call = {.bound = 1}; /* all by the caller */
        dd_pool_run(pool, false, &(dd_work){.parts = 16, .function = sign_in, .argument = &call});
        expect_once(&call, 16);
    }
    atomic_store(&held_back, false);
    pthread_mutex_unlock(&gate);
    for (int run = 0; run < 100; run++) { /* they come in the middle */
        roll_call call = {.bound = 4};
        dd_pool_run(pool, false, &(dd_work){.parts = 16, .function = sign_in, .argument = &call});
        expect_once(&call, 16);
    }
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

/* --- Stages after each other. Plain numbers, so that a race shows under a sanitizer too. --- */

enum { STAGES = 40 };

typedef struct relay {
    int cells[2][MOST], stage;
    atomic_int wrong;
} relay;

/* Each part reads what its neighbour wrote in the stage before. */
static void pass_on(void *argument, size_t part, int taker) {
    relay *r = argument;
    (void)taker;
    if (r->stage > 0 && r->cells[(r->stage - 1) % 2][(part + 1) % MOST] !=
                            (r->stage - 1) * MOST + (int)((part + 1) % MOST))
        atomic_fetch_add(&r->wrong, 1);
    r->cells[r->stage % 2][part] = r->stage * MOST + (int)part;
}

static int run_relay(dd_pool *pool, bool alone) {
    relay r = {.stage = 0};
    dd_team team = dd_pool_enter(pool, alone);
    for (; r.stage < STAGES; r.stage++)
        dd_team_run(team, &(dd_work){.parts = MOST,
                                     .small = r.stage % 2 == 1,
                                     .function = pass_on,
                                     .argument = &r});
    dd_pool_leave(team);
    return atomic_load(&r.wrong);
}

START_TEST(stages_see_what_was_written) {
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, _i, _i);
    for (int run = 0; run < 50; run++)
        ck_assert_int_eq(run_relay(pool, run % 10 == 0), 0);
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

/* --- Calls within calls, and from many threads. --- */

typedef struct nest {
    dd_pool *pool;
    atomic_int outer, inner, others;
} nest;

static void count_inner(void *argument, size_t part, int taker) {
    nest *n = argument;
    (void)part;
    atomic_fetch_add(&n->inner, 1);
    if (taker != 0)
        atomic_fetch_add(&n->others, 1);
}

static void call_again(void *argument, size_t part, int taker) {
    nest *n = argument;
    (void)part;
    (void)taker;
    atomic_fetch_add(&n->outer, 1);
    dd_pool_run(n->pool, false, &(dd_work){.parts = 3, .function = count_inner, .argument = n});
}

START_TEST(a_call_within_a_call_runs_alone) {
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, 4, 4);
    for (int run = 0; run < 50; run++) {
        nest n = {.pool = pool};
        dd_pool_run(pool, false, &(dd_work){.parts = 4, .function = call_again, .argument = &n});
        ck_assert_int_eq(atomic_load(&n.outer), 4);
        ck_assert_int_eq(atomic_load(&n.inner), 3 * 4);
        ck_assert_int_eq(atomic_load(&n.others), 0);
    }
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

static void *call_often(void *argument) {
    dd_pool *pool = argument;
    intptr_t wrong = 0;
    for (int run = 0; run < 50; run++) {
        roll_call call = {.bound = 3};
        wrong += run_relay(pool, false);
        dd_pool_run(pool, run % 7 == 0,
                    &(dd_work){.parts = 20, .function = sign_in, .argument = &call});
        for (int i = 0; i < 20; i++)
            wrong += atomic_load(&call.parts[i]) != 1;
        wrong += atomic_load(&call.outside);
    }
    return (void *)wrong; /* NOLINT: a count in a pointer */
}

START_TEST(many_callers_share_a_pool) {
    ddaebm_context *context = context_of(1);
    dd_pool *pool = pool_of(context, 3, 3);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, call_often, pool), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *wrong = NULL;
        ck_assert_int_eq(pthread_join(callers[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    dd_pool_free(pool, context);
    ddaebm_context_free(context);
}
END_TEST

/* --- Beginning and ending. --- */

START_TEST(pools_come_and_go) {
    ddaebm_context *context = context_of(1);
    for (int run = 0; run < 40; run++) {
        int threads = 1 + run % MOST;
        roll_call call = {.bound = threads};
        ck_assert_int_eq(ddaebm_context_set_threads(context, threads), DDAEBM_OK);
        ck_assert_int_eq(ddaebm_context_threads(context), threads);
        if (run % 3 == 0) /* also one that was never used */
            continue;
        dd_pool_run(dd_context_pool(context), false,
                    &(dd_work){.parts = 12, .function = sign_in, .argument = &call});
        expect_once(&call, 12);
    }
    ddaebm_context_free(context);
}
END_TEST

START_TEST(numbers_of_threads_are_bounded) {
    ddaebm_context *context = context_of(2);
    const int bad[] = {0, -1, 257, 1 << 30};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ddaebm_context_set_threads(context, bad[i]), DDAEBM_OUT_OF_RANGE);
        ck_assert_int_eq(ddaebm_context_threads(context), 2);
    }
    ck_assert_int_eq(ddaebm_context_set_threads(NULL, 2), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_context_set_threads(context, 256), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_threads(context), 256);
    ddaebm_context_free(context);
    ck_assert_int_ge(ddaebm_context_threads(NULL), 1);
    ck_assert_int_le(ddaebm_context_threads(NULL), 256);
    dd_pool_free(NULL, NULL);
}
END_TEST

/* A pool may end while its threads look for work, and while they sleep. */
START_TEST(sleepers_end) {
    ddaebm_context *context = context_of(1);
    for (int run = 0; run < 20; run++) {
        roll_call call = {.bound = 3};
        dd_pool *pool = pool_of(context, 3, 3);
        dd_pool_run(pool, false, &(dd_work){.parts = 6, .function = sign_in, .argument = &call});
        (void)nanosleep(&(struct timespec){.tv_nsec = run % 2 * 10000000}, NULL);
        dd_pool_free(pool, context);
        expect_once(&call, 6);
    }
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_part_runs_once, 1, MOST + 1);
    tcase_add_test(tests, alone_is_the_caller);
    tcase_add_loop_test(tests, takers_are_bounded, 1, 4);
    tcase_add_loop_test(tests, all_threads_share, 2, MOST + 1);
    tcase_add_test(tests, who_has_taken_nothing_holds_nobody_up);
    tcase_add_loop_test(tests, stages_see_what_was_written, 1, 5);
    tcase_add_test(tests, a_call_within_a_call_runs_alone);
    tcase_add_test(tests, many_callers_share_a_pool);
    tcase_add_test(tests, pools_come_and_go);
    tcase_add_test(tests, numbers_of_threads_are_bounded);
    tcase_add_test(tests, sleepers_end);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
