/** @file stream.h
 *  Names where a load reads its bytes and a save writes them: a file, or a function of the caller
 *  (for an archive, a socket, a cipher).
 *
 *  Bytes are read and written once, from the first to the last. To load and save blocks of memory,
 *  see ddaebm_model_load_memory and ddaebm_model_save_memory.
 */
#ifndef DDAEBM_STREAM_H
#define DDAEBM_STREAM_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Source of a load. Initialise with DDAEBM_READER_INIT, then set either path or read. */
typedef struct ddaebm_reader {
    size_t struct_size; /**< sizeof(ddaebm_reader) */
    const char *path;   /**< of a file, or NULL */
    /** Reads the next bytes: writes 1 to @p capacity of them to @p buffer and their number to
     *  @p got, which is 0 at the end. @p capacity is 1 to 1,048,576. The loading thread calls it,
     *  and never again after the end or a failure. A return other than ::DDAEBM_OK ends the load
     *  and is its result. NULL if path is set.
     */
    ddaebm_status (*read)(void *user, void *buffer, size_t capacity, size_t *got);
    void *user;    /**< passed to read */
    uint64_t size; /**< bytes that read will give, 0 if unknown; for progress alone, and not needed
                        for a file */
    /** Receives, after each read, the number of bytes read and their total (0 if unknown); NULL
     *  for none. It may cancel the load.
     */
    ddaebm_progress_function progress;
    void *progress_user; /**< passed to progress */
} ddaebm_reader;

/** Initialiser of a ddaebm_reader. */
#define DDAEBM_READER_INIT                                                                         \
    { sizeof(ddaebm_reader), NULL, NULL, NULL, 0, NULL, NULL }

/** Destination of a save. Initialise with DDAEBM_WRITER_INIT, then set either path or write. */
typedef struct ddaebm_writer {
    size_t struct_size; /**< sizeof(ddaebm_writer) */
    const char *path;   /**< of a file, replaced whole or not at all; or NULL */
    /** Writes the next @p count bytes, 1 to 1,048,576, all of them. The saving thread calls it,
     *  and never again after a failure. A return other than ::DDAEBM_OK, for instance
     *  ::DDAEBM_CANCELLED, ends the save and is its result. NULL if path is set.
     */
    ddaebm_status (*write)(void *user, const void *bytes, size_t count);
    void *user; /**< passed to write */
} ddaebm_writer;

/** Initialiser of a ddaebm_writer. */
#define DDAEBM_WRITER_INIT                                                                         \
    { sizeof(ddaebm_writer), NULL, NULL, NULL }

#ifdef __cplusplus
}
#endif

#endif
