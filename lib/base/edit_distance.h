/* How far a misspelled name is from one that there is. */
#ifndef DD_EDIT_DISTANCE_H
#define DD_EDIT_DISTANCE_H

#include "base/ieee.h"

#include <stddef.h>

/* Bytes of a word, at most, that is compared. */
enum { DD_MOST_SPELLED = 63 };

/* Levenshtein's distance between a word and a name: how many letters are to be put in, left out or
 * replaced. The length of a word that is longer than DD_MOST_SPELLED. */
size_t dd_edit_distance(const char *word, size_t length, const char *name);

#endif
