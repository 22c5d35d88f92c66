/* Choosing the columns of a table, and their order. */
#ifndef DD_SELECTION_H
#define DD_SELECTION_H

#include "io/columns.h"
#include "io/rows.h"

#include <ddaebm/dataset.h>
#include <stdint.h>

/* The place of a column that is left out. */
#define DD_LEFT_OUT SIZE_MAX

typedef struct dd_selection {
    size_t *place; /* [width]: the place of each column in the result, or DD_LEFT_OUT */
    size_t width;  /* columns of the table */
    size_t kept;   /* at least 1 */
} dd_selection;

/* Returns whether the lists in the options hold a name, for which the table needs a header.
 * Malformed lists are left to dd_selection_make. */
bool dd_selection_has_names(const ddaebm_read_options *options);

/* Reads the lists `columns` and `drop` as ddaebm_read_options describes them. Columns that are
 * `spare` [width], or NULL for none, are dropped unless `columns` asks for them. Fails with
 * DDAEBM_INVALID_ARGUMENT for a malformed list, DDAEBM_NOT_FOUND for a column that does not exist,
 * and DDAEBM_OUT_OF_RANGE if nothing is left; *out is then untouched. */
ddaebm_status dd_selection_make(dd_selection *out, ddaebm_context *context,
                                const ddaebm_read_options *options, const dd_column_names *names,
                                size_t width, const bool *spare);

void dd_selection_free(dd_selection *selection, ddaebm_context *context);

/* Sets *out to the names of the kept columns; untouched on failure. */
ddaebm_status dd_selection_names(dd_column_names *out, ddaebm_context *context,
                                 const dd_selection *selection, const dd_column_names *names);

/* Keeps the chosen columns of each row, in their order. */
ddaebm_status dd_selection_apply(dd_rows *rows, ddaebm_context *context,
                                 const dd_selection *selection);

#endif
