#define _POSIX_C_SOURCE 200809L /* uselocale */
#include "base/format.h"

#include <locale.h>
#include <stdio.h>

void dd_format(char *out, size_t size, const char *format, va_list arguments) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain == (locale_t)0 ? plain : uselocale(plain);
    (void)vsnprintf(out, size, format, arguments);
    if (plain == (locale_t)0)
        return;
    (void)uselocale(before);
    freelocale(plain);
}
