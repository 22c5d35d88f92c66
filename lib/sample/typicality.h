/* How near a row's statistics are to those of the training data. */
#ifndef DD_TYPICALITY_H
#define DD_TYPICALITY_H

#include "sample/statistics.h"

/* out[i] = -(v - mean)' precision (v - mean) / 2, v the statistics of row i at all timesteps but
 * orientation; where there is orientation, plus DD_ORIENTATION_WEIGHT times how many standard
 * deviations its sum over the timesteps is above its mean: an image that would rather stand another
 * way counts against itself, one that is sure of its own does not. STATE if the model was never
 * fitted. The measurement's timestep and stride do not count. */
#define DD_ORIENTATION_WEIGHT 10
ddaebm_status dd_typicality(dd_statistics *statistics, const ddaebm_model *model,
                            const dd_measurement *asked);

#endif
