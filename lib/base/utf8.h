/* Checking and cutting UTF-8 text of any origin. */
#ifndef DD_UTF8_H
#define DD_UTF8_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns the bytes of the first character of a text that is not empty, 1 to 4, or 0 if it is not
 * valid: surrogates, overlong forms and anything above U+10FFFF are not. */
size_t dd_utf8_size(const char *text, size_t length);

/* Returns whether all of the text is valid UTF-8. */
bool dd_utf8_is_valid(const char *text, size_t length);

/* Returns the largest length up to `most` that does not cut a character. text[most] must be
 * readable.
 */
size_t dd_utf8_cut(const char *text, size_t most);

/* Replaces by '?', in place, what would disturb one line of output: control characters, line and
 * paragraph separators, marks of writing direction, and bytes that are not valid UTF-8. */
void dd_utf8_make_printable(char *text);

#endif
