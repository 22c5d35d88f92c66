/** @file dataset.h
 *  Where training and scoring rows come from.
 *
 *  A data set is a numbered sequence of rows of one width. Numbers that are text, or wider than 32
 * bits, are kept as float64 (a column of 1e9 + 1, 1e9 + 2, ... stays one), all others as float32.
 * It is finite (a file, an array) or unbounded (a generator, of which row i is fixed by the seed
 * and i). A data set is read-only once made: any number of threads may read it. */
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
    /** Writes rows first .. first+count-1 to @p out, [count, width] float32. A return other than
     * ::DDAEBM_OK stops the call that wanted the rows and is its result. Must give the same rows
     * for the same numbers. */
    ddaebm_status (*read)(void *user, uint64_t first, size_t count, float *out);
    void *user; /**< handed to read */
} ddaebm_source;

/** Initialiser of a ddaebm_source. */
#define DDAEBM_SOURCE_INIT                                                                         \
    { sizeof(ddaebm_source), 0, 0, NULL, NULL }

/** Opens a named set. Two-dimensional ones: 25gaussians, 8gaussians, pinwheel, swissroll, moons,
 * circles, rings, 2spirals, checkerboard, with the parameters of the published toy experiments.
 * Unbounded; width 2. Images: fashion-mnist (60,000 of 28 x 28 x 1) and fashion-mnist-test
 * (10,000), as Debian's package dataset-fashion-mnist installs them.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param name one of the above
 *  @param seed fixes every row of an unbounded set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (the text lists the names, or
 * says what to install) or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_named(ddaebm_dataset **out,
                                                                    ddaebm_context *context,
                                                                    const char *name,
                                                                    uint64_t seed);

/** Reads a file of numbers, or a file or folder of images, into memory. The kind is found by the
 * content; gzip, of one member or several, is unpacked first:
 *  - NPY (version 1 to 3, C or Fortran order, float16/32/64, integers or Booleans, any rank from 1
 * on; the first axis counts the rows, a rank-1 array is a column). Arrays of rank 3, [N, H, W], and
 * 4, [N, H, W, C] or [N, C, H, W] with C up to 4, are images, or are refused: see
 *    ddaebm_read_options;
 *  - a folder of PNG and JPEG files of one size, in the order of their names: palettes become RGB,
 * 16 bits become 8, and transparent pixels are laid over black. Other files are passed over;
 *  - CSV, whatever is text: comma, semicolon, tab or blanks between numbers; one header row
 * allowed, or names in a comment; empty lines and lines that begin with # skipped;
 *  - IDX, as MNIST's: unsigned bytes of rank 3 or 4;
 *  - a batch of CIFAR-10's binary version, or a folder of data_batch_*.bin.
 *
 *  Images of bytes are kept as bytes, at most 4 GiB of them, and read as numbers in [-1, 1]: byte /
 * 127.5 - 1. What is guessed or passed over is reported to the context's log, in one line each.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param path of the file or folder
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_IO (cannot be
 * opened or read), ::DDAEBM_FORMAT (empty, truncated, ragged, damaged, not numbers: the text names
 * the line), ::DDAEBM_MISMATCH (images of several sizes: the text names the first that differs),
 * ::DDAEBM_NOT_FINITE (a NaN or an infinity: the text names row and column),
 *          ::DDAEBM_UNSUPPORTED, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_open(ddaebm_dataset **out,
                                                            ddaebm_context *context,
                                                            const char *path);

/** Whether the first line of a CSV file names its columns. Values are pinned. */
typedef enum ddaebm_header {
    DDAEBM_HEADER_AUTO = 0, /**< told by the content */
    DDAEBM_HEADER_YES = 1,  /**< the first line has names, whatever they look like */
    DDAEBM_HEADER_NO = 2    /**< the first line has numbers */
} ddaebm_header;

/** Order of the axes of an array of images. Values are pinned. */
typedef enum ddaebm_layout {
    DDAEBM_LAYOUT_AUTO = 0, /**< found by the shape */
    DDAEBM_LAYOUT_NHWC = 1, /**< [count, height, width, channels] */
    DDAEBM_LAYOUT_NCHW = 2, /**< [count, channels, height, width] */
    DDAEBM_LAYOUT_ROWS = 3  /**< no images: each entry of the first axis is a row of numbers */
} ddaebm_layout;

/** How a file or folder is to be read. Initialise with DDAEBM_READ_OPTIONS_INIT, which leaves
 * everything to the content, then change.
 *
 *  Left to its shape, an array of rank 4 has its channels where there are 1 to 4 of them; if both
 * places have, where the image then is square. Left to its numbers, black and white are 0 and 1 for
 * Booleans and numbers from 0 to 1, -1 and 1 for fractions from -1 to 1 some of which are negative
 *  (those of samples may lie a tenth beyond), 0 and 255 for numbers from 0 to 255 of which one is
 * 64 at least, and for bytes unless all are 0 and
 *  1. Any other array of rank 3 or 4 is ::DDAEBM_UNSUPPORTED or ::DDAEBM_OUT_OF_RANGE, and the text
 * says which option reads it. */
typedef struct ddaebm_read_options {
    size_t struct_size;   /**< sizeof(ddaebm_read_options) */
    ddaebm_header header; /**< of CSV: whether the first line has names */
    ddaebm_layout layout; /**< of arrays: what their axes are */
    /** Of tables: the columns to keep, in this order: names or numbers from 1 and ranges of those
     * (3-5), separated by commas; NULL for all. A name that looks like a number or holds a comma
     * stands in double quotes. */
    const char *columns;
    const char
        *drop; /**< of tables: the columns to leave out, written in the same way; NULL for none */
    double black; /**< of arrays of images: the number that is black; equal to white: found by the
                     numbers */
    /** And the number that is white; it may be the smaller one. Numbers beyond the range by more
     * than four times its width are
     *  ::DDAEBM_OUT_OF_RANGE. */
    double white;
    /** Of images: the side of the square that each is brought to, 1 to 1024; 0 to leave sizes as
     * they are. An image is laid in the middle of a black square as large as its longer side, or as
     * `resize` if that is more; a square that is larger is made smaller by averages over areas. */
    size_t resize;
    /** Of folders: not 0 to read the images of all folders below it as well, sorted by uppermost
     * folder, folder and name. Links are followed; each folder is read once. */
    int recursive;
} ddaebm_read_options;

/** Initialiser of a ddaebm_read_options. */
#define DDAEBM_READ_OPTIONS_INIT                                                                   \
    { sizeof(ddaebm_read_options), DDAEBM_HEADER_AUTO, DDAEBM_LAYOUT_AUTO, NULL, NULL, 0, 0, 0, 0 }

/** ddaebm_dataset_open with options. An option that the kind of data has no use for is an error
 * that says so.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param path of the file or folder
 *  @param options not NULL; read during the call alone
 *  @return as ddaebm_dataset_open; ::DDAEBM_NOT_FOUND for a column that the table does not have.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_dataset_open_with(ddaebm_dataset **out, ddaebm_context *context, const char *path,
                         const ddaebm_read_options *options);

/** Copies an array of rows.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param rows [count, width] float32, finite
 *  @param count at least 1
 *  @param width 1 to 1,048,576
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_NOT_FINITE or
 * ::DDAEBM_OUT_OF_MEMORY.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out,
                                                                   ddaebm_context *context,
                                                                   const float *rows, size_t count,
                                                                   size_t width);

/** ddaebm_dataset_create_rows of 64 bits, which are kept as they are.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param rows [count, width] float64, finite
 *  @param count at least 1
 *  @param width 1 to 1,048,576
 *  @return as ddaebm_dataset_create_rows. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows_double(
    ddaebm_dataset **out, ddaebm_context *context, const double *rows, size_t count, size_t width);

/** Copies images of 8 bits.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param pixels [count, height, width, channels], 0 (black) to 255; read as byte / 127.5 - 1
 *  @param count at least 1
 *  @param height,width at least 1, with channels at most 1,048,576 numbers
 *  @param channels 1 to 4
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_images(ddaebm_dataset **out,
                                                                     ddaebm_context *context,
                                                                     const uint8_t *pixels,
                                                                     size_t count, size_t height,
                                                                     size_t width, size_t channels);

/** ddaebm_dataset_create_images of numbers.
 *  @param[out] out the new set @param context NULL for the defaults
 *  @param pixels [count, height, width, channels], -1 (black) to 1; a number beyond is
 * ::DDAEBM_OUT_OF_RANGE
 *  @param count,height,width,channels as in ddaebm_dataset_create_images
 *  @return as ddaebm_dataset_create_images, or ::DDAEBM_NOT_FINITE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_images_float(
    ddaebm_dataset **out, ddaebm_context *context, const float *pixels, size_t count, size_t height,
    size_t width, size_t channels);

/** Makes a set of the caller's own source.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param source copied; what it points to must outlive the set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_source(ddaebm_dataset **out,
                                                                     ddaebm_context *context,
                                                                     const ddaebm_source *source);

/** Frees a data set. @param dataset may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_dataset_free(ddaebm_dataset *dataset);

/** Numbers in a row. @param dataset not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_dataset_width(const ddaebm_dataset *dataset);

/** Shape of the images that the rows are: [height, width, channels] numbers in [-1, 1], the top row
 * first.
 *  @param dataset not NULL @param[out] height,width,channels 0 for plain rows; not NULL. @since 0.1
 */
DDAEBM_API void ddaebm_dataset_image_shape(const ddaebm_dataset *dataset, size_t *height,
                                           size_t *width, size_t *channels);

/** Number of rows. @param dataset not NULL @return 0 for an unbounded set. @since 0.1 */
DDAEBM_API uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset);

/** Name of a column, as the file's header had it; names that are no UTF-8 were read as Latin-1.
 *  @param dataset not NULL @param index from 0
 *  @return the set's, valid as long as it; NULL for a column without a name, and past the last.
 * @since 0.1 */
DDAEBM_API const char *ddaebm_dataset_column_name(const ddaebm_dataset *dataset, size_t index);

/** Reads rows in order, as the nearest 32-bit numbers.
 *  @param dataset the set
 *  @param first number of the first row, from 0
 *  @param count how many
 *  @param[out] out [count, width] float32
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (past the end, or a number
 * beyond 32 bits: the text names it), or what the caller's source returned. Any thread. @since 0.1
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_read(const ddaebm_dataset *dataset,
                                                            uint64_t first, size_t count,
                                                            float *out);

/** ddaebm_dataset_read of 64 bits, for columns that float32 is too coarse or too narrow for.
 *  @param dataset the set
 *  @param first number of the first row, from 0
 *  @param count how many
 *  @param[out] out [count, width] float64; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (past the end), or what
 * the caller's source returned. Any thread. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_read_double(const ddaebm_dataset *dataset,
                                                                   uint64_t first, size_t count,
                                                                   double *out);

/** Name of the index-th named set.
 *  @param index from 0
 *  @return a constant string, or NULL past the last. @since 0.1 */
DDAEBM_API const char *ddaebm_dataset_name(size_t index);

#ifdef __cplusplus
}
#endif

#endif
