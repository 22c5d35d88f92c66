/** @file dataset.h
 *  Data sets: the rows to train on and to score.
 *
 *  A data set is a numbered sequence of rows of one width. It is finite (a file, an array) or
 *  unbounded (a generator, whose row i depends on the seed and i alone). Numbers that come as text,
 *  or with more than 32 bits, are kept as float64, so that a column of 1e9 + 1, 1e9 + 2, ... keeps
 *  its values; all others are kept as float32. A data set never changes once it is made: any number
 *  of threads may read it.
 */
#ifndef DDAEBM_DATASET_H
#define DDAEBM_DATASET_H

#include <ddaebm/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A data set; opaque. */
typedef struct ddaebm_dataset ddaebm_dataset;

/** Data source of the caller. Initialise with DDAEBM_SOURCE_INIT, then fill in. */
typedef struct ddaebm_source {
    size_t struct_size; /**< sizeof(ddaebm_source) */
    size_t width;       /**< numbers in a row, 1 to 1,048,576 */
    uint64_t rows;      /**< number of rows; 0 if unbounded */
    /** Writes rows first .. first+count-1 to @p out, [count, width] float32; the same numbers must
     *  give the same rows. Any thread that reads the set may call it. A return other than
     *  ::DDAEBM_OK stops the call that needed the rows and is its result.
     */
    ddaebm_status (*read)(void *user, uint64_t first, size_t count, float *out);
    void *user; /**< passed to read */
} ddaebm_source;

/** Initialiser of a ddaebm_source. */
#define DDAEBM_SOURCE_INIT                                                                         \
    { sizeof(ddaebm_source), 0, 0, NULL, NULL }

/** Opens a named set.
 *
 *  Two-dimensional and unbounded, with the parameters of the published toy experiments:
 *  25gaussians, 8gaussians, pinwheel, swissroll, moons, circles, rings, 2spirals, checkerboard.
 *  Images: fashion-mnist (60,000 of 28 x 28 x 1) and fashion-mnist-test (10,000), where Debian's
 *  package dataset-fashion-mnist is installed.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param name one of the above
 *  @param seed fixes every row of an unbounded set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (the text lists the names, or
 *          says what to install) or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_named(ddaebm_dataset **out,
                                                                    ddaebm_context *context,
                                                                    const char *name,
                                                                    uint64_t seed);

/** Reads a file of numbers, or a file or folder of images, into memory.
 *
 *  The content tells the kind; gzip, of one member or several, is unpacked first:
 *  - NPY (version 1 to 3, C or Fortran order, float16/32/64, integers or Booleans, any rank from 1
 *    on). The first axis counts the rows, and an array of rank 1 is a column. Arrays of rank 3,
 *    [N, H, W], and 4, [N, H, W, C] or [N, C, H, W] with C up to 4, are images if their numbers
 *    are those of images, and refused otherwise: see ddaebm_read_options;
 *  - a folder of PNG and JPEG files of one size, in the order of their names. Palettes become RGB,
 *    16 bits become 8, and transparent pixels are laid over black. Other files are ignored;
 *  - CSV, which is any other text: numbers between commas, semicolons, tabs or blanks. One header
 *    row, or names in a comment, may come first; empty lines and lines that begin with # are
 *    ignored;
 *  - WAV: a row is a sample, a column a channel, from -1 to 1;
 *  - IDX, the format of MNIST: unsigned bytes of rank 3 or 4;
 *  - a batch of CIFAR-10's binary version, or a folder of data_batch_*.bin.
 *
 *  8-bit images are kept as bytes, at most 4 GiB of them, and read as numbers in [-1, 1]:
 *  byte / 127.5 - 1. The context's log reports, in one line each, what was inferred or ignored.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param path of the file or folder
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_IO (cannot be
 *          opened or read), ::DDAEBM_FORMAT (empty, truncated, ragged, damaged, not numbers: the
 *          text names the line), ::DDAEBM_MISMATCH (images of several sizes: the text names the
 *          first that differs), ::DDAEBM_NOT_FINITE (a NaN or an infinity: the text names row and
 *          column), ::DDAEBM_UNSUPPORTED, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_open(ddaebm_dataset **out,
                                                            ddaebm_context *context,
                                                            const char *path);

/** Whether the first line of a CSV file names its columns. The values never change. */
typedef enum ddaebm_header {
    DDAEBM_HEADER_AUTO = 0, /**< the content decides */
    DDAEBM_HEADER_YES = 1,  /**< the first line has names, whatever they look like */
    DDAEBM_HEADER_NO = 2    /**< the first line has numbers */
} ddaebm_header;

/** Order of the axes of an array of images. The values never change. */
typedef enum ddaebm_layout {
    DDAEBM_LAYOUT_AUTO = 0, /**< the shape decides */
    DDAEBM_LAYOUT_NHWC = 1, /**< [count, height, width, channels] */
    DDAEBM_LAYOUT_NCHW = 2, /**< [count, channels, height, width] */
    DDAEBM_LAYOUT_ROWS = 3  /**< no images: each entry of the first axis is a row of numbers */
} ddaebm_layout;

/** Options for reading a file or folder. Initialise with DDAEBM_READ_OPTIONS_INIT, which lets the
 *  content decide everything, then change.
 *
 *  *Layout.* Without an option, the channels of an array of rank 4 are the axis of 1 to 4 numbers;
 *  if both places have so many, the one that makes the images square.
 *
 *  *Black and white.* Without an option, they are
 *  - 0 and 1 for Booleans and numbers from 0 to 1;
 *  - -1 and 1 for fractions from -1 to 1, some of them negative (those of samples may be a tenth
 *    beyond);
 *  - 0 and 255 for bytes unless all are 0 and 1, and for other numbers from 0 to 255 of which one
 *    is 64 or more.
 *
 *  Any other array of rank 3 or 4 is ::DDAEBM_UNSUPPORTED or ::DDAEBM_OUT_OF_RANGE, and the text
 *  says which option reads it.
 */
typedef struct ddaebm_read_options {
    size_t struct_size;   /**< sizeof(ddaebm_read_options) */
    ddaebm_header header; /**< of CSV: whether the first line has names */
    ddaebm_layout layout; /**< of arrays: the order of the axes */
    /** Of tables: the columns to keep, in this order, as names, numbers from 1 and ranges of
     *  numbers (3-5), separated by commas; NULL for all. A name that looks like a number or holds
     *  a comma stands in double quotes.
     */
    const char *columns;
    const char *drop; /**< of tables: the columns to leave out, likewise; NULL for none */
    double black;     /**< of arrays of images: the number that is black; if equal to white, the
                           numbers decide */
    /** Of arrays of images: the number that is white; it may be the smaller one. Numbers outside
     *  the range by more than four times its width are ::DDAEBM_OUT_OF_RANGE.
     */
    double white;
    /** Of images: the side of the square that each is brought to, 1 to 1024; 0 keeps the sizes. An
     *  image is centred in a black square as large as its longer side, or as `resize` if that is
     *  more; a square larger than `resize` is reduced by averages over areas.
     */
    size_t resize;
    /** Of folders: not 0 to read the images of all folders below as well, sorted by uppermost
     *  folder, folder and name. Links are followed; each folder is read once.
     */
    int recursive;
    /** Of tables: "allow" to read NaN, and in CSV the fields NA, NaN and empty ones, as missing
     *  values; or a list of more words and numbers that stand for one, between commas ("?,-999").
     *  NULL refuses them.
     */
    const char *missing;
    /** Of arrays of images: not 0 if there is noise on the images, which takes numbers beyond black
     *  and white. Those are then guessed as 0 and 255 if a number is 64 or more, as -1 and 1 if
     * more than 15% of the numbers are below -0.5, and as 0 and 1 otherwise.
     */
    int noisy;
} ddaebm_read_options;

/** Initialiser of a ddaebm_read_options. */
#define DDAEBM_READ_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(ddaebm_read_options), DDAEBM_HEADER_AUTO, DDAEBM_LAYOUT_AUTO, NULL, NULL, 0, 0, 0,  \
            0, NULL, 0                                                                             \
    }

/** Reads a file or folder with options, as ddaebm_dataset_open does. An option that does not apply
 *  to the kind of data is an error.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param path of the file or folder
 *  @param options not NULL; read during the call alone
 *  @return as ddaebm_dataset_open; ::DDAEBM_NOT_FOUND for a column that the table does not have.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_dataset_open_with(ddaebm_dataset **out, ddaebm_context *context, const char *path,
                         const ddaebm_read_options *options);

/** Makes a set of a copy of float32 rows.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param rows [count, width] float32, finite
 *  @param count number of rows, at least 1
 *  @param width numbers in a row, 1 to 1,048,576
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_NOT_FINITE or
 *          ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows(ddaebm_dataset **out,
                                                                   ddaebm_context *context,
                                                                   const float *rows, size_t count,
                                                                   size_t width);

/** Makes a set of a copy of float64 rows, which keep their 64 bits.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param rows [count, width] float64, finite
 *  @param count number of rows, at least 1
 *  @param width numbers in a row, 1 to 1,048,576
 *  @return as ddaebm_dataset_create_rows.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows_double(
    ddaebm_dataset **out, ddaebm_context *context, const double *rows, size_t count, size_t width);

/** Makes a set of a copy of float64 rows in which NaN is a missing value. ddaebm_trainer_create
 *  takes such a set, and ddaebm_restorer_fill fills its rows; all else needs whole rows.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param rows [count, width] float64, finite or NaN
 *  @param count number of rows, at least 1
 *  @param width numbers in a row, 1 to 1,048,576
 *  @return as ddaebm_dataset_create_rows.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_rows_missing(
    ddaebm_dataset **out, ddaebm_context *context, const double *rows, size_t count, size_t width);

/** Makes a set of a copy of 8-bit images.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param pixels [count, height, width, channels], 0 (black) to 255; read as byte / 127.5 - 1
 *  @param count number of images, at least 1
 *  @param height at least 1; height * width * channels is at most 1,048,576
 *  @param width at least 1
 *  @param channels 1 to 4
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_images(ddaebm_dataset **out,
                                                                     ddaebm_context *context,
                                                                     const uint8_t *pixels,
                                                                     size_t count, size_t height,
                                                                     size_t width, size_t channels);

/** Makes a set of a copy of float32 images.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param pixels [count, height, width, channels], -1 (black) to 1
 *  @param count number of images, at least 1
 *  @param height at least 1; height * width * channels is at most 1,048,576
 *  @param width at least 1
 *  @param channels 1 to 4
 *  @return as ddaebm_dataset_create_images, ::DDAEBM_NOT_FINITE, or ::DDAEBM_OUT_OF_RANGE for a
 *          number outside [-1, 1].
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_images_float(
    ddaebm_dataset **out, ddaebm_context *context, const float *pixels, size_t count, size_t height,
    size_t width, size_t channels);

/** Makes a set that reads from the caller's source.
 *  @param[out] out the new set, to be freed with ddaebm_dataset_free
 *  @param context NULL for the defaults
 *  @param source copied; what its `user` points to must outlive the set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_create_source(ddaebm_dataset **out,
                                                                     ddaebm_context *context,
                                                                     const ddaebm_source *source);

/** Frees a data set.
 *  @param dataset may be NULL
 */
DDAEBM_API void ddaebm_dataset_free(ddaebm_dataset *dataset);

/** Returns how many numbers a row has.
 *  @param dataset not NULL
 *  @return at least 1.
 */
DDAEBM_API size_t ddaebm_dataset_width(const ddaebm_dataset *dataset);

/** Reads the shape of the set's images. Each row is one, [height, width, channels] numbers in
 *  [-1, 1], top row first.
 *  @param dataset not NULL
 *  @param[out] height not NULL; 0 if the rows are no images
 *  @param[out] width likewise
 *  @param[out] channels likewise
 */
DDAEBM_API void ddaebm_dataset_image_shape(const ddaebm_dataset *dataset, size_t *height,
                                           size_t *width, size_t *channels);

/** Reads how the numbers of the set's file stand for its rows, so that results can be written in
 * the same form.
 *  @param dataset not NULL
 *  @param[out] rank not NULL; axes of the array that the file holds; 0 if it holds none
 *  @param[out] black not NULL; the number that was read as -1, of images; 0 if the rows are none
 *  @param[out] white likewise: the number that was read as 1
 */
DDAEBM_API void ddaebm_dataset_form(const ddaebm_dataset *dataset, size_t *rank, double *black,
                                    double *white);

/** Returns the number of rows.
 *  @param dataset not NULL
 *  @return 0 for an unbounded set.
 */
DDAEBM_API uint64_t ddaebm_dataset_rows(const ddaebm_dataset *dataset);

/** Returns how many values are missing, over all rows. They are read as NaN.
 *  @param dataset not NULL
 *  @return 0 unless the set was made to have missing values.
 */
DDAEBM_API uint64_t ddaebm_dataset_missing(const ddaebm_dataset *dataset);

/** Returns the name of a column, as in the header of its file. A name that is not UTF-8 is read as
 *  Latin-1.
 *  @param dataset not NULL
 *  @param index from 0
 *  @return the set's string; NULL for a column without a name, and past the last.
 */
DDAEBM_API const char *ddaebm_dataset_column_name(const ddaebm_dataset *dataset, size_t index);

/** Reads rows in order, rounded to float32.
 *  @param dataset the set
 *  @param first number of the first row, from 0
 *  @param count number of rows
 *  @param[out] out [count, width] float32; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (past the end, or a number
 *          beyond float32: the text names it), or what the caller's source returned. Any thread.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_read(const ddaebm_dataset *dataset,
                                                            uint64_t first, size_t count,
                                                            float *out);

/** Reads rows in order as float64, for columns that float32 is too coarse or too narrow for.
 *  @param dataset the set
 *  @param first number of the first row, from 0
 *  @param count number of rows
 *  @param[out] out [count, width] float64; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (past the end), or what
 *          the caller's source returned. Any thread.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_dataset_read_double(const ddaebm_dataset *dataset,
                                                                   uint64_t first, size_t count,
                                                                   double *out);

/** Name of the index-th named set.
 *  @param index from 0
 *  @return a constant string, or NULL past the last.
 */
DDAEBM_API const char *ddaebm_dataset_name(size_t index);

#ifdef __cplusplus
}
#endif

#endif
