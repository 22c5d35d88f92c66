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
    float *mean, *scale; /* [width]: a row is standardised as (x - mean) / scale; pictures are not */
    double temperature;
    float *typical_mean, *typical_precision; /* [n] and [n, n], n = dd_model_typicality_width; NULL until they are fitted */
};

/* Statistics of a row, over all levels, that typicality weighs (lib/sample/statistics.h). */
enum { DD_TYPICALITY_STATISTICS = 3 };
size_t dd_model_typicality_width(const ddaebm_model *model);

/* Makes room for typical_mean and typical_precision, if there is none. */
ddaebm_status dd_model_make_typicality(ddaebm_model *model);

const dd_settings *dd_model_settings(const ddaebm_model *model);

/* A model that knows the names and shapes of its tensors, and has no room for them: a configuration may ask for any size, so a file is
 * held against it first. All that can be done with it is to look, to make the room, and to free it. */
ddaebm_status dd_model_declare(ddaebm_model **out, ddaebm_context *context, const ddaebm_config *config);

/* Makes that room. On failure the model can be freed, and no more. */
ddaebm_status dd_model_make_weights(ddaebm_model *model);

/* A model with the configuration's tensors, all zero, no standardisation, and the temperature that training aims at. */
ddaebm_status dd_model_create_blank(ddaebm_model **out, ddaebm_context *context, const ddaebm_config *config);

/* Takes mean and deviation of each column from a data set (all rows of a finite one, the first 65,536 of another); a constant column is shifted
 * alone. */
ddaebm_status dd_model_measure(ddaebm_model *model, const ddaebm_dataset *dataset);

/* Numbers in a row that the networks see: dd_settings_inner_width. */
size_t dd_model_inner_width(const ddaebm_model *model);

/* Rows to the units that the networks see, pictures with their black border: [count, width] to [count, inner width]. in may be the
 * last count * width numbers of out. */
void dd_model_standardize(const ddaebm_model *model, const float *in, size_t count, float *out);

/* The way back; in may be out. */
void dd_model_restore(const ddaebm_model *model, const float *in, size_t count, float *out);

/* Gradients with respect to what the networks see, [count, inner width], become those with respect to rows. in may be out. */
void dd_model_restore_gradient(const ddaebm_model *model, const float *in, size_t count, float *out);

/* And back: gradients with respect to rows, [count, width], become those with respect to what the networks see. in may be the last
 * count * width numbers of out. */
void dd_model_standardize_gradient(const ddaebm_model *model, const float *in, size_t count, float *out);

/* MISMATCH if the data's rows, or its pictures, have another size than the model's; OUT_OF_RANGE for what is to be pictures and has numbers
 * beyond [-1, 1]. */
ddaebm_status dd_model_check_data(const ddaebm_model *model, const ddaebm_dataset *dataset);

#endif
