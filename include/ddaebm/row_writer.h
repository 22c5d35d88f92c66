/** @file row_writer.h
 *  Writes files of rows block by block, in constant memory, as NPY, CSV or packed CSV.
 *
 *  Make a writer with the shape of the whole, append the rows in order, and finish. A file is whole
 *  or absent: it is made beside its target, and ddaebm_row_writer_finish moves it over the target.
 *  A writer that is freed without being finished leaves the target as it was.
 */
#ifndef DDAEBM_ROW_WRITER_H
#define DDAEBM_ROW_WRITER_H

#include <ddaebm/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A writer of rows; opaque. One thread at a time may use it. */
typedef struct ddaebm_row_writer ddaebm_row_writer;

/** Formats of files of rows. Their values never change. */
typedef enum ddaebm_row_format {
    DDAEBM_ROWS_NPY = 0, /**< NumPy's, version 1.0, C order */
    /** Numbers between commas, one row a line, whatever the locale. float32 is written with 9
     *  digits, and float64 with 15, or with 17 where 15 do not restore the number.
     */
    DDAEBM_ROWS_CSV = 1,
    DDAEBM_ROWS_CSV_GZIP = 2 /**< CSV, packed by gzip */
} ddaebm_row_format;

/** Texts that the numbers of a column stand for. */
typedef struct ddaebm_labels {
    const char *const *texts; /**< [count]: number k, from 0, stands for texts[k] */
    size_t count;             /**< of texts; 0 for a column of plain numbers */
} ddaebm_labels;

/** Options of a row writer. Initialise with DDAEBM_ROW_OPTIONS_INIT, then change. */
typedef struct ddaebm_row_options {
    size_t struct_size;       /**< sizeof(ddaebm_row_options) */
    ddaebm_row_format format; /**< NPY by default */
    int wide;                 /**< 0: the file's numbers are float32; else float64 */
    /** Names of the columns, as many as a row has numbers, which CSV writes as its first line; a
     *  column without a name among others has an empty one. NULL, or NULL for every column, for no
     *  such line. Read during ddaebm_row_writer_create alone.
     */
    const char *const *names;
    /** As many as a row has numbers: CSV writes the text for each number that has one, and the
     *  number otherwise; NPY has numbers alone. NULL for none. They must outlive the writer.
     */
    const ddaebm_labels *labels;
} ddaebm_row_options;

/** Initialiser of a ddaebm_row_options. */
#define DDAEBM_ROW_OPTIONS_INIT                                                                    \
    { sizeof(ddaebm_row_options), DDAEBM_ROWS_NPY, 0, NULL, NULL }

/** Makes a writer of rows.
 *  @param[out] out the new writer, to be freed with ddaebm_row_writer_free
 *  @param context NULL for the defaults
 *  @param to destination: a file, replaced if it exists, or a function, which receives the bytes as
 *         they are made; copied
 *  @param options copied
 *  @param rank number of axes, 1 to 8
 *  @param shape [rank] sizes, each at least 1: the number of rows, then the shape of a row, whose
 *         product is the numbers in it. NPY stores the shape; in CSV a row is a line
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_IO,
 *          ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_UNSUPPORTED (packed CSV in a build without zlib), or
 *          what the function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_create(ddaebm_row_writer **out,
                                                                 ddaebm_context *context,
                                                                 const ddaebm_writer *to,
                                                                 const ddaebm_row_options *options,
                                                                 size_t rank, const size_t *shape);

/** Writes the next rows. After a failure the writer can only be freed.
 *  @param writer the writer
 *  @param rows [count, numbers in a row] float32; converted if the file's numbers are float64
 *  @param count number of rows, no more than are left
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (more rows than the shape
 *          has), ::DDAEBM_IO, ::DDAEBM_STATE (after a failure), or what the function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_append(ddaebm_row_writer *writer,
                                                                 const float *rows, size_t count);

/** Writes the next rows, as ddaebm_row_writer_append does.
 *  @param writer the writer
 *  @param rows [count, numbers in a row] float64; rounded if the file's numbers are float32
 *  @param count number of rows, no more than are left
 *  @return as ddaebm_row_writer_append.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_append_double(ddaebm_row_writer *writer,
                                                                        const double *rows,
                                                                        size_t count);

/** Completes the file. Afterwards the writer can only be freed.
 *  @param writer the writer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE (rows are missing, or a call
 *          failed before: the target is as it was), ::DDAEBM_IO, or what the function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_row_writer_finish(ddaebm_row_writer *writer);

/** Frees a writer. Unless it was finished, the target is as it was.
 *  @param writer may be NULL
 */
DDAEBM_API void ddaebm_row_writer_free(ddaebm_row_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
