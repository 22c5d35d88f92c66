#include "base/real_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Replaces the locale's decimal mark, of one byte or more, by a point: whatever cannot stand in a
 * number of the C locale belongs to that mark. */
static void use_point(char *text) {
    char *out = text;
    bool marked = false;

    for (const char *in = text; *in; in++) {
        if (strchr("0123456789+-e", *in)) {
            *out++ = *in;
        } else if (!marked) {
            *out++ = '.';
            marked = true;
        }
    }
    *out = '\0';
}

size_t dd_real_text(double value, char text[DD_REAL_ROOM]) {
    int digits = 1; /* 17 significant digits identify any double */
    do
        (void)snprintf(text, DD_REAL_ROOM, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && ++digits <= 17); /* both use the same locale */

    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -5 && exponent < 16) { /* 0.0001 rather than 1e-4 */
        int decimals = digits - 1 - exponent;
        (void)snprintf(text, DD_REAL_ROOM, "%.*f", decimals > 0 ? decimals : 0, value);
    } else { /* 1e-8 rather than 1e-08 */
        char *tail = strchr(text, 'e') + 1;
        (void)snprintf(tail, DD_REAL_ROOM - (size_t)(tail - text), "%d", exponent);
    }
    use_point(text);
    return strlen(text);
}
