#include "base/rng.h"

#include <math.h>

/* Runs the ten rounds on `count` counters. Inlined, so that the count is a constant and compilers
 * vectorise the inner loop. */
static inline void rounds(uint32_t *restrict c0, uint32_t *restrict c1, uint32_t *restrict c2,
                          uint32_t *restrict c3, size_t count, uint64_t key) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = (uint32_t)p1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

void dd_philox(uint32_t out[4], uint64_t key, uint64_t counter_low, uint64_t counter_high) {
    out[0] = (uint32_t)counter_low;
    out[1] = (uint32_t)(counter_low >> 32);
    out[2] = (uint32_t)counter_high;
    out[3] = (uint32_t)(counter_high >> 32);
    rounds(out, out + 1, out + 2, out + 3, 1, key);
}

enum { LANES = 8 };

/* Computes blocks block .. block + LANES - 1 of a stream. */
static void philox_lanes(uint32_t out[4 * LANES], uint64_t key, uint64_t block, uint64_t stream) {
    uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
    for (size_t i = 0; i < LANES; i++) {
        c0[i] = (uint32_t)(block + i);
        c1[i] = (uint32_t)((block + i) >> 32);
        c2[i] = (uint32_t)stream;
        c3[i] = (uint32_t)(stream >> 32);
    }

    rounds(c0, c1, c2, c3, LANES, key);
    for (size_t i = 0; i < LANES; i++) {
        out[4 * i] = c0[i];
        out[4 * i + 1] = c1[i];
        out[4 * i + 2] = c2[i];
        out[4 * i + 3] = c3[i];
    }
}

/* Maps a word to (0, 1). With 24 bits the half would not be exact, and the last values would round
 * to 1. */
static float unit(uint32_t word) {
    return ((float)(word >> 9) + 0.5f) * 0x1p-23f;
}

/* Computes two normals from two words (Box and Muller). */
static void normal_pair(float out[2], uint32_t a, uint32_t b) {
    const float two_pi = 6.28318530717958648f;
    float radius = sqrtf(-2.0f * logf(unit(a))), angle = two_pi * unit(b);
    out[0] = radius * cosf(angle);
    out[1] = radius * sinf(angle);
}

static void words_as_they_are(float out[4], const uint32_t words[4]) {
    for (int i = 0; i < 4; i++)
        out[i] = unit(words[i]);
}

static void words_as_normals(float out[4], const uint32_t words[4]) {
    normal_pair(out, words[0], words[1]);
    normal_pair(out + 2, words[2], words[3]);
}

/* Draws elements of a stream; block b holds elements 4b .. 4b + 3. */
static void fill(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count,
                 void (*shape)(float *, const uint32_t *)) {
    uint64_t block = first / 4;
    unsigned skip = (unsigned)(first % 4);
    while (count > 0) {
        uint32_t words[4];
        float values[4];
        dd_philox(words, seed, block++, stream);
        shape(values, words);
        for (; skip < 4 && count > 0; skip++, count--)
            *out++ = values[skip];
        skip = 0;
    }
}

void dd_rng_words(uint32_t *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count) {
    uint64_t block = first / 4;
    unsigned skip = (unsigned)(first % 4);
    for (; skip == 0 && count >= 4 * LANES; out += 4 * LANES, count -= 4 * LANES, block += LANES)
        philox_lanes(out, seed, block, stream);
    for (; count > 0; skip = 0, block++) {
        uint32_t words[4];
        dd_philox(words, seed, block, stream);
        for (; skip < 4 && count > 0; skip++, count--)
            *out++ = words[skip];
    }
}

void dd_rng_uniforms(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count) {
    fill(out, seed, stream, first, count, words_as_they_are);
}

void dd_rng_normals(float *out, uint64_t seed, uint64_t stream, uint64_t first, size_t count) {
    fill(out, seed, stream, first, count, words_as_normals);
}

uint64_t dd_rng_permute(uint64_t index, uint64_t size, uint64_t seed, uint64_t number) {
    unsigned bits = 1; /* of each half */
    while (bits < 32 && (UINT64_C(1) << 2 * bits) < size)
        bits++;
    uint64_t mask = (UINT64_C(1) << bits) - 1;

    do {
        uint64_t left = index >> bits, right = index & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint32_t words[4];
            dd_philox(words, seed, right << 8 | round, dd_stream(DD_STREAM_SHUFFLE, number));
            uint64_t next = left ^ (words[0] & mask);
            left = right;
            right = next;
        }
        index = left << bits | right;
    } while (index >= size);
    return index;
}
