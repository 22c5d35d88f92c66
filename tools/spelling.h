/* How near a word is to another. */
#ifndef SPELLING_H
#define SPELLING_H

#include <stddef.h>

/* Levenshtein's distance between the first `length` characters of a word and a name; a word too
 * long for any name is far from each. */
size_t spelling_distance(const char *word, size_t length, const char *name);

#endif
