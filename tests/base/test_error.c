/* The values of statuses, which never change, and the error text of each thread. */
#include "base/error.h"

#include "base/context.h"
#include "support/comma_locale.h"
#include "support/runner.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Statuses may be added at the end; none may change its value. */
START_TEST(values_are_pinned) {
    ck_assert_int_eq(DDAEBM_OK, 0);
    ck_assert_int_eq(DDAEBM_INVALID_ARGUMENT, 1);
    ck_assert_int_eq(DDAEBM_OUT_OF_MEMORY, 2);
    ck_assert_int_eq(DDAEBM_IO, 3);
    ck_assert_int_eq(DDAEBM_FORMAT, 4);
    ck_assert_int_eq(DDAEBM_UNSUPPORTED, 5);
    ck_assert_int_eq(DDAEBM_NOT_FOUND, 6);
    ck_assert_int_eq(DDAEBM_OUT_OF_RANGE, 7);
    ck_assert_int_eq(DDAEBM_MISMATCH, 8);
    ck_assert_int_eq(DDAEBM_CANCELLED, 9);
    ck_assert_int_eq(DDAEBM_NOT_FINITE, 10);
    ck_assert_int_eq(DDAEBM_STATE, 11);
    ck_assert_int_eq(DDAEBM_INTERNAL, 12);
#define ONE_MORE(name, value, text) +1
    ck_assert_int_eq(0 DDAEBM_STATUS_LIST(ONE_MORE), 13);
#undef ONE_MORE
}
END_TEST

START_TEST(every_status_has_a_text) {
#define CHECK_TEXT(name, value, text) ck_assert_str_eq(ddaebm_status_text(DDAEBM_##name), text);
    DDAEBM_STATUS_LIST(CHECK_TEXT)
#undef CHECK_TEXT
    for (int a = 0; a < 13; a++)
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(ddaebm_status_text((ddaebm_status)a),
                             ddaebm_status_text((ddaebm_status)b));
    ck_assert_str_eq(ddaebm_status_text((ddaebm_status)13), "unknown status");
    ck_assert_str_eq(ddaebm_status_text((ddaebm_status)100), "unknown status");
}
END_TEST

START_TEST(the_last_failure_is_kept) {
    ck_assert_str_eq(ddaebm_error_message(), "");
    ck_assert_int_eq(dd_fail(DDAEBM_IO, "cannot read %s: %d", "a file", 5), DDAEBM_IO);
    ck_assert_str_eq(ddaebm_error_message(), "cannot read a file: 5");
    ck_assert_int_eq(dd_fail_in(DDAEBM_FORMAT, "model.safetensors"), DDAEBM_FORMAT);
    ck_assert_str_eq(ddaebm_error_message(), "model.safetensors: cannot read a file: 5");
    ck_assert_int_eq(dd_fail(DDAEBM_STATE, "another"), DDAEBM_STATE);
    ck_assert_str_eq(ddaebm_error_message(), "another");
    (void)dd_fail(DDAEBM_IO, "cannot read %s", "a\nfile\x1B");
    ck_assert_str_eq(ddaebm_error_message(), "cannot read a?file?");
    (void)dd_fail_in(DDAEBM_IO, "in\rhere");
    ck_assert_str_eq(ddaebm_error_message(), "in?here: cannot read a?file?");
}
END_TEST

START_TEST(long_texts_are_cut) {
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    (void)dd_fail(DDAEBM_IO, "%s", text);
    ck_assert_uint_eq(strlen(ddaebm_error_message()), 511);
    for (int i = 0; i < 10; i++)
        (void)dd_fail_in(DDAEBM_IO, text);
    ck_assert_uint_le(strlen(ddaebm_error_message()), 511);
    ck_assert_uint_ge(strlen(ddaebm_error_message()), 500);
}
END_TEST

static ddaebm_status needs_both(const char *first, const char *second) {
    DD_REQUIRE(first);
    DD_REQUIRE(second);
    return DDAEBM_OK;
}

static ddaebm_status tries(ddaebm_status given, int *cleanups) {
    ddaebm_status status = DDAEBM_OK;
    DD_TRY(needs_both("", ""));
    DD_TRY(given);
    *cleanups += 10;
cleanup:
    ++*cleanups;
    return status;
}

static void keep_line(void *user, ddaebm_log_level level, const char *line) {
    (void)level;
    (void)snprintf(user, 64, "%s", line);
}

/* Messages and the log, in a host whose numbers have a comma; its locale stays. */
START_TEST(numbers_have_a_point_in_every_locale) {
    char line[64] = "", number[16];
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_log(context, keep_line, line, DDAEBM_LOG_INFO), DDAEBM_OK);
    ck_assert(set_comma_locale());
    (void)dd_fail(DDAEBM_IO, "%g of %.2f", 0.5, 1.25);
    dd_report(context, DDAEBM_LOG_INFO, "%.1f%%", 99.5);
    (void)snprintf(number, sizeof number, "%.1f", 1.5);
    ck_assert_str_eq(ddaebm_error_message(), "0.5 of 1.25");
    ck_assert_str_eq(line, "99.5%");
    ck_assert_str_eq(number, "1,5");
    (void)setlocale(LC_ALL, "C");
    ddaebm_context_free(context);
}
END_TEST

START_TEST(macros_leave_as_they_should) {
    int cleanups = 0;
    ck_assert_int_eq(needs_both("", ""), DDAEBM_OK);
    ck_assert_int_eq(needs_both("", NULL), DDAEBM_INVALID_ARGUMENT);
    ck_assert_str_eq(ddaebm_error_message(), "needs_both: second must not be NULL");
    ck_assert_int_eq(tries(DDAEBM_OK, &cleanups), DDAEBM_OK);
    ck_assert_int_eq(cleanups, 11);
    ck_assert_int_eq(tries(DDAEBM_MISMATCH, &cleanups), DDAEBM_MISMATCH);
    ck_assert_int_eq(cleanups, 12);
}
END_TEST

static void *fail_often(void *argument) {
    const int *number = argument;
    char expected[64];
    bool begun_empty = *ddaebm_error_message() == 0;
    size_t wrong = !begun_empty;
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(expected, sizeof expected, "thread: number %d, failure %d", *number, i);
        (void)dd_fail(DDAEBM_INTERNAL, "number %d, failure %d", *number, i);
        (void)dd_fail_in(DDAEBM_INTERNAL, "thread");
        wrong += strcmp(ddaebm_error_message(), expected) != 0;
    }
    return wrong ? argument : NULL;
}

START_TEST(each_thread_has_its_own_text) {
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int numbers[THREADS];
    (void)dd_fail(DDAEBM_IO, "the first thread's");

    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fail_often, &numbers[i]), 0);
    }

    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
    ck_assert_str_eq(ddaebm_error_message(), "the first thread's");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, values_are_pinned);
    tcase_add_test(tests, every_status_has_a_text);
    tcase_add_test(tests, the_last_failure_is_kept);
    tcase_add_test(tests, long_texts_are_cut);
    tcase_add_test(tests, macros_leave_as_they_should);
    tcase_add_test(tests, each_thread_has_its_own_text);
    if (has_comma_locale("numbers_have_a_point_in_every_locale"))
        tcase_add_test(tests, numbers_have_a_point_in_every_locale);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
