/* Whole files: read with a bound, written whole or not at all. */
#ifndef DD_FILE_H
#define DD_FILE_H

#include "io/stream.h"

/* Reads all of a file into a new block, *data, to be freed with dd_free; a zero byte that *size
 * does not count follows the content. Memory grows with what has been read, in steps of at most 1
 * MiB or twice what there is, never with what a size claims. NOT_FOUND if there is no such file,
 * OUT_OF_RANGE beyond most_bytes, IO for whatever else the system refuses, and for a folder. */
ddaebm_status dd_file_read(ddaebm_context *context, const char *path, size_t most_bytes,
                           void **data, size_t *size);

/* The same of a name that was found in a folder: IO for what is no plain file, a pipe above all, at
 * which one might wait for ever. */
ddaebm_status dd_file_read_plain(ddaebm_context *context, const char *path, size_t most_bytes,
                                 void **data, size_t *size);

/* Writes the spans, one after the other, as the file's new content, whole or not at all, as
 * io/output.h says. */
ddaebm_status dd_file_write(ddaebm_context *context, const char *path, const dd_span *spans,
                            size_t count);

#endif
