/* The gradient table's rows of expansions, sums and softmax. */
#include "tensor/gradient_rows.h"

/* Expands to the shape of the second operand. */
static dd_node build_expand(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_expand(g, x[0], dd_graph_shape(g, x[1]));
}

static dd_node build_sum(dd_graph *g, const dd_node *x, const row *r) {
    return dd_sum(g, x[0], summed(dd_graph_shape(g, x[0]), r->axis));
}

static dd_node build_mean(dd_graph *g, const dd_node *x, const row *r) {
    return dd_mean(g, x[0], summed(dd_graph_shape(g, x[0]), r->axis));
}

static dd_node build_softmax(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_softmax(g, x[0]);
}

#define SUM_OVER(word, axes)                                                                       \
    { "sum over " word, DD_OP_SUM, build_sum, {FULL}, .low = -2, .high = 2, .axis = axes }

static const row rows[] = {
    {"expand a row", DD_OP_EXPAND, build_expand, {{{1, 1, 1, WIDE}}, ROWS}, .low = -2, .high = 2},
    {"expand a column",
     DD_OP_EXPAND,
     build_expand,
     {{{1, 1, MANY, 1}}, ROWS},
     .low = -2,
     .high = 2},
    {"expand a number", DD_OP_EXPAND, build_expand, {{{1, 1, 1, 1}}, FULL}, .low = -2, .high = 2},
    {"expand axes 0, 2",
     DD_OP_EXPAND,
     build_expand,
     {{{1, 3, 1, WIDE}}, FULL},
     .low = -2,
     .high = 2},
    {"expand axes 1, 3",
     DD_OP_EXPAND,
     build_expand,
     {{{2, 1, MANY, 1}}, FULL},
     .low = -2,
     .high = 2},
    SUM_OVER("axis 0", 1),
    SUM_OVER("axis 1", 2),
    SUM_OVER("axes 0, 1", 3),
    SUM_OVER("axis 2", 4),
    SUM_OVER("axes 0, 2", 5),
    SUM_OVER("axes 1, 2", 6),
    SUM_OVER("axes 0, 1, 2", 7),
    SUM_OVER("axis 3", 8),
    SUM_OVER("axes 0, 3", 9),
    SUM_OVER("axes 1, 3", 10),
    SUM_OVER("axes 0, 1, 3", 11),
    SUM_OVER("axes 2, 3", 12),
    SUM_OVER("axes 0, 2, 3", 13),
    SUM_OVER("axes 1, 2, 3", 14),
    SUM_OVER("all axes", 15),
    {"sum of a row", DD_OP_SUM, build_sum, {{{1, 1, 1, WIDE}}}, .low = -2, .high = 2, .axis = 8},
    {"sum of rows to a row", DD_OP_SUM, build_sum, {ROWS}, .low = -2, .high = 2, .axis = 4},
    {"mean of rows", DD_OP_SUM, build_mean, {ROWS}, .low = -2, .high = 2, .axis = 8},
    {"softmax", DD_OP_SOFTMAX, build_softmax, {FULL}, .low = -3, .high = 3},
};

ROW_FAMILY(reduce);
