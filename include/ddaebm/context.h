/** @file context.h
 *  What the library needs from its host: memory, threads, and a place for its log.
 *
 *  Every handle is made in a context. NULL stands for a context of that handle's own, with the
 * defaults below. A handle keeps its context alive, so the order in which things are freed does not
 * matter. There is no global state of the library's own.
 *
 *  Structs that cross this interface begin with struct_size, which their DDAEBM_..._INIT sets, and
 * only ever grow at their end. One of an older version is taken, with defaults for what it lacks;
 * one of a newer version is taken if what is not known here is zero, and refused with
 *  ::DDAEBM_UNSUPPORTED otherwise. Of structs that are written, what fits is.
 *
 *  Calls compute in the default floating-point environment and leave the caller's as it was;
 * callbacks run in the former. docs/embedding.md and docs/threads.md say what else a host can rely
 * on. A child that was forked while another thread of its parent computed gets ::DDAEBM_STATE from
 *  whatever computes; one that was forked otherwise goes on. */
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

/** Where the library gets its memory. The functions may be called from any thread that uses a
 * handle of the context. Initialise with DDAEBM_ALLOCATOR_INIT, then fill in. */
typedef struct ddaebm_allocator {
    size_t struct_size; /**< sizeof(ddaebm_allocator) */
    /** Returns at least @p size bytes (never 0) aligned for any C type, or NULL. */
    void *(*allocate)(void *user, size_t size);
    /** Takes back what allocate returned; never NULL. */
    void (*release)(void *user, void *pointer);
    void *user; /**< handed to both */
} ddaebm_allocator;

/** Initialiser of a ddaebm_allocator. */
#define DDAEBM_ALLOCATOR_INIT                                                                      \
    { sizeof(ddaebm_allocator), NULL, NULL, NULL }

/** How much a log line matters. @since 0.1 */
typedef enum ddaebm_log_level {
    DDAEBM_LOG_DEBUG = 0,  /**< of interest to who debugs the library */
    DDAEBM_LOG_INFO = 1,   /**< of interest to who watches a run */
    DDAEBM_LOG_WARNING = 2 /**< something that probably is not what was meant */
} ddaebm_log_level;

/** Receives one whole line, without a newline. May be called from any thread that uses a handle of
 * the context. */
typedef void (*ddaebm_log_function)(void *user, ddaebm_log_level level, const char *line);

/** Called now and then by a long call, from the calling thread: `done` of `total` rows or bytes.
 *  @return 0 to go on, anything else to cancel. A cancelled call returns ::DDAEBM_CANCELLED and
 * leaves its handle usable. */
typedef int (*ddaebm_progress_function)(void *user, uint64_t done, uint64_t total);

/** Makes a context: one thread for each processor that this process may run on, silent log.
 *  @param[out] out the new context, to be freed with ddaebm_context_free; untouched on failure
 *  @param allocator copied; NULL for malloc and free. Its functions must outlive the context and
 * every handle made in it
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (@p out NULL, a wrong struct_size, a missing
 * function) or
 *          ::DDAEBM_OUT_OF_MEMORY. Any thread. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_create(ddaebm_context **out,
                                                              const ddaebm_allocator *allocator);

/** Gives up the caller's hold on a context; it ends with the last handle made in it.
 *  @param context may be NULL. Any thread. @since 0.1 */
DDAEBM_API void ddaebm_context_free(ddaebm_context *context);

/** Sets how many threads a call on a handle of this context may compute with; at first they are
 * ddaebm_default_threads. Results for one number of threads are equal bit for bit from run to run.
 * Where the BLAS has its own threads (OpenBLAS, BLIS), they are set to one while the library
 * computes, and set back after. Samplers, scorers and trainers made before use no more threads than
 * there were then.
 *  @param context not NULL, with no call running on any handle of it
 *  @param threads 1 to 256
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, or ::DDAEBM_OUT_OF_MEMORY
 * (the number is as before).
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_threads(ddaebm_context *context,
                                                                   int threads);

/** The number of threads in force.
 *  @param context NULL gives what a default context would have
 *  @return 1 to 256. @since 0.1 */
DDAEBM_API int ddaebm_context_threads(const ddaebm_context *context);

/** The number of threads that a context has unless ddaebm_context_set_threads gives it another, as
 * things are now: the first number in the environment variable OMP_NUM_THREADS ("4", "4,2";
 * anything else there is ignored); else the processors in the affinity mask of the calling thread,
 * or what the CPU quotas of the process's control groups (version 1 or 2) allow, rounded up, if
 * that is fewer.
 *  @param reason gets where the number comes from, in one line such as "2 processors in the
 * affinity mask", cut to fit; NULL if nobody wants it
 *  @param size bytes of @p reason; 128 are enough
 *  @return 1 to 256. Any thread. @since 0.1 */
DDAEBM_API int ddaebm_default_threads(char *reason, size_t size);

/** Sets who receives the log.
 *  @param context not NULL, with no call running on any handle of it
 *  @param function NULL for silence, the default
 *  @param user handed to @p function
 *  @param least lines below this level are not made
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_log(ddaebm_context *context,
                                                               ddaebm_log_function function,
                                                               void *user, ddaebm_log_level least);

/** What a context takes from files, streams and memory at most. Sizes are held against these before
 * memory is asked for. @since 0.1 */
typedef enum ddaebm_limit {
    /** Bytes of a file or stream, packed and unpacked, and of a set of images: 4 GiB
       (4,294,967,296); allowed: 1 to 2^62. */
    DDAEBM_LIMIT_FILE_BYTES = 0,
    /** Bytes of the header of a model file: 8 MiB (8,388,608); allowed: 1 to 2^30. */
    DDAEBM_LIMIT_HEADER_BYTES = 1,
    /** Tensors in a model file: 16,384; allowed: 1 to 2^20. */
    DDAEBM_LIMIT_TENSORS = 2
} ddaebm_limit;

/** Sets a limit, for what is read and written with this context from now on. Other limits are the
 * format's own and fixed: names of 255 bytes, 8 axes, lengths of 2^31 - 1, JSON of 8 levels, and
 * what docs/formats.md says of data.
 *  @param context not NULL, with no call running on any handle of it
 *  @param limit which @param value within the bounds that ::ddaebm_limit gives
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT (no such limit) or ::DDAEBM_OUT_OF_RANGE. @since
 * 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_limit(ddaebm_context *context,
                                                                 ddaebm_limit limit,
                                                                 uint64_t value);

/** A limit in force.
 *  @param context NULL gives what a default context has @param limit which
 *  @return its value; 0 if there is no such limit. @since 0.1 */
DDAEBM_API uint64_t ddaebm_context_limit(const ddaebm_context *context, ddaebm_limit limit);

/** Whether weights that are NaN or infinite are taken from model files, to look into a run that
 * went wrong. By default such a file is
 *  ::DDAEBM_NOT_FINITE. What such a model draws or scores may be ::DDAEBM_NOT_FINITE still.
 *  @param context not NULL, with no call running on any handle of it @param accept 0 or 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE (@p accept is neither).
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_context_set_accept_not_finite(ddaebm_context *context, int accept);

/** Whether they are.
 *  @param context NULL gives what a default context has @return 0 or 1. @since 0.1 */
DDAEBM_API int ddaebm_context_accepts_not_finite(const ddaebm_context *context);

/** Whether bits are the same for every number of threads and however the rows of a call are cut:
 * steps are then cut into eight parts whoever computes them, and rows are drawn and scored one by
 * one. By default bits are those of a number of threads. Holds for one machine, build and BLAS.
 * What it costs: docs/testing.md.
 *  @param context not NULL, with no call running on any handle of it; samplers, scorers and
 * trainers made before stay as they are
 *  @param deterministic 0 or 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE (@p deterministic is
 * neither). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_context_set_deterministic(ddaebm_context *context,
                                                                         int deterministic);

/** Whether they are.
 *  @param context NULL gives what a default context has @return 0 or 1. @since 0.1 */
DDAEBM_API int ddaebm_context_deterministic(const ddaebm_context *context);

#ifdef __cplusplus
}
#endif

#endif
