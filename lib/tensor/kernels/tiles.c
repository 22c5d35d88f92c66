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

/* --- Transforms: a matrix along the rows, then down the columns. ---
 *
 * Those of tiles of 2 x 2 pixels of y have the points 0, 1, -1 and infinity (Lavin and Gray, 2016).
 * Those of 4 x 4 have 0, 3/4, -3/4, 3/2, -3/2 and infinity: their rounding errors are a quarter of
 * those with 0, 1, -1, 2 and -2. For points a_i, N_i is the product of a_i - a_j over j != i. The
 * matrix of x has the coefficients of the polynomial with all points but a_i as its zeros, that of
 * taps the powers of a_i over N_i, and that of y the powers of a_i. */

enum { MOST_SIDE = 6 };

/* The matrices. `in` and `out` are numbers of one row or column. */

INLINE void input_sums_2(lanes *out, const lanes *in) {
    out[0] = in[0] - in[2];
    out[1] = in[1] + in[2];
    out[2] = in[2] - in[1];
    out[3] = in[1] - in[3];
}

INLINE void input_sums_4(lanes *out, const lanes *in) {
    const lanes even = in[4] - 2.25f * in[2], odd = 0.75f * (in[3] - 2.25f * in[1]);
    const lanes even_2 = in[4] - 0.5625f * in[2], odd_2 = 1.5f * (in[3] - 0.5625f * in[1]);
    out[0] = in[4] + (1.265625f * in[0] - 2.8125f * in[2]);
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even_2 + odd_2;
    out[4] = even_2 - odd_2;
    out[5] = in[5] + (1.265625f * in[1] - 2.8125f * in[3]);
}

INLINE void output_sums_2(lanes *out, const lanes *in) {
    out[0] = in[0] + in[1] + in[2];
    out[1] = in[1] - in[2] - in[3];
}

/* The first `count` rows of the powers of the points; infinity belongs to the last. */
INLINE void power_sums(lanes *out, const lanes *in, int count) {
    const lanes sum = in[1] + in[2], difference = in[1] - in[2];
    const lanes sum_2 = in[3] + in[4], difference_2 = in[3] - in[4];
    out[0] = in[0] + sum + sum_2;
    out[1] = 0.75f * difference + 1.5f * difference_2;
    out[2] = 0.5625f * sum + 2.25f * sum_2;
    if (count > 3)
        out[3] = 0.421875f * difference + 3.375f * difference_2;
    out[count - 1] += in[5];
}

INLINE void output_sums_4(lanes *out, const lanes *in) {
    power_sums(out, in, 4);
}

INLINE void pair_sums(lanes *out, const lanes *in) {
    out[0] = in[0];
    out[1] = 0.5f * (in[0] + in[1]);
    out[2] = 0.5f * (in[0] - in[1]);
    out[3] = in[1];
}

/* 1 / N of the points 0, 3/4 and 3/2. */
#define WEIGHT_0 (64.0f / 81)
#define WEIGHT_1 (-128.0f / 243)
#define WEIGHT_2 (32.0f / 243)

/* Values at the points of polynomials over their N, from the even and the odd part of each pair;
 * the first and the last number are those of 0 and infinity. */
INLINE void weighted_sums(lanes *out, lanes first, lanes even, lanes odd, lanes even_2, lanes odd_2,
                          lanes last) {
    even *= WEIGHT_1;
    odd *= WEIGHT_1 * 0.75f;
    even_2 *= WEIGHT_2;
    odd_2 *= WEIGHT_2 * 1.5f;
    out[0] = WEIGHT_0 * first;
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even_2 + odd_2;
    out[4] = even_2 - odd_2;
    out[5] = last;
}

INLINE void quadruple_sums(lanes *out, const lanes *in) {
    weighted_sums(out, in[0], in[0] + 0.5625f * in[2], in[1] + 0.5625f * in[3],
                  in[0] + 2.25f * in[2], in[1] + 2.25f * in[3], in[3]);
}

INLINE void tap_sums_2(lanes *out, const lanes *in) {
    const lanes outer = 0.5f * (in[0] + in[2]), inner = 0.5f * in[1];
    out[0] = in[0];
    out[1] = outer + inner;
    out[2] = outer - inner;
    out[3] = in[2];
}

INLINE void tap_sums_4(lanes *out, const lanes *in) {
    weighted_sums(out, in[0], in[0] + 0.5625f * in[2], in[1], in[0] + 2.25f * in[2], in[1], in[2]);
}

INLINE void sums_of_taps_2(lanes *out, const lanes *in) {
    out[0] = in[0] + in[1] + in[2];
    out[1] = in[1] - in[2];
    out[2] = in[1] + in[2] - in[3];
}

INLINE void sums_of_taps_4(lanes *out, const lanes *in) {
    power_sums(out, in, 3);
}

/* Runs name_run on `count` numbers, a register of them at a time, and on the DD_TILE_UNIT that may
 * be left. */
#define EACH_RUN(name, points, plane, pixels)                                                      \
    size_t c = 0;                                                                                  \
    for (; c + LANES <= count; c += LANES)                                                         \
        name##_run(points, plane, pixels, c, LANES);                                               \
    if (LANES > DD_TILE_UNIT && c < count)                                                         \
    name##_run(points, plane, pixels, c, DD_TILE_UNIT)

/* Defines the transform of from x from pixels to to x to points. */
#define TO_POINTS(name, sums, from, to)                                                            \
    INLINE void name##_run(float *points, size_t plane, const float *const *pixels, size_t c,      \
                           size_t width) {                                                         \
        lanes across[MOST_SIDE][MOST_SIDE], in[MOST_SIDE], out[MOST_SIDE];                         \
        DD_UNROLLED (i, from) {                                                                    \
            DD_UNROLLED (j, from)                                                                  \
                in[j] = load(pixels[(from)*i + j] + c, width);                                     \
            sums(across[i], in);                                                                   \
        }                                                                                          \
        DD_UNROLLED (j, to) {                                                                      \
            DD_UNROLLED (i, from)                                                                  \
                in[i] = across[i][j];                                                              \
            sums(out, in);                                                                         \
            DD_UNROLLED (i, to)                                                                    \
                store(points + (size_t)((to)*i + j) * plane + c, out[i], width);                   \
        }                                                                                          \
    }                                                                                              \
    static void name(float *points, size_t plane, const float *const *pixels, size_t count) {      \
        EACH_RUN(name, points, plane, pixels);                                                     \
    }

/* Defines the transform of from x from points to to x to pixels; those at NULL are left out. */
#define FROM_POINTS(name, sums, from, to)                                                          \
    INLINE void name##_run(const float *points, size_t plane, float *const *pixels, size_t c,      \
                           size_t width) {                                                         \
        lanes across[MOST_SIDE][MOST_SIDE], in[MOST_SIDE], out[MOST_SIDE];                         \
        DD_UNROLLED (i, from) {                                                                    \
            DD_UNROLLED (j, from)                                                                  \
                in[j] = load(points + (size_t)((from)*i + j) * plane + c, width);                  \
            sums(across[i], in);                                                                   \
        }                                                                                          \
        DD_UNROLLED (j, to) {                                                                      \
            DD_UNROLLED (i, from)                                                                  \
                in[i] = across[i][j];                                                              \
            sums(out, in);                                                                         \
            DD_UNROLLED (i, to)                                                                    \
                if (pixels[(to)*i + j])                                                            \
                    store(pixels[(to)*i + j] + c, out[i], width);                                  \
        }                                                                                          \
    }                                                                                              \
    static void name(float *const *pixels, const float *points, size_t plane, size_t count) {      \
        EACH_RUN(name, points, plane, pixels);                                                     \
    }

TO_POINTS(input_to_points_2, input_sums_2, 4, 4)
TO_POINTS(output_to_points_2, pair_sums, 2, 4)
TO_POINTS(taps_to_points_2, tap_sums_2, 3, 4)
FROM_POINTS(points_to_output_2, output_sums_2, 4, 2)
FROM_POINTS(points_to_taps_2, sums_of_taps_2, 4, 3)

TO_POINTS(input_to_points_4, input_sums_4, 6, 6)
TO_POINTS(output_to_points_4, quadruple_sums, 4, 6)
TO_POINTS(taps_to_points_4, tap_sums_4, 3, 6)
FROM_POINTS(points_to_output_4, output_sums_4, 6, 4)
FROM_POINTS(points_to_taps_4, sums_of_taps_4, 6, 3)

const dd_tile_kernels DD_TILE_KERNELS = {DD_KERNELS_NAME,
                                         LANES,
                                         multiply_tile,
                                         {2, 16, input_to_points_2, points_to_output_2,
                                          output_to_points_2, taps_to_points_2, points_to_taps_2},
                                         {4, 36, input_to_points_4, points_to_output_4,
                                          output_to_points_4, taps_to_points_4, points_to_taps_4}};
