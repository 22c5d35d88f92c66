/* Typicality: the distance of a row's statistics from those of the training data. */
#ifndef DD_TYPICALITY_H
#define DD_TYPICALITY_H

#include "sample/statistics.h"

/* out[i] = slope' d - d' precision d / 2, where d = v - mean, and v are the statistics of row i at
 * all timesteps. The quadratic part is minus half of Mahalanobis's squared distance from the
 * training data. The slope is 0 but for orientation, where it is DD_ORIENTATION_WEIGHT over the
 * standard deviation: an image that is more likely in another orientation loses, one that is sure
 * of its own does not. STATE if the model was never fitted. Ignores the job's timestep and stride.
 */
#define DD_ORIENTATION_WEIGHT 0.5
ddaebm_status dd_typicality(dd_statistics *statistics, const ddaebm_model *model,
                            const dd_statistics_job *asked);

#endif
