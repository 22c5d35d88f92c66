/* The temperature that makes f / temperature the data's log-density. */
#ifndef DD_CALIBRATE_H
#define DD_CALIBRATE_H

#include "model/model.h"

#include <ddaebm/dataset.h>

/* Fits the model's temperature to rows of the data set (fresh ones, if it is unbounded). Rows of
 * one or two numbers: by maximum likelihood, the normaliser by quadrature over a box around the
 * data. Wider rows: by denoising score matching at timestep 0 (Vincent, 2011), the least squares
 * solution of gradient f / temperature = -noise / sigma, for each noise and its negative. If the
 * fit has no positive solution, the temperature does not change. */
ddaebm_status dd_calibrate(ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t seed);

#endif
