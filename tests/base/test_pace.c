/* How many share work: all while it pays, fewer when callers wait for others, all again after a
 * while. Times are made up. */
#include "base/pace.h"
#include "support/runner.h"

#include <check.h>
#include <stdlib.h>

enum { MICROSECOND = 1000, MILLISECOND = 1000000 };

/* A stage of two parts, one the caller's, that took `worked`. */
static dd_shared_stage two_parts(int64_t worked, int64_t waited) {
    return (dd_shared_stage){
        .parts = 2, .mine = 1, .takers = 2, .worked = worked, .others = worked, .waited = waited};
}

START_TEST(good_stages_keep_all) {
    dd_pace pace = {0};
    dd_shared_stage stage = two_parts(50 * MICROSECOND, 5 * MICROSECOND);
    for (int64_t now = 0; now < 100; now++) {
        ck_assert_int_eq(dd_pace_takers(&pace, now * MILLISECOND, 8), 8);
        dd_pace_note(&pace, now * MILLISECOND, &stage);
    }
}
END_TEST

/* Waiting half as long as one's own part takes still pays, and so does waiting once after many good
 * stages. */
START_TEST(some_waiting_is_paid_for) {
    dd_pace pace = {0};
    dd_shared_stage half = two_parts(50 * MICROSECOND, 25 * MICROSECOND),
                    once = two_parts(50 * MICROSECOND, 300 * MICROSECOND);
    for (int64_t now = 0; now < 100; now++)
        dd_pace_note(&pace, now, &half);
    dd_pace_note(&pace, 100, &once);
    ck_assert_int_eq(dd_pace_takers(&pace, 101, 2), 2);
}
END_TEST

START_TEST(a_long_wait_halves_the_takers_for_a_while) {
    dd_pace pace = {0};
    dd_shared_stage stage = two_parts(50 * MICROSECOND, 3 * MILLISECOND);
    dd_pace_note(&pace, 0, &stage);
    ck_assert_int_eq(dd_pace_takers(&pace, 1, 2), 1);
    ck_assert_int_eq(dd_pace_takers(&pace, 1, 16), 8);
    ck_assert_int_eq(dd_pace_takers(&pace, MILLISECOND, 2), 1);
    ck_assert_int_eq(dd_pace_takers(&pace, (int64_t)2000 * MILLISECOND, 2), 2);
}
END_TEST

/* A caller that loses its processor in its own part has not been saved as much. */
START_TEST(a_caller_that_was_stopped_gains_nothing) {
    dd_pace pace = {0};
    dd_shared_stage stage = {
        .parts = 2, .mine = 1, .takers = 2, .worked = 3 * MILLISECOND, .others = 20 * MICROSECOND};
    for (int i = 0; i < 4; i++)
        dd_pace_note(&pace, i, &stage);
    stage = two_parts(20 * MICROSECOND, 3 * MILLISECOND);
    dd_pace_note(&pace, 5, &stage);
    ck_assert_int_eq(dd_pace_takers(&pace, 6, 2), 1);
}
END_TEST

/* When all are back at `pace` after a bad stage now. */
static int64_t time_with_fewer(dd_pace *pace, int64_t now) {
    dd_shared_stage stage = two_parts(50 * MICROSECOND, 3 * MILLISECOND);
    dd_pace_note(pace, now, &stage);
    int64_t waited = 0;
    while (dd_pace_takers(pace, now + waited, 2) < 2)
        waited += MILLISECOND;
    return waited;
}

/* Trials that fail one after the other come later each time, up to a second; one that goes well for
 * long begins anew. */
START_TEST(trials_that_fail_become_rare) {
    dd_pace pace = {0};
    int64_t now = 0, before = 0, first = time_with_fewer(&pace, 0);
    now = first;
    for (int i = 0; i < 10; i++) {
        int64_t waited = time_with_fewer(&pace, now);
        ck_assert_int_ge(waited, before);
        ck_assert_int_le(waited, (int64_t)1001 * MILLISECOND);
        now += waited;
        before = waited;
    }
    ck_assert_int_gt(before, 4 * first);
    ck_assert_int_eq(time_with_fewer(&pace, now + (int64_t)5000 * MILLISECOND), first);
}
END_TEST

/* Whoever is woken again and again without taking anything is left asleep; what is woken and then
 * helps is not. */
START_TEST(waking_for_nothing_counts) {
    dd_pace vain = {0}, useful = {0};
    dd_shared_stage nobody = {.parts = 2, .mine = 2, .takers = 2, .woke = true},
                    helped = two_parts(400 * MICROSECOND, 0);
    helped.woke = true;
    for (int i = 0; i < 5; i++) {
        dd_pace_note(&vain, i, &nobody);
        dd_pace_note(&useful, i, &helped);
    }
    ck_assert_int_eq(dd_pace_takers(&vain, 6, 2), 1);
    ck_assert_int_eq(dd_pace_takers(&useful, 6, 2), 2);
}
END_TEST

/* A caller that got no part itself, and one that is alone, say nothing about others. */
START_TEST(nothing_is_learnt_from_no_work) {
    dd_pace pace = {0};
    dd_shared_stage none = {.parts = 2, .mine = 0, .takers = 2, .waited = 30 * MILLISECOND},
                    alone = {.parts = 2, .mine = 2, .takers = 1};
    dd_pace_note(&pace, 0, &none);
    dd_pace_note(&pace, 0, &alone);
    ck_assert_int_eq(dd_pace_takers(&pace, 1, 4), 4);
    ck_assert_int_eq(dd_pace_takers(&pace, 1, 1), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pace");
    TCase *tests = tcase_create("pace");
    tcase_add_test(tests, good_stages_keep_all);
    tcase_add_test(tests, some_waiting_is_paid_for);
    tcase_add_test(tests, a_long_wait_halves_the_takers_for_a_while);
    tcase_add_test(tests, a_caller_that_was_stopped_gains_nothing);
    tcase_add_test(tests, trials_that_fail_become_rare);
    tcase_add_test(tests, waking_for_nothing_counts);
    tcase_add_test(tests, nothing_is_learnt_from_no_work);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
