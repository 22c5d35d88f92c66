/* How near a row's statistics are to those of the training data. */
#ifndef DD_TYPICALITY_H
#define DD_TYPICALITY_H

#include "sample/statistics.h"

/* out[i] = -(v - mean)' precision (v - mean) / 2, v the statistics of row i at all levels; STATE if the model was never fitted.
 * The measurement's level and stride do not count. */
ddaebm_status dd_typicality(dd_statistics *statistics, const ddaebm_model *model, const dd_measurement *asked);

#endif
