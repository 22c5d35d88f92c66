/* The gradient table's rows of matrix products. */
#include "tensor/gradient_rows.h"

/* Bits of the row's axis: which operands are transposed. */
static dd_node build_matmul(dd_graph *g, const dd_node *x, const row *r) {
    return dd_matmul(g, x[0], r->axis & 1, x[1], r->axis & 2);
}

static dd_node build_matmul_itself(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_matmul(g, x[0], false, x[0], true);
}

/* The bias is the sum of each row of the weights. */
static dd_node build_linear(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_shape rows = summed(dd_graph_shape(g, x[1]), 8);
    return dd_linear_map(g, x[0], x[1],
                         dd_reshape(g, dd_sum(g, x[1], rows), dd_shape_rows(1, rows.size[2])));
}

/* The four transpositions of [b0, b1, m, k] and [b0, b1, k, n]. */
#define PRODUCTS(word, b0, b1, m, k, n)                                                            \
    {word " ab", DD_OP_MATMUL, build_matmul, {{{b0, b1, m, k}}, {{b0, b1, k, n}}},                 \
     .low = -1,  .high = 1,    .axis = 0},                                                         \
        {word " a'b", DD_OP_MATMUL, build_matmul, {{{b0, b1, k, m}}, {{b0, b1, k, n}}},            \
         .low = -1,   .high = 1,    .axis = 1},                                                    \
        {word " ab'", DD_OP_MATMUL, build_matmul, {{{b0, b1, m, k}}, {{b0, b1, n, k}}},            \
         .low = -1,   .high = 1,    .axis = 2},                                                    \
    {                                                                                              \
        word " a'b'", DD_OP_MATMUL, build_matmul, {{{b0, b1, k, m}}, {{b0, b1, n, k}}},            \
            .low = -1, .high = 1, .axis = 3                                                        \
    }

static const row rows[] = {
    PRODUCTS("matmul, wide inside", 1, 1, MANY, WIDE, 5),
    PRODUCTS("matmul, wide outside", 1, 1, MANY, 6, WIDE),
    PRODUCTS("matmul, long inside", 1, 1, 4, MANY, WIDE),
    PRODUCTS("matmul, row by matrix", 1, 1, 1, MANY, WIDE),
    PRODUCTS("matmul, matrix by column", 1, 1, MANY, WIDE, 1),
    PRODUCTS("matmul, column by row", 1, 1, MANY, 1, WIDE),
    PRODUCTS("matmul, row by column", 1, 1, 1, WIDE, 1),
    PRODUCTS("matmul, number by row", 1, 1, 1, 1, WIDE),
    PRODUCTS("matmul, batch of 2 x 3", 2, 3, MANY, WIDE, 4),
    {"linear",
     DD_OP_LINEAR,
     build_linear,
     {{{1, 1, MANY, 7}}, {{1, 1, WIDE, 7}}},
     .low = -1,
     .high = 1},
    {"linear of one column",
     DD_OP_LINEAR,
     build_linear,
     {{{1, 1, MANY, WIDE}}, {{1, 1, 1, WIDE}}},
     .low = -1,
     .high = 1},
    {"linear of one row",
     DD_OP_LINEAR,
     build_linear,
     {{{1, 1, 1, WIDE}}, {{1, 1, 5, WIDE}}},
     .low = -1,
     .high = 1},
    {"matmul by itself",
     DD_OP_MATMUL,
     build_matmul_itself,
     {{{2, 1, 5, WIDE}}},
     .low = -1,
     .high = 1},
};

ROW_FAMILY(matmul);
