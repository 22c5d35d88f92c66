/* One normal distribution, fitted to images: what form.energy normal begins from. */
#ifndef DD_SPECTRUM_FIT_H
#define DD_SPECTRUM_FIT_H

#include "model/model.h"

/* Sets the mean image and the variances of its frequencies (lib/layers/spectral.h) in the model's
 * weights, by rows in a random order. Does nothing for a model whose energy has none, or with less
 * than two rows. */
ddaebm_status dd_model_fit_spectrum(ddaebm_model *model, const ddaebm_dataset *dataset);

#endif
