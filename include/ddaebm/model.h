/** @file model.h
 *  Models: the weights of energy, generator and encoder, the configuration that built them, and the
 *  statistics of their training data.
 *
 *  Any number of threads may share a model that nobody changes.
 */
#ifndef DDAEBM_MODEL_H
#define DDAEBM_MODEL_H

#include <ddaebm/config.h>
#include <ddaebm/dataset.h>
#include <ddaebm/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A model; opaque. */
typedef struct ddaebm_model ddaebm_model;

/** The three networks. */
typedef enum ddaebm_network {
    DDAEBM_NETWORK_ENERGY = 0,    /**< f(x, t) */
    DDAEBM_NETWORK_GENERATOR = 1, /**< G(x_{t+1}, t, z) */
    DDAEBM_NETWORK_ENCODER = 2    /**< q(z | x_t, x_{t+1}) */
} ddaebm_network;

/** Description of a tensor of a model. */
typedef struct ddaebm_parameter_info {
    size_t struct_size; /**< set by the caller to sizeof(ddaebm_parameter_info) */
    const char *name;   /**< as in the file, for instance "energy.net.layers.0.weight"; belongs to
                             the model */
    ddaebm_network network; /**< the network that it belongs to */
    size_t rank;            /**< number of axes, 0 to 4 */
    size_t shape[4];        /**< sizes, slowest axis first: linear weights are [out, in] */
    size_t elements;        /**< product of the shape */
    int trained;            /**< 1 for a weight, 0 for a running statistic */
    size_t offset;          /**< of a weight: where it begins in its network's flat arrays, see
                                 ddaebm_trainer_weights; else 0 */
} ddaebm_parameter_info;

/** Initialiser of a ddaebm_parameter_info. */
#define DDAEBM_PARAMETER_INFO_INIT                                                                 \
    { sizeof(ddaebm_parameter_info), NULL, DDAEBM_NETWORK_ENERGY, 0, {0, 0, 0, 0}, 0, 0, 0 }

/** Makes an untrained model, its weights initialised by the published rules.
 *
 *  A noise schedule whose last timestep is far from N(0, I) is reported to the log as a warning.
 *  @param[out] out the new model, to be freed with ddaebm_model_free
 *  @param context NULL for the defaults
 *  @param config copied
 *  @param seed fixes the weights
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (a combination of values
 *          that no network can have) or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_create(ddaebm_model **out,
                                                            ddaebm_context *context,
                                                            const ddaebm_config *config,
                                                            uint64_t seed);

/** Reads a model from a safetensors file written by ddaebm_model_save, or the averaged weights of a
 *  checkpoint.
 *  @param[out] out the model, to be freed with ddaebm_model_free
 *  @param context NULL for the defaults
 *  @param path of the file
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_IO (cannot be
 *          opened or read), ::DDAEBM_FORMAT, ::DDAEBM_UNSUPPORTED (a newer format),
 *          ::DDAEBM_MISMATCH (tensors that the configuration does not build),
 *          ::DDAEBM_OUT_OF_RANGE (beyond a limit, or a value out of its bounds),
 *          ::DDAEBM_NOT_FINITE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load(ddaebm_model **out,
                                                          ddaebm_context *context,
                                                          const char *path);

/** Reads a model from memory, as ddaebm_model_load does.
 *  @param[out] out the model, to be freed with ddaebm_model_free
 *  @param context NULL for the defaults
 *  @param data bytes of the file
 *  @param size number of bytes
 *  @return as ddaebm_model_load.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load_memory(ddaebm_model **out,
                                                                 ddaebm_context *context,
                                                                 const void *data, size_t size);

/** Reads a model from a file or a function and reports its progress.
 *
 *  The bytes must end with the model's: those of an archive's member, not of the archive. They are
 *  read in steps of at most 1 MiB and checked on the way, so that memory grows with the bytes that
 *  have been read, not with the sizes that a header claims.
 *  @param[out] out the model, to be freed with ddaebm_model_free
 *  @param context NULL for the defaults
 *  @param reader source of the bytes
 *  @return as ddaebm_model_load, ::DDAEBM_CANCELLED if the progress function cancels, or what the
 *          read function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load_stream(ddaebm_model **out,
                                                                 ddaebm_context *context,
                                                                 const ddaebm_reader *reader);

/** Writes a model as safetensors, whole or not at all.
 *  @param model the model
 *  @param path of the file; one that exists is replaced, and its permissions are kept
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_IO, ::DDAEBM_OUT_OF_MEMORY or
 *          ::DDAEBM_NOT_FINITE (a weight that is NaN or infinite, unless the model's context
 *          accepts such: the file could not be loaded).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save(const ddaebm_model *model,
                                                          const char *path);

/** Writes a model with weights and running statistics as float16, in half the bytes.
 *
 *  For a model to distribute, not for a run that is to go on. ddaebm_model_load reads the file as
 *  float32; each number is rounded to 11 significant bits, and samples and scores differ in the
 *  third digit.
 *  @param model the model
 *  @param path of the file; replaced if it exists
 *  @return as ddaebm_model_save, or ::DDAEBM_OUT_OF_RANGE: a number is beyond float16's 65,504.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_half(const ddaebm_model *model,
                                                               const char *path);

/** Writes a model to a file or a function, as ddaebm_model_save does.
 *  @param model the model
 *  @param writer destination of the bytes
 *  @return as ddaebm_model_save, or what the write function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_stream(const ddaebm_model *model,
                                                                 const ddaebm_writer *writer);

/** Writes a model into memory, as ddaebm_model_save does.
 *  @param model the model
 *  @param[out] data may be NULL if @p capacity is 0
 *  @param capacity bytes at @p data
 *  @param[out] needed bytes that the file takes; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_NOT_FINITE as
 *          ddaebm_model_save, or ::DDAEBM_OUT_OF_RANGE if @p capacity is too small (@p needed is
 *          set all the same).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_memory(const ddaebm_model *model,
                                                                 void *data, size_t capacity,
                                                                 size_t *needed);

/** Frees a model. No sampler, scorer or trainer made of it may be used afterwards.
 *  @param model may be NULL
 */
DDAEBM_API void ddaebm_model_free(ddaebm_model *model);

/** Returns the model's configuration.
 *  @param model not NULL
 *  @return the model's, valid as long as it.
 */
DDAEBM_API const ddaebm_config *ddaebm_model_config(const ddaebm_model *model);

/** Returns how many numbers a row has.
 *  @param model not NULL
 *  @return at least 1.
 */
DDAEBM_API size_t ddaebm_model_width(const ddaebm_model *model);

/** Reads the shape of the model's images. Each row is one, [height, width, channels] numbers in
 *  [-1, 1], top row first, the channels of a pixel together.
 *  @param model not NULL
 *  @param[out] height not NULL; 0 for a model of rows that are no images
 *  @param[out] width likewise
 *  @param[out] channels likewise
 */
DDAEBM_API void ddaebm_model_image_shape(const ddaebm_model *model, size_t *height, size_t *width,
                                         size_t *channels);

/** Returns the name of a column of the training data.
 *  @param model not NULL
 *  @param index from 0
 *  @return the model's string; NULL for a column without a name, and past the last.
 */
DDAEBM_API const char *ddaebm_model_column_name(const ddaebm_model *model, size_t index);

/** Returns the number of denoising steps, T; timesteps run from 0 to T-1.
 *  @param model not NULL
 *  @return at least 1.
 */
DDAEBM_API size_t ddaebm_model_timesteps(const ddaebm_model *model);

/** Returns the temperature: f(x, t) / temperature is a log-density up to a constant.
 *  @param model not NULL
 *  @return above 0.
 */
DDAEBM_API double ddaebm_model_temperature(const ddaebm_model *model);

/** Sets the temperature. Samplers and scorers made before the call are not affected.
 *  @param model the model
 *  @param temperature finite and above 0
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_set_temperature(ddaebm_model *model,
                                                                     double temperature);

/** Returns the step of training that the model's weights come from, where the run chose them by
 *  held-out rows (training.held_out).
 *  @param model not NULL
 *  @return from 1; 0 where they are the last weights of a run, or the model is untrained.
 */
DDAEBM_API uint64_t ddaebm_model_best_step(const ddaebm_model *model);

/** Returns the measure by which the model's weights were chosen: the probability that f(x, 0) of a
 *  held-out row is larger than that of a row whose columns are drawn independently of each other
 *  (the area under the ROC curve), at ddaebm_model_best_step.
 *  @param model not NULL
 *  @return from 0 to 1; 0 where the weights were not chosen.
 */
DDAEBM_API double ddaebm_model_held_out_contrast(const ddaebm_model *model);

/** Returns the number of tensors.
 *  @param model not NULL
 *  @return the number.
 */
DDAEBM_API size_t ddaebm_model_parameter_count(const ddaebm_model *model);

/** Describes the index-th tensor.
 *  @param model the model
 *  @param index from 0
 *  @param[in,out] info its struct_size set by the caller
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_NOT_FOUND past the last.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_parameter_info(const ddaebm_model *model,
                                                                    size_t index,
                                                                    ddaebm_parameter_info *info);

/** Reads a tensor by name.
 *  @param model the model
 *  @param name as in ddaebm_parameter_info
 *  @param[out] values [elements], row-major
 *  @param elements must be the tensor's
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_MISMATCH.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_parameter(const ddaebm_model *model,
                                                               const char *name, float *values,
                                                               size_t elements);

/** Writes a tensor by name. Samplers and scorers made before the call keep their weights.
 *  @param model the model
 *  @param name as in ddaebm_parameter_info
 *  @param values [elements], row-major, finite
 *  @param elements must be the tensor's
 *  @return as ddaebm_model_parameter, ::DDAEBM_NOT_FINITE, or ::DDAEBM_OUT_OF_MEMORY (for a copy of
 *          the weights that samplers and scorers keep).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_set_parameter(ddaebm_model *model,
                                                                   const char *name,
                                                                   const float *values,
                                                                   size_t elements);

/** Checks that a set has the columns of the training data, in their order, as far as both have
 *  names. Trainers check their data in this way.
 *  @param model the model
 *  @param dataset any set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_MISMATCH (the text names the first
 *          column that differs).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_check_columns(const ddaebm_model *model,
                                                                   const ddaebm_dataset *dataset);

/** Checks that a set can be scored with a model: its kind (rows or images), width or shape, names
 *  of columns, and range of numbers.
 *
 *  A model of rows refuses images. A model of images accepts rows in memory if their numbers are
 *  within [-16, 16], so that noise can be scored. The context's log has one line if some are more
 *  than 0.1 outside [-1, 1], or if none of the first rows has a negative number. Trainers are
 *  stricter: rows may be at most 0.1 outside [-1, 1], and images not at all.
 *  @param model the model
 *  @param dataset any set
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (kind, width, shape or names)
 *          or ::DDAEBM_OUT_OF_RANGE (the text names the first number that no image has).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_check_data(const ddaebm_model *model,
                                                                const ddaebm_dataset *dataset);

/** Fits the typicality score: computes mean and covariance of the statistics that
 *  ::DDAEBM_SCORE_TYPICALITY uses, over at most 2048 rows spread over the set. The model's file
 *  keeps them.
 *  @param model changed on success alone
 *  @param dataset the training data, or data like it
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (widths),
 *          ::DDAEBM_OUT_OF_RANGE (too few rows), ::DDAEBM_NOT_FINITE, ::DDAEBM_OUT_OF_MEMORY, or
 *          what the data set returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_fit_typicality(ddaebm_model *model,
                                                                    const ddaebm_dataset *dataset);

#ifdef __cplusplus
}
#endif

#endif
