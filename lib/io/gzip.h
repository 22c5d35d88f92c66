/* Files compressed by gzip. */
#ifndef DD_GZIP_H
#define DD_GZIP_H

#include <ddaebm/context.h>
#include <stdbool.h>

/* Whether a file's first bytes are gzip's. */
bool dd_gzip_recognise(const void *data, size_t size);

/* Unpacks a file's bytes into a new block, *out, to be freed with dd_free; a zero byte that
 * *out_size does not count follows. Memory grows with what has come out, never with what a size
 * claims. Members that follow one another are put together; what is no member after them is passed
 * over, with a warning unless it is zeros. FORMAT if damaged or cut off, OUT_OF_RANGE beyond
 * most_bytes, UNSUPPORTED in a build without zlib. */
ddaebm_status dd_gzip_unpack(void **out, size_t *out_size, ddaebm_context *context,
                             const void *data, size_t size, size_t most_bytes);

#endif
