/* The pool: everyone takes part, barriers hold everyone, callers that find it busy run alone, and it can be used again, shared and
 * replaced. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "base/threads.h"

#include "base/context.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 8, CALLERS = 8 };

static ddaebm_context *context_of(int threads) {
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(context, threads), DDAEBM_OK);
    return context;
}

/* --- Taking part. --- */

typedef struct roll_call {
    atomic_int present[MOST];
    int size; /* as the caller sees it */
} roll_call;

static void sign_in(void *argument, dd_team *team, int index) {
    roll_call *call = argument;
    atomic_fetch_add(&call->present[index], 1);
    if (index == 0)
        call->size = dd_team_size(team);
}

START_TEST(everyone_takes_part_once) {
    ddaebm_context *context = context_of(_i);
    dd_pool *pool = dd_context_pool(context);
    ck_assert_int_eq(dd_pool_threads(pool), _i);
    for (int run = 0; run < 60; run++) {
        roll_call call = {0};
        dd_pool_run(pool, false, sign_in, &call);
        ck_assert_int_eq(call.size, _i);
        for (int i = 0; i < MOST; i++)
            ck_assert_int_eq(atomic_load(&call.present[i]), i < _i);
    }
    ddaebm_context_free(context);
}
END_TEST

START_TEST(alone_is_alone) {
    ddaebm_context *context = context_of(4);
    roll_call call = {0};
    dd_pool_run(dd_context_pool(context), true, sign_in, &call);
    ck_assert_int_eq(call.size, 1);
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(atomic_load(&call.present[i]), i == 0);
    ddaebm_context_free(context);
}
END_TEST

/* --- Barriers. Plain numbers, so that a race shows under a sanitizer too. --- */

enum { STAGES = 40 };

typedef struct relay {
    int cells[MOST], wrong;
} relay;

/* In each stage everyone reads what its neighbour wrote in the one before. */
static void pass_on(void *argument, dd_team *team, int index) {
    relay *r = argument;
    int size = dd_team_size(team);
    for (int stage = 0; stage < STAGES; stage++) {
        r->cells[index] = stage * MOST + index;
        dd_team_wait(team);
        int neighbour = (index + 1) % size;
        bool right = r->cells[neighbour] == stage * MOST + neighbour;
        dd_team_wait(team);
        if (!right && index == 0)
            r->wrong++;
    }
}

START_TEST(barriers_hold_everyone) {
    ddaebm_context *context = context_of(_i);
    for (int run = 0; run < 5; run++) {
        relay r = {{0}, 0};
        dd_pool_run(dd_context_pool(context), false, pass_on, &r);
        ck_assert_int_eq(r.wrong, 0);
    }
    relay r = {{0}, 0};
    dd_pool_run(dd_context_pool(context), true, pass_on, &r);
    ck_assert_int_eq(r.wrong, 0);
    ddaebm_context_free(context);
}
END_TEST

/* What is written before a call is seen by all, and what all write is seen after it. */
typedef struct sum {
    const int *terms;
    int count, totals[MOST];
} sum;

static void add_up(void *argument, dd_team *team, int index) {
    sum *s = argument;
    for (int i = index; i < s->count; i += dd_team_size(team))
        s->totals[index] += s->terms[i];
}

START_TEST(memory_is_seen_across_calls) {
    ddaebm_context *context = context_of(3);
    int terms[100];
    for (int run = 0; run < 200; run++) {
        sum s = {.terms = terms, .count = 100};
        int expected = 0, found = 0;
        for (int i = 0; i < 100; i++)
            expected += terms[i] = run * i;
        dd_pool_run(dd_context_pool(context), false, add_up, &s);
        for (int i = 0; i < MOST; i++)
            found += s.totals[i];
        ck_assert_int_eq(found, expected);
    }
    ddaebm_context_free(context);
}
END_TEST

/* --- Calls within calls, and from many threads. --- */

typedef struct nest {
    dd_pool *pool;
    atomic_int inner, teams;
} nest;

static void count_team(void *argument, dd_team *team, int index) {
    nest *n = argument;
    atomic_fetch_add(&n->inner, 1);
    if (index == 0)
        atomic_fetch_add(&n->teams, dd_team_size(team));
}

static void call_again(void *argument, dd_team *team, int index) {
    nest *n = argument;
    (void)index;
    dd_pool_run(n->pool, false, count_team, n);
    dd_team_wait(team);
    dd_pool_run(n->pool, false, count_team, n);
}

START_TEST(a_call_within_a_call_runs_alone) {
    ddaebm_context *context = context_of(4);
    for (int run = 0; run < 50; run++) {
        nest n = {.pool = dd_context_pool(context)};
        dd_pool_run(n.pool, false, call_again, &n);
        ck_assert_int_eq(atomic_load(&n.inner), 2 * 4);
        ck_assert_int_eq(atomic_load(&n.teams), 2 * 4); /* eight teams of one */
    }
    ddaebm_context_free(context);
}
END_TEST

static void *call_often(void *argument) {
    dd_pool *pool = argument;
    intptr_t wrong = 0;
    for (int run = 0; run < 50; run++) {
        relay r = {{0}, 0};
        roll_call call = {0};
        dd_pool_run(pool, false, pass_on, &r);
        dd_pool_run(pool, run % 7 == 0, sign_in, &call);
        int present = 0;
        for (int i = 0; i < MOST; i++)
            present += atomic_load(&call.present[i]);
        wrong += r.wrong != 0 || present != call.size;
    }
    return (void *)wrong; /* NOLINT: a count in a pointer */
}

START_TEST(many_callers_share_a_pool) {
    ddaebm_context *context = context_of(3);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, call_often, dd_context_pool(context)), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *wrong = NULL;
        ck_assert_int_eq(pthread_join(callers[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    ddaebm_context_free(context);
}
END_TEST

/* --- Beginning and ending. --- */

START_TEST(pools_come_and_go) {
    ddaebm_context *context = context_of(1);
    for (int run = 0; run < 40; run++) {
        int threads = 1 + run % MOST;
        roll_call call = {0};
        ck_assert_int_eq(ddaebm_context_set_threads(context, threads), DDAEBM_OK);
        ck_assert_int_eq(ddaebm_context_threads(context), threads);
        if (run % 3 == 0) /* also one that was never used */
            continue;
        dd_pool_run(dd_context_pool(context), false, sign_in, &call);
        ck_assert_int_eq(call.size, threads);
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

/* Workers fall asleep between calls that are far apart, and wake. */
START_TEST(sleepers_wake) {
    ddaebm_context *context = context_of(3);
    for (int run = 0; run < 5; run++) {
        roll_call call = {0};
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        dd_pool_run(dd_context_pool(context), false, sign_in, &call);
        ck_assert_int_eq(call.size, 3);
    }
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, everyone_takes_part_once, 1, MOST + 1);
    tcase_add_test(tests, alone_is_alone);
    tcase_add_loop_test(tests, barriers_hold_everyone, 1, 5);
    tcase_add_test(tests, memory_is_seen_across_calls);
    tcase_add_test(tests, a_call_within_a_call_runs_alone);
    tcase_add_test(tests, many_callers_share_a_pool);
    tcase_add_test(tests, pools_come_and_go);
    tcase_add_test(tests, numbers_of_threads_are_bounded);
    tcase_add_test(tests, sleepers_wake);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
