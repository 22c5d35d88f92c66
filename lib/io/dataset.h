/* Data sets inside the library, beyond <ddaebm/dataset.h>. */
#ifndef DD_DATASET_H
#define DD_DATASET_H

#include "io/columns.h"

#include <ddaebm/dataset.h>
#include <stdbool.h>

/* Returns whether it is a named set that is drawn, such as "rings". */
bool dd_dataset_named(const ddaebm_dataset *dataset);

/* Returns the name of a named set that is drawn, and sets *seed; NULL for others. */
const char *dd_dataset_drawn(const ddaebm_dataset *dataset, uint64_t *seed);

/* Returns whether its numbers are kept in memory. */
bool dd_dataset_in_memory(const ddaebm_dataset *dataset);

/* Returns a row of numbers that are kept as doubles; else NULL. Windows of a series overlap; other
 * rows lie one after another. */
const double *dd_dataset_doubles(const ddaebm_dataset *dataset, uint64_t row);

/* Returns these for a change by whoever made the set for itself. */
double *dd_dataset_change(ddaebm_dataset *dataset);

/* Returns the names of its columns; there may be none. */
const dd_column_names *dd_dataset_columns(const ddaebm_dataset *dataset);

/* Refuses images in memory with a number outside [-1, 1], and rows in memory with one outside
 * [-most, most]: DDAEBM_OUT_OF_RANGE. The message names the first such number, and the shape of the
 * images that the model takes: side x side x channels, or any for side 0. */
ddaebm_status dd_dataset_check_images(const ddaebm_dataset *dataset, double most, size_t side,
                                      size_t channels);

/* Returns whether all rows in memory lie within [-most, most]. */
bool dd_dataset_within(const ddaebm_dataset *dataset, double most);

/* Returns whether it has rows in memory, and none of the first 100 has a negative number. */
bool dd_dataset_never_negative(const ddaebm_dataset *dataset);

#endif
