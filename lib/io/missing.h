/* Values that are missing: NaN in memory, words in text. */
#ifndef DD_MISSING_H
#define DD_MISSING_H

#include "io/rows.h"

#include <ddaebm/status.h>
#include <stdbool.h>
#include <stdint.h>

/* A list as ddaebm_read_options.missing has it: NULL if no value may be missing; else "allow", or
 * words and numbers between commas that stand for missing values as well. */

/* Refuses an empty list, and one with an empty item: DDAEBM_INVALID_ARGUMENT. */
ddaebm_status dd_missing_check(const char *list);

/* Returns whether a field of a table stands for a missing value: it is empty, NA, NaN or an item of
 * the list, in capitals or not. */
bool dd_missing_is_word(const char *list, const char *text, size_t length);

/* Makes each number that the list has NaN. */
void dd_missing_hide(dd_rows *rows, const char *list);

/* Returns how many numbers are NaN. */
uint64_t dd_missing_count(const dd_rows *rows);

#endif
