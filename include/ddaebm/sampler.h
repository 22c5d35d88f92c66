/** @file sampler.h
 *  Draws samples: T passes of the generator from N(0, I), without a Markov chain.
 *
 *  A chain on the energy may refine them (ddaebm_sampler_set_refinement), and a log-density of the
 *  caller may guide that chain (ddaebm_sampler_set_guidance).
 *
 *  Sample i of a seed depends on (model, seed, i) alone, up to rounding, however the sequence is
 *  divided into calls. One thread at a time may use a sampler; any number of samplers may share a
 *  model. A column that was constant in the training data has that constant in every sample.
 */
#ifndef DDAEBM_SAMPLER_H
#define DDAEBM_SAMPLER_H

#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A sampler; opaque. */
typedef struct ddaebm_sampler ddaebm_sampler;

/** Makes a sampler with the model's present weights.
 *  @param[out] out the new sampler, to be freed with ddaebm_sampler_free
 *  @param model must outlive the sampler
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_create(ddaebm_sampler **out,
                                                              const ddaebm_model *model);

/** Frees a sampler.
 *  @param sampler may be NULL
 */
DDAEBM_API void ddaebm_sampler_free(ddaebm_sampler *sampler);

/** Sets the progress callback.
 *  @param sampler the sampler
 *  @param function receives the number of rows done and their total, which is the call's rows times
 *         one plus the steps of refinement; NULL for none
 *  @param user passed to @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_sampler_set_progress(ddaebm_sampler *sampler, ddaebm_progress_function function, void *user);

/** Draws samples first .. first+count-1 of a seed.
 *
 *  x_T ~ N(0, I); for t = T-1..0, x_0 = G(x_{t+1}, t, z) and x_t ~ q(x_t | x_{t+1}, x_0), without
 *  noise at t = 0. Only a sampler's first call allocates.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count number of samples
 *  @param[out] rows [count, width] float32; undefined on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_CANCELLED, ::DDAEBM_OUT_OF_MEMORY or
 *          ::DDAEBM_NOT_FINITE.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw(ddaebm_sampler *sampler, uint64_t seed,
                                                            uint64_t first, size_t count,
                                                            float *rows);

/** Draws the samples of ddaebm_sampler_draw without rounding them to float32, which a column of
 *  1e9 + 1, 1e9 + 2, ... needs.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count number of samples
 *  @param[out] rows [count, width] float64; undefined on failure
 *  @return as ddaebm_sampler_draw.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_double(ddaebm_sampler *sampler,
                                                                   uint64_t seed, uint64_t first,
                                                                   size_t count, double *rows);

/** Returns the number of rows at whose multiples a long sequence can be divided into calls without
 *  changing a bit. Each call must draw a multiple of it, except that the last may draw more.
 *  @param sampler not NULL
 *  @return at least 1.
 */
DDAEBM_API size_t ddaebm_sampler_block(const ddaebm_sampler *sampler);

/** Draws samples, as ddaebm_sampler_draw does, together with every x_t that led to them.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count number of samples
 *  @param[out] steps [count, T + 1, width] float32: x_T, x_{T-1}, ..., x_0 of each sample; x_0 is
 *         the row of ddaebm_sampler_draw. Undefined on failure
 *  @return as ddaebm_sampler_draw.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_steps(ddaebm_sampler *sampler,
                                                                  uint64_t seed, uint64_t first,
                                                                  size_t count, float *steps);

/** Sets how many steps of a Markov chain on the energy refine each sample.
 *
 *  The steps are Metropolis-adjusted Langevin steps (Roberts and Tweedie, Bernoulli 1996). A chain
 *  starts at the generator's x_t, proposes x' = x + h/2 gradient + sqrt(h) noise, and accepts it
 *  with the probability that leaves the density exp(f(x, t) / temperature), times the guidance if
 *  there is one, invariant. In the first half of the steps a step size is adapted for each sample
 *  to the acceptance of its proposals; in the second half it is fixed. The h of a step is that size
 *  times a random factor. At timestep 0, columns that were constant and the black border of images
 *  do not change.
 *
 *  A step costs about as much as three passes of the energy. Samples are fixed by (seed, i) as
 *  before, and no draw allocates. But acceptance is a yes or a no, and steps multiply differences:
 *  calls that divide a sequence elsewhere than at multiples of ddaebm_sampler_block round otherwise
 *  and give other samples, about a third of them after 30 steps, unless the context is
 *  deterministic (ddaebm_context_set_deterministic). docs/refinement.md describes effect and cost.
 *  @param sampler the sampler
 *  @param steps of the chain at each timestep, up to 100,000; 0 for none, the default
 *  @param timesteps number of timesteps that are refined, counted from timestep 0: 1 to T. With 1
 *         the finished sample alone is refined, with more the x_t between the generator's passes,
 *         too. Ignored if @p steps is 0
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_set_refinement(ddaebm_sampler *sampler,
                                                                      size_t steps,
                                                                      size_t timesteps);

/** Reads the acceptance rate of the last draw, over the steps whose size was fixed. Between 0.5 and
 *  0.9 is usual; near 0, the samples hardly moved.
 *  @param sampler the sampler
 *  @param[out] rate 0 to 1
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_STATE (the last draw was not refined
 *          or failed, or there was none).
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_acceptance(const ddaebm_sampler *sampler,
                                                                  double *rate);

/** The rows whose log-density a ::ddaebm_guidance_function computes. It belongs to the library and
 *  is valid during the call.
 */
typedef struct ddaebm_guidance_batch {
    size_t struct_size; /**< sizeof(ddaebm_guidance_batch) */
    size_t count;       /**< number of rows, at most ddaebm_sampler_block */
    size_t width;       /**< numbers in a row */
    size_t timestep;    /**< t: 0 for samples, more for the x_t between the generator's passes */
    uint64_t first;     /**< row i belongs to sample first + i */
    const double *rows; /**< [count, width], finite, in the units of the data */
} ddaebm_guidance_batch;

/** Computes a log-density, up to a constant, and its gradient.
 *
 *  A draw that is refined calls it from the calling thread, for a chunk of samples at a time: once
 *  for a chunk, and once more for each step. It may use other handles, a scorer for instance, but
 *  not the sampler.
 *  @param user as given
 *  @param batch the rows
 *  @param log_densities [count], zero at first; minus infinity rules a row out
 *  @param gradients [count, width], zero at first: with respect to the rows. Ignored for rows that
 *         are ruled out
 *  @return ::DDAEBM_OK, or a status that stops the draw and is its result
 */
typedef ddaebm_status (*ddaebm_guidance_function)(void *user, const ddaebm_guidance_batch *batch,
                                                  double *log_densities, double *gradients);

/** Sets the guidance: a log-density that is added to the model's, so that samples follow
 *  exp(f / temperature + guidance).
 *
 *  It may be a constraint, a classifier's log-probability, or the score of another model (added,
 *  for the product of both; subtracted, for their ratio). Draws then need refinement
 *  (ddaebm_sampler_set_refinement), with enough steps to reach where the guidance leads. They
 *  compute on the calling thread alone, while what the function calls may use all threads. A sample
 *  that is ruled out where its chain begins moves by the model alone until it first reaches a place
 *  that is not ruled out, and never leaves such places afterwards.
 *  @param sampler the sampler
 *  @param function NULL for none, the default
 *  @param user passed to @p function
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY. Draws then also return
 *          what the function returned, ::DDAEBM_NOT_FINITE for a log-density that is NaN or plus
 *          infinity or a gradient that is not finite (the text names the sample), or
 *          ::DDAEBM_STATE without refinement.
 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_sampler_set_guidance(ddaebm_sampler *sampler, ddaebm_guidance_function function, void *user);

#ifdef __cplusplus
}
#endif

#endif
