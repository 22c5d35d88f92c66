/* What the rooms above may know of a data set beyond <ddaebm/dataset.h>. */
#ifndef DD_DATASET_H
#define DD_DATASET_H

#include "io/columns.h"

#include <ddaebm/dataset.h>
#include <stdbool.h>

/* Whether it is one of the library's named sets, rather than a file, an array or the caller's
 * source. */
bool dd_dataset_named(const ddaebm_dataset *dataset);

/* The name and the seed of a named set that is drawn without end; NULL for others. */
const char *dd_dataset_drawn(const ddaebm_dataset *dataset, uint64_t *seed);

/* Whether the library holds its numbers. */
bool dd_dataset_in_memory(const ddaebm_dataset *dataset);

/* All its numbers, [rows, width], where they are kept as doubles; else NULL. */
const double *dd_dataset_doubles(const ddaebm_dataset *dataset);

const dd_column_names *dd_dataset_columns(const ddaebm_dataset *dataset);

/* Returns OUT_OF_RANGE for images in memory with a number beyond [-1, 1], and for rows with one
 * beyond [-most, most]; the text names the first, and the array that a model of images of a side
 * takes (0: of any shape). What is drawn or read is not looked at. */
ddaebm_status dd_dataset_check_images(const ddaebm_dataset *dataset, double most, size_t side,
                                      size_t channels);

/* Returns whether all rows in memory lie within [-most, most]. */
bool dd_dataset_within(const ddaebm_dataset *dataset, double most);

/* Whether it has rows in memory, and none of the first 100 a number below zero. */
bool dd_dataset_never_negative(const ddaebm_dataset *dataset);

#endif
