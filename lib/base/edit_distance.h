/* Edit distance, for suggestions when a name is misspelled. */
#ifndef DD_EDIT_DISTANCE_H
#define DD_EDIT_DISTANCE_H

#include "base/ieee.h"

#include <stddef.h>

/* Longest word that is compared, in bytes. */
enum { DD_MOST_SPELLED = 63 };

/* Returns the Levenshtein distance between a word and a name: the number of bytes to insert, delete
 * or replace. For a word longer than DD_MOST_SPELLED it returns the length. */
size_t dd_edit_distance(const char *word, size_t length, const char *name);

#endif
