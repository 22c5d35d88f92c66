/* Text of any origin in error messages: short, and without bytes that end a message early. */
#ifndef DD_EXCERPT_H
#define DD_EXCERPT_H

#include "base/ieee.h"

#include <stddef.h>

/* Room for any result of dd_excerpt, its NUL included. */
enum { DD_EXCERPT_ROOM = 72 };

/* Writes the beginning of a text for an error message and returns `out`. A longer text is cut
 * between characters of UTF-8 and ends in "...". A NUL inside the text becomes '?'; other
 * unprintable bytes stay, as dd_fail replaces them. */
const char *dd_excerpt(char out[DD_EXCERPT_ROOM], const char *text, size_t length);

#endif
