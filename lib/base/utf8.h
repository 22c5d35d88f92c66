/* UTF-8 from strangers. */
#ifndef DD_UTF8_H
#define DD_UTF8_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that begins the text, 1 to 4, or 0 if none does. No surrogates, nothing
 * overlong, nothing above U+10FFFF. The text is not empty. */
size_t dd_utf8_size(const char *text, size_t length);

/* Whether all of the text is characters. */
bool dd_utf8_is_valid(const char *text, size_t length);

/* The most of the text's first `most` bytes that does not end within a character; there is a byte,
 * or the end, after them. */
size_t dd_utf8_cut(const char *text, size_t most);

/* Puts a ? in the place of all that a terminal might not show as it stands, in one line and from
 * left to right: control characters, line and paragraph separators, marks of direction, and bytes
 * that are no character. The text ends with a zero; it grows no longer. */
void dd_utf8_make_printable(char *text);

#endif
