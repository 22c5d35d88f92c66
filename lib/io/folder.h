/* Listing folders and reading files in them. */
#ifndef DD_FOLDER_H
#define DD_FOLDER_H

#include <ddaebm/context.h>
#include <stdbool.h>

/* Names of files, sorted by their bytes. The caller frees them with dd_names_free. */
typedef struct dd_names {
    char **items;
    size_t count, capacity;
} dd_names;

bool dd_folder_is(const char *path);

/* Lists the names in a folder that have the beginning and the ending, of which the latter may be in
 * any case. Hidden files are left out. *out is untouched on failure. */
ddaebm_status dd_folder_list(dd_names *out, ddaebm_context *context, const char *path,
                             const char *beginning, const char *ending);

/* Adds a copy of a name at the end. */
ddaebm_status dd_names_add(dd_names *names, ddaebm_context *context, const char *name);

void dd_names_free(dd_names *names, ddaebm_context *context);

/* Returns folder and name with a slash between, as a new text that the caller frees with dd_free;
 * NULL without memory. */
char *dd_folder_join(ddaebm_context *context, const char *folder, const char *name);

/* Reads a file whose path dd_folder_join made, as dd_file_read_plain does. If it is missing it is
 * most likely a symbolic link that leads nowhere: DDAEBM_IO, and the message names where it leads.
 */
ddaebm_status dd_folder_read_file(ddaebm_context *context, const char *path, void **data,
                                  size_t *size);

#endif
