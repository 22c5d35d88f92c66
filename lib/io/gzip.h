/* Reading files compressed with gzip. */
#ifndef DD_GZIP_H
#define DD_GZIP_H

#include <ddaebm/context.h>
#include <stdbool.h>

/* Returns whether a file's first bytes are gzip's. */
bool dd_gzip_recognise(const void *data, size_t size);

/* Decompresses a file into a new block *out, which the caller frees with dd_free; a NUL that
 * *out_size does not count follows. Memory grows with the output, not with a size that the file
 * claims. Members that follow one another are joined; anything else after them is ignored, with a
 * warning unless it is zeros. Fails with DDAEBM_FORMAT if the file is damaged or cut off,
 * DDAEBM_OUT_OF_RANGE beyond most_bytes, and DDAEBM_UNSUPPORTED without zlib. */
ddaebm_status dd_gzip_unpack(void **out, size_t *out_size, ddaebm_context *context,
                             const void *data, size_t size, size_t most_bytes);

#endif
