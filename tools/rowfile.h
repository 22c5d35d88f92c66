/* Rows that go to a file, block by block: any number of them takes the memory of a few. */
#ifndef ROWFILE_H
#define ROWFILE_H

#include "image_options.h"
#include "outputs.h"

/* What the rows are and where they go. */
typedef struct row_file {
    output to;
    uint64_t count; /* rows in all, at least 1 */
    size_t width;   /* numbers in a row */
    image_shape images;
    bool wide; /* doubles; else floats, as images are */
    const char *(*name)(const void *owner,
                        size_t j); /* of a column, or NULL; NULL for columns without names */
    const void *owner;
} row_file;

/* Fills a block with rows first .. first+count-1: doubles or floats, as the file's. 0 or the exit
 * status. */
typedef int (*row_source)(void *user, uint64_t first, size_t count, void *block);

/* How many rows of a width are worked on at once, a multiple of `block`. */
size_t rows_at_once(size_t width, size_t block);

/* Asks the source for `at_once` rows again and again, and in the end for that many or more, up to
 * twice as many; writes them in the format that `to` says: a PNG is drawn of all rows together. A
 * run that fails, or that a signal ends, leaves no file. */
int write_row_file(ddaebm_context *context, const row_file *file, size_t at_once, row_source source,
                   void *user);

#endif
