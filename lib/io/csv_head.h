/* What stands above the numbers of a CSV file: its columns' names, if there are any. */
#ifndef DD_CSV_HEAD_H
#define DD_CSV_HEAD_H

#include "io/columns.h"
#include "io/csv_line.h"

#include <ddaebm/dataset.h>

typedef struct dd_csv_head {
    char separator;
    size_t width;       /* fields in a line */
    bool *spare;        /* [width]: columns that only count the rows, or are empty; NULL for none */
    bool unnamed_first; /* whether the first column has no name among those that have, and is not
                           spare */
    size_t counted;     /* a column that counts the rows under a name of its own, or DD_LEFT_OUT */
    double counted_from;   /* its first number */
    bool has_names;        /* whether a line was a header */
    dd_column_names names; /* [width]; of no columns without a header */
} dd_csv_head;

/* Finds separator and width, and moves past a header: the line that the options say is one or, if
 * they leave it to the content, one of which no field that is kept is a number or the mark of a
 * missing one, or the last comment above the first row that has as many fields and no number. On
 * return the cursor holds the first row of numbers. What was guessed is reported. *out is untouched
 * on failure; else it is to be freed. */
ddaebm_status dd_csv_read_head(dd_csv_head *out, ddaebm_context *context, dd_csv_cursor *cursor,
                               const ddaebm_read_options *options);

void dd_csv_head_free(dd_csv_head *head, ddaebm_context *context);

/* Reads a line as `width` names. */
ddaebm_status dd_csv_read_names(dd_column_names *out, ddaebm_context *context,
                                const dd_csv_cursor *line, char separator, size_t width);

#endif
