/* The parts of a data set, for the files lib/io/dataset*.c alone. */
#ifndef DD_DATASET_PARTS_H
#define DD_DATASET_PARTS_H

#include "io/columns.h"
#include "io/images.h"
#include "io/rows.h"
#include "io/synthetic.h"

#include <ddaebm/dataset.h>

/* Every kind is read through `source`: the caller's own, or, with the data set as its user, one of
 * the dd_dataset_read_... below. */
struct ddaebm_dataset {
    ddaebm_context *context;
    ddaebm_source source;
    const dd_synthetic *named; /* NULL for other kinds */
    uint64_t seed;             /* of a named set */
    dd_rows rows;              /* owned; no numbers unless rows are kept in memory */
    dd_images images;          /* owned; no pixels unless images are kept in memory as bytes */
    size_t window, hop;        /* rows are windows of so many of these, so far apart; 0: they are
                                  the rows themselves */
    size_t sample_rate;        /* of a WAV file; 0 for others */
    dd_image_shape shape;
    dd_column_names columns;
    uint64_t missing;    /* numbers of rows that are NaN */
    size_t rank;         /* axes of the array that was read; 0 for other kinds */
    double black, white; /* of images: numbers of the file that are -1 and 1 */
};

/* Makes a data set without content, which reads from itself. */
ddaebm_status dd_dataset_make(ddaebm_dataset **out, ddaebm_context *context, size_t width,
                              uint64_t rows);

/* Returns at which of the numbers in memory a row begins. */
size_t dd_dataset_start(const ddaebm_dataset *dataset, size_t row);

/* Read functions for sources: of a named set, of rows in memory (64-bit numbers are rounded to 32
 * bits), and of images in memory. */
ddaebm_status dd_dataset_read_named(void *user, uint64_t first, size_t count, float *out);
ddaebm_status dd_dataset_read_values(void *user, uint64_t first, size_t count, float *out);
ddaebm_status dd_dataset_read_images(void *user, uint64_t first, size_t count, float *out);

/* Refuses numbers that are not finite, except NaN where values may be missing: DDAEBM_NOT_FINITE.
 */
ddaebm_status dd_rows_check_finite(const dd_rows *rows, bool missing);

/* Refuses numbers outside [-1, 1], the range of images: DDAEBM_OUT_OF_RANGE. */
ddaebm_status dd_rows_check_images(const dd_rows *rows);

#endif
