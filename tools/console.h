/* Messages on stderr, and the exit statuses that go with them. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <ddaebm/ddaebm.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "ddaebm looks for NaN: compile it without -ffast-math, -Ofast and -ffinite-math-only"
#endif

/* Exit statuses of a failed run and of wrong usage; 0 is success. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Jumps to the label cleanup, with the value in `int code`, unless the step returned 0. */
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

/* Prints "ddaebm: " and one line; control characters are shown as '?'. */
void complain(const char *format, ...) PRINTS(1, 2);

/* Complains, and returns EXIT_FAILED. */
int fail(const char *format, ...) PRINTS(1, 2);

/* Complains with a hint to the command's help (NULL: to that of ddaebm), and returns EXIT_USAGE. */
int misuse(const char *command, const char *format, ...) PRINTS(2, 3);

/* Returns 0 for success; otherwise prints the library's error message and returns EXIT_FAILED. */
int checked(ddaebm_status status);

/* The same for a call whose argument came from an option: a value that the library refuses is wrong
 * usage. */
int checked_option(ddaebm_status status, const char *command, const char *option);

/* Flushes stdout. Returns 0, or EXIT_FAILED after a complaint if a write failed. */
int finish_output(void);

#endif
