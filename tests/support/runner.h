/* Running suites of tests, with Check. */
#ifndef TEST_RUNNER_H
#define TEST_RUNNER_H

#include <check.h>
#include <stdlib.h>

/* Runs a suite, and frees it. Returns the exit status of the program. */
static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
