/* Numbers in text, one row a line. */
#ifndef DD_CSV_H
#define DD_CSV_H

#include "io/rows.h"

#include <ddaebm/context.h>

/* Reads text as ddaebm_dataset_open describes: a UTF-8 mark, empty lines and lines that begin with # are skipped; fields stand
 * between tabs, semicolons, commas or blanks, whichever the first row of numbers shows, in that order; blanks around a field and
 * quotes do not matter; one header row, of which no field is a number, may come first. Failures name line and column, both from 1.
 * out is untouched on failure. */
ddaebm_status dd_csv_parse(dd_rows *out, ddaebm_context *context, const char *text, size_t size);

#endif
