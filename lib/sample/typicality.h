/* Typicality: the distance of a row's statistics from those of the training data. */
#ifndef DD_TYPICALITY_H
#define DD_TYPICALITY_H

#include "sample/statistics.h"

/* out[i] = -(v - mean)' precision (v - mean) / 2, v the plain statistics of row i at all timesteps.
 * If the model has orientation, plus DD_ORIENTATION_WEIGHT times the number of standard deviations
 * that its sum over the timesteps is above its mean: an image that is more likely in another
 * orientation loses, one that is sure of its own does not. STATE if the model was never fitted.
 * Ignores the measurement's timestep and stride. */
#define DD_ORIENTATION_WEIGHT 10
ddaebm_status dd_typicality(dd_statistics *statistics, const ddaebm_model *model,
                            const dd_statistics_job *asked);

#endif
