/** @file context.h
 *  Holds what the library needs from its host: memory, threads, and a destination for its log.
 *
 *  Every handle is made in a context. NULL stands for a new context with the defaults, which
 *  belongs to that handle alone. A handle keeps its context alive, so handles may be freed in any
 *  order. The library has no global state of its own.
 *
 *  Structs that cross this interface begin with struct_size, which their DDAEBM_..._INIT sets, and
 *  only ever grow at their end. One of an older version is accepted, with defaults for the fields
 *  that it lacks. One of a newer version is accepted if the fields that are unknown here are zero,
 *  and refused with ::DDAEBM_UNSUPPORTED otherwise. Of structs that the library writes, the fields
 *  that fit are written.
 *
 *  Calls compute in the default floating-point environment and restore the caller's; callbacks run
 *  in the default one. docs/embedding.md and docs/threads.md say what else a host can rely on. In
 *  a child that was forked while another thread of its parent computed, functions that compute
 *  return ::DDAEBM_STATE; a child that was forked otherwise may use every handle.
 */
#ifndef DDAEBM_CONTEXT_H
#define DDAEBM_CONTEXT_H

#include <ddaebm/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A context; opaque. */
typedef struct ddaebm_context ddaebm_context;

/** Allocator that a context uses. Any thread that uses a handle of the context may call its
 *  functions. Initialise with DDAEBM_ALLOCATOR_INIT, then fill in.
 */
typedef struct ddaebm_allocator {
    size_t struct_size; /**< sizeof(ddaebm_allocator) */
    /** Returns at least @p size bytes (never 0) aligned for any C type, or NULL. */
    void *(*allocate)(void *user, size_t size);
    /** Releases what allocate returned; @p pointer is never NULL. */
    void (*release)(void *user, void *pointer);
    void *user; /**< passed to both */
} ddaebm_allocator;

/** Initialiser of a ddaebm_allocator. */
#define DDAEBM_ALLOCATOR_INIT                                                                      \
    { sizeof(ddaebm_allocator), NULL, NULL, NULL }

/** Severity of a log line. */
typedef enum ddaebm_log_level {
    DDAEBM_LOG_DEBUG = 0,  /**< for debugging the library */
    DDAEBM_LOG_INFO = 1,   /**< about the course of a run */
    DDAEBM_LOG_WARNING = 2 /**< probably not what the caller meant */
} ddaebm_log_level;

/** Receives one whole line, without a newline. Any thread that uses a handle of the context may
 *  call it.
 */
typedef void (*ddaebm_log_function)(void *user, ddaebm_log_level level, const char *line);

/** Receives the progress of a long call, from the calling thread: @p done of @p total rows or
 *  bytes.
 *  @return 0 to go on, anything else to cancel. A cancelled call returns ::DDAEBM_CANCELLED and
 *          leaves its handle usable.
 */
typedef int (*ddaebm_progress_function)(void *user, uint64_t done, uint64_t total);

/** Makes a context with ddaebm_default_threads threads and no log.
 *  @param[out] out the new context, to be freed with ddaebm_context_free
 *  @param allocator copied; NULL for malloc and free. Its functions must outlive the context and
 *         every handle made in it
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (@p out is NULL, struct_size is wrong, a function
 *          is missing) or ::DDAEBM_OUT_OF_MEMORY. Any thread.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_create(ddaebm_context **out,
                                                              const ddaebm_allocator *allocator);

/** Frees a context; its memory is released together with the last handle made in it.
 *  @param context may be NULL. Any thread
 */
DDAEBM_API void ddaebm_context_free(ddaebm_context *context);

/** Sets how many threads a call on a handle of this context may compute with.
 *
 *  Initially they are ddaebm_default_threads. Runs with the same number of threads give the same
 *  bits. A BLAS with threads of its own (OpenBLAS, BLIS) is set to one thread while the library
 *  computes, and set back afterwards. Samplers, scorers and trainers made before the call use no
 *  more threads than there were then.
 *  @param context not NULL, and no call may be running on a handle of it
 *  @param threads 1 to 256
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_threads(ddaebm_context *context,
                                                                   int threads);

/** Returns the number of threads.
 *  @param context NULL for a context with the defaults
 *  @return 1 to 256.
 */
DDAEBM_API int ddaebm_context_threads(const ddaebm_context *context);

/** Computes the number of threads that a new context would have now.
 *
 *  It is the first number in the environment variable OMP_NUM_THREADS ("4", "4,2"; anything else
 *  there is ignored). Without one, it is the number of processors in the affinity mask of the
 *  calling thread or, if that is fewer, the number that the CPU quotas of the process's control
 *  groups (version 1 or 2) allow, rounded up.
 *  @param[out] reason one line that says where the number comes from, such as "2 processors in the
 *         affinity mask", cut to fit; may be NULL
 *  @param size bytes at @p reason; 128 are enough
 *  @return 1 to 256. Any thread.
 */
DDAEBM_API int ddaebm_default_threads(char *reason, size_t size);

/** Sets the log function.
 *  @param context not NULL, and no call may be running on a handle of it
 *  @param function NULL for no log, the default
 *  @param user passed to @p function
 *  @param least lines of a lower severity are not made
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_log(ddaebm_context *context,
                                                               ddaebm_log_function function,
                                                               void *user, ddaebm_log_level least);

/** Limits on what a context reads from files, streams and memory. Sizes are checked against them
 *  before memory is allocated.
 */
typedef enum ddaebm_limit {
    /** Bytes of a file or stream, packed and unpacked, and of a set of images. Default 4 GiB
     *  (4,294,967,296), allowed 1 to 2^62.
     */
    DDAEBM_LIMIT_FILE_BYTES = 0,
    /** Bytes of the header of a model file. Default 8 MiB (8,388,608), allowed 1 to 2^30. */
    DDAEBM_LIMIT_HEADER_BYTES = 1,
    /** Tensors in a model file. Default 16,384, allowed 1 to 2^20. */
    DDAEBM_LIMIT_TENSORS = 2
} ddaebm_limit;

/** Sets a limit, from the next read or write on.
 *
 *  Other limits are fixed by the formats: names of 255 bytes, 8 axes, lengths of 2^31 - 1, JSON of
 *  8 levels, and those of data in docs/formats.md.
 *  @param context not NULL, and no call may be running on a handle of it
 *  @param limit which limit
 *  @param value within the bounds that ::ddaebm_limit gives
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (no such limit) or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_limit(ddaebm_context *context,
                                                                 ddaebm_limit limit,
                                                                 uint64_t value);

/** Returns a limit.
 *  @param context NULL for a context with the defaults
 *  @param limit which limit
 *  @return its value; 0 if there is no such limit.
 */
DDAEBM_API uint64_t ddaebm_context_limit(const ddaebm_context *context, ddaebm_limit limit);

/** Sets whether model files may hold weights that are NaN or infinite, to examine a run that
 *  diverged. By default loading such a file fails with ::DDAEBM_NOT_FINITE. Sampling and scoring
 *  with such weights may still fail with that status.
 *  @param context not NULL, and no call may be running on a handle of it
 *  @param accept 0 or 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE (neither 0 nor 1).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_context_set_accept_not_finite(ddaebm_context *context, int accept);

/** Returns whether model files may hold weights that are NaN or infinite.
 *  @param context NULL for a context with the defaults
 *  @return 0 or 1.
 */
DDAEBM_API int ddaebm_context_accept_not_finite(const ddaebm_context *context);

/** Sets whether results have the same bits for every number of threads, and however a long
 *  sequence of rows is divided into calls.
 *
 *  By default the bits depend on the number of threads. The deterministic flag makes a training
 *  step divide its work into eight parts whatever the number of threads, and draws and scores rows
 *  one by one. Bits still depend on the machine, the build and the BLAS. docs/testing.md measures
 *  the cost.
 *  @param context not NULL, and no call may be running on a handle of it. Samplers, scorers and
 *         trainers made before the call are not affected
 *  @param deterministic 0 or 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE (neither 0 nor 1).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_deterministic(ddaebm_context *context,
                                                                         int deterministic);

/** Returns the deterministic flag.
 *  @param context NULL for a context with the defaults
 *  @return 0 or 1.
 */
DDAEBM_API int ddaebm_context_deterministic(const ddaebm_context *context);

#ifdef __cplusplus
}
#endif

#endif
