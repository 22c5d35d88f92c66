/* The gradient table's rows of elementwise operations. */
#include "tensor/gradient_rows.h"

static dd_node build_add(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_add(g, x[0], x[1]);
}

static dd_node build_subtract(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_subtract(g, x[0], x[1]);
}

static dd_node build_multiply(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_multiply(g, x[0], x[1]);
}

static dd_node build_square(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_multiply(g, x[0], x[0]);
}

static dd_node build_affine(dd_graph *g, const dd_node *x, const row *r) {
    return dd_affine(g, x[0], r->factor, r->shift);
}

static dd_node build_affine_twice(dd_graph *g, const dd_node *x, const row *r) {
    return dd_affine(g, dd_affine(g, x[0], 0.5, -2), r->factor, r->shift);
}

static dd_node build_power(dd_graph *g, const dd_node *x, const row *r) {
    return dd_power(g, x[0], r->factor);
}

static dd_node build_unary(dd_graph *g, const dd_node *x, const row *r) {
    static dd_node (*const builders[DD_OP_COUNT])(dd_graph *, dd_node) = {
        [DD_OP_EXP] = dd_exp,           [DD_OP_LOG] = dd_log,
        [DD_OP_TANH] = dd_tanh,         [DD_OP_SIGMOID] = dd_sigmoid,
        [DD_OP_SOFTPLUS] = dd_softplus, [DD_OP_SIN] = dd_sin,
        [DD_OP_COS] = dd_cos,           [DD_OP_HEAVISIDE] = dd_heaviside,
        [DD_OP_DETACH] = dd_detach};
    return builders[r->op](g, x[0]);
}

static dd_node build_output(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_output(g, x[0], 40, 0);
    return (dd_node)dd_graph_nodes(g) - 1;
}

static dd_node build_mask(dd_graph *g, const dd_node *x, const row *r) {
    dd_node seed = dd_affine(g, dd_heaviside(g, x[0]), 40000, 1);
    return dd_mask(g, seed, 3, r->factor, dd_graph_shape(g, x[1]));
}

static dd_node build_leaky(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_leaky(g, x[0], x[1]);
}

/* The factor-th derivative. */
static dd_node build_silu(dd_graph *g, const dd_node *x, const row *r) {
    dd_node_data data = {.op = DD_OP_SILU,
                         .inputs = {x[0], DD_NONE},
                         .shape = dd_graph_shape(g, x[0]),
                         .constants.derivative = (int32_t)r->factor};
    return dd_graph_make(g, data);
}

/* Every way in which two tensors are broadcast to each other, for one operation. */
#define MEETINGS(word, OP, function)                                                               \
    {word " alike", OP, function, {FULL, FULL}, .low = -2, .high = 2},                             \
        {word " a row", OP, function, {ROWS, {{1, 1, 1, WIDE}}}, .low = -2, .high = 2},            \
        {word " to a row", OP, function, {{{1, 1, 1, WIDE}}, ROWS}, .low = -2, .high = 2},         \
        {word " a row to images", OP, function, {FULL, {{1, 1, 1, WIDE}}}, .low = -2, .high = 2},  \
        {word " a column", OP, function, {ROWS, {{1, 1, MANY, 1}}}, .low = -2, .high = 2},         \
        {word " a number", OP, function, {ROWS, {{1, 1, 1, 1}}}, .low = -2, .high = 2},            \
        {word " repeated over axis 1", OP,        function,                                        \
         {FULL, {{2, 1, MANY, WIDE}}}, .low = -2, .high = 2},                                      \
        {word " repeated over axes 0, 2", OP,        function,                                     \
         {FULL, {{1, 3, 1, WIDE}}},       .low = -2, .high = 2},                                   \
        {word " repeated over axes 1, 3", OP,        function,                                     \
         {FULL, {{2, 1, MANY, 1}}},       .low = -2, .high = 2},                                   \
        {word " an image each", OP, function, {FULL, {{2, 1, 1, 1}}}, .low = -2, .high = 2},       \
        {word " column and row",                                                                   \
         OP,                                                                                       \
         function,                                                                                 \
         {{{1, 1, MANY, 1}}, {{1, 1, 1, WIDE}}},                                                   \
         .low = -2,                                                                                \
         .high = 2},                                                                               \
        {word " both repeated",                                                                    \
         OP,                                                                                       \
         function,                                                                                 \
         {{{1, 3, 1, WIDE}}, {{2, 1, MANY, 1}}},                                                   \
         .low = -2,                                                                                \
         .high = 2},                                                                               \
    {                                                                                              \
        word " all apart", OP, function, {{{2, 1, 1, WIDE}}, {{1, 3, MANY, 1}}}, .low = -2,        \
                                                                                 .high = 2         \
    }

#define UNARY(word, OP, from, to)                                                                  \
    { word, OP, build_unary, {ROWS}, .low = from, .high = to }

#define POWER(word, from, to, exponent)                                                            \
    { "power " word, DD_OP_POWER, build_power, {ROWS}, .low = from, .high = to, .factor = exponent }

#define LEAKY(word, ...)                                                                           \
    { "leaky " word, DD_OP_LEAKY, build_leaky, {FULL, __VA_ARGS__}, .low = -2, .high = 2 }

static const row rows[] = {
    MEETINGS("add", DD_OP_ADD, build_add),
    MEETINGS("subtract", DD_OP_SUBTRACT, build_subtract),
    MEETINGS("multiply", DD_OP_MULTIPLY, build_multiply),
    {"multiply itself", DD_OP_MULTIPLY, build_square, {FULL}, .low = -2, .high = 2},
    {"affine",
     DD_OP_AFFINE,
     build_affine,
     {ROWS},
     .low = -2,
     .high = 2,
     .factor = -1.75,
     .shift = 0.5},
    {"affine, scale alone",
     DD_OP_AFFINE,
     build_affine,
     {ROWS},
     .low = -2,
     .high = 2,
     .factor = 3,
     .shift = 0},
    {"affine, shift alone",
     DD_OP_AFFINE,
     build_affine,
     {ROWS},
     .low = -2,
     .high = 2,
     .factor = 1,
     .shift = -3},
    {"affine twice",
     DD_OP_AFFINE,
     build_affine_twice,
     {ROWS},
     .low = -2,
     .high = 2,
     .factor = 3,
     .shift = 1},
    POWER("-1", 0.5, 2, -1),
    POWER("-1 below 0", -2, -0.5, -1),
    POWER("-1/2", 0.5, 2, -0.5),
    POWER("1/2", 0.5, 2, 0.5),
    POWER("2", -2, 2, 2),
    POWER("3", -2, 2, 3),
    POWER("1.7", 0.5, 2, 1.7),
    UNARY("exp", DD_OP_EXP, -3, 3),
    UNARY("log", DD_OP_LOG, 0.3, 4),
    UNARY("tanh", DD_OP_TANH, -3, 3),
    UNARY("sigmoid", DD_OP_SIGMOID, -4, 4),
    UNARY("softplus", DD_OP_SOFTPLUS, -6, 6),
    UNARY("sin", DD_OP_SIN, -6, 6),
    UNARY("cos", DD_OP_COS, -6, 6),
    {"heaviside", DD_OP_HEAVISIDE, build_unary, {ROWS}, -1e-3, 1e-3, .flat = true},
    {"detach", DD_OP_DETACH, build_unary, {ROWS}, .low = -1, .high = 1, .flat = true},
    {"output",
     DD_OP_OUTPUT,
     build_output,
     {ROWS},
     .low = -1,
     .high = 1,
     .flat = true,
     .no_plan = true},
    {"mask",
     DD_OP_MASK,
     build_mask,
     {{{1, 1, 1, 4}}, FULL},
     .low = -1,
     .high = 1,
     .factor = 0.75,
     .flat = true},
    {"mask that keeps all",
     DD_OP_MASK,
     build_mask,
     {{{1, 1, 1, 4}}, ROWS},
     .low = -1,
     .high = 1,
     .factor = 1,
     .flat = true},
    LEAKY("alike", FULL),
    LEAKY("slope a channel", {{1, 1, 1, WIDE}}),
    LEAKY("one slope", {{1, 1, 1, 1}}),
    {"leaky of a number",
     DD_OP_LEAKY,
     build_leaky,
     {{{1, 1, MANY, 1}}, ROWS},
     .low = -2,
     .high = 2},
    {"silu", DD_OP_SILU, build_silu, {ROWS}, .low = -6, .high = 6, .factor = 0},
    {"silu, first derivative", DD_OP_SILU, build_silu, {ROWS}, .low = -6, .high = 6, .factor = 1},
    {"silu, second derivative", DD_OP_SILU, build_silu, {ROWS}, .low = -6, .high = 6, .factor = 2},
};

ROW_FAMILY(elementwise);
