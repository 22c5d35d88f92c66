/* Small matrix products, and the transforms of Winograd's convolutions on tiles of 4 x 4 pixels
 * (convolution_winograd.c). Compiled for each instruction set, as vector.c is;
 * dd_tile_kernels_choose picks. The channels of a pixel lie together; their count is a multiple of
 * DD_TILE_UNIT. */
#ifndef DD_TILES_H
#define DD_TILES_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* Points that a tile is transformed to; what the count of channels is a multiple of; columns of b
 * that lie side by side. */
enum { DD_TILE_POINTS = 16, DD_TILE_UNIT = 8, DD_TILE_COLUMNS = 16 };

/* c[i, j] = (add ? c[i, j] : start ? start[j] : 0) + sum over l < k of a[i a_row + l a_step] b[j /
 * 16 b_block + l b_step + j % 16] */
typedef struct dd_tile_product {
    size_t m, n, k;
    const float *a, *b, *start;
    float *c;
    size_t a_row, a_step, b_block, b_step, c_row;
    bool add;
} dd_tile_product;

typedef struct dd_tile_kernels {
    const char *name;
    size_t lanes; /* numbers in a register */
    void (*multiply)(const dd_tile_product *product);
    /* Points are `plane` floats apart, from `points` on. */
    void (*input_to_points)(float *points, size_t plane, const float *const pixels[16],
                            size_t count);
    void (*points_to_output)(float *const pixels[4], const float *points, size_t plane,
                             size_t count); /* leaves out those at NULL */
    void (*output_to_points)(float *points, size_t plane, const float *const pixels[4],
                             size_t count);
    void (*taps_to_points)(float *points, size_t plane, const float *const taps[9], size_t count);
    void (*points_to_taps)(float *const taps[9], const float *points, size_t plane, size_t count);
} dd_tile_kernels;

extern const dd_tile_kernels dd_tile_kernels_portable;
#ifdef DD_HAVE_AVX2
extern const dd_tile_kernels dd_tile_kernels_avx2;
#endif
#ifdef DD_HAVE_AVX512
extern const dd_tile_kernels dd_tile_kernels_avx512;
#endif

/* Those of the set that is chosen (instructions.h). */
const dd_tile_kernels *dd_tile_kernels_choose(void);

#endif
