/* Small matrix products that stay in registers, and the sums that transform tiles to points and
 * back. Compiled once for each instruction set, with DD_TILE_KERNELS as the name of its table. */
#include "tensor/kernels/tiles.h"

#include "tensor/kernels/unroll.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#ifndef DD_TILE_KERNELS
#define DD_TILE_KERNELS dd_tile_kernels_portable
#define DD_KERNELS_NAME "portable"
#endif

/* As many numbers as a register holds, as many rows of a product as leave registers for its
 * factors, and as many of b's blocks of columns as are multiplied by them at once. */
#if defined __AVX512F__ && defined __AVX512VL__
#define LANES 16
#define ROWS 14
#define BLOCKS 2
#elif defined __AVX2__
#define LANES 8
#define ROWS 6
#define BLOCKS 1
#else
#define LANES 4
#define ROWS 3
#define BLOCKS 1
#endif
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/* `width` numbers: LANES, or DD_TILE_UNIT where a register holds more. A constant wherever this is
 * called. */
INLINE lanes load(const float *from, size_t width) {
#if LANES > 8
    if (width < LANES)
        return (lanes)_mm512_maskz_loadu_ps((__mmask16)((1u << width) - 1), from);
#endif
    (void)width;
    return *(const lanes *)from;
}

INLINE void store(float *to, lanes x, size_t width) {
#if LANES > 8
    if (width < LANES) {
        _mm512_mask_storeu_ps(to, (__mmask16)((1u << width) - 1), (__m512)x);
        return;
    }
#endif
    (void)width;
    *(lanes *)to = x;
}

/* --- Products. --- */

enum { VECTORS = DD_TILE_COLUMNS / LANES, MOST_VECTORS = BLOCKS * VECTORS };

/* `rows` x `vectors` registers of c, of `width` numbers each: constants wherever this is called, so
 * that its loops are unrolled. */
INLINE void block(const dd_tile_product *p, const float *a, const float *b, const float *start,
                  float *c, int rows, int vectors, size_t width) {
    /* what sums begin with: c, or the same row for all */
    static const float zeros[BLOCKS * DD_TILE_COLUMNS];
    const float *from = p->add ? c : start ? start : zeros;
    const size_t apart = p->add ? p->c_row : 0;
    lanes sum[ROWS][MOST_VECTORS];
    DD_UNROLLED (i, rows)
        DD_UNROLLED (j, vectors)
            sum[i][j] = load(from + (size_t)i * apart + (size_t)j * LANES, width);

    for (size_t l = 0; l < p->k; l++, a += p->a_step, b += p->b_step) {
        lanes right[MOST_VECTORS];
        DD_UNROLLED (j, vectors)
            right[j] =
                load(b + (size_t)(j / VECTORS) * p->b_block + (size_t)(j % VECTORS) * LANES, width);
        DD_UNROLLED (i, rows) {
            const float left = a[(size_t)i * p->a_row];
            DD_UNROLLED (j, vectors)
                sum[i][j] += left * right[j];
        }
    }

    DD_UNROLLED (i, rows)
        DD_UNROLLED (j, vectors)
            store(c + (size_t)i * p->c_row + (size_t)j * LANES, sum[i][j], width);
}

#define ROWS_ARE(n)                                                                                \
    case n:                                                                                        \
        block(p, a, b, start, c, n, vectors, width);                                               \
        break;

/* All rows of the columns from `column` on, in blocks that are as equal as can be. */
INLINE void column_of_blocks(const dd_tile_product *p, size_t column, int vectors, size_t width) {
    const float *a = p->a, *b = p->b + column / DD_TILE_COLUMNS * p->b_block,
                *start = p->start ? p->start + column : NULL;
    float *c = p->c + column;
    size_t left = p->m;

    for (size_t blocks = (p->m + ROWS - 1) / ROWS; blocks > 0; blocks--) {
        size_t rows = (left + blocks - 1) / blocks;
        switch (rows) {
            ROWS_ARE(1)
            ROWS_ARE(2)
            ROWS_ARE(3)
#if ROWS >= 6
            ROWS_ARE(4)
            ROWS_ARE(5)
            ROWS_ARE(6)
#endif
#if ROWS >= 14
            ROWS_ARE(7)
            ROWS_ARE(8)
            ROWS_ARE(9)
            ROWS_ARE(10)
            ROWS_ARE(11)
            ROWS_ARE(12)
            ROWS_ARE(13)
            ROWS_ARE(14)
#endif
        default:
            break;
        }
        left -= rows;
        a += rows * p->a_row;
        c += rows * p->c_row;
    }
}

static void multiply_tile(const dd_tile_product *p) {
    enum { PANEL = BLOCKS * DD_TILE_COLUMNS, REST = LANES < DD_TILE_UNIT ? LANES : DD_TILE_UNIT };
    size_t j = 0;
    for (; j + PANEL <= p->n; j += PANEL)
        column_of_blocks(p, j, MOST_VECTORS, LANES);
    for (; BLOCKS > 1 && j + DD_TILE_COLUMNS <= p->n; j += DD_TILE_COLUMNS)
        column_of_blocks(p, j, VECTORS, LANES);
    if (j < p->n)
        column_of_blocks(p, j, DD_TILE_UNIT / REST, REST);
}

/* --- Transforms, by the matrices of Lavin and Gray (2016): along one axis, then the other. --- */

/* Runs one of these on `count` numbers, a register of them at a time, and on the DD_TILE_UNIT that
 * may be left. */
#define EACH_RUN(function, to, plane, from)                                                        \
    size_t c = 0;                                                                                  \
    for (; c + LANES <= count; c += LANES)                                                         \
        function(to, plane, from, c, LANES);                                                       \
    if (LANES > DD_TILE_UNIT && c < count)                                                         \
    function(to, plane, from, c, DD_TILE_UNIT)

/* B' d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3) */
INLINE void input_sums(lanes out[4], lanes d0, lanes d1, lanes d2, lanes d3) {
    out[0] = d0 - d2;
    out[1] = d1 + d2;
    out[2] = d2 - d1;
    out[3] = d1 - d3;
}

INLINE void input_to_points_run(float *points, size_t plane, const float *const pixels[16],
                                size_t c, size_t width) {
    lanes across[4][4], down[4];
    DD_UNROLLED (i, 4)
        input_sums(across[i], load(pixels[4 * i] + c, width), load(pixels[4 * i + 1] + c, width),
                   load(pixels[4 * i + 2] + c, width), load(pixels[4 * i + 3] + c, width));
    DD_UNROLLED (j, 4) {
        input_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
        DD_UNROLLED (i, 4)
            store(points + (size_t)(4 * i + j) * plane + c, down[i], width);
    }
}

static void input_to_points(float *points, size_t plane, const float *const pixels[16],
                            size_t count) {
    EACH_RUN(input_to_points_run, points, plane, pixels);
}

/* A' m for two outputs: (m0 + m1 + m2, m1 - m2 - m3) */
INLINE void output_sums(lanes out[2], lanes m0, lanes m1, lanes m2, lanes m3) {
    out[0] = m0 + m1 + m2;
    out[1] = m1 - m2 - m3;
}

/* A tile of 2 x 2 pixels from its 16 points: A' m A. Pixels beyond the image are NULL. */
INLINE void points_to_output_run(float *const pixels[4], size_t plane, const float *points,
                                 size_t c, size_t width) {
    lanes across[4][2], down[2];
    DD_UNROLLED (i, 4) {
        const float *row = points + 4 * (size_t)i * plane + c;
        output_sums(across[i], load(row, width), load(row + plane, width),
                    load(row + 2 * plane, width), load(row + 3 * plane, width));
    }
    DD_UNROLLED (j, 2) {
        output_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
        DD_UNROLLED (i, 2)
            if (pixels[2 * i + j])
                store(pixels[2 * i + j] + c, down[i], width);
    }
}

static void points_to_output(float *const pixels[4], const float *points, size_t plane,
                             size_t count) {
    EACH_RUN(points_to_output_run, pixels, plane, points);
}

/* G g of two numbers: (g0, (g0 + g1) / 2, (g0 - g1) / 2, g1) */
INLINE void pair_sums(lanes out[4], lanes g0, lanes g1) {
    out[0] = g0;
    out[1] = 0.5f * (g0 + g1);
    out[2] = 0.5f * (g0 - g1);
    out[3] = g1;
}

INLINE void output_to_points_run(float *points, size_t plane, const float *const pixels[4],
                                 size_t c, size_t width) {
    lanes across[2][4], down[4];
    DD_UNROLLED (i, 2)
        pair_sums(across[i], load(pixels[2 * i] + c, width), load(pixels[2 * i + 1] + c, width));
    DD_UNROLLED (j, 4) {
        pair_sums(down, across[0][j], across[1][j]);
        DD_UNROLLED (i, 4)
            store(points + (size_t)(4 * i + j) * plane + c, down[i], width);
    }
}

static void output_to_points(float *points, size_t plane, const float *const pixels[4],
                             size_t count) {
    EACH_RUN(output_to_points_run, points, plane, pixels);
}

/* G g of three numbers: (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2) */
INLINE void triple_sums(lanes out[4], lanes g0, lanes g1, lanes g2) {
    lanes outer = 0.5f * (g0 + g2), inner = 0.5f * g1;
    out[0] = g0;
    out[1] = outer + inner;
    out[2] = outer - inner;
    out[3] = g2;
}

INLINE void taps_to_points_run(float *points, size_t plane, const float *const taps[9], size_t c,
                               size_t width) {
    lanes across[3][4], down[4];
    DD_UNROLLED (i, 3)
        triple_sums(across[i], load(taps[3 * i] + c, width), load(taps[3 * i + 1] + c, width),
                    load(taps[3 * i + 2] + c, width));
    DD_UNROLLED (j, 4) {
        triple_sums(down, across[0][j], across[1][j], across[2][j]);
        DD_UNROLLED (i, 4)
            store(points + (size_t)(4 * i + j) * plane + c, down[i], width);
    }
}

static void taps_to_points(float *points, size_t plane, const float *const taps[9], size_t count) {
    EACH_RUN(taps_to_points_run, points, plane, taps);
}

/* A' m for three outputs: (m0 + m1 + m2, m1 - m2, m1 + m2 - m3) */
INLINE void tap_sums(lanes out[3], lanes m0, lanes m1, lanes m2, lanes m3) {
    out[0] = m0 + m1 + m2;
    out[1] = m1 - m2;
    out[2] = m1 + m2 - m3;
}

INLINE void points_to_taps_run(float *const taps[9], size_t plane, const float *points, size_t c,
                               size_t width) {
    lanes across[4][3], down[3];
    DD_UNROLLED (i, 4) {
        const float *row = points + 4 * (size_t)i * plane + c;
        tap_sums(across[i], load(row, width), load(row + plane, width),
                 load(row + 2 * plane, width), load(row + 3 * plane, width));
    }
    DD_UNROLLED (j, 3) {
        tap_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
        DD_UNROLLED (i, 3)
            store(taps[3 * i + j] + c, down[i], width);
    }
}

static void points_to_taps(float *const taps[9], const float *points, size_t plane, size_t count) {
    EACH_RUN(points_to_taps_run, taps, plane, points);
}

const dd_tile_kernels DD_TILE_KERNELS = {
    DD_KERNELS_NAME,  LANES,          multiply_tile, input_to_points, points_to_output,
    output_to_points, taps_to_points, points_to_taps};
