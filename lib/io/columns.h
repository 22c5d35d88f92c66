/* Names of a table's columns. */
#ifndef DD_COLUMNS_H
#define DD_COLUMNS_H

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

/* Each is valid UTF-8 and not empty, or NULL for a column without a name. A table without any has
 * {NULL, 0, NULL, 0}. */
typedef struct dd_column_names {
    const char **items;
    size_t count;
    char *texts; /* all of them, one after another */
    size_t used; /* bytes of texts */
} dd_column_names;

/* Columns and bytes of all names together, at most, so that a model's file has room for them. */
enum { DD_MOST_NAME_BYTES = 1 << 20 };

/* Makes room for `count` names, none given yet, of `bytes` in all with their ends. */
ddaebm_status dd_column_names_make(dd_column_names *out, ddaebm_context *context, size_t count,
                                   size_t bytes);
void dd_column_names_free(dd_column_names *names, ddaebm_context *context);

/* Gives a column a name; what is no UTF-8 is read as Latin-1, and takes twice its bytes at most. An
 * empty one is none. */
void dd_column_names_put(dd_column_names *names, size_t index, const char *text, size_t length);

/* *out is untouched on failure. */
ddaebm_status dd_column_names_copy(dd_column_names *out, ddaebm_context *context,
                                   const dd_column_names *names);

/* NULL for a column without a name. */
const char *dd_column_name(const dd_column_names *names, size_t index);

/* The names as a list in JSON, null for none, to be freed with dd_free; and back, where there must
 * be `count` of them. */
ddaebm_status dd_column_names_text(char **out, ddaebm_context *context,
                                   const dd_column_names *names);
ddaebm_status dd_column_names_parse(dd_column_names *out, ddaebm_context *context, const char *text,
                                    size_t count);

/* Room for the two functions below. */
enum { DD_COLUMNS_ROOM = 512 };

/* Writes which of `count` columns are members, from 1, and the names of the first: "columns 3, 5-9
 * ('petal', ...) and 219 more". There is one at least. Gives `out` back. */
const char *dd_columns_describe(char out[DD_COLUMNS_ROOM], const bool *member, size_t count,
                                const dd_column_names *names);

/* Writes the names that there are as the option --columns takes them, a,b,"c,d", cut after the
 * first few; false if there are none. */
bool dd_column_names_list(char out[DD_COLUMNS_ROOM], const dd_column_names *names);

#endif
