/* Failing: a status, and one line of text that is kept for the calling thread. */
#ifndef DD_ERROR_H
#define DD_ERROR_H

#include "base/ieee.h"

#include <ddaebm/status.h>

/* Sets the thread's error message and returns the status: return dd_fail(DDAEBM_IO, "cannot ...").
 */
__attribute__((format(printf, 2, 3))) ddaebm_status dd_fail(ddaebm_status status,
                                                            const char *format, ...);

/* Puts context before the thread's error message, "what: message", and returns the status. */
ddaebm_status dd_fail_in(ddaebm_status status, const char *what);

/* Returns with DDAEBM_INVALID_ARGUMENT if an argument is NULL. For public functions only. */
#define DD_REQUIRE(pointer)                                                                        \
    do {                                                                                           \
        if (!(pointer))                                                                            \
            return dd_fail(DDAEBM_INVALID_ARGUMENT, "%s: %s must not be NULL", __func__,           \
                           #pointer);                                                              \
    } while (0)

/* Sets the function's variable `status`, and goes to its label `cleanup` if the call failed. */
#define DD_TRY(call)                                                                               \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

#endif
