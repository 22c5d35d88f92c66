/* Writing bytes to a file, of which either all or nothing is there, or to a caller's function. */
#ifndef DD_OUTPUT_H
#define DD_OUTPUT_H

#include "io/span.h"

#include <ddaebm/stream.h>

/* The most bytes that a caller's function is given at once. */
enum { DD_OUTPUT_STEP = 1 << 20 };

enum { DD_TEMPORARY_NAME = 40 };

/* An output that is open. A regular file is written under a temporary name in the target's folder,
 * flushed to the disk and moved over the target, which is the old file or the new one at every
 * moment; after a failure the old one stays. Symbolic links are followed. A device, a pipe or one
 * of the process's own descriptors (/dev/stdout) is written directly. */
typedef struct dd_output {
    ddaebm_context *context;
    ddaebm_writer writer; /* its path is borrowed */
    uint64_t done;        /* bytes that the caller's function has taken */
    int file, folder;     /* -1 for none; only a temporary file has a folder */
    char temporary[DD_TEMPORARY_NAME];
    char *target;     /* owned: path of the target, cut at the end of its folder */
    const char *base; /* name of the target in its folder, inside `target` */
} dd_output;

/* Opens an output, to be finished or discarded only if it succeeds. Failures name path and cause.
 */
ddaebm_status dd_output_open(dd_output *output, ddaebm_context *context,
                             const ddaebm_writer *writer);

/* Writes the spans one after the other; signals do not interrupt it. After a failure the output can
 * only be discarded. */
ddaebm_status dd_output_write(dd_output *output, const dd_span *spans, size_t count);

/* Completes the file and closes the output, whatever the result. One failure comes after the new
 * file is in place: that the folder cannot be flushed. */
ddaebm_status dd_output_finish(dd_output *output);

/* Closes the output and leaves the target as it was. What a device, a pipe or a function has taken
 * cannot be undone. */
void dd_output_discard(dd_output *output);

/* Opens, writes and finishes. */
ddaebm_status dd_output_send(ddaebm_context *context, const ddaebm_writer *writer,
                             const dd_span *spans, size_t count);

#endif
