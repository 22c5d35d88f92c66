/* What is in a folder. */
#ifndef DD_FOLDER_H
#define DD_FOLDER_H

#include <ddaebm/context.h>
#include <stdbool.h>

/* Names of files, sorted by their bytes; to be freed with dd_names_free. */
typedef struct dd_names {
    char **items;
    size_t count, capacity;
} dd_names;

bool dd_folder_is(const char *path);

/* The names in a folder that begin and end as asked; upper and lower case are the same to the
 * ending. Hidden ones, which begin with a point, are left out. *out is untouched on failure. */
ddaebm_status dd_folder_list(dd_names *out, ddaebm_context *context, const char *path,
                             const char *beginning, const char *ending);

/* Adds a copy of a name at the end. */
ddaebm_status dd_names_add(dd_names *names, ddaebm_context *context, const char *name);

void dd_names_free(dd_names *names, ddaebm_context *context);

/* A new text, folder and name with a slash between, to be freed with dd_free; NULL without memory.
 */
char *dd_folder_join(ddaebm_context *context, const char *folder, const char *name);

/* Reads all of a file whose path dd_folder_join made, as dd_file_read_plain does. One that is not
 * there is IO: a link that leads nowhere, most likely, which the text names with its target. */
ddaebm_status dd_folder_read_file(ddaebm_context *context, const char *path, void **data,
                                  size_t *size);

#endif
