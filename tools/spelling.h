/* The distance of two words, to suggest the nearest. */
#ifndef SPELLING_H
#define SPELLING_H

#include <stddef.h>

/* Returns the Levenshtein distance between the first `length` characters of a word and a name. The
 * distance of a word longer than any name is its length. */
size_t spelling_distance(const char *word, size_t length, const char *name);

#endif
