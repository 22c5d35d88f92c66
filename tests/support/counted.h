/* What most tests begin and end with: a context whose allocations are counted, and that none of
 * them is left. */
#ifndef TEST_COUNTED_H
#define TEST_COUNTED_H

#include "support/harness.h"

static fussy counted;
static ddaebm_context *context;

static inline void open_context(int threads) {
    context = fussy_context(&counted);
    ASSERT_OK(ddaebm_context_set_threads(context, threads));
}

/* Fixtures of tests that need no other number. */
static inline void open_one_thread(void) {
    open_context(1);
}

static inline void open_two_threads(void) {
    open_context(2);
}

static inline void close_context(void) {
    ddaebm_context_free(context);
    ck_assert_uint_eq(counted.live, 0);
}

#endif
