/** @file stream.h
 *  Where a load reads its bytes and a save writes them: a file, or a function of the caller's own
 * (an archive, a socket, a cipher).
 *
 *  Streams are read and written once, from the first byte to the last. Blocks of memory need no
 * stream: see ddaebm_model_load_memory and its like. */
#ifndef DDAEBM_STREAM_H
#define DDAEBM_STREAM_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a load reads. Initialise with DDAEBM_READER_INIT, then set either path or read. */
typedef struct ddaebm_reader {
    size_t struct_size; /**< sizeof(ddaebm_reader) */
    const char *path;   /**< of a file, or NULL */
    /** Or what gives the next bytes: writes 1 to @p capacity of them to @p buffer and their number
     * to @p got, 0 at the end.
     *  @p capacity is 1 to 1,048,576. Called from the loading thread, never again after the end or
     * a failure. A return other than
     *  ::DDAEBM_OK ends the load and is its result. */
    ddaebm_status (*read)(void *user, void *buffer, size_t capacity, size_t *got);
    void *user;    /**< handed to read */
    uint64_t size; /**< bytes that read will give, if known, else 0; for progress alone. A file's
                      own size is known */
    ddaebm_progress_function
        progress; /**< hears after each read how many bytes of how many are done (0 if that is not
                     known); NULL for nobody. What it returns may cancel the load, which then leaves
                     nothing behind */
    void *progress_user; /**< handed to progress */
} ddaebm_reader;

/** Initialiser of a ddaebm_reader. */
#define DDAEBM_READER_INIT                                                                         \
    { sizeof(ddaebm_reader), NULL, NULL, NULL, 0, NULL, NULL }

/** Where a save writes. Initialise with DDAEBM_WRITER_INIT, then set either path or write. */
typedef struct ddaebm_writer {
    size_t struct_size; /**< sizeof(ddaebm_writer) */
    const char *path;   /**< of a file, replaced whole or not at all; or NULL */
    /** Or what takes the next @p count bytes, 1 to 1,048,576, all of them. Called from the saving
     * thread, never again after a failure. A return other than ::DDAEBM_OK, for instance
     * ::DDAEBM_CANCELLED, ends the save and is its result. */
    ddaebm_status (*write)(void *user, const void *bytes, size_t count);
    void *user; /**< handed to write */
} ddaebm_writer;

/** Initialiser of a ddaebm_writer. */
#define DDAEBM_WRITER_INIT                                                                         \
    { sizeof(ddaebm_writer), NULL, NULL, NULL }

#ifdef __cplusplus
}
#endif

#endif
