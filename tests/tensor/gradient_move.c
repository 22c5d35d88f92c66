/* The gradient table's rows of operations that move numbers: slices, rows of a table, permutations.
 */
#include "tensor/gradient_rows.h"

/* Swaps the last two sizes, and joins the first two axes. */
static dd_node build_reshape(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_shape from = dd_graph_shape(g, x[0]);
    return dd_reshape(g, x[0],
                      (dd_shape){{1, from.size[0] * from.size[1], from.size[3], from.size[2]}});
}

/* Slices about the middle third of the axis. */
static dd_node build_slice(dd_graph *g, const dd_node *x, const row *r) {
    size_t size = dd_graph_shape(g, x[0]).size[r->axis], start = size / 3;
    return dd_slice(g, x[0], r->axis, start, size - start - (size + 1) / 3);
}

static dd_node build_slice_one(dd_graph *g, const dd_node *x, const row *r) {
    size_t size = dd_graph_shape(g, x[0]).size[r->axis];
    return dd_slice(g, x[0], r->axis, size - 1, 1);
}

static dd_node build_pad(dd_graph *g, const dd_node *x, const row *r) {
    return dd_pad(g, x[0], r->axis, 2, dd_graph_shape(g, x[0]).size[r->axis] + 3);
}

static dd_node build_pad_after(dd_graph *g, const dd_node *x, const row *r) {
    return dd_pad(g, x[0], r->axis, 0, dd_graph_shape(g, x[0]).size[r->axis] + 1);
}

static dd_node build_concat(dd_graph *g, const dd_node *x, const row *r) {
    return dd_concat(g, x[0], x[1], r->axis);
}

static dd_node build_concat_itself(dd_graph *g, const dd_node *x, const row *r) {
    return dd_concat(g, x[0], x[0], r->axis);
}

static dd_node build_take_rows(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_take_rows(g, x[0], x[1]);
}

static dd_node build_add_rows(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_add_rows(g, x[0], x[1], TABLE);
}

static dd_node build_permute(dd_graph *g, const dd_node *x, const row *r) {
    const int order[DD_AXES] = {r->axis / 1000, r->axis / 100 % 10, r->axis / 10 % 10,
                                r->axis % 10};
    return dd_permute(g, x[0], order);
}

#define EACH_AXIS(word, OP, function)                                                              \
    {word " axis 0", OP, function, {FULL}, .low = -2, .high = 2, .axis = 0},                       \
        {word " axis 1", OP, function, {FULL}, .low = -2, .high = 2, .axis = 1},                   \
        {word " axis 2", OP, function, {FULL}, .low = -2, .high = 2, .axis = 2}, {                 \
        word " axis 3", OP, function, {FULL}, .low = -2, .high = 2, .axis = 3                      \
    }

#define PERMUTE(order)                                                                             \
    {                                                                                              \
        "permute " #order, DD_OP_PERMUTE, build_permute, {FULL}, .low = -2, .high = 2,             \
                                                                 .axis = 1##order - 10000          \
    }

static const row rows[] = {
    {"reshape", DD_OP_RESHAPE, build_reshape, {FULL}, .low = -2, .high = 2},
    EACH_AXIS("slice", DD_OP_SLICE, build_slice),
    EACH_AXIS("slice one of", DD_OP_SLICE, build_slice_one),
    EACH_AXIS("pad", DD_OP_PAD, build_pad),
    EACH_AXIS("pad after", DD_OP_PAD, build_pad_after),
    {"concat axis 0",
     DD_OP_CONCAT,
     build_concat,
     {FULL, {{1, 3, MANY, WIDE}}},
     .low = -2,
     .high = 2,
     .axis = 0},
    {"concat axis 1",
     DD_OP_CONCAT,
     build_concat,
     {FULL, {{2, 1, MANY, WIDE}}},
     .low = -2,
     .high = 2,
     .axis = 1},
    {"concat axis 2",
     DD_OP_CONCAT,
     build_concat,
     {FULL, {{2, 3, 4, WIDE}}},
     .low = -2,
     .high = 2,
     .axis = 2},
    {"concat axis 3",
     DD_OP_CONCAT,
     build_concat,
     {FULL, {{2, 3, MANY, 4}}},
     .low = -2,
     .high = 2,
     .axis = 3},
    EACH_AXIS("concat with itself", DD_OP_CONCAT, build_concat_itself),
    {"take rows",
     DD_OP_TAKE_ROWS,
     build_take_rows,
     {{{1, 1, TABLE, WIDE}}, {{1, 1, MANY, 1}}},
     .low = -2,
     .high = 2,
     .index = true},
    PERMUTE(0123),
    PERMUTE(0231),
    PERMUTE(0312),
    PERMUTE(1023),
    PERMUTE(2301),
    PERMUTE(3210),
    PERMUTE(0213),
    PERMUTE(3012),
    PERMUTE(1302),
    {"add rows",
     DD_OP_ADD_ROWS,
     build_add_rows,
     {ROWS, {{1, 1, MANY, 1}}},
     .low = -2,
     .high = 2,
     .index = true},
};

ROW_FAMILY(move);
