/* Random numbers by counter: Philox4x32-10 (Salmon et al., SC 2011). Element i of a stream is fixed
 * by (seed, stream, i) alone, so any part of any stream can be had by any thread, and nothing need
 * be kept to resume. */
#ifndef DD_RNG_H
#define DD_RNG_H

#include "base/ieee.h"

#include <stddef.h>
#include <stdint.h>

/* What a stream is for; combine with a number (a step, a tensor) by dd_stream. */
typedef enum dd_purpose {
    DD_STREAM_WEIGHTS = 1,
    DD_STREAM_DATA,
    DD_STREAM_SHUFFLE,
    DD_STREAM_LEVEL,
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
    DD_STREAM_ANNEAL_ACCEPT
} dd_purpose;

/* number below 2^56. */
static inline uint64_t dd_stream(dd_purpose purpose, uint64_t number) {
    return (uint64_t)purpose << 56 | number;
}

/* The generator itself: 128 random bits for a key of 64 and a counter of 128 bits. */
void dd_philox(uint32_t out[4], uint64_t key, uint64_t counter_low, uint64_t counter_high);

/* Elements first .. first+count-1 of the stream's words, uniform over 32 bits. */
void dd_rng_words(uint32_t *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* Likewise uniform on (0, 1): (word >> 9) + 1/2 over 2^23. */
void dd_rng_uniforms(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* Likewise standard normal, by Box and Muller's transform of neighbouring uniforms. */
void dd_rng_normals(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count);

/* The position of `index` in a random permutation of 0 .. size-1 fixed by (seed, number): a Feistel
 * network of six rounds walked until it lands inside (Black and Rogaway, CT-RSA 2002). No table, so
 * any element of any epoch's shuffle can be had at once. */
uint64_t dd_rng_permute(uint64_t index, uint64_t size, uint64_t seed, uint64_t number);

#endif
