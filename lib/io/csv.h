/* Numbers in text, one row a line. */
#ifndef DD_CSV_H
#define DD_CSV_H

#include "io/columns.h"
#include "io/rows.h"

#include <ddaebm/dataset.h>

/* Reads text as ddaebm_dataset_open_with describes, into doubles: a UTF-8 mark, empty lines and
 * lines that begin with # are skipped; fields stand between tabs, semicolons, commas or blanks,
 * whichever the first row of numbers shows, in that order; blanks around a field and quotes do not
 * matter; a header may come first. Of a line only the columns that are kept need be numbers.
 * Failures name line and column, both from 1, and the column's name. The outputs are untouched on
 * failure. */
ddaebm_status dd_csv_parse(dd_rows *out, dd_column_names *names, ddaebm_context *context,
                           const char *text, size_t size, const ddaebm_read_options *options);

#endif
