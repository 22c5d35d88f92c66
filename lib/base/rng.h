/* Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). Element i of an rng stream
 * depends on (seed, stream, i) alone. So any thread can draw any part of any stream, and a run
 * resumes without a generator's state. */
#ifndef DD_RNG_H
#define DD_RNG_H

#include "base/ieee.h"

#include <stddef.h>
#include <stdint.h>

/* The purpose of an rng stream. Files rest on these numbers: they never change. */
typedef enum dd_purpose {
    DD_STREAM_WEIGHTS = 1,
    DD_STREAM_DATA,
    DD_STREAM_SHUFFLE,
    DD_STREAM_TIMESTEP,
    DD_STREAM_NOISE_T,
    DD_STREAM_NOISE_NEXT,
    DD_STREAM_NOISE_POSTERIOR,
    DD_STREAM_NOISE_ENCODER,
    DD_STREAM_LATENT,
    DD_STREAM_SAMPLE_START,
    DD_STREAM_SAMPLE_LATENT,
    DD_STREAM_SAMPLE_NOISE,
    DD_STREAM_CALIBRATION,
    DD_STREAM_DROPOUT,
    DD_STREAM_NOISE_CONTRAST,
    DD_STREAM_LATENT_SCORE,
    DD_STREAM_FLIP,
    DD_STREAM_REFINE_NOISE,
    DD_STREAM_REFINE_SIZE,
    DD_STREAM_REFINE_ACCEPT,
    DD_STREAM_NOISE_SPECTRUM,
    DD_STREAM_TRANSFORM,
    DD_STREAM_ANNEAL_START,
    DD_STREAM_ANNEAL_SIZE,
    DD_STREAM_ANNEAL_NOISE,
    DD_STREAM_ANNEAL_ACCEPT,
    DD_STREAM_NOISE_SCALE,
    DD_STREAM_SAMPLE_SCALE,
    DD_STREAM_RESTORE_NOISE,
    DD_STREAM_RESTORE_LATENT,
    DD_STREAM_RESTORE_SOLVE,
    DD_STREAM_FILL_SEED,
    DD_STREAM_FILL_START,
    DD_STREAM_FILL_KNOWN,
    DD_STREAM_FILL_HIDDEN,
    DD_STREAM_FILL_DONOR
} dd_purpose;

/* Returns the stream of a purpose and a number below 2^56: a step, a timestep or a parameter. */
static inline uint64_t dd_stream(dd_purpose purpose, uint64_t number) {
    return (uint64_t)purpose << 56 | number;
}

/* Computes 128 random bits from a key of 64 bits and a counter of 128 bits. */
void dd_philox(uint32_t out[4], uint64_t key, uint64_t counter_low, uint64_t counter_high);

/* Draws elements first .. first + count - 1 of the stream as uniform 32-bit words. */
void dd_rng_words(uint32_t *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* Draws them uniform on (0, 1), as ((word >> 9) + 1/2) / 2^23. */
void dd_rng_uniforms(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* Draws them standard normal, by the Box-Muller transform of neighbouring uniforms. */
void dd_rng_normals(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* Returns the position of `index` in a random permutation of 0 .. size - 1 that depends on (seed,
 * number) alone. It needs no table: a Feistel network of six rounds is applied until the result is
 * below `size` (cycle walking; Black and Rogaway, CT-RSA 2002). */
uint64_t dd_rng_permute(uint64_t index, uint64_t size, uint64_t seed, uint64_t number);

#endif
