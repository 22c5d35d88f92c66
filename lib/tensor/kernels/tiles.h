/* Small matrix products, and the transforms of Winograd's convolutions (convolution_winograd.c).
 * Compiled for each instruction set, as vector.c is; dd_tile_kernels_choose picks. The channels of
 * a pixel lie together; their count is a multiple of DD_TILE_UNIT. */
#ifndef DD_TILES_H
#define DD_TILES_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>

/* What the count of channels is a multiple of; columns of b that lie side by side; most points that
 * a tile is transformed to. */
enum { DD_TILE_UNIT = 8, DD_TILE_COLUMNS = 16, DD_TILE_MOST_POINTS = 36 };

/* c[i, j] = (add ? c[i, j] : start ? start[j] : 0) + sum over l < k of a[i a_row + l a_step] b[j /
 * 16 b_block + l b_step + j % 16] */
typedef struct dd_tile_product {
    size_t m, n, k;
    const float *a, *b, *start;
    float *c;
    size_t a_row, a_step, b_block, b_step, c_row;
    bool add;
} dd_tile_product;

/* The transforms of tiles of side x side pixels of y, (side + 2) x (side + 2) of x, and of 3 x 3
 * taps. Each is of `count` numbers a pixel. Points are `plane` floats apart, from `points` on. */
typedef struct dd_tile_transforms {
    size_t side, points; /* points of a tile: (side + 2)^2 */
    void (*input_to_points)(float *points, size_t plane, const float *const *pixels, size_t count);
    void (*points_to_output)(float *const *pixels, const float *points, size_t plane,
                             size_t count); /* leaves out pixels at NULL */
    void (*output_to_points)(float *points, size_t plane, const float *const *pixels, size_t count);
    void (*taps_to_points)(float *points, size_t plane, const float *const *taps, size_t count);
    void (*points_to_taps)(float *const *taps, const float *points, size_t plane, size_t count);
} dd_tile_transforms;

typedef struct dd_tile_kernels {
    const char *name;
    size_t lanes; /* numbers in a register */
    void (*multiply)(const dd_tile_product *product);
    dd_tile_transforms small, large; /* of tiles of 2 x 2 and 4 x 4 pixels */
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
