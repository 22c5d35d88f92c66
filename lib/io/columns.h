/* Names of a table's columns. */
#ifndef DD_COLUMNS_H
#define DD_COLUMNS_H

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

/* Each name is valid UTF-8 and not empty, or NULL for a column without one. A table without names
 * has {NULL, 0, NULL, 0}. */
typedef struct dd_column_names {
    const char **items;
    size_t count;
    char *texts; /* all names, one after another */
    size_t used; /* bytes of texts */
} dd_column_names;

/* Limit on the columns and on the bytes of all names together, so that a model's file has room for
 * them. */
enum { DD_MOST_NAME_BYTES = 1 << 20 };

/* Makes room for `count` names of `bytes` in all, their NULs included; all are still missing. */
ddaebm_status dd_column_names_make(dd_column_names *out, ddaebm_context *context, size_t count,
                                   size_t bytes);
void dd_column_names_free(dd_column_names *names, ddaebm_context *context);

/* Sets the name of a column; an empty one is none. Text that is not UTF-8 is read as Latin-1, and
 * then takes up to twice its bytes. */
void dd_column_names_put(dd_column_names *names, size_t index, const char *text, size_t length);

/* Copies the names; *out is untouched on failure. */
ddaebm_status dd_column_names_copy(dd_column_names *out, ddaebm_context *context,
                                   const dd_column_names *names);

/* Returns the name of a column, or NULL if it has none. */
const char *dd_column_name(const dd_column_names *names, size_t index);

/* Convert the names to a JSON list with null for a missing name, which the caller frees with
 * dd_free, and back, where the list must have `count` items. */
ddaebm_status dd_column_names_text(char **out, ddaebm_context *context,
                                   const dd_column_names *names);
ddaebm_status dd_column_names_parse(dd_column_names *out, ddaebm_context *context, const char *text,
                                    size_t count);

/* Room for the two functions below. */
enum { DD_COLUMNS_ROOM = 512 };

/* Describes which of `count` columns are members, numbered from 1, with the first of their names:
 * "columns 3, 5-9 ('petal', ...) and 219 more". At least one must be. Returns `out`. */
const char *dd_columns_describe(char out[DD_COLUMNS_ROOM], const bool *member, size_t count,
                                const dd_column_names *names);

/* Writes the names as the option --columns takes them, a,b,"c,d", cut after the first few; false if
 * there are none. */
bool dd_column_names_list(char out[DD_COLUMNS_ROOM], const dd_column_names *names);

#endif
