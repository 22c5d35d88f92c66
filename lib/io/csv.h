/* Reading CSV: numbers in text, one row per line. */
#ifndef DD_CSV_H
#define DD_CSV_H

#include "io/columns.h"
#include "io/rows.h"

#include <ddaebm/dataset.h>

/* Reads text as ddaebm_dataset_open_with describes, into doubles. A byte-order mark, empty lines
 * and lines that begin with # are skipped. Fields are separated by tabs, semicolons, commas or
 * blanks: the first of these that the first row of numbers shows. Blanks and quotes around a field
 * are dropped. A header may come first. Only the columns that are kept need to be numbers. Failures
 * name line and column, both from 1, and the column's name; the outputs are then untouched. */
ddaebm_status dd_csv_parse(dd_rows *out, dd_column_names *names, ddaebm_context *context,
                           const char *text, size_t size, const ddaebm_read_options *options);

#endif
