/** @file model.h
 *  A model: the weights of energy, generator and encoder, the configuration that built them, and
 * the statistics of its data.
 *
 *  A model that nobody changes may be shared by any number of threads. Rows are float32, [count,
 * width], in the data's own units. */
#ifndef DDAEBM_MODEL_H
#define DDAEBM_MODEL_H

#include <ddaebm/config.h>
#include <ddaebm/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A model; opaque. */
typedef struct ddaebm_model ddaebm_model;

/** The three networks. @since 0.1 */
typedef enum ddaebm_network {
    DDAEBM_NETWORK_ENERGY = 0,    /**< f(x, t) */
    DDAEBM_NETWORK_GENERATOR = 1, /**< G(x_{t+1}, t, z) */
    DDAEBM_NETWORK_ENCODER = 2    /**< q(z | x_t, x_{t+1}) */
} ddaebm_network;

/** What is known of one tensor of a model. */
typedef struct ddaebm_parameter_info {
    size_t struct_size; /**< set by the caller to sizeof(ddaebm_parameter_info) */
    const char *name; /**< as in the file, for instance "energy.net.layers.0.weight"; the model's */
    ddaebm_network network; /**< whose it is */
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

/** Makes an untrained model, its weights drawn by the published rules.
 *  @param[out] out the new model, to be freed with ddaebm_model_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param config copied
 *  @param seed fixes the weights
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE (a combination of values
 * that no network can have) or
 *          ::DDAEBM_OUT_OF_MEMORY. A schedule whose last timestep is far from N(0, I) draws a
 * warning in the log. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_create(ddaebm_model **out,
                                                            ddaebm_context *context,
                                                            const ddaebm_config *config,
                                                            uint64_t seed);

/** Reads a model from a safetensors file written by ddaebm_model_save, or from a checkpoint (its
 * averaged weights).
 *  @param[out] out the model, to be freed with ddaebm_model_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param path of the file
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND or ::DDAEBM_IO (cannot be
 * opened or read), ::DDAEBM_FORMAT,
 *          ::DDAEBM_UNSUPPORTED (a newer format), ::DDAEBM_MISMATCH (tensors that the configuration
 * does not build),
 *          ::DDAEBM_OUT_OF_RANGE (beyond a limit, or a value out of its bounds),
 * ::DDAEBM_NOT_FINITE or
 *          ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load(ddaebm_model **out,
                                                          ddaebm_context *context,
                                                          const char *path);

/** ddaebm_model_load from memory. @param[out] out the model @param context NULL for the defaults
 * @param data the file's bytes
 *  @param size how many @return as ddaebm_model_load. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load_memory(ddaebm_model **out,
                                                                 ddaebm_context *context,
                                                                 const void *data, size_t size);

/** ddaebm_model_load from a file or a function, telling its progress. The bytes must end with the
 * model's: those of an archive's member, not of the archive. They are read in steps of at most 1
 * MiB and checked on the way, so that memory grows with what has come, not with what a header
 * claims.
 *  @param[out] out the model, to be freed with ddaebm_model_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param reader where from
 *  @return as ddaebm_model_load, ::DDAEBM_CANCELLED if the progress function asks for it, or what
 * the read function returned.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_load_stream(ddaebm_model **out,
                                                                 ddaebm_context *context,
                                                                 const ddaebm_reader *reader);

/** Writes a model as safetensors, whole or not at all.
 *  @param model the model
 *  @param path of the file; one that exists is replaced, and keeps its permissions
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_IO, ::DDAEBM_OUT_OF_MEMORY or
 * ::DDAEBM_NOT_FINITE (a weight, unless the model's context accepts such: the file could not be
 * loaded). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save(const ddaebm_model *model,
                                                          const char *path);

/** ddaebm_model_save in half the bytes, to hand out: weights and running statistics as float16.
 * ddaebm_model_load takes it back as float32, each number the nearest of 11 significant bits:
 * samples and scores differ in the third digit. Not for a run that is to go on.
 *  @param model the model
 *  @param path of the file, replaced if it exists
 *  @return as ddaebm_model_save, or ::DDAEBM_OUT_OF_RANGE: a number is beyond float16's 65,504.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_half(const ddaebm_model *model,
                                                               const char *path);

/** ddaebm_model_save to a file or a function.
 *  @param model the model
 *  @param writer where to; the bytes are those of ddaebm_model_save
 *  @return as ddaebm_model_save, or what the write function returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_stream(const ddaebm_model *model,
                                                                 const ddaebm_writer *writer);

/** ddaebm_model_save into memory.
 *  @param model the model
 *  @param[out] data may be NULL if @p capacity is 0; untouched on failure
 *  @param capacity bytes at @p data
 *  @param[out] needed bytes that the file takes; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_NOT_FINITE as
 * ddaebm_model_save, or
 *          ::DDAEBM_OUT_OF_RANGE if @p capacity is too small (@p needed is set all the same).
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_save_memory(const ddaebm_model *model,
                                                                 void *data, size_t capacity,
                                                                 size_t *needed);

/** Frees a model. @param model may be NULL; no sampler, scorer or trainer made of it may be used
 * after. @since 0.1 */
DDAEBM_API void ddaebm_model_free(ddaebm_model *model);

/** The configuration. @param model not NULL @return the model's, valid as long as it. @since 0.1 */
DDAEBM_API const ddaebm_config *ddaebm_model_config(const ddaebm_model *model);

/** Numbers in a row. @param model not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_model_width(const ddaebm_model *model);

/** Shape of the images that a row is: [height, width, channels] numbers in [-1, 1], the top row
 * first, a pixel's channels together.
 *  @param model not NULL @param[out] height,width,channels 0 for a model of plain rows; not NULL.
 * @since 0.1 */
DDAEBM_API void ddaebm_model_image_shape(const ddaebm_model *model, size_t *height, size_t *width,
                                         size_t *channels);

/** Name of a column of the data that the model was trained on.
 *  @param model not NULL @param index from 0
 *  @return the model's, valid as long as it; NULL for a column without a name, and past the last.
 * @since 0.1 */
DDAEBM_API const char *ddaebm_model_column_name(const ddaebm_model *model, size_t index);

/** Denoising steps T; timesteps run from 0 to T-1. @param model not NULL @return at least 1. @since
 * 0.1 */
DDAEBM_API size_t ddaebm_model_timesteps(const ddaebm_model *model);

/** The temperature: f(x, t) / temperature is a log-density up to a constant. @param model not NULL
 * @return above 0. @since 0.1 */
DDAEBM_API double ddaebm_model_temperature(const ddaebm_model *model);

/** Sets the temperature. @param model changed @param temperature finite and above 0
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_set_temperature(ddaebm_model *model,
                                                                     double temperature);

/** The step of its run whose weights a model has, where the run chose them by the rows that it held
 * out (training.held_out).
 *  @param model not NULL @return from 1; 0 where they are the last weights of a run, or of none.
 * @since 0.1 */
DDAEBM_API uint64_t ddaebm_model_best_step(const ddaebm_model *model);

/** What those weights were chosen by: the probability that f(x, 0) of a row held out is larger than
 * that of a row whose columns are drawn each on its own (the area under the ROC curve), as measured
 * at that step.
 *  @param model not NULL @return from 0 to 1; 0 where nothing was chosen. @since 0.1 */
DDAEBM_API double ddaebm_model_held_out_contrast(const ddaebm_model *model);

/** Number of tensors. @param model not NULL @return the number. @since 0.1 */
DDAEBM_API size_t ddaebm_model_parameter_count(const ddaebm_model *model);

/** What is known of the index-th tensor. @param model the model @param index from 0 @param[in,out]
 * info its struct_size set by the caller; untouched on failure @return ::DDAEBM_OK,
 * ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_NOT_FOUND past the last. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_parameter(const ddaebm_model *model,
                                                               size_t index,
                                                               ddaebm_parameter_info *info);

/** Reads a tensor by name. @param model the model @param name as in ddaebm_parameter_info
 * @param[out] values row-major; untouched on failure
 *  @param elements must be the tensor's @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT,
 * ::DDAEBM_NOT_FOUND or ::DDAEBM_MISMATCH.
 *  @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_get_parameter(const ddaebm_model *model,
                                                                   const char *name, float *values,
                                                                   size_t elements);

/** Writes a tensor by name; samplers and scorers made before keep what they had. @param model
 * changed on success alone
 *  @param name as in ddaebm_parameter_info @param values row-major, finite @param elements must be
 * the tensor's
 *  @return as ddaebm_model_get_parameter, ::DDAEBM_NOT_FINITE, or ::DDAEBM_OUT_OF_MEMORY (a sampler
 * made before holds what it had). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_model_set_parameter(ddaebm_model *model,
                                                                   const char *name,
                                                                   const float *values,
                                                                   size_t elements);

#ifdef __cplusplus
}
#endif

#endif
