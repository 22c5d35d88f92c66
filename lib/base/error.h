/* How a function of the library fails: with a status, and one line of text kept for the calling
 * thread. */
#ifndef DD_ERROR_H
#define DD_ERROR_H

#include "base/ieee.h"

#include <ddaebm/status.h>

/* Keeps the text as the thread's error message and gives the status back: `return
 * dd_fail(DDAEBM_IO, "cannot ...")`. */
__attribute__((format(printf, 2, 3))) ddaebm_status dd_fail(ddaebm_status status,
                                                            const char *format, ...);

/* Puts more context before the kept text: "what: text". Gives the status back. */
ddaebm_status dd_fail_in(ddaebm_status status, const char *what);

/* Refuses a NULL argument, naming it. For public functions alone. */
#define DD_REQUIRE(pointer)                                                                        \
    do {                                                                                           \
        if (!(pointer))                                                                            \
            return dd_fail(DDAEBM_INVALID_ARGUMENT, "%s: %s must not be NULL", __func__,           \
                           #pointer);                                                              \
    } while (0)

/* Leaves for the function's one cleanup label when a call fails; `status` is the function's own. */
#define DD_TRY(call)                                                                               \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

#endif
