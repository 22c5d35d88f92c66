#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700
#include "io/system_error.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

/* Returns what a user can do about an error of the system. */
static const char *remedy(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; free some space or choose another place";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; choose a place that this user may write to, or change its permissions";
    case EISDIR:
        return "; give the name of a file in it";
    case EFBIG:
        return "; raise the limit on file sizes";
    case EMFILE:
    case ENFILE:
        return "; close some files";
    default:
        return "";
    }
}

const char *dd_system_reason(int error, char *buffer, size_t size) {
    return strerror_r(error, buffer, size) == 0 ? buffer : "unknown error";
}

ddaebm_status dd_system_refuse(ddaebm_status status, const char *what, const char *path,
                               int error) {
    char text[128];
    return dd_fail(status, "cannot %s %.250s: %s%s", what, path,
                   dd_system_reason(error, text, sizeof text), remedy(error));
}
