/* Fits the noise of timestep 0 to the data before a run. */
#ifndef DD_FIT_H
#define DD_FIT_H

#include "model/model.h"

/* Computes a noise-to-signal ratio for timestep 0: half the distance between neighbouring rows, as
 * the networks see them, at which noise begins to confuse them. The distance is the median over the
 * rows of the distance to the nearest different row, divided by the square root of the number of
 * columns that vary. Leaves *sigma_min if all rows are the same. */
ddaebm_status dd_fit_sigma_min(double *sigma_min, const ddaebm_model *model,
                               const ddaebm_dataset *dataset);

#endif
