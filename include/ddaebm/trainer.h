/** @file trainer.h
 *  Trains a model: whole steps, their halves, or a whole run.
 *
 *  A step draws a batch and its noise from (seed, step), so the same configuration, data, seed and
 * number of threads give the same bits, and a resumed run is the same run. One thread at a time may
 * use a trainer. No step after the first allocates. */
#ifndef DDAEBM_TRAINER_H
#define DDAEBM_TRAINER_H

#include <ddaebm/dataset.h>
#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A trainer; opaque. */
typedef struct ddaebm_trainer ddaebm_trainer;

/** What a step measured. Losses are means over the batch, before their update. */
typedef struct ddaebm_step_statistics {
    size_t struct_size;      /**< set by the caller to sizeof(ddaebm_step_statistics) */
    uint64_t step;           /**< steps done, this one included */
    double learning_rate;    /**< the generator's by its schedule, in this step;
                                ddaebm_trainer_set_rate_factor is not in it */
    double energy_loss;      /**< the contrast of f(fake) with f(real), plus penalties; as published
                                f(fake) - f(real) + penalty */
    double energy_real;      /**< f(x_t, t) of the data */
    double energy_fake;      /**< f of the generator's samples */
    double penalty;          /**< the gradient penalty */
    double generator_loss;   /**< sum of the four below and the energy score, if asked for; a sample
                                hook's loss is not in it */
    double adversarial_loss; /**< -[f + log q(x_{t+1} | x_t)] of the generator's samples */
    double latent_loss;      /**< weighted negative log q(z | x~_t, x_{t+1}) */
    double divergence_loss;  /**< KL(q(z | x_t, x_{t+1}), N(0, I)) */
    double reconstruction_loss; /**< of x_t from the encoder's z */
} ddaebm_step_statistics;

/** Initialiser of a ddaebm_step_statistics. */
#define DDAEBM_STEP_STATISTICS_INIT                                                                \
    { sizeof(ddaebm_step_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Called between gradients and update, from the calling thread: clip, add, or reduce over
 * processes.
 *  @param user as given
 *  @param network ::DDAEBM_NETWORK_ENERGY, or ::DDAEBM_NETWORK_GENERATOR and then
 * ::DDAEBM_NETWORK_ENCODER
 *  @param gradients [elements], to be changed in place
 *  @param elements how many
 *  @return ::DDAEBM_OK, or a status that stops the step before its update and is its result */
typedef ddaebm_status (*ddaebm_gradient_hook)(void *user, ddaebm_network network, float *gradients,
                                              size_t elements);

/** What the generator has drawn for the batch of a step, for a ::ddaebm_sample_hook. The library's,
 * valid during the call. */
typedef struct ddaebm_generated_batch {
    size_t struct_size;      /**< sizeof(ddaebm_generated_batch) */
    size_t count;            /**< rows in the batch */
    size_t width;            /**< numbers in a row */
    const size_t *timesteps; /**< [count]: each row's timestep t, from 0 to T-1 */
    const float *data; /**< [count, width]: the rows x_0 of the data set, in its units, of which x_t
                          and x_{t+1} were made */
    const float *samples; /**< [count, width], likewise: the generator's draws of x_0 from x_{t+1}
                             and a z of N(0, I) */
} ddaebm_generated_batch;

/** Adds a loss L of the caller's own on generated samples. Called between the energy's update and
 * the gradients of the generator, from the calling thread. L joins the generator's loss as it is: a
 * mean over the batch divides by its count.
 *  @param user as given
 *  @param batch what has been drawn
 *  @param gradients [count, width], zero when the hook is called: to be set to dL / d samples
 *  @return ::DDAEBM_OK, or a status that stops the step there and is its result */
typedef ddaebm_status (*ddaebm_sample_hook)(void *user, const ddaebm_generated_batch *batch,
                                            float *gradients);

/** Whether a run may be resumed with other data than it had. */
typedef enum ddaebm_resume_data {
    DDAEBM_RESUME_SAME_DATA = 0, /**< refuse other data */
    DDAEBM_RESUME_OTHER_DATA =
        1 /**< take it: mean and deviation of the columns stay those of the checkpoint */
} ddaebm_resume_data;

/** How a run is resumed, for ddaebm_trainer_resume_with. */
typedef struct ddaebm_resume_options {
    size_t struct_size;      /**< sizeof(ddaebm_resume_options) */
    ddaebm_resume_data data; /**< which data may be given */
} ddaebm_resume_options;

/** Initialiser of a ddaebm_resume_options. */
#define DDAEBM_RESUME_OPTIONS_INIT                                                                 \
    { sizeof(ddaebm_resume_options), DDAEBM_RESUME_SAME_DATA }

/** Called after a step of ddaebm_trainer_run. @return 0 to go on, anything else to cancel. */
typedef int (*ddaebm_step_function)(void *user, const ddaebm_step_statistics *statistics,
                                    uint64_t last_step);

/** Makes a trainer at step 0.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free; untouched on failure
 *  @param model where to start: weights, configuration and context are copied from it
 *  @param dataset must outlive the trainer, and be as wide as the model; images must have the
 * model's shape, and numbers in
 *         [-1, 1]. If the configuration standardises, which it does for rows alone, mean and
 * deviation of each column are taken from it (all rows of a finite set, the first 65,536 of an
 * unbounded one). Rows that the library holds are read once for the hash by which checkpoints know
 * their data
 *  @param seed of every draw
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (sizes),
 * ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_OUT_OF_MEMORY, or what the data set returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_create(ddaebm_trainer **out,
                                                              const ddaebm_model *model,
                                                              const ddaebm_dataset *dataset,
                                                              uint64_t seed);

/** Makes a trainer that continues the run of a checkpoint, bit for bit.
 *
 *  The data must be that of the run: as many rows and columns, and the same numbers in the same
 *  order, whatever file or array they come from; a named set without end must have the same name
 *  and seed. A caller's own source is not checked, nor is a checkpoint of an earlier version, which
 *  does not know its data.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free; untouched on failure
 *  @param context NULL for the defaults
 *  @param path of a file written by ddaebm_trainer_save
 *  @param dataset the one that the run had; must outlive the trainer
 *  @return as ddaebm_trainer_create and ddaebm_model_load; ::DDAEBM_FORMAT for a model file that is
 * no checkpoint;
 *          ::DDAEBM_MISMATCH for other data (the text says what differs). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume(ddaebm_trainer **out,
                                                              ddaebm_context *context,
                                                              const char *path,
                                                              const ddaebm_dataset *dataset);

/** ddaebm_trainer_resume from memory.
 *  @param[out] out the trainer @param context NULL for the defaults @param data the file's bytes
 * @param size how many
 *  @param dataset the one that the run had; must outlive the trainer @return as
 * ddaebm_trainer_resume. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_memory(ddaebm_trainer **out,
                                                                     ddaebm_context *context,
                                                                     const void *data, size_t size,
                                                                     const ddaebm_dataset *dataset);

/** ddaebm_trainer_resume from a file or a function, telling its progress, as
 * ddaebm_model_load_stream does.
 *  @param[out] out the trainer @param context NULL for the defaults @param reader where from
 *  @param dataset the one that the run had; must outlive the trainer
 *  @return as ddaebm_trainer_resume and ddaebm_model_load_stream. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_stream(ddaebm_trainer **out,
                                                                     ddaebm_context *context,
                                                                     const ddaebm_reader *reader,
                                                                     const ddaebm_dataset *dataset);

/** ddaebm_trainer_resume_stream with options: to go on with other data than the run had.
 *
 *  With other data the run goes on from its step with its weights, and mean and deviation of the
 *  columns stay those of the checkpoint. Where rows are held out, they are the other data's, and
 *  the best weights so far are forgotten, as ddaebm_trainer_set_dataset does it.
 *  @param[out] out the trainer @param context NULL for the defaults @param reader where from
 *  @param dataset the one that the run had, or another of the model's width; must outlive the
 * trainer
 *  @param options from ::DDAEBM_RESUME_OPTIONS_INIT; copied
 *  @return as ddaebm_trainer_resume_stream; ::DDAEBM_OUT_OF_RANGE for a value of @p options that
 * there is none of. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_with(
    ddaebm_trainer **out, ddaebm_context *context, const ddaebm_reader *reader,
    const ddaebm_dataset *dataset, const ddaebm_resume_options *options);

/** The seed of every draw of a run, a resumed one's from its checkpoint.
 *  @param trainer any
 *  @return the seed. @since 0.1 */
DDAEBM_API uint64_t ddaebm_trainer_seed(const ddaebm_trainer *trainer);

/** Writes a checkpoint, whole or not at all: weights, averages, moments, step and seed, and a hash
 * of the data.
 *  @param trainer the trainer @param path of the file; one that exists is replaced, and keeps its
 * permissions
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_IO, ::DDAEBM_OUT_OF_MEMORY or
 * ::DDAEBM_NOT_FINITE (a weight or a moment: the run could not be resumed). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save(const ddaebm_trainer *trainer,
                                                            const char *path);

/** ddaebm_trainer_save to a file or a function. @param trainer the trainer @param writer where to
 *  @return as ddaebm_trainer_save, or what the write function returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save_stream(const ddaebm_trainer *trainer,
                                                                   const ddaebm_writer *writer);

/** ddaebm_trainer_save into memory. @param trainer the trainer
 *  @param[out] data may be NULL if @p capacity is 0; untouched on failure @param capacity bytes at
 * @p data
 *  @param[out] needed bytes that the checkpoint takes; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_NOT_FINITE as
 * ddaebm_trainer_save, or
 *          ::DDAEBM_OUT_OF_RANGE if @p capacity is too small (@p needed is set all the same).
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save_memory(const ddaebm_trainer *trainer,
                                                                   void *data, size_t capacity,
                                                                   size_t *needed);

/** Frees a trainer. @param trainer may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_trainer_free(ddaebm_trainer *trainer);

/** The model as trained so far: averaged weights where the configuration averages, and a
 * temperature fitted on the data where it calibrates. Where it holds rows out (training.held_out),
 * the weights are the best that the run has had by them, looked at 32 times in training.steps
 * steps; before the first look, the present ones.
 *  @param trainer the trainer
 *  @param[out] out a new model, to be freed with ddaebm_model_free; untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, or what the data set
 * returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_snapshot(ddaebm_trainer *trainer,
                                                                ddaebm_model **out);

/** One whole step: the four halves below, in their order. A step that fails, for whatever reason,
 * has changed nothing: an update of the energy that was made is taken back. (Who calls the halves
 * decides for himself.)
 *  @param trainer the trainer
 *  @param[in,out] statistics may be NULL; its struct_size set by the caller; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FINITE (a loss or gradient, or a
 * gradient beyond 1e18, whose square Adam could not keep; the text names network and step),
 * ::DDAEBM_OUT_OF_MEMORY (first step only), or what a hook or the data set returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_step(ddaebm_trainer *trainer,
                                                            ddaebm_step_statistics *statistics);

/** Steps until step @p last is done; returns at once if it is.
 *  @param trainer the trainer
 *  @param last number of the last step
 *  @param function called after each step; may be NULL
 *  @param user handed to @p function
 *  @return as ddaebm_trainer_step, or ::DDAEBM_CANCELLED (the trainer stays usable). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_run(ddaebm_trainer *trainer, uint64_t last,
                                                           ddaebm_step_function function,
                                                           void *user);

/** First half (each of the four runs once a step): draws a batch and computes the energy's loss and
 * gradient.
 *  @param trainer the trainer @return as ddaebm_trainer_step. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_energy_gradients(ddaebm_trainer *trainer);

/** Second: Adam on the energy's weights.
 *  @param trainer after ddaebm_trainer_energy_gradients @return ::DDAEBM_OK,
 * ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE or
 *  ::DDAEBM_NOT_FINITE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_energy_update(ddaebm_trainer *trainer);

/** Third: loss and gradient of generator and encoder on the same batch, with the energy's present
 * weights.
 *  @param trainer after ddaebm_trainer_energy_gradients @return as ddaebm_trainer_energy_update.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_generator_gradients(ddaebm_trainer *trainer);

/** Last: Adam on the weights of generator and encoder, running statistics and averages; the step is
 * done.
 *  @param trainer after ddaebm_trainer_generator_gradients
 *  @param[in,out] statistics may be NULL; as in ddaebm_trainer_step
 *  @return as ddaebm_trainer_energy_update. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_trainer_generator_update(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics);

/** Sets the hook between gradients and update. @param trainer the trainer @param hook NULL for none
 * @param user handed to @p hook
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_hook(ddaebm_trainer *trainer,
                                                                ddaebm_gradient_hook hook,
                                                                void *user);

/** Sets the hook that adds a loss of the caller's own on generated samples. A step with a hook is
 * planned for it, and one without pays neither time nor room. A hook, like a source, is no part of
 * a checkpoint: set it again after ddaebm_trainer_resume.
 *  @param trainer between two steps; as it was on failure
 *  @param hook NULL for none
 *  @param user handed to @p hook
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE (a step is begun and not done) or
 * ::DDAEBM_OUT_OF_MEMORY. Of the step: what the hook returned, or ::DDAEBM_NOT_FINITE for its
 * gradients (the text names the row). @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_sample_hook(ddaebm_trainer *trainer,
                                                                       ddaebm_sample_hook hook,
                                                                       void *user);

/** Multiplies the learning rate of a group of weights, from the next update on. With factor 0 they
 * are frozen: their update is skipped, and their moments stay, while everything else (gradients,
 * hooks, averages, running statistics) goes on. Kept in checkpoints.
 *
 *  For a schedule of the caller's own, let optimizer.rate_schedule be constant and the rate 1: the
 * factor then is the rate.
 *  @param trainer the trainer
 *  @param prefix the group is every trained weight whose name begins so: "generator.",
 * "energy.net.layers.0.", "" for all
 *  @param factor 0 to 1e6, in the place of the group's earlier one; 1 at the start
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (no weight's name begins so)
 * or ::DDAEBM_OUT_OF_RANGE.
 *          @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_rate_factor(ddaebm_trainer *trainer,
                                                                       const char *prefix,
                                                                       double factor);

/** Makes a run longer or shorter: sets training.steps, the step at which the schedule of the
 * learning rates ends, from the next update on. A run whose rates have fallen to their end gets
 * those of the new schedule at its present step. Kept in checkpoints.
 *  @param trainer between two steps @param steps 1 to 1,000,000,000; below ddaebm_trainer_steps,
 * the rates stay at their last
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_last_step(ddaebm_trainer *trainer,
                                                                     uint64_t steps);

/** The learning rate that a weight's next update has: its network's by the schedule at the present
 * step, times its factor.
 *  @param trainer the trainer @param name a trained weight's, as in ddaebm_parameter_info
 * @param[out] rate untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_NOT_FOUND. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_get_rate(const ddaebm_trainer *trainer,
                                                                const char *name, double *rate);

/** Goes on with other data, from the next batch that is drawn. Mean and deviation of the columns
 * stay those of the first set.
 *  @param trainer the trainer
 *  @param dataset must outlive the trainer, or its own replacement; as in ddaebm_trainer_create
 *         Where rows are held out, they are its own from then on, and the best weights so far are
 * forgotten
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH or ::DDAEBM_OUT_OF_RANGE;
 * where rows are held out also
 *          ::DDAEBM_OUT_OF_MEMORY, or what the data set returned. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_dataset(ddaebm_trainer *trainer,
                                                                   const ddaebm_dataset *dataset);

/** Makes the trainer one of several that share a batch: it draws rows index * B to index * B + B -
 * 1 of a batch of count * B, B being training.batch, with the timesteps and noise that a single
 * trainer of the whole batch gives those rows. Gradients averaged over all of them in the gradient
 * hook are then the whole batch's, but for what sees the batch as one: batch norms, encoder kind
 *  `large`, and the places that dropout hits. No part of a checkpoint: set it again after
 * ddaebm_trainer_resume.
 *  @param trainer as it was on failure; from the next batch that is drawn
 *  @param index which of them, from 0 to @p count - 1
 *  @param count how many, 1 to 65,536; 1 at the start
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_shard(ddaebm_trainer *trainer,
                                                                 size_t index, size_t count);

/** A network's trained weights, flat: a parameter's begin at the offset that ddaebm_model_parameter
 * gives.
 *  @param trainer the trainer @param network whose @param[out] values the trainer's, valid as long
 * as it; may be written between steps, and between a network's gradients and its update
 *  @param[out] elements how many
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_weights(ddaebm_trainer *trainer,
                                                               ddaebm_network network,
                                                               float **values, size_t *elements);

/** A network's gradients, flat, in the same order; zero where the loss does not depend on a weight.
 * The energy's share their memory with those of generator and encoder: a network's are there from
 * its gradients' computation to the next that is computed.
 *  @param trainer the trainer @param network whose @param[out] values the trainer's, valid as long
 * as it; may be written between gradients and update @param[out] elements how many
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_gradients(ddaebm_trainer *trainer,
                                                                 ddaebm_network network,
                                                                 float **values, size_t *elements);

/** Steps done. @param trainer not NULL @return from 0. @since 0.1 */
DDAEBM_API uint64_t ddaebm_trainer_steps(const ddaebm_trainer *trainer);

/** The model being trained: its names and offsets, and its weights as they are now, not averaged;
 * see ddaebm_trainer_snapshot for the model to keep. @param trainer not NULL @return the trainer's,
 * valid as long as it; changed by updates. @since 0.1 */
DDAEBM_API const ddaebm_model *ddaebm_trainer_model(const ddaebm_trainer *trainer);

/** The configuration of the run. @param trainer not NULL @return the trainer's, valid as long as
 * it. @since 0.1 */
DDAEBM_API const ddaebm_config *ddaebm_trainer_config(const ddaebm_trainer *trainer);

/** Bytes that a trainer of a configuration holds once its first step has run: weights, moments,
 * averages, batch and the step's working memory. Nothing is trained to find out.
 *  @param context NULL for the defaults; its threads count
 *  @param config the configuration
 *  @param[out] bytes untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_memory(ddaebm_context *context,
                                                              const ddaebm_config *config,
                                                              size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
