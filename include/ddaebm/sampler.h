/** @file sampler.h
 *  Draws samples: T passes of the generator from N(0, I), no Markov chain.
 *
 *  Sample i of a seed depends on (model, seed, i) alone, up to rounding, however the calls cut the sequence. One thread at a
 *  time may use a sampler; any number of samplers may share a model. Rows are float32, [count, width], in the data's own units; those of
 *  ddaebm_sampler_draw_double are float64, which a column of 1e9 + 1, 1e9 + 2, ... needs. A column that was constant in the data is that
 *  constant in every sample. */
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
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_create(ddaebm_sampler **out, const ddaebm_model *model);

/** Frees a sampler. @param sampler may be NULL. @since 0.1 */
DDAEBM_API void ddaebm_sampler_free(ddaebm_sampler *sampler);

/** Sets who hears of progress. @param sampler the sampler @param function NULL for nobody @param user handed to @p function
 *  @return ::DDAEBM_OK or ::DDAEBM_INVALID_ARGUMENT. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_set_progress(ddaebm_sampler *sampler, ddaebm_progress_function function,
                                                                    void *user);

/** Draws samples first .. first+count-1 of a seed: x_T ~ N(0, I); for t = T-1..0, x_0 = G(x_{t+1}, t, z) and
 *  x_t ~ q(x_t | x_{t+1}, x_0), without noise at t = 0. No allocation after the first call of a sampler.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] rows [count, width]; meaningless on failure
 *  @return ::DDAEBM_OK, ::DDAEBM_INVALID_ARGUMENT, ::DDAEBM_CANCELLED, ::DDAEBM_OUT_OF_MEMORY or ::DDAEBM_NOT_FINITE. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw(ddaebm_sampler *sampler, uint64_t seed, uint64_t first, size_t count,
                                                            float *rows);

/** ddaebm_sampler_draw of 64 bits: the same samples, not rounded.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] rows [count, width] float64; meaningless on failure
 *  @return as ddaebm_sampler_draw. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_double(ddaebm_sampler *sampler, uint64_t seed, uint64_t first,
                                                                   size_t count, double *rows);

/** Rows at which a long sequence may be cut into calls without another bit: if each call draws a multiple of it, and the last one at least
 *  as many, they give together what one call for all of them gives.
 *  @param sampler not NULL @return at least 1. @since 0.1 */
DDAEBM_API size_t ddaebm_sampler_block(const ddaebm_sampler *sampler);

/** ddaebm_sampler_draw that shows the way: every x_t, from x_T to the sample itself.
 *  @param sampler the sampler
 *  @param seed of the sequence
 *  @param first number of the first sample
 *  @param count how many
 *  @param[out] steps [count, T + 1, width]: x_T, x_{T-1}, ..., x_0 of each; x_0 is the row of ddaebm_sampler_draw; meaningless on failure
 *  @return as ddaebm_sampler_draw. @since 0.1 */
DDAEBM_API DDAEBM_CHECKED ddaebm_status ddaebm_sampler_draw_steps(ddaebm_sampler *sampler, uint64_t seed, uint64_t first,
                                                                  size_t count, float *steps);

#ifdef __cplusplus
}
#endif

#endif
