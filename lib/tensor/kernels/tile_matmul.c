#include "tensor/kernels/tile_matmul.h"

#include "tensor/kernels/instructions.h"
#include "tensor/kernels/share.h"

/* Columns of b lie in blocks, of which the last is moved to the left until it is full: some columns
 * are computed twice, with the same bits. */
enum { BLOCK_COLUMNS = DD_TILE_COLUMNS };

/* How many products are summed before the sum is rounded to c: as in blas_matmul.c. */
enum { MOST_INNER = 1024 };

/* Measured on a Zen 5, with AVX2 against OpenBLAS's kernels for Haswell and with AVX-512 against
 * those for Cooper Lake: below so many rows, and above so many numbers of b, CBLAS is as fast.
 * Packing for a single product takes as long as 16 rows of it. */
enum { FEWEST_ROWS = 16, FEWEST_ROWS_PACKED = 64, MOST_FLOATS = 1 << 18, FEWEST_LANES = 8 };

const dd_tile_kernels *dd_tile_matmul_choose(void) {
    const dd_instructions *widest = NULL;
    for (size_t i = 0; dd_instructions_built(i); i++)
        if (dd_instructions_built(i)->runs())
            widest = dd_instructions_built(i);
    return dd_instructions_choose() == widest && widest->tiles->lanes >= FEWEST_LANES
               ? widest->tiles
               : NULL;
}

bool dd_tile_matmul_pays(const dd_tile_kernels *kernels, const dd_matmul_call *call, bool kept) {
    size_t fewest = call->transpose_b && !kept ? FEWEST_ROWS_PACKED : FEWEST_ROWS;
    return kernels && call->m >= fewest && call->n >= BLOCK_COLUMNS &&
           call->k * call->n <= MOST_FLOATS;
}

static size_t blocks_of(const dd_matmul_call *call) {
    return (call->n + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
}

/* The first column of a block. */
static size_t column_of(const dd_matmul_call *call, size_t block) {
    return (block + 1) * BLOCK_COLUMNS <= call->n ? block * BLOCK_COLUMNS : call->n - BLOCK_COLUMNS;
}

size_t dd_tile_matmul_packed(const dd_matmul_call *call) {
    return call->transpose_b ? blocks_of(call) * BLOCK_COLUMNS * call->k : 0;
}

/* Columns of op(b), which are rows of b, to rows of BLOCK_COLUMNS. */
static void pack_block(float *restrict to, const float *restrict rows, size_t stride, size_t k) {
    for (size_t l = 0; l < k; l++)
        for (size_t j = 0; j < BLOCK_COLUMNS; j++)
            to[l * BLOCK_COLUMNS + j] = rows[j * stride + l];
}

void dd_tile_matmul_pack(const dd_matmul_call *call, float *packed, size_t part, size_t parts) {
    dd_range mine = dd_share(blocks_of(call), part, parts);
    for (size_t i = mine.first; i < mine.last; i++)
        pack_block(packed + i * BLOCK_COLUMNS * call->k,
                   call->b + column_of(call, i) * call->b_stride, call->b_stride, call->k);
}

/* Columns of c from `column` on, whose b begins at `b`: sums of MOST_INNER products at a time. */
static void run_columns(const dd_tile_kernels *kernels, dd_tile_product product,
                        const dd_matmul_call *call, size_t column) {
    product.c += column;
    product.start = call->start ? call->start + column : NULL;
    for (size_t first = 0; first < call->k; first += MOST_INNER) {
        product.k = call->k - first < MOST_INNER ? call->k - first : MOST_INNER;
        kernels->multiply(&product);
        product.a += MOST_INNER * product.a_step;
        product.b += MOST_INNER * product.b_step;
        product.add = true;
    }
}

/* The whole blocks of a range at once, then the last if it is no whole one. */
static void run_blocks(const dd_tile_kernels *kernels, const dd_matmul_call *call,
                       const float *packed, dd_range rows, dd_range blocks) {
    size_t whole = call->n / BLOCK_COLUMNS < blocks.last ? call->n / BLOCK_COLUMNS : blocks.last,
           last = blocks_of(call) - 1;
    dd_tile_product product = {.m = rows.last - rows.first,
                               .a = call->a + rows.first * (call->transpose_a ? 1 : call->a_stride),
                               .c = call->c + rows.first * call->c_stride,
                               .a_row = call->transpose_a ? 1 : call->a_stride,
                               .a_step = call->transpose_a ? call->a_stride : 1,
                               .b_block = packed ? BLOCK_COLUMNS * call->k : BLOCK_COLUMNS,
                               .b_step = packed ? BLOCK_COLUMNS : call->b_stride,
                               .c_row = call->c_stride};

    if (blocks.first < whole) {
        product.n = (whole - blocks.first) * BLOCK_COLUMNS;
        product.b = packed ? packed + blocks.first * BLOCK_COLUMNS * call->k
                           : call->b + blocks.first * BLOCK_COLUMNS;
        run_columns(kernels, product, call, blocks.first * BLOCK_COLUMNS);
    }

    if (whole < blocks.last) {
        product.n = BLOCK_COLUMNS;
        product.b =
            packed ? packed + last * BLOCK_COLUMNS * call->k : call->b + column_of(call, last);
        run_columns(kernels, product, call, column_of(call, last));
    }
}

/* Cut by rows, if there are enough for each part; else by columns, where the last two blocks, which
 * may overlap, are one part's. */
void dd_tile_matmul_run_part(const dd_tile_kernels *kernels, const dd_matmul_call *call,
                             const float *packed, size_t part, size_t parts) {
    size_t whole = call->n / BLOCK_COLUMNS;
    dd_range rows = {0, call->m}, blocks = {0, blocks_of(call)};
    if (call->m >= FEWEST_ROWS * parts) {
        rows = dd_share(call->m, part, parts);
    } else {
        dd_range mine = dd_share(whole, part, parts);
        blocks = (dd_range){mine.first, part + 1 == parts ? blocks.last : mine.last};
    }
    if (rows.first < rows.last && blocks.first < blocks.last)
        run_blocks(kernels, call, packed, rows, blocks);
}
