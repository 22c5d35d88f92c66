/* Compressing with gzip, piece by piece. */
#ifndef DD_GZIP_WRITER_H
#define DD_GZIP_WRITER_H

#include "io/output.h"

#include <stdbool.h>

typedef struct dd_gzip_writer dd_gzip_writer;

/* Creates a compressor; DDAEBM_UNSUPPORTED without zlib. Equal input gives equal files: neither
 * name nor time is stored. */
ddaebm_status dd_gzip_writer_create(dd_gzip_writer **out, ddaebm_context *context);
void dd_gzip_writer_free(dd_gzip_writer *writer, ddaebm_context *context);

/* Compresses the next bytes and writes what is ready. `last` ends the file; only
 * dd_gzip_writer_free may follow. */
ddaebm_status dd_gzip_writer_add(dd_gzip_writer *writer, dd_output *output, const void *data,
                                 size_t size, bool last);

#endif
