/* Bytes compressed as they come, in gzip's format. */
#ifndef DD_GZIP_WRITER_H
#define DD_GZIP_WRITER_H

#include "io/output.h"

#include <stdbool.h>

typedef struct dd_gzip_writer dd_gzip_writer;

/* UNSUPPORTED in a build without zlib. The same bytes give the same file: no name and no time stand
 * in it. */
ddaebm_status dd_gzip_writer_create(dd_gzip_writer **out, ddaebm_context *context);
void dd_gzip_writer_free(dd_gzip_writer *writer, ddaebm_context *context);

/* Takes the next bytes, and hands on what is ready. `last` ends the file, after which there is only
 * free. */
ddaebm_status dd_gzip_writer_add(dd_gzip_writer *writer, dd_output *output, const void *data,
                                 size_t size, bool last);

#endif
