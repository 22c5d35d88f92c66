/* Small matrix products that stay in registers, and the sums that take tiles to points and back. Compiled once a set of
 * instructions, DD_TILE_KERNELS naming the table. */
#include "tensor/kernels/tiles.h"

#include "tensor/kernels/unroll.h"

#ifndef DD_TILE_KERNELS
#define DD_TILE_KERNELS dd_tile_kernels_portable
#define DD_KERNELS_NAME "portable"
#endif

/* As many numbers as a register holds, and as many rows of a product as leave registers for its factors. */
#ifdef __AVX2__
enum { LANES = 8, ROWS = 6 };
typedef float lanes __attribute__((vector_size(32), aligned(4), may_alias));
#else
enum { LANES = 4, ROWS = 3 };
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const float *from) {
    return *(const lanes *)from;
}

INLINE void store(float *to, lanes x) {
    *(lanes *)to = x;
}

/* --- Products. --- */

/* `rows` x `vectors` registers of c: both are constants wherever this is called, so that its loops are unrolled. */
INLINE void block(const dd_tile_product *p, const float *a, const float *b, float *c, int rows, int vectors) {
    lanes sum[ROWS][DD_TILE_COLUMNS / LANES];
    DD_UNROLLED (i, rows)
        DD_UNROLLED (j, vectors)
            sum[i][j] = p->add ? load(c + (size_t)i * p->c_row + (size_t)j * LANES) : (lanes){0};
    for (size_t l = 0; l < p->k; l++, a += p->a_step, b += p->b_step) {
        lanes right[DD_TILE_COLUMNS / LANES];
        DD_UNROLLED (j, vectors)
            right[j] = load(b + (size_t)j * LANES);
        DD_UNROLLED (i, rows) {
            const float left = a[(size_t)i * p->a_row];
            DD_UNROLLED (j, vectors)
                sum[i][j] += left * right[j];
        }
    }
    DD_UNROLLED (i, rows)
        DD_UNROLLED (j, vectors)
            store(c + (size_t)i * p->c_row + (size_t)j * LANES, sum[i][j]);
}

/* All rows of some columns. */
INLINE void column_of_blocks(const dd_tile_product *p, const float *b, float *c, int vectors) {
    size_t i = 0;
    for (; i + ROWS <= p->m; i += ROWS)
        block(p, p->a + i * p->a_row, b, c + i * p->c_row, ROWS, vectors);
    const float *a = p->a + i * p->a_row;
    c += i * p->c_row;
    switch (p->m - i) {
    case 5:
        block(p, a, b, c, 5 < ROWS ? 5 : ROWS, vectors);
        break;
    case 4:
        block(p, a, b, c, 4 < ROWS ? 4 : ROWS, vectors);
        break;
    case 3:
        block(p, a, b, c, 3, vectors);
        break;
    case 2:
        block(p, a, b, c, 2, vectors);
        break;
    case 1:
        block(p, a, b, c, 1, vectors);
        break;
    default:
        break;
    }
}

static void multiply(const dd_tile_product *p) {
    size_t j = 0;
    for (; j + DD_TILE_COLUMNS <= p->n; j += DD_TILE_COLUMNS)
        column_of_blocks(p, p->b + j / DD_TILE_COLUMNS * p->b_block, p->c + j, DD_TILE_COLUMNS / LANES);
    if (j < p->n)
        column_of_blocks(p, p->b + j / DD_TILE_COLUMNS * p->b_block, p->c + j, DD_TILE_UNIT / LANES);
}

/* --- Sums, by the matrices of Lavin and Gray, 2016: on one axis each, then on the other. --- */

/* B' d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3) */
INLINE void input_sums(lanes out[4], lanes d0, lanes d1, lanes d2, lanes d3) {
    out[0] = d0 - d2;
    out[1] = d1 + d2;
    out[2] = d2 - d1;
    out[3] = d1 - d3;
}

static void input_to_points(float *points, size_t plane, const float *const pixels[16], size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        lanes across[4][4], down[4];
        DD_UNROLLED (i, 4)
            input_sums(across[i], load(pixels[4 * i] + c), load(pixels[4 * i + 1] + c), load(pixels[4 * i + 2] + c),
                       load(pixels[4 * i + 3] + c));
        DD_UNROLLED (j, 4) {
            input_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
            DD_UNROLLED (i, 4)
                store(points + (size_t)(4 * i + j) * plane + c, down[i]);
        }
    }
}

/* A' m for two outputs: (m0 + m1 + m2, m1 - m2 - m3) */
INLINE void output_sums(lanes out[2], lanes m0, lanes m1, lanes m2, lanes m3) {
    out[0] = m0 + m1 + m2;
    out[1] = m1 - m2 - m3;
}

static void points_to_output(float *const pixels[4], const float *points, size_t plane, size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        lanes across[4][2], down[2];
        DD_UNROLLED (i, 4) {
            const float *row = points + 4 * (size_t)i * plane + c;
            output_sums(across[i], load(row), load(row + plane), load(row + 2 * plane), load(row + 3 * plane));
        }
        DD_UNROLLED (j, 2) {
            output_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
            DD_UNROLLED (i, 2)
                if (pixels[2 * i + j])
                    store(pixels[2 * i + j] + c, down[i]);
        }
    }
}

/* G g of two numbers: (g0, (g0 + g1) / 2, (g0 - g1) / 2, g1) */
INLINE void pair_sums(lanes out[4], lanes g0, lanes g1) {
    out[0] = g0;
    out[1] = 0.5f * (g0 + g1);
    out[2] = 0.5f * (g0 - g1);
    out[3] = g1;
}

static void output_to_points(float *points, size_t plane, const float *const pixels[4], size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        lanes across[2][4], down[4];
        DD_UNROLLED (i, 2)
            pair_sums(across[i], load(pixels[2 * i] + c), load(pixels[2 * i + 1] + c));
        DD_UNROLLED (j, 4) {
            pair_sums(down, across[0][j], across[1][j]);
            DD_UNROLLED (i, 4)
                store(points + (size_t)(4 * i + j) * plane + c, down[i]);
        }
    }
}

/* G g of three numbers: (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2) */
INLINE void triple_sums(lanes out[4], lanes g0, lanes g1, lanes g2) {
    lanes outer = 0.5f * (g0 + g2), inner = 0.5f * g1;
    out[0] = g0;
    out[1] = outer + inner;
    out[2] = outer - inner;
    out[3] = g2;
}

static void taps_to_points(float *points, size_t plane, const float *const taps[9], size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        lanes across[3][4], down[4];
        DD_UNROLLED (i, 3)
            triple_sums(across[i], load(taps[3 * i] + c), load(taps[3 * i + 1] + c), load(taps[3 * i + 2] + c));
        DD_UNROLLED (j, 4) {
            triple_sums(down, across[0][j], across[1][j], across[2][j]);
            DD_UNROLLED (i, 4)
                store(points + (size_t)(4 * i + j) * plane + c, down[i]);
        }
    }
}

/* A' m for three outputs: (m0 + m1 + m2, m1 - m2, m1 + m2 - m3) */
INLINE void tap_sums(lanes out[3], lanes m0, lanes m1, lanes m2, lanes m3) {
    out[0] = m0 + m1 + m2;
    out[1] = m1 - m2;
    out[2] = m1 + m2 - m3;
}

static void points_to_taps(float *const taps[9], const float *points, size_t plane, size_t count) {
    for (size_t c = 0; c < count; c += LANES) {
        lanes across[4][3], down[3];
        DD_UNROLLED (i, 4) {
            const float *row = points + 4 * (size_t)i * plane + c;
            tap_sums(across[i], load(row), load(row + plane), load(row + 2 * plane), load(row + 3 * plane));
        }
        DD_UNROLLED (j, 3) {
            tap_sums(down, across[0][j], across[1][j], across[2][j], across[3][j]);
            DD_UNROLLED (i, 3)
                store(taps[3 * i + j] + c, down[i]);
        }
    }
}

const dd_tile_kernels DD_TILE_KERNELS = {DD_KERNELS_NAME,  multiply,       input_to_points, points_to_output,
                                         output_to_points, taps_to_points, points_to_taps};
