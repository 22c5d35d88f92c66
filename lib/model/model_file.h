/* Models as safetensors: tensors under the names of the published state dicts, `data.mean` and
 * `data.scale`, and the metadata format, version, config (JSON) and temperature. A checkpoint is a
 * model file with more in it (train/checkpoint.h). */
#ifndef DD_MODEL_FILE_H
#define DD_MODEL_FILE_H

#include "io/safetensors_writer.h"
#include "model/model.h"

/* The version of the format that this library writes, and the newest that it reads. From version 2
 * on there is a checksum; from version 3 on data.mean and data.scale are of 64 bits, and the scale
 * of a constant column is 0. */
enum { DD_MODEL_FILE_VERSION = 3 };

/* Writes a model's tensors and metadata, with `weights` (the model's, or others of its shape). */
ddaebm_status dd_model_file_write(dd_safetensors_writer *writer, const ddaebm_model *model,
                                  const dd_weights *weights, dd_stored as);

/* Writes weights of the model's shape as F32 or F16, each name after `prefix`. NOT_FINITE for what
 * the model's context would not load. */
ddaebm_status dd_model_file_write_weights(dd_safetensors_writer *writer, const ddaebm_model *model,
                                          const dd_weights *weights, const char *prefix,
                                          dd_stored as);

/* Reads a model from a file. Tensors that the configuration does not build are refused, unless
 * their names begin with "trainer.". */
ddaebm_status dd_model_file_read(ddaebm_model **out, ddaebm_context *context,
                                 const dd_safetensors *file);

/* Reads weights that dd_model_file_write_weights wrote. */
ddaebm_status dd_model_file_read_weights(dd_weights *weights, const dd_parameters *parameters,
                                         const dd_safetensors *file, const char *prefix);

/* Refuses, naming the tensor, numbers that are not finite; and counts (of updates, batches, steps)
 * that are negative or too large to count on. */
ddaebm_status dd_model_file_check_floats(const char *name, const float *values, size_t count);
ddaebm_status dd_model_file_check_counts(const char *name, const int64_t *values, size_t count);
#define DD_MOST_COUNT (INT64_C(1) << 53)

/* Copies a tensor of `elements` finite numbers from a file. */
ddaebm_status dd_model_file_read_floats(const dd_safetensors *file, const char *name, float *values,
                                        size_t elements);

/* Reads a number of the metadata. */
ddaebm_status dd_model_file_read_number(const dd_safetensors *file, const char *key, double *value);

#endif
