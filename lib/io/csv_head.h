/* What stands above the numbers of a CSV file: its columns' names, if there are any. */
#ifndef DD_CSV_HEAD_H
#define DD_CSV_HEAD_H

#include "io/columns.h"
#include "io/csv_line.h"
#include "io/rows.h"

#include <ddaebm/dataset.h>

typedef struct dd_csv_head {
    char separator;
    size_t width;          /* fields in a line */
    size_t index;          /* the column that only counts the rows, or DD_LEFT_OUT */
    bool has_names;        /* whether the first line was a header */
    dd_column_names names; /* [width]; of no columns without a header */
} dd_csv_head;

/* Finds separator and width, and moves past a header: the line that the options say is one or, if they leave it to the content, one of which
 * no field that is kept is a number. On return the cursor holds the first row of numbers. What was guessed is reported. *out is untouched on
 * failure; else its names are to be freed. */
ddaebm_status dd_csv_read_head(dd_csv_head *out, ddaebm_context *context, dd_csv_cursor *cursor,
                               const ddaebm_read_options *options);

/* Reads a line as `width` names. */
ddaebm_status dd_csv_read_names(dd_column_names *out, ddaebm_context *context, const dd_csv_cursor *line, char separator,
                                size_t width);

/* What the first row is likely to be, beside what it was read as. */
typedef enum dd_csv_first { DD_CSV_ROW, DD_CSV_NAMES, DD_CSV_STRANGER } dd_csv_first;

/* NAMES: whole numbers that rise evenly, 2001 2002 2003, and either each is far from all numbers below it, by ten times their range, or of
 * ten lines below at least none rises so, and none is of whole numbers alone unless there are eight columns. STRANGER: far and no more. */
dd_csv_first dd_csv_judge_first(const dd_rows *rows);

#endif
