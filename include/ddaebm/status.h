/** @file status.h
 *  The status of a call that can fail, and the text that explains it.
 */
#ifndef DDAEBM_STATUS_H
#define DDAEBM_STATUS_H

#include <ddaebm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Every status: its name, its value (which never changes) and its text. */
#define DDAEBM_STATUS_LIST(X)                                                                      \
    X(OK, 0, "success")                                                                            \
    X(INVALID_ARGUMENT, 1, "an argument cannot be used")                                           \
    X(OUT_OF_MEMORY, 2, "the allocator returned no memory")                                        \
    X(IO, 3, "the operating system refused a file operation")                                      \
    X(FORMAT, 4, "a file or text is malformed")                                                    \
    X(UNSUPPORTED, 5, "well formed, but not supported by this build or version")                   \
    X(NOT_FOUND, 6, "no key, preset, data set, parameter or file of that name")                    \
    X(OUT_OF_RANGE, 7, "a value lies outside its bounds")                                          \
    X(MISMATCH, 8, "two things that must agree do not")                                            \
    X(CANCELLED, 9, "a callback asked to stop")                                                    \
    X(NOT_FINITE, 10, "a loss, gradient or input is infinite or not a number")                     \
    X(STATE, 11, "the calls came in an order that has no meaning")                                 \
    X(INTERNAL, 12, "the library broke one of its own rules; please report it")

/** Result of a call. ::DDAEBM_OK is 0; all others are failures. */
typedef enum ddaebm_status {
#define DDAEBM_STATUS_ENTRY(name, value, text)                                                     \
    DDAEBM_##name = value, /**< text, see ::DDAEBM_STATUS_LIST */
    DDAEBM_STATUS_LIST(DDAEBM_STATUS_ENTRY)
#undef DDAEBM_STATUS_ENTRY
} ddaebm_status;

/** Text of a status, for instance "success".
 *  @param status any value; an unknown one gives "unknown status"
 *  @return a constant string, never NULL. Any thread.
 */
DDAEBM_API const char *ddaebm_status_text(ddaebm_status status);

/** Text of the calling thread's most recent failure: it names the thing, the value and what is
 *  allowed. A successful call does not change it.
 *  @return the library's string, valid until the next failing call of this thread; "" before the
 *          first failure.
 */
DDAEBM_API const char *ddaebm_error_message(void);

#ifdef __cplusplus
}
#endif

#endif
