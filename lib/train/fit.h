/* What a run takes from its data before it begins. */
#ifndef DD_FIT_H
#define DD_FIT_H

#include "model/model.h"

/* A ratio of noise to signal for timestep 0: half the distance between neighbouring rows, as the
 * networks see them, where noise begins to take one row for the next. That distance is the median,
 * over the rows, of the distance to the nearest row that is another one, over the square root of
 * the number of columns that vary. Untouched where all rows are the same. */
ddaebm_status dd_fit_sigma_min(double *sigma_min, const ddaebm_model *model,
                               const ddaebm_dataset *dataset);

#endif
