/* Maps of single columns before they are standardised (data.transform): logarithms, or the normal
 * scores of the data's quantiles. Increasing, so that densities change by the slopes alone. */
#ifndef DD_COLUMN_MAP_H
#define DD_COLUMN_MAP_H

#include "model/model.h"

/* Places of the quantiles of a column. */
enum { DD_KNOTS = 257 };

/* Numbers of model->knots: those of each column, and the normal scores that all are mapped to. */
size_t dd_column_map_size(const ddaebm_model *model);

/* Whether columns are mapped at all. */
bool dd_has_column_map(const ddaebm_model *model);

/* Finds the quantiles, from at most 65,536 rows, where the map is by them. */
ddaebm_status dd_column_map_fit(ddaebm_model *model, const ddaebm_dataset *dataset);

/* OUT_OF_RANGE if the map is the logarithm and a number of the row is not above 0. A constant
 * column is not mapped. `row` is for the message. */
ddaebm_status dd_column_map_check(const ddaebm_model *model, dd_rows_in in, size_t row);

/* The map of column j, its inverse, the logarithm of its slope at x, and the derivative of that. */
double dd_column_map_in(const ddaebm_model *model, size_t j, double x);
double dd_column_map_out(const ddaebm_model *model, size_t j, double y);
double dd_column_map_log_slope(const ddaebm_model *model, size_t j, double x);
double dd_column_map_bend(const ddaebm_model *model, size_t j, double x);

#endif
