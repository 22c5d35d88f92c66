/* Writing rows to a file block by block, so that any number of them takes little memory. */
#ifndef ROWFILE_H
#define ROWFILE_H

#include "image_options.h"
#include "outputs.h"

#include <ddaebm/ddaebm.h>

/* What the rows are and where they go. */
typedef struct row_file {
    output to;
    uint64_t count; /* rows in all, at least 1 */
    size_t width;   /* numbers in a row */
    image_shape images;
    bool wide; /* whether rows are doubles; images are floats */
    /* Returns the name of column j, or NULL; NULL for columns without names. */
    const char *(*name)(const void *owner, size_t j);
    const ddaebm_labels *labels; /* [width]: texts of CSV for numbers; NULL for none */
    const void *owner;
} row_file;

/* Fills a block with the rows first .. first+count-1, doubles or floats as the file's. Returns 0 or
 * the exit status. */
typedef int (*row_source)(void *user, uint64_t first, size_t count, void *block);

/* Returns how many rows of a width to handle at once, a multiple of `block`. */
size_t rows_at_once(size_t width, size_t block);

/* Writes the rows of a source in the format of `to`. The source is asked for `at_once` rows at a
 * time, the last time for up to twice as many; for a PNG, for all rows together. A run that fails,
 * or that a signal ends, leaves no file. */
int write_row_file(ddaebm_context *context, const row_file *file, size_t at_once, row_source source,
                   void *user);

#endif
