/* Columns of a CSV file that hold no numbers of their own: those that count the rows, and one that
 * is empty. */
#ifndef DD_CSV_COUNT_H
#define DD_CSV_COUNT_H

#include "io/columns.h"
#include "io/csv_line.h"

/* Whether the column, from 0, is a whole number in the line in hand, and one more in each line that
 * follows. *first is the first. */
bool dd_csv_counts_up(dd_csv_cursor cursor, char separator, size_t column, double *first);

/* Whether the last of `width` fields, of two at least, is empty in the line in hand and in all that
 * follow. */
bool dd_csv_last_is_empty(dd_csv_cursor cursor, char separator, size_t width);

/* Whether pandas gives such a name to a column that has none: "Unnamed: 0". */
bool dd_csv_is_unnamed(const char *name);

/* Whether a column of that name is likely to number the rows: index, id, row, row_id, in any case.
 */
bool dd_csv_is_index(const char *name);

#endif
