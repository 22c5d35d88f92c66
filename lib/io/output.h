/* Bytes on their way to a file, which is whole or not there, or to a caller's function. */
#ifndef DD_OUTPUT_H
#define DD_OUTPUT_H

#include "io/stream.h"

enum { DD_TEMPORARY_NAME = 40 };

/* A plain file is made beside the target, flushed to the disk and moved over it, so that the target
 * is the old file or the new one at every moment; until then, and after a failure, the old one
 * stays. A symbolic link is followed. A device, a pipe or one of the process's own descriptors
 * (/dev/stdout) is written directly. */
typedef struct dd_output {
    ddaebm_context *context;
    ddaebm_writer writer; /* its path is borrowed */
    uint64_t done;        /* bytes that the caller's function has taken */
    int file, folder;     /* -1 for none; only a temporary file has a folder */
    char temporary[DD_TEMPORARY_NAME];
    char *target;     /* owned: the folder, where base is behind it */
    const char *base; /* of the target in its folder */
} dd_output;

/* To be finished or discarded on success alone. Failures name the path and the cause. */
ddaebm_status dd_output_open(dd_output *output, ddaebm_context *context,
                             const ddaebm_writer *writer);

/* Writes the spans, one after the other. Signals do not fail it. After a failure the output can
 * only be discarded. */
ddaebm_status dd_output_write(dd_output *output, const dd_span *spans, size_t count);

/* Closes the output, whatever it returns. One failure comes after the new file: the folder cannot
 * be flushed. */
ddaebm_status dd_output_finish(dd_output *output);

/* Closes it and leaves the target as it was; what a device, a pipe or a function has taken is gone.
 */
void dd_output_discard(dd_output *output);

/* All of it at once: opens, writes and finishes. */
ddaebm_status dd_output_send(ddaebm_context *context, const ddaebm_writer *writer,
                             const dd_span *spans, size_t count);

#endif
