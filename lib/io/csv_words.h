/* Fields that stand for a number without being one. */
#ifndef DD_CSV_WORDS_H
#define DD_CSV_WORDS_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns whether a field cannot be a column's name: a mark of a missing value (NA, N/A, NULL,
 * None, ?, -, . and the like) or a number in another notation (0x1F, 1,5). An empty field is
 * neither. */
bool dd_csv_stands_for_number(const char *text, size_t length);

/* Explains a field that is neither empty nor a number, and what to do: "is a missing value: ...".
 */
const char *dd_csv_explain(const char *text, size_t length);

#endif
