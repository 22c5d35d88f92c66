/* Errors of the operating system, with what a user can do about them. */
#ifndef DD_SYSTEM_ERROR_H
#define DD_SYSTEM_ERROR_H

#include <ddaebm/status.h>
#include <errno.h>
#include <stddef.h>

/* Repeats a system call as long as signals interrupt it. */
#define DD_UNINTERRUPTED(result, call)                                                             \
    do                                                                                             \
        (result) = (call);                                                                         \
    while ((result) < 0 && errno == EINTR)

/* Returns the text of an errno, in the buffer or constant. */
const char *dd_system_reason(int error, char *buffer, size_t size);

/* Fails with "cannot WHAT PATH: CAUSE; REMEDY". */
ddaebm_status dd_system_refuse(ddaebm_status status, const char *what, const char *path, int error);

#endif
