/* A first row of numbers, which may be the columns' names. */
#ifndef DD_CSV_FIRST_H
#define DD_CSV_FIRST_H

#include "base/ieee.h"

#include "io/rows.h"

#include <stdbool.h>

/* Whether a number goes on as the `before` numbers before it, of which `last` is the last: whole,
 * and evenly rising. */
bool dd_csv_goes_on(double number, size_t before, double last, double *step);

/* What the first row is likely to be, beside what it was read as. */
typedef enum dd_csv_first { DD_CSV_ROW, DD_CSV_NAMES, DD_CSV_STRANGER, DD_CSV_COUNT } dd_csv_first;

/* NAMES: whole numbers that rise evenly, 2001 2002 2003, of two columns years or counted from 0 or
 * 1, and either each is far from all numbers below it, by ten times their range, or of ten lines
 * below at least none rises so, and none is of whole numbers alone unless there are eight columns.
 * STRANGER: far and no more. COUNT: of two columns at least, counted from 0 or 1, and no more. */
dd_csv_first dd_csv_judge_first(const dd_rows *rows);

#endif
