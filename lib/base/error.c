#include "base/error.h"

#include "base/format.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[512];

const char *ddaebm_status_text(ddaebm_status status) {
    switch (status) {
#define TEXT_CASE(name, value, text)                                                               \
    case DDAEBM_##name:                                                                            \
        return text;
        DDAEBM_STATUS_LIST(TEXT_CASE)
#undef TEXT_CASE
    }
    return "unknown status";
}

const char *ddaebm_error_message(void) {
    return message;
}

ddaebm_status dd_fail(ddaebm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    dd_format(message, sizeof message, format, arguments);
    va_end(arguments);
    dd_utf8_make_printable(message);
    return status;
}

ddaebm_status dd_fail_in(ddaebm_status status, const char *what) {
    char inner[sizeof message];
    memcpy(inner, message, sizeof inner);
    (void)snprintf(message, sizeof message, "%.200s: %.300s", what, inner);
    dd_utf8_make_printable(message);
    return status;
}
