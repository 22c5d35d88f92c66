/* What the commands say on stderr, and the exit statuses behind it. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <ddaebm/ddaebm.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "ddaebm looks for NaN: compile it without -ffast-math, -Ofast and -ffinite-math-only"
#endif

/* A run that failed, and a command line that makes no sense; 0 is success. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Ends a function with int code and a label cleanup if the step did not return 0. */
#define TRY(step)                                                                                  \
    do {                                                                                           \
        code = (step);                                                                             \
        if (code != 0)                                                                             \
            goto cleanup;                                                                          \
    } while (0)

#if defined(__GNUC__)
#define PRINTS(text, first) __attribute__((format(printf, text, first)))
#else
#define PRINTS(text, first)
#endif

/* "ddaebm: " and one line; what could break the line is shown as '?'. */
void complain(const char *format, ...) PRINTS(1, 2);

/* complain, and the status of a failed run. */
int fail(const char *format, ...) PRINTS(1, 2);

/* complain with a hint to the command's help, and the status of wrong usage. command may be NULL.
 */
int misuse(const char *command, const char *format, ...) PRINTS(2, 3);

/* 0, or the library's own words on what just failed, and EXIT_FAILED. */
int checked(ddaebm_status status);

/* The same for a call whose argument came from a command line: a value that the library does not
 * take is wrong usage. */
int checked_option(ddaebm_status status, const char *command, const char *option);

/* 0, or a complaint if what went to stdout did not arrive. */
int finish_output(void);

#endif
