/* One normal distribution, fitted to standardised rows of which numbers may be missing. */
#ifndef DD_NORMAL_FIT_H
#define DD_NORMAL_FIT_H

#include "model/model.h"

/* Widest rows that are whitened. */
enum { DD_MOST_WHITENED = 1024 };

/* Sets mean, scale, colour and whiten of a model that has been measured, by the expectation
 * maximisation of Dempster, Laird and Rubin (1977) for what is missing. Columns are drawn to
 * independence by as much as the rows demand (normal_fit.c). OUT_OF_RANGE for rows that are too
 * wide. */
ddaebm_status dd_model_fit_normal(ddaebm_model *model, const ddaebm_dataset *dataset);

/* dd_model_fit_normal of a data set that was filled in: of `given`, NaN are those that were, and
 * correlations are shrunk by what was known. */
ddaebm_status dd_model_fit_normal_filled(ddaebm_model *model, const ddaebm_dataset *filled,
                                         const ddaebm_dataset *given);

#endif
