/* A locale whose decimal mark is a comma. */
#ifndef TEST_COMMA_LOCALE_H
#define TEST_COMMA_LOCALE_H

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Sets such a locale; false, with the locale "C", if none is installed. */
static inline bool set_comma_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0)
            return true;
    (void)setlocale(LC_ALL, "C");
    return false;
}

/* Returns whether one is installed, and says so if a test must be skipped. */
static inline bool has_comma_locale(const char *test) {
    bool found = set_comma_locale();
    (void)setlocale(LC_ALL, "C");
    if (!found)
        printf("SKIPPED: %s: install the locale de_DE.UTF-8\n", test);
    printf("skipped: %d\n", !found);
    return found;
}

#endif
