/** @file trainer.h
 *  Trains models: a whole run (ddaebm_train), single steps (ddaebm_trainer_step), or the four
 *  stages of a step for a custom loop (ddaebm_trainer_energy_gradients and so on).
 *
 *  Every draw depends on the seed and the step alone. So the same configuration, data, seed and
 *  number of threads give the same bits, and a resumed run is the same run. One thread at a time
 *  may use a trainer. Only a trainer's first step allocates.
 */
#ifndef DDAEBM_TRAINER_H
#define DDAEBM_TRAINER_H

#include <ddaebm/dataset.h>
#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A trainer; opaque. */
typedef struct ddaebm_trainer ddaebm_trainer;

/** Measurements of a step. Losses are means over the batch, before their update. */
typedef struct ddaebm_step_statistics {
    size_t struct_size;         /**< set by the caller to sizeof(ddaebm_step_statistics) */
    uint64_t step;              /**< steps done, this one included */
    double learning_rate;       /**< of the generator in this step, by its schedule; without
                                     ddaebm_trainer_set_rate_factor */
    double energy_loss;         /**< contrast of f(fake) with f(real), plus penalties; as published:
                                     f(fake) - f(real) + penalty */
    double energy_real;         /**< f(x_t, t) of the data */
    double energy_fake;         /**< f of the generator's samples */
    double penalty;             /**< gradient penalty */
    double generator_loss;      /**< sum of the four losses below, and of the energy score if
                                     configured; without a sample hook's loss */
    double adversarial_loss;    /**< -[f + log q(x_{t+1} | x_t)] of the generator's samples */
    double latent_loss;         /**< weighted negative log q(z | x~_t, x_{t+1}) */
    double divergence_loss;     /**< KL(q(z | x_t, x_{t+1}), N(0, I)) */
    double reconstruction_loss; /**< of x_t from the encoder's z */
} ddaebm_step_statistics;

/** Initialiser of a ddaebm_step_statistics. */
#define DDAEBM_STEP_STATISTICS_INIT                                                                \
    { sizeof(ddaebm_step_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Receives the measurements of each step of a run, from the calling thread.
 *  @param user as given
 *  @param statistics of the step
 *  @param last_step at which the run ends
 *  @return 0 to go on, anything else to cancel.
 */
typedef int (*ddaebm_step_function)(void *user, const ddaebm_step_statistics *statistics,
                                    uint64_t last_step);

/** Changes gradients before their update: clips them, adds to them, or averages them over
 *  processes. Called from the calling thread.
 *  @param user as given
 *  @param network ::DDAEBM_NETWORK_ENERGY; later in the step ::DDAEBM_NETWORK_GENERATOR, then
 *         ::DDAEBM_NETWORK_ENCODER
 *  @param gradients [elements], to be changed in place
 *  @param elements number of weights of the network
 *  @return ::DDAEBM_OK, or a status that stops the step before its update and is its result
 */
typedef ddaebm_status (*ddaebm_gradient_hook)(void *user, ddaebm_network network, float *gradients,
                                              size_t elements);

/** The generator's samples in a step, for a ::ddaebm_sample_hook. It belongs to the library and is
 *  valid during the call.
 */
typedef struct ddaebm_generated_batch {
    size_t struct_size;      /**< sizeof(ddaebm_generated_batch) */
    size_t count;            /**< rows in the batch */
    size_t width;            /**< numbers in a row */
    const size_t *timesteps; /**< [count]: the timestep t of each row, from 0 to T-1 */
    const float *data;       /**< [count, width]: the rows x_0 of the data set, in its units, from
                                  which x_t and x_{t+1} were drawn */
    const float *samples; /**< [count, width], likewise: the generator's x_0, from x_{t+1} and a z
                               of N(0, I) */
} ddaebm_generated_batch;

/** Adds a custom loss L on generated samples. Called between the energy's update and the gradients
 *  of the generator, from the calling thread. L is added to the generator's loss without a factor:
 *  for a mean over the batch, divide by its count.
 *  @param user as given
 *  @param batch the samples
 *  @param gradients [count, width], zero at first, to be set to dL / d samples
 *  @return ::DDAEBM_OK, or a status that stops the step there and is its result
 */
typedef ddaebm_status (*ddaebm_sample_hook)(void *user, const ddaebm_generated_batch *batch,
                                            float *gradients);

/** Which data a run may be resumed with. */
typedef enum ddaebm_resume_data {
    DDAEBM_RESUME_SAME_DATA = 0, /**< the data of the run; other data is refused */
    DDAEBM_RESUME_OTHER_DATA = 1 /**< any; mean and standard deviation of the columns stay those of
                                      the checkpoint */
} ddaebm_resume_data;

/** Options for resuming a run. Initialise with DDAEBM_RESUME_OPTIONS_INIT, then change. */
typedef struct ddaebm_resume_options {
    size_t struct_size;      /**< sizeof(ddaebm_resume_options) */
    ddaebm_resume_data data; /**< which data is accepted */
} ddaebm_resume_options;

/** Initialiser of a ddaebm_resume_options. */
#define DDAEBM_RESUME_OPTIONS_INIT                                                                 \
    { sizeof(ddaebm_resume_options), DDAEBM_RESUME_SAME_DATA }

/** Trains a model from random weights to the end of its configured run, training.steps.
 *
 *  The same as ddaebm_model_create, ddaebm_trainer_create, ddaebm_trainer_run and
 *  ddaebm_trainer_snapshot with one seed. `ddaebm train --seed` trains in the same way, but draws
 *  the rows of a named set by a seed of its own.
 *  @param[out] out the trained model, to be freed with ddaebm_model_free
 *  @param context NULL for the defaults
 *  @param config the configuration; training.steps is the length of the run
 *  @param dataset as in ddaebm_trainer_create; used during the call alone
 *  @param seed of the weights and every draw
 *  @param progress called after each step; may be NULL
 *  @param user passed to @p progress
 *  @return as those four functions; ::DDAEBM_CANCELLED if @p progress cancels.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_train(ddaebm_model **out, ddaebm_context *context,
                                                     const ddaebm_config *config,
                                                     const ddaebm_dataset *dataset, uint64_t seed,
                                                     ddaebm_step_function progress, void *user);

/** Makes a trainer at step 0.
 *
 *  If the configuration standardises, which it does for rows alone, mean and standard deviation of
 *  each column are computed from the data (all rows of a finite set, the first 65,536 of an
 *  unbounded one). Rows that the library holds are read once more for the hash by which checkpoints
 *  recognise their data.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free
 *  @param model initial weights, configuration and context; copied
 *  @param dataset must outlive the trainer and have the width of the model; images must have its
 *         shape, and numbers in [-1, 1]
 *  @param seed of every draw
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH (sizes),
 *          ::DDAEBM_OUT_OF_RANGE, ::DDAEBM_OUT_OF_MEMORY, or what the data set returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_create(ddaebm_trainer **out,
                                                              const ddaebm_model *model,
                                                              const ddaebm_dataset *dataset,
                                                              uint64_t seed);

/** Frees a trainer.
 *  @param trainer may be NULL
 */
DDAEBM_API void ddaebm_trainer_free(ddaebm_trainer *trainer);

/** Trains to the end of the configured run, training.steps. Returns at once if it is reached.
 *  @param trainer the trainer
 *  @param progress called after each step; may be NULL
 *  @param user passed to @p progress
 *  @return as ddaebm_trainer_step, or ::DDAEBM_CANCELLED; the trainer stays usable.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_run(ddaebm_trainer *trainer,
                                                           ddaebm_step_function progress,
                                                           void *user);

/** Trains until step @p last is done. Returns at once if it is. The learning rates follow
 *  training.steps, wherever the run stops; ddaebm_trainer_set_last_step changes that.
 *  @param trainer the trainer
 *  @param last number of the last step
 *  @param progress called after each step; may be NULL
 *  @param user passed to @p progress
 *  @return as ddaebm_trainer_run.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_run_until(ddaebm_trainer *trainer,
                                                                 uint64_t last,
                                                                 ddaebm_step_function progress,
                                                                 void *user);

/** Runs one step: the four stages below in their order. A step that fails has changed nothing, for
 *  whatever reason: an update of the energy is undone. (A caller of the stages takes care of that.)
 *  @param trainer the trainer
 *  @param[in,out] statistics may be NULL; its struct_size set by the caller; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FINITE (a loss or gradient, or a
 *          gradient beyond 1e18, whose square Adam could not hold; the text names network and
 *          step), ::DDAEBM_OUT_OF_MEMORY (first step only), or what a hook or the data set
 *          returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_step(ddaebm_trainer *trainer,
                                                            ddaebm_step_statistics *statistics);

/** Makes a model of the present state of a run.
 *
 *  Its weights are the averaged ones where the configuration averages. Where it holds rows out
 *  (training.held_out), they are those that were best on the held-out rows, which are looked at 32
 *  times in training.steps steps; before the first look, the present ones. Its temperature is
 *  fitted to the data where the configuration calibrates.
 *  @param[out] out a new model, to be freed with ddaebm_model_free
 *  @param trainer the trainer
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, or what the data set
 *          returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_snapshot(ddaebm_model **out,
                                                                ddaebm_trainer *trainer);

/** Writes a checkpoint, whole or not at all: weights, averages, moments, step and seed, and a hash
 *  of the data.
 *  @param trainer the trainer
 *  @param path of the file; one that exists is replaced, and its permissions are kept
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_IO, ::DDAEBM_OUT_OF_MEMORY or
 *          ::DDAEBM_NOT_FINITE (a weight or a moment: the run could not be resumed).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save(const ddaebm_trainer *trainer,
                                                            const char *path);

/** Writes a checkpoint to a file or a function, as ddaebm_trainer_save does.
 *  @param trainer the trainer
 *  @param writer destination of the bytes
 *  @return as ddaebm_trainer_save, or what the write function returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save_stream(const ddaebm_trainer *trainer,
                                                                   const ddaebm_writer *writer);

/** Writes a checkpoint into memory, as ddaebm_trainer_save does.
 *  @param trainer the trainer
 *  @param[out] data may be NULL if @p capacity is 0
 *  @param capacity bytes at @p data
 *  @param[out] needed bytes that the checkpoint takes; may be NULL
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_MEMORY, ::DDAEBM_NOT_FINITE as
 *          ddaebm_trainer_save, or ::DDAEBM_OUT_OF_RANGE if @p capacity is too small (@p needed is
 *          set all the same).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_save_memory(const ddaebm_trainer *trainer,
                                                                   void *data, size_t capacity,
                                                                   size_t *needed);

/** Makes a trainer that continues the run of a checkpoint, bit for bit.
 *
 *  The data must be that of the run: as many rows and columns, and the same numbers in the same
 *  order, whatever file or array they come from; a named unbounded set must have the same name and
 *  seed. A caller's source is not checked, and neither are checkpoints of earlier versions, which
 *  have no hash of their data.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free
 *  @param context NULL for the defaults
 *  @param path of a file written by ddaebm_trainer_save
 *  @param dataset the data of the run; must outlive the trainer
 *  @return as ddaebm_trainer_create and ddaebm_model_load; ::DDAEBM_FORMAT for a model file, which
 *          is no checkpoint; ::DDAEBM_MISMATCH for other data (the text says what differs).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume(ddaebm_trainer **out,
                                                              ddaebm_context *context,
                                                              const char *path,
                                                              const ddaebm_dataset *dataset);

/** Resumes a run from memory, as ddaebm_trainer_resume does.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free
 *  @param context NULL for the defaults
 *  @param data bytes of the file
 *  @param size number of bytes
 *  @param dataset the data of the run; must outlive the trainer
 *  @return as ddaebm_trainer_resume.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_memory(ddaebm_trainer **out,
                                                                     ddaebm_context *context,
                                                                     const void *data, size_t size,
                                                                     const ddaebm_dataset *dataset);

/** Resumes a run from a file or a function and reports the progress of loading, as
 *  ddaebm_model_load_stream does.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free
 *  @param context NULL for the defaults
 *  @param reader source of the bytes
 *  @param dataset the data of the run; must outlive the trainer
 *  @return as ddaebm_trainer_resume and ddaebm_model_load_stream.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_stream(ddaebm_trainer **out,
                                                                     ddaebm_context *context,
                                                                     const ddaebm_reader *reader,
                                                                     const ddaebm_dataset *dataset);

/** Resumes a run with options, for instance with other data.
 *
 *  With other data the run continues from its step with its weights, and mean and standard
 *  deviation of the columns stay those of the checkpoint. Where rows are held out, they are now
 *  rows of the other data, and the best weights so far are discarded, as by
 *  ddaebm_trainer_set_dataset.
 *  @param[out] out the new trainer, to be freed with ddaebm_trainer_free
 *  @param context NULL for the defaults
 *  @param reader source of the bytes
 *  @param dataset the data of the run, or other data of the model's width; must outlive the trainer
 *  @param options from ::DDAEBM_RESUME_OPTIONS_INIT; copied
 *  @return as ddaebm_trainer_resume_stream; ::DDAEBM_OUT_OF_RANGE for an option without meaning.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_resume_with(
    ddaebm_trainer **out, ddaebm_context *context, const ddaebm_reader *reader,
    const ddaebm_dataset *dataset, const ddaebm_resume_options *options);

/** First stage of a step: draws a batch and computes the energy's loss and gradient. Each stage
 *  runs once a step; docs/training_loops.md has examples.
 *  @param trainer the trainer
 *  @return as ddaebm_trainer_step.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_energy_gradients(ddaebm_trainer *trainer);

/** Second stage: updates the energy's weights by Adam.
 *  @param trainer after ddaebm_trainer_energy_gradients
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE, ::DDAEBM_NOT_FINITE, or what the
 *          gradient hook returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_energy_update(ddaebm_trainer *trainer);

/** Third stage: computes loss and gradient of generator and encoder on the same batch, with the
 *  energy's present weights.
 *  @param trainer after ddaebm_trainer_energy_gradients
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE, ::DDAEBM_NOT_FINITE, or what the
 *          sample hook returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_generator_gradients(ddaebm_trainer *trainer);

/** Fourth stage: updates the weights of generator and encoder by Adam, running statistics and
 *  averages. The step is then done.
 *  @param trainer after ddaebm_trainer_generator_gradients
 *  @param[in,out] statistics may be NULL; as in ddaebm_trainer_step
 *  @return as ddaebm_trainer_energy_update.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_trainer_generator_update(ddaebm_trainer *trainer, ddaebm_step_statistics *statistics);

/** Sets the gradient hook, which runs between gradients and update.
 *  @param trainer the trainer
 *  @param hook NULL for none
 *  @param user passed to @p hook
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_gradient_hook(ddaebm_trainer *trainer,
                                                                         ddaebm_gradient_hook hook,
                                                                         void *user);

/** Sets the sample hook, which adds a custom loss on generated samples.
 *
 *  The step is planned anew with an input for it; without a hook it costs neither time nor memory.
 *  Checkpoints do not hold it: set it again after ddaebm_trainer_resume.
 *  @param trainer between two steps
 *  @param hook NULL for none
 *  @param user passed to @p hook
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_STATE (in the middle of a step) or
 *          ::DDAEBM_OUT_OF_MEMORY. Steps then also return what the hook returned, or
 *          ::DDAEBM_NOT_FINITE for its gradients (the text names the row).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_sample_hook(ddaebm_trainer *trainer,
                                                                       ddaebm_sample_hook hook,
                                                                       void *user);

/** Multiplies the learning rate of a group of weights, from the next update on. Checkpoints hold
 *  the factors.
 *
 *  Factor 0 freezes the group: its update is skipped and its moments stay, while gradients, hooks,
 *  averages and running statistics go on. For a custom schedule, set optimizer.rate_schedule to
 *  constant and the rate to 1: the factor then is the rate.
 *  @param trainer the trainer
 *  @param prefix the group is every trained weight whose name begins with it: "generator.",
 *         "energy.net.layers.0.", "" for all
 *  @param factor 0 to 1e6, initially 1; replaces the group's earlier factor
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_NOT_FOUND (no weight's name begins so)
 *          or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_rate_factor(ddaebm_trainer *trainer,
                                                                       const char *prefix,
                                                                       double factor);

/** Sets the length of the run, training.steps, at which the schedule of the learning rates ends,
 *  from the next update on. A run whose rates have reached the end of their schedule continues with
 *  those of the new schedule at its present step. Checkpoints hold it.
 *  @param trainer between two steps
 *  @param steps 1 to 1,000,000,000; below ddaebm_trainer_steps, the rates stay at their last value
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_last_step(ddaebm_trainer *trainer,
                                                                     uint64_t steps);

/** Reads the learning rate of a weight's next update: its network's rate by the schedule, times the
 *  weight's factor.
 *  @param trainer the trainer
 *  @param name of a trained weight, as in ddaebm_parameter_info
 *  @param[out] rate of the next update
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_NOT_FOUND.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_rate(const ddaebm_trainer *trainer,
                                                            const char *name, double *rate);

/** Replaces the data, from the next batch on. Mean and standard deviation of the columns stay those
 *  of the first set. Where rows are held out, they are now rows of the new set, and the best
 *  weights so far are discarded.
 *  @param trainer the trainer
 *  @param dataset as in ddaebm_trainer_create; must outlive the trainer, or the next replacement
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_MISMATCH or ::DDAEBM_OUT_OF_RANGE;
 *          where rows are held out also ::DDAEBM_OUT_OF_MEMORY, or what the data set returned.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_dataset(ddaebm_trainer *trainer,
                                                                   const ddaebm_dataset *dataset);

/** Makes the trainer one of several that share a batch, from the next batch on.
 *
 *  With B = training.batch, it draws rows index * B to index * B + B - 1 of a batch of count * B,
 *  with the timesteps and noise that a single trainer of the whole batch gives those rows.
 *  Gradients that the gradient hook averages over all trainers are then those of the whole batch,
 *  except for what depends on the batch as a whole: batch norms, encoder kind `large`, and dropout.
 *  Checkpoints do not hold it: set it again after ddaebm_trainer_resume.
 *  @param trainer the trainer
 *  @param index of the trainer, from 0 to @p count - 1
 *  @param count number of trainers, 1 to 65,536; initially 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_RANGE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_set_shard(ddaebm_trainer *trainer,
                                                                 size_t index, size_t count);

/** Gives access to a network's trained weights as one flat array. A tensor begins at the offset
 *  that ddaebm_model_parameter_info gives.
 *  @param trainer the trainer
 *  @param network which network
 *  @param[out] values the trainer's, valid as long as it; may be written between steps, and between
 *         a network's gradients and its update
 *  @param[out] elements their number
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_weights(ddaebm_trainer *trainer,
                                                               ddaebm_network network,
                                                               float **values, size_t *elements);

/** Gives access to a network's gradients as one flat array, in the order of the weights. They are
 *  zero where the loss does not depend on a weight.
 *
 *  The energy's gradients share their memory with those of generator and encoder: a network's are
 *  valid from the stage that computes them to the next stage that computes gradients.
 *  @param trainer the trainer
 *  @param network which network
 *  @param[out] values the trainer's, valid as long as it; may be written between gradients and
 *         update
 *  @param[out] elements their number
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_trainer_gradients(ddaebm_trainer *trainer,
                                                                 ddaebm_network network,
                                                                 float **values, size_t *elements);

/** Returns the seed of the run, which a resumed run has from its checkpoint.
 *  @param trainer not NULL
 *  @return the seed.
 */
DDAEBM_API uint64_t ddaebm_trainer_seed(const ddaebm_trainer *trainer);

/** Returns the number of steps done.
 *  @param trainer not NULL
 *  @return from 0.
 */
DDAEBM_API uint64_t ddaebm_trainer_steps(const ddaebm_trainer *trainer);

/** Returns the model in training: names and offsets of its tensors, and their present values, not
 *  averaged. ddaebm_trainer_snapshot makes the model to keep.
 *  @param trainer not NULL
 *  @return the trainer's, valid as long as it; updates change it.
 */
DDAEBM_API const ddaebm_model *ddaebm_trainer_model(const ddaebm_trainer *trainer);

/** Returns the configuration of the run.
 *  @param trainer not NULL
 *  @return the trainer's, valid as long as it.
 */
DDAEBM_API const ddaebm_config *ddaebm_trainer_config(const ddaebm_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
