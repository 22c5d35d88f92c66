#include "console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_ROOM = 1024 };

static void print_line(const char *format, va_list arguments, const char *command) {
    char line[LINE_ROOM];
    (void)vsnprintf(line, sizeof line, format, arguments);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    if (command)
        (void)fprintf(stderr, "ddaebm: %s; see ddaebm %s%s--help\n", line, command,
                      *command ? " " : "");
    else
        (void)fprintf(stderr, "ddaebm: %s\n", line);
}

void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments, NULL);
    va_end(arguments);
}

int fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments, NULL);
    va_end(arguments);
    return EXIT_FAILED;
}

int misuse(const char *command, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments, command ? command : "");
    va_end(arguments);
    return EXIT_USAGE;
}

int checked(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return 0;
    const char *detail = ddaebm_error_message();
    return fail("%s", *detail ? detail : ddaebm_status_text(status));
}

int checked_option(ddaebm_status status, const char *command, const char *option) {
    switch (status) {
    case DDAEBM_INVALID_ARGUMENT:
    case DDAEBM_FORMAT:
    case DDAEBM_NOT_FOUND:
    case DDAEBM_OUT_OF_RANGE:
        return misuse(command, "%s: %s", option, ddaebm_error_message());
    default:
        return checked(status);
    }
}

int finish_output(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return fail("cannot write to standard output: %s", strerror(errno));
}
