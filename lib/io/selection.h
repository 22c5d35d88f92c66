/* Which columns of a table are kept, and in which order. */
#ifndef DD_SELECTION_H
#define DD_SELECTION_H

#include "io/columns.h"
#include "io/rows.h"

#include <ddaebm/dataset.h>
#include <stdint.h>

/* The place of a column that is left out. */
#define DD_LEFT_OUT SIZE_MAX

typedef struct dd_selection {
    size_t *place; /* [width of the table]: of each column, its place in a row that is kept, or
                      DD_LEFT_OUT */
    size_t width;  /* of the table */
    size_t kept;   /* at least 1 */
} dd_selection;

/* Whether the options' lists hold a name, which a table without a header cannot have. FORMAT-like
 * failures are left to dd_selection_make. */
bool dd_selection_has_names(const ddaebm_read_options *options);

/* Reads the lists `columns` and `drop` as ddaebm_read_options describes them. `spare` are columns
 * that are left out unless `columns` asks for them, [width], or NULL for none. INVALID_ARGUMENT for
 * what is no list, NOT_FOUND for a column that is not there, OUT_OF_RANGE if nothing is left. *out
 * is untouched on failure. */
ddaebm_status dd_selection_make(dd_selection *out, ddaebm_context *context,
                                const ddaebm_read_options *options, const dd_column_names *names,
                                size_t width, const bool *spare);

void dd_selection_free(dd_selection *selection, ddaebm_context *context);

/* The names of what is kept. *out is untouched on failure. */
ddaebm_status dd_selection_names(dd_column_names *out, ddaebm_context *context,
                                 const dd_selection *selection, const dd_column_names *names);

/* Leaves of each row what is kept, in its order. */
ddaebm_status dd_selection_apply(dd_rows *rows, ddaebm_context *context,
                                 const dd_selection *selection);

#endif
