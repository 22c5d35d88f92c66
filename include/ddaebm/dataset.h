/** @file dataset.h
 *  Where training and scoring rows come from.
 *
 *  A data set is a numbered sequence of rows of one width, float32. It is finite (a file, an array) or unbounded (a generator,
 *  of which row i is fixed by the seed and i). A data set is read-only once made: any number of threads may read it. */
#ifndef DDAEBM_DATASET_H
#define DDAEBM_DATASET_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A data set; opaque. */
typedef struct ddaebm_dataset ddaebm_dataset;

/** A data source of the caller's own. Initialise with DDAEBM_SOURCE_INIT, then fill in. */
typedef struct ddaebm_source {
    size_t struct_size; /**< sizeof(ddaebm_source) */
    size_t width;       /**< numbers in a row, 1 to 1,048,576 */
    uint64_t rows;      /**< how many rows there are; 0 for no end */
    /** Writes rows first .. first+count-1 to @p out, [count, width] float32. A return other than ::DDAEBM_OK stops the call that
     *  wanted the rows and is its result. Must give the same rows for the same numbers. */
    ddaebm_status (*read)(void *user, uint64_t first, size_t count, float *out);
    void *user; /**< handed to read */
} ddaebm_source;

/** Initialiser of a ddaebm_source. */
#define DDAEBM_SOURCE_INIT                                                                                                         \
    { sizeof(ddaebm_source), 0, 0, NULL, NULL }

/** Opens one of the named two-dimensional sets: 25gaussians, 8gaussians, pinwheel, swissroll, moons, circles, rings, 2spirals,
 *  checkerboard, with the parameters of the published toy experiments. Unbounded; width 2.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param name one of the above
 *  @param seed fixes every row
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (the text lists the names) or ::DDAEBM_OUT_OF_MEMORY.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_named(ddaebm_dataset **out, ddaebm_context *context, const char *name,
                                                                    uint64_t seed);

/** Reads a file of numbers into memory: NPY (version 1 to 3, C or Fortran order, float16/32/64 or integers, any rank from 1 on;
 *  the first axis counts the rows, a rank-1 array is a column) or, for any other content, CSV (comma, semicolon, tab or blanks
 *  between numbers; one header row allowed; empty lines and lines that begin with # skipped).
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param path of the file
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_IO (cannot be opened or read), ::DDAEBM_FORMAT
 *          (empty, truncated, ragged, not numbers: the text names the line), ::DDAEBM_NOT_FINITE (a NaN or an infinity: the text
 *          names row and column), ::DDAEBM_UNSUPPORTED, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_open(ddaebm_dataset **out, ddaebm_context *context, const char *path);

/** Copies an array of rows.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param rows [count, width] float32, finite
 *  @param count at least 1
 *  @param width 1 to 1,048,576
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_NOT_FINITE or ::DDAEBM_OUT_OF_MEMORY.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out, ddaebm_context *context, const float *rows,
                                                                   size_t count, size_t width);

/** Makes a set of the caller's own source.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param source copied; what it points to must outlive the set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_source(ddaebm_dataset **out, ddaebm_context *context,
                                                                     const ddaebm_source *source);

/** Frees a data set. @param dataset may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_dataset_free(ddaebm_dataset *dataset);

/** Numbers in a row. @param dataset not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_dataset_width(const ddaebm_dataset *dataset);

/** Number of rows. @param dataset not NULL @return 0 for an unbounded set. @since 0.1 */
DDAEBM_API uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset);

/** Reads rows in order.
 *  @param dataset the set
 *  @param first number of the first row, from 0
 *  @param count how many
 *  @param[out] out [count, width] float32
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (past the end), or what the caller's source returned.
 *          Any thread. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_read(const ddaebm_dataset *dataset, uint64_t first, size_t count,
                                                            float *out);

/** Name of the index-th named set.
 *  @param index from 0
 *  @return a constant string, or NULL past the last. @since 0.1 */
DDAEBM_API const char *ddaebm_dataset_name(size_t index);

#ifdef __cplusplus
}
#endif

#endif
