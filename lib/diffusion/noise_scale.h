/* Noise other than normal: each sample has a scale of its own, by which all its normal noise is
 * multiplied, from the first timestep to the last (diffusion.noise). Given the scale everything is
 * normal, so the posterior has the same mean, and its variance is the normal one times the squared
 * scale. The mean of the squared scale is 1. */
#ifndef DD_NOISE_SCALE_H
#define DD_NOISE_SCALE_H

#include "config/settings.h"
#include "diffusion/process.h"

/* Whether the noise has a scale. */
static inline bool dd_has_noise_scale(const dd_settings *settings) {
    return settings->diffusion.noise != DD_NOISE_GAUSSIAN;
}

/* Draws the squared scale of sample `index`: element `index` of the stream. */
double dd_noise_scale_draw(const dd_settings *settings, uint64_t seed, uint64_t stream,
                           uint64_t index);

/* Multiplies the noise of samples first .. first + count - 1, [count, width], by their scales. */
void dd_noise_scale_apply(const dd_settings *settings, uint64_t seed, uint64_t stream,
                          uint64_t first, size_t count, size_t width, float *noise);

/* Logarithm of the density of pure noise, one number a sample. */
dd_node dd_noise_log_density(dd_graph *graph, const dd_settings *settings, dd_node x);

#endif
