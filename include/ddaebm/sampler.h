/** @file sampler.h
 *  Draws samples: T passes of the generator from N(0, I), no Markov chain. A chain on the energy
 * may refine them (ddaebm_sampler_set_refinement), and the caller's own log-density steer them
 * (ddaebm_sampler_set_guidance).
 *
 *  Sample i of a seed depends on (model, seed, i) alone, up to rounding, however the calls cut the
 * sequence. One thread at a time may use a sampler; any number of samplers may share a model. Rows
 * are float32, [count, width], in the data's own units; those of ddaebm_sampler_draw_double are
 * float64, which a column of 1e9 + 1, 1e9 + 2, ... needs. A column that was constant in the data is
 * that constant in every sample. */
#ifndef DDAEBM_SAMPLER_H
#define DDAEBM_SAMPLER_H

#include <ddaebm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A sampler; opaque. */
typedef struct ddaebm_sampler ddaebm_sampler;

/** Makes a sampler with the model's present weights.
 *  @param[out] out the new sampler, to be freed with ddaebm_sampler_free; untouched on failure
 *  @param model must outlive the sampler
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_create(ddaebm_sampler **out,
                                                              const ddaebm_model *model);

/** Frees a sampler. @param sampler may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_sampler_free(ddaebm_sampler *sampler);

/** Sets who hears of progress. @param sampler the sampler @param function NULL for nobody; the rows
 * that it hears of are those of the call, times one and the steps of refinement @param user handed
 * to @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_sampler_set_progress(ddaebm_sampler *sampler, ddaebm_progress_function function, void *user);

/** Draws samples first .. first+count-1 of a seed: x_T ~ N(0, I); for t = T-1..0, x_0 = G(x_{t+1},
 * t, z) and x_t ~ q(x_t | x_{t+1}, x_0), without noise at t = 0. No allocation after the first call
 * of a sampler.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] rows [count, width]; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_CANCELLED, ::DDAEBM_OUT_OF_MEMORY or
 * ::DDAEBM_NOT_FINITE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw(ddaebm_sampler *sampler, uint64_t seed,
                                                            uint64_t first, size_t count,
                                                            float *rows);

/** ddaebm_sampler_draw of 64 bits: the same samples, not rounded.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] rows [count, width] float64; meaningless on failure
 *  @return as ddaebm_sampler_draw. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_double(ddaebm_sampler *sampler,
                                                                   uint64_t seed, uint64_t first,
                                                                   size_t count, double *rows);

/** Rows at which a long sequence may be cut into calls without another bit: if each call draws a
 * multiple of it, and the last one at least as many, they give together what one call for all of
 * them gives.
 *  @param sampler not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_sampler_block(const ddaebm_sampler *sampler);

/** ddaebm_sampler_draw that shows the way: every x_t, from x_T to the sample itself.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] steps [count, T + 1, width]: x_T, x_{T-1}, ..., x_0 of each; x_0 is the row of
 * ddaebm_sampler_draw; meaningless on failure
 *  @return as ddaebm_sampler_draw. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_steps(ddaebm_sampler *sampler,
                                                                  uint64_t seed, uint64_t first,
                                                                  size_t count, float *steps);

/** Sets whether draws are refined: by a Markov chain on the energy of each sample,
 * Metropolis-adjusted Langevin steps (Roberts and Tweedie, Bernoulli 1996). A chain starts where
 * the generator put x_t, proposes x' = x + h/2 gradient + sqrt(h) noise, and takes it with the
 *  probability that keeps the density exp(f(x, t) / temperature), times the guidance if there is
 * one. In the first half of the steps a size is found for each sample, by what share of its
 * proposals would be accepted; in the second half it is fixed. Each step's own h is that size times
 * a factor drawn for it. At timestep 0, columns that were constant and the black border of images
 * stay as they are.
 *
 *  A step costs about what three passes of the energy do. Samples are fixed by (seed, i) as before,
 * and no draw allocates; but acceptance is yes or no, so what would be rounding otherwise, between
 * calls that are cut elsewhere than at ddaebm_sampler_block, may rarely be another sample.
 *  docs/refinement.md says what it does and costs.
 *  @param sampler as it was on failure
 *  @param steps of the chain at each timestep, up to 100,000; 0 for none, the default
 *  @param timesteps at how many timesteps, counted from timestep 0: 1 to T. At 1 the finished
 * sample alone is refined, at more the x_t between the generator's passes, too. Ignored if @p steps
 * is 0
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_OUT_OF_RANGE or ::DDAEBM_OUT_OF_MEMORY.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_set_refinement(ddaebm_sampler *sampler,
                                                                      size_t steps,
                                                                      size_t timesteps);

/** How many of the proposals were accepted in the last draw, in the steps whose size is fixed.
 * Between 0.5 and 0.9 is usual; near 0, the samples hardly moved.
 *  @param sampler the sampler
 *  @param[out] out 0 to 1; untouched on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_STATE (the last draw was not refined,
 * or failed; or there was none).
 *          @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_acceptance(const ddaebm_sampler *sampler,
                                                                  double *out);

/** The rows whose density a ::ddaebm_guidance_function is asked for. The library's, valid during
 * the call. @since 0.1 */
typedef struct ddaebm_guidance_batch {
    size_t struct_size; /**< sizeof(ddaebm_guidance_batch) */
    size_t count;       /**< rows, at most ddaebm_sampler_block */
    size_t width;       /**< numbers in a row */
    size_t timestep;    /**< t: 0 for samples, more for the x_t between the generator's passes */
    uint64_t first;     /**< row i belongs to sample first + i */
    const double *rows; /**< [count, width], finite, in the data's own units */
} ddaebm_guidance_batch;

/** A log-density of the caller's own, up to a constant, and its gradient. Called by draws that are
 * refined, from the calling thread, for a chunk of samples at a time; for one chunk once, and once
 * more for each step. It may use other handles, a scorer for instance, but not the sampler.
 *  @param user as given
 *  @param batch where it is asked
 *  @param log_densities [count], zero before: to be set. Minus infinity rules a row out
 *  @param gradients [count, width], zero before: to be set to the gradients with respect to rows;
 * those of rows that are ruled out do not count
 *  @return ::DDAEBM_OK, or a status that stops the draw and is its result. @since 0.1 */
typedef ddaebm_status (*ddaebm_guidance_function)(void *user, const ddaebm_guidance_batch *batch,
                                                  double *log_densities, double *gradients);

/** Sets what steers samples: a log-density that is added to the model's, so that draws follow exp(f
 * / temperature + guidance). Constraints, a classifier's log-probability, or the scores of another
 * model (added, the product of both; subtracted, their ratio). Draws need refinement then
 * (ddaebm_sampler_set_refinement), and enough of its steps to come where the guidance wants them.
 * They compute on the calling thread alone, while what the function calls may use all. A sample
 * that is ruled out where its chain begins moves by the model alone until it first comes where it
 * is not, and stays there.
 *  @param sampler as it was on failure
 *  @param function NULL for none, the default
 *  @param user handed to @p function
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT or ::DDAEBM_OUT_OF_MEMORY. Of draws: what the
 * function returned, ::DDAEBM_NOT_FINITE for a log-density that is NaN or plus infinity and a
 * gradient that is not finite (the text names the sample), or ::DDAEBM_STATE without refinement.
 * @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status
ddaebm_sampler_set_guidance(ddaebm_sampler *sampler, ddaebm_guidance_function function, void *user);

#ifdef __cplusplus
}
#endif

#endif
