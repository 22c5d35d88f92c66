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

/* The names in a folder that begin and end as asked; upper and lower case are the same to the ending. Hidden ones, which begin with a
 * point, are left out. *out is untouched on failure. */
ddaebm_status dd_folder_list(dd_names *out, ddaebm_context *context, const char *path, const char *beginning, const char *ending);

void dd_names_free(dd_names *names, ddaebm_context *context);

/* A new text, folder and name with a slash between, to be freed with dd_free; NULL without memory. */
char *dd_folder_join(ddaebm_context *context, const char *folder, const char *name);

#endif
