/* Whole files: read up to a limit, and written all or nothing. */
#ifndef DD_FILE_H
#define DD_FILE_H

#include "io/span.h"

#include <ddaebm/context.h>

/* Reads all of a file into a new block *data, which the caller frees with dd_free; a NUL that *size
 * does not count follows it. Memory grows as in dd_intake_fill. Fails with DDAEBM_NOT_FOUND if
 * there is no such file, DDAEBM_OUT_OF_RANGE beyond most_bytes, and DDAEBM_IO for a folder and for
 * other errors of the system. */
ddaebm_status dd_file_read(ddaebm_context *context, const char *path, size_t most_bytes,
                           void **data, size_t *size);

/* Reads a regular file whose name was found in a folder. Anything else is DDAEBM_IO: a pipe might
 * be waited for without end. */
ddaebm_status dd_file_read_plain(ddaebm_context *context, const char *path, size_t most_bytes,
                                 void **data, size_t *size);

/* Makes the spans, one after the other, the file's content, as dd_output_send does. */
ddaebm_status dd_file_write(ddaebm_context *context, const char *path, const dd_span *spans,
                            size_t count);

#endif
