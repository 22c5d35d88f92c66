/* Bytes in order, from a file, from memory or from a caller's function; and to them. All that is
 * loaded or saved goes this way. */
#ifndef DD_STREAM_H
#define DD_STREAM_H

#include <ddaebm/stream.h>
#include <stdbool.h>

/* The most that is read or written at once. */
enum { DD_STREAM_STEP = 1 << 20 };

/* --- Reading. --- */

/* A block of memory that is read as a stream; `at` moves. */
typedef struct dd_memory {
    const char *at;
    size_t left;
} dd_memory;

/* Readers of the two sources that are no caller's; the path or the memory is borrowed. */
ddaebm_reader dd_reader_of_file(const char *path);
ddaebm_reader dd_reader_of_memory(dd_memory *memory);

typedef struct dd_intake {
    ddaebm_reader reader;
    int file;             /* -1 for none */
    uint64_t done, total; /* bytes; total 0 if it is not known */
    bool ended;
} dd_intake;

/* Bytes that have been read; data is the owner's to free. A zero byte that does not count fits
 * after them. */
typedef struct dd_block {
    char *data;
    size_t used, capacity;
} dd_block;

/* INVALID_ARGUMENT for a reader that cannot be used, NOT_FOUND if there is no such file, IO for
 * whatever else the system refuses, and for a folder. To be closed on success alone. */
ddaebm_status dd_intake_open(dd_intake *stream, const ddaebm_reader *reader);
void dd_intake_close(dd_intake *stream);

/* As dd_intake_open, of a name that was found, not given: what is no plain file is IO, and none is
 * waited for, as a pipe would have it. */
ddaebm_status dd_intake_open_plain(dd_intake *stream, const char *path);

/* Reads until the block holds `wanted` bytes or the stream ends. Memory grows with what has been
 * read, in steps of at most 1 MiB or twice what there is, never with what is claimed; a plain file
 * is trusted to have its size. CANCELLED if progress asks for it. */
ddaebm_status dd_intake_fill(dd_intake *stream, ddaebm_context *context, dd_block *block,
                             size_t wanted);

/* *ended = whether nothing follows; a byte that does is lost. */
ddaebm_status dd_intake_finish(dd_intake *stream, bool *ended);

/* --- Writing. --- */

/* A piece of what is to be written. */
typedef struct dd_span {
    const void *data; /* may be NULL if size is 0 */
    size_t size;
} dd_span;

/* Where to write: what a caller's ddaebm_writer says, or memory if that is NULL. */
typedef struct dd_target {
    const ddaebm_writer *writer;
    void *data; /* may be NULL if capacity is 0 */
    size_t capacity, *needed;
} dd_target;

ddaebm_writer dd_writer_of_file(const char *path);

/* Writes the spans, one after the other: a file as dd_file_write does; memory if they fit, else
 * OUT_OF_RANGE with the memory untouched
 * (*needed, where needed is not NULL, is set all the same). */
ddaebm_status dd_target_write(ddaebm_context *context, const dd_target *target,
                              const dd_span *spans, size_t count);

#endif
