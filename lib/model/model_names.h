/* Names of tensors and metadata in a model file. */
#ifndef DD_MODEL_NAMES_H
#define DD_MODEL_NAMES_H

#include "model/model.h"

static const char format_name[] = "libddaebm-model", trainer_prefix[] = "trainer.";
static const char data_mean[] = "data.mean", data_scale[] = "data.scale", data_rows[] = "data.rows",
                  data_quantiles[] = "data.quantiles", data_colour[] = "data.colour",
                  columns_key[] = "columns";
static const char kind_key[] = "data_kind";
static const char *const data_kinds[] = {[DD_KIND_ROWS] = "rows", [DD_KIND_IMAGES] = "images"};
static const char best_step[] = "best_step", held_out_contrast[] = "held_out_contrast";
static const char log_z_key[] = "log_z", log_z_error[] = "log_z_error", log_z_gap[] = "log_z_gap",
                  log_z_samples[] = "log_z_effective_samples";
static const char typical_mean[] = "typicality.mean", typical_slope[] = "typicality.slope",
                  typical_precision[] = "typicality.precision";

#endif
