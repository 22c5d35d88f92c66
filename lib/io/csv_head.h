/* The head of a CSV file: the names of its columns, if there are any. */
#ifndef DD_CSV_HEAD_H
#define DD_CSV_HEAD_H

#include "io/columns.h"
#include "io/csv_line.h"

#include <ddaebm/dataset.h>

typedef struct dd_csv_head {
    char separator;
    size_t width;        /* fields per line */
    bool *spare;         /* [width]: columns that only count the rows or are empty; NULL for none */
    bool unnamed_first;  /* the first column alone has no name, and is not spare */
    size_t counted;      /* a named column that counts the rows, or DD_LEFT_OUT */
    double counted_from; /* its first number */
    bool has_names;      /* a line was a header */
    dd_column_names names; /* [width]; empty without a header */
} dd_csv_head;

/* Finds separator and width, and moves past a header. The options may say whether there is one.
 * Otherwise the first line is one if no kept field is a number or a mark of a missing value; else
 * the last comment above the first row, if it has as many fields and no number. On return the
 * cursor holds the first row of numbers. Guesses are reported. *out is untouched on failure, else
 * the caller frees it. */
ddaebm_status dd_csv_read_head(dd_csv_head *out, ddaebm_context *context, dd_csv_cursor *cursor,
                               const ddaebm_read_options *options);

void dd_csv_head_free(dd_csv_head *head, ddaebm_context *context);

/* Reads a line as `width` names. */
ddaebm_status dd_csv_read_names(dd_column_names *out, ddaebm_context *context,
                                const dd_csv_cursor *line, char separator, size_t width);

#endif
