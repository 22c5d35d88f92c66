/* Fields of a table that stand for a number and are none. */
#ifndef DD_CSV_WORDS_H
#define DD_CSV_WORDS_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a field is one that no column has as its name: the mark of a missing value, NA, N/A,
 * NULL, None, ?, -, . and the like, or a number in another notation, 0x1F or 1,5. An empty field is
 * not. */
bool dd_csv_stands_for_number(const char *text, size_t length);

/* What is wrong with a field that is not empty and no number, and what to do: "is a missing value:
 * ...". */
const char *dd_csv_explain(const char *text, size_t length);

#endif
