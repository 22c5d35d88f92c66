/* Whether a first row of numbers is in fact the names of the columns. */
#ifndef DD_CSV_FIRST_H
#define DD_CSV_FIRST_H

#include "base/ieee.h"

#include "io/rows.h"

#include <stdbool.h>

/* Returns whether a number continues the `before` numbers before it, of which `last` is the last:
 * whole numbers that rise evenly. *step is their distance. */
bool dd_csv_goes_on(double number, size_t before, double last, double *step);

/* What the first row is likely to be, although it was read as numbers. */
typedef enum dd_csv_first { DD_CSV_ROW, DD_CSV_NAMES, DD_CSV_STRANGER, DD_CSV_COUNT } dd_csv_first;

/* Judges the first row. NAMES: whole numbers that rise evenly, as 2001, 2002, 2003 (with two
 * columns: years, or 0, 1 or 1, 2), and either each is far from all numbers below it, by ten times
 * their range, or there are at least ten rows below, none rises so, and none is all whole numbers
 * unless there are eight columns. STRANGER: far from the rows below, but not rising. COUNT: at
 * least two columns, counted from 0 or 1, but not far. */
dd_csv_first dd_csv_judge_first(const dd_rows *rows);

#endif
