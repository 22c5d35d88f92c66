/* Reading bytes in order, from a file, from memory or from a caller's function. All that is loaded
 * comes through here. */
#ifndef DD_INTAKE_H
#define DD_INTAKE_H

#include "base/ieee.h"

#include <ddaebm/stream.h>
#include <stdbool.h>

/* The most bytes that are read at once. */
enum { DD_INTAKE_STEP = 1 << 20 };

/* A block of memory that is read like a file. `at` and `left` move as it is read. */
typedef struct dd_memory_source {
    const char *at;
    size_t left;
} dd_memory_source;

/* Returns a reader of a file; the path is borrowed. */
ddaebm_reader dd_reader_of_file(const char *path);

/* Returns a reader of a block of memory, which is borrowed. */
ddaebm_reader dd_reader_of_memory(dd_memory_source *memory);

/* A source that is open. */
typedef struct dd_intake {
    ddaebm_reader reader;
    int file;             /* -1 for none */
    uint64_t done, total; /* bytes; total is 0 if it is not known */
    bool ended;
} dd_intake;

/* Bytes that have been read. Whoever owns the block frees data, which has room for a NUL after
 * them. */
typedef struct dd_block {
    char *data;
    size_t used, capacity;
} dd_block;

/* Opens a source. Fails with DDAEBM_INVALID_ARGUMENT for a reader that cannot be used,
 * DDAEBM_NOT_FOUND if there is no such file, and DDAEBM_IO for a folder and for other errors of the
 * system. To be closed only if it succeeds. */
ddaebm_status dd_intake_open(dd_intake *intake, const ddaebm_reader *reader);
void dd_intake_close(dd_intake *intake);

/* Opens a regular file. For names that were found in a folder rather than given by the user:
 * anything else is DDAEBM_IO, and a pipe is not waited for. */
ddaebm_status dd_intake_open_plain(dd_intake *intake, const char *path);

/* Reads until the block holds `wanted` bytes or the source ends. `wanted` may be a claim of the
 * file: memory grows with what has been read, by at most 1 MiB or to twice its size at once. Only
 * the size of a regular file is trusted. Fails with DDAEBM_CANCELLED if the progress callback asks
 * for it. */
ddaebm_status dd_intake_fill(dd_intake *intake, ddaebm_context *context, dd_block *block,
                             size_t wanted);

/* Sets *ended to whether no byte follows; one that follows is lost. */
ddaebm_status dd_intake_finish(dd_intake *intake, bool *ended);

#endif
