/* The model from inside. */
#ifndef DD_MODEL_H
#define DD_MODEL_H

#include "config/settings.h"
#include "layers/parameters.h"

#include <ddaebm/dataset.h>
#include <ddaebm/model.h>

struct ddaebm_model {
    ddaebm_context *context;
    ddaebm_config *config;
    dd_parameters parameters;
    dd_weights weights;
    float *mean, *scale; /* [width]: a row is standardised as (x - mean) / scale */
    double temperature;
};

const dd_settings *dd_model_settings(const ddaebm_model *model);

/* A model with the configuration's tensors, all zero, no standardisation, and the temperature that training aims at. */
ddaebm_status dd_model_create_blank(ddaebm_model **out, ddaebm_context *context, const ddaebm_config *config);

/* Takes mean and deviation of each column from a data set (all rows of a finite one, the first 65,536 of another); a constant column is shifted
 * alone. */
ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Rows to and from the units that the networks see. in may be out. */
void dd_model_standardize(const ddaebm_model *model, const float *in, size_t count, float *out);
void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, float *out);

#endif
