/* Where a whole file is written to: a file of the system, memory or a caller's function. */
#ifndef DD_TARGET_H
#define DD_TARGET_H

#include "io/span.h"

#include <ddaebm/stream.h>

/* Returns a writer of a file; the path is borrowed. */
ddaebm_writer dd_writer_of_file(const char *path);

typedef struct dd_target {
    const ddaebm_writer *writer; /* NULL for memory */
    void *data;                  /* the memory; may be NULL if capacity is 0 */
    size_t capacity;             /* of it, in bytes */
    size_t *needed;              /* receives the bytes of the file; may be NULL */
} dd_target;

/* Writes the spans one after the other. A writer is served as dd_output_send does. Memory that is
 * too small is left untouched, with DDAEBM_OUT_OF_RANGE; *needed is set all the same. */
ddaebm_status dd_target_write(ddaebm_context *context, const dd_target *target,
                              const dd_span *spans, size_t count);

#endif
