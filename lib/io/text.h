/* Numbers and words in text from files, whatever the locale. */
#ifndef DD_TEXT_H
#define DD_TEXT_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads a decimal number (12, -1.5, .5, 1e-3) or one of the words nan, inf and infinity, sign and
 * case free. The decimal sign is a point in every locale. False, with *out untouched, unless all of
 * the text is one number. The result is the nearest double: an infinity for a number that double
 * cannot hold. */
bool dd_text_number(double *out, const char *text, size_t length);

/* Returns whether a text is a word, but for the case of letters. */
bool dd_text_is_word(const char *text, size_t length, const char *word);

/* Makes a small letter of A to Z in every locale; other bytes stay. */
static inline char dd_text_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool dd_text_is_digit(char c) {
    return c >= '0' && c <= '9';
}

#endif
