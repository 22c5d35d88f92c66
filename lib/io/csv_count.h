/* Columns of a CSV file that hold no data: those that count the rows, and an empty last one. */
#ifndef DD_CSV_COUNT_H
#define DD_CSV_COUNT_H

#include "io/columns.h"
#include "io/csv_line.h"

/* Returns whether the column, from 0, holds a whole number in the present line and one more in each
 * following line. Sets *first to the first. */
bool dd_csv_counts_up(dd_csv_cursor cursor, char separator, size_t column, double *first);

/* Returns whether the last of `width` fields, at least two, is empty in the present line and in all
 * that follow. */
bool dd_csv_last_is_empty(dd_csv_cursor cursor, char separator, size_t width);

/* Returns whether pandas gives this name to a column without one: "Unnamed: 0". */
bool dd_csv_is_unnamed(const char *name);

/* Returns whether a column of this name is likely to number the rows: index, id, row or row_id, in
 * any case of letters. */
bool dd_csv_is_index(const char *name);

#endif
