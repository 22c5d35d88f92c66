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

/* Makes each allocation of a call fail in turn, until none is left to fail; a call that fails
 * leaves nothing behind. `nth`, a size_t, is the number of calls. */
#define FAIL_EACH_ALLOCATION(nth, call)                                                            \
    do {                                                                                           \
        const size_t live_ = counted.live;                                                         \
        ddaebm_status status_ = DDAEBM_OUT_OF_MEMORY;                                              \
        for ((nth) = 0; status_ != DDAEBM_OK;) {                                                   \
            counted.fail_at = counted.calls + ++(nth);                                             \
            status_ = (call);                                                                      \
            counted.fail_at = 0;                                                                   \
            ck_assert(status_ == DDAEBM_OK || status_ == DDAEBM_OUT_OF_MEMORY);                    \
            if (status_ != DDAEBM_OK)                                                              \
                ck_assert_uint_eq(counted.live, live_);                                            \
        }                                                                                          \
    } while (0)

#endif
