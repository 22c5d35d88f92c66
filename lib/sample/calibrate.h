/* The temperature that makes f / temperature the data's log-density. */
#ifndef DD_CALIBRATE_H
#define DD_CALIBRATE_H

#include "model/model.h"

#include <ddaebm/dataset.h>

/* Fits the model's temperature on rows of the data set (fresh ones, where it has no end). Rows of
 * one or two numbers: by maximum likelihood, the normaliser by quadrature over a box around the
 * data. Wider rows: by denoising score matching at timestep 0 (Vincent, 2011), the least squares
 * answer to gradient f / temperature = -noise / sigma, each noise with its opposite. Where the fit
 * has no positive answer, the temperature stays. */
ddaebm_status dd_calibrate(ddaebm_model *model, const ddaebm_dataset *dataset, uint64_t seed);

#endif
