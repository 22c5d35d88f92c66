/* Images small enough to check number by number. */
#ifndef TEST_IMAGES_SMALL_H
#define TEST_IMAGES_SMALL_H

#include "support/harness.h"

/* Bytes that look like no other bytes nearby. */
static inline void fill_bytes(uint8_t *bytes, size_t count, uint32_t state) {
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

/* An IDX file in memory: header and pixels. Its size. */
static inline size_t compose_idx(uint8_t *file, unsigned type, unsigned rank, const uint32_t *axes,
                                 const uint8_t *pixels, size_t bytes) {
    memcpy(file, (const uint8_t[]){0, 0, (uint8_t)type, (uint8_t)rank}, 4);
    for (size_t i = 0; i < rank; i++)
        for (size_t b = 0; b < 4; b++)
            file[4 + 4 * i + b] = (uint8_t)(axes[i] >> (24 - 8 * b));
    if (bytes > 0)
        memcpy(file + 4 + 4 * (size_t)rank, pixels, bytes);
    return 4 + 4 * (size_t)rank + bytes;
}

/* A block of just that size, so that a read past the end is one past the block's. */
static inline void *exact_copy(const void *data, size_t size) {
    void *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    return copy;
}

#endif
