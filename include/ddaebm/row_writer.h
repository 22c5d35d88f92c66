/** @file row_writer.h
 *  Writes files of rows block by block, in constant memory: NPY and CSV, which other programs read,
 * and packed CSV.
 *
 *  Make a writer with the shape of the whole, append the rows in order, finish. A file is whole or
 * not there: it is made beside its target and moved over it by ddaebm_row_writer_finish; a writer
 * that is freed before leaves the target as it was. */
#ifndef DDAEBM_ROW_WRITER_H
#define DDAEBM_ROW_WRITER_H

#include <ddaebm/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A file of rows that is being written; opaque. */
typedef struct ddaebm_row_writer ddaebm_row_writer;

/** Formats of files of rows. Values are pinned. @since 0.1 */
typedef enum ddaebm_row_format {
    DDAEBM_ROWS_NPY = 0, /**< NumPy's, version 1.0, C order */
    /** Numbers between commas, one row a line, whatever the locale. float32 is written with 9
     * digits and float64 with 15, or with 17 where those do not give it back. */
    DDAEBM_ROWS_CSV = 1,
    DDAEBM_ROWS_CSV_GZIP = 2 /**< the same, packed by gzip */
} ddaebm_row_format;

/** How rows are written. Initialise with DDAEBM_ROW_OPTIONS_INIT, then change. */
typedef struct ddaebm_row_options {
    size_t struct_size;       /**< sizeof(ddaebm_row_options) */
    ddaebm_row_format format; /**< NPY at first */
    int wide;                 /**< not 0: the file's numbers are float64; else float32 */
    /** Of CSV: names of the columns, as many as a row has numbers, for a first line that has them.
     * NULL, or NULL for every column, for no such line; a column without a name among others has an
     * empty one. Read during ddaebm_row_writer_create alone. */
    const char *const *names;
} ddaebm_row_options;

/** Initialiser of a ddaebm_row_options. */
#define DDAEBM_ROW_OPTIONS_INIT                                                                    \
    { sizeof(ddaebm_row_options), DDAEBM_ROWS_NPY, 0, NULL }

/** Opens a file of rows.
 *  @param[out] out the new writer, to be freed with ddaebm_row_writer_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param to where the bytes go: a file, replaced if it exists, or a function, which gets them as
 * they come; copied
 *  @param options copied
 *  @param rank 1 to 8
 *  @param shape rank sizes, each at least 1: how many rows, then the shape of a row, whose product
 * is the numbers in it. NPY has the shape; in CSV a row is a line
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_IO,
 * ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_UNSUPPORTED (packed CSV in a build without zlib), or what the
 * function returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_create(ddaebm_row_writer **out,
                                                                 ddaebm_context *context,
                                                                 const ddaebm_writer *to,
                                                                 const ddaebm_row_options *options,
                                                                 size_t rank, const size_t *shape);

/** Writes the next rows. After a failure the writer can only be freed.
 *  @param writer the writer
 *  @param rows [count, numbers in a row]; converted if the file's numbers are float64
 *  @param count how many; no more than are left
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (more rows than the shape
 * has), ::DDAEBM_IO, ::DDAEBM_STATE (after a failure), or what the function returned. One thread at
 * a time. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_append(ddaebm_row_writer *writer,
                                                                 const float *rows, size_t count);

/** ddaebm_row_writer_append of 64 bits, rounded if the file's numbers are float32.
 *  @param writer the writer
 *  @param rows [count, numbers in a row]
 *  @param count how many; no more than are left
 *  @return as ddaebm_row_writer_append. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_append_double(ddaebm_row_writer *writer,
                                                                        const double *rows,
                                                                        size_t count);

/** Completes the file. The writer can only be freed after it.
 *  @param writer the writer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE (rows are missing, or something
 * failed before: the target is as it was),
 *          ::DDAEBM_IO, or what the function returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_finish(ddaebm_row_writer *writer);

/** Frees a writer; without ddaebm_row_writer_finish no file is left. @param writer may be NULL.
 * @since 0.1 */
DDAEBM_API void ddaebm_row_writer_free(ddaebm_row_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
