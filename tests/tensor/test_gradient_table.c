/* The gradient table: a row an operation and a row a way of using it. Each row is checked
 *
 * - in double, through the plain-loop twin: first gradients against central differences of the
 * value, second gradients (those of a random linear functional of the first) against central
 * differences of that functional, within DOUBLE of the largest entry or of 1;
 * - in float, through plans of 1, 2 and 3 parts: the value and both gradients against the twin,
 * within FLOAT of the largest entry or of 1, at widths around and far from that of a tile; and
 * alone against together, bit for bit. Convolutions are run by every backend. */
#define _GNU_SOURCE
#include "base/context.h"
#include "base/rng.h"
#include "support/extremes.h"
#include "support/harness.h"
#include "support/plain.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/kernels/matmul.h"
#include "tensor/kernels/vector.h"
#include "tensor/plan.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE 1e-8
#define FLOAT 2e-6
#define CONVOLUTIONS_FLOAT                                                                         \
    1e-5 /* oneDNN adds up to 12,000 terms in one register, one after the other */

/* Sizes that a row leaves open: rows and width of the run. */
#define MANY ((size_t)-1)
#define WIDE ((size_t)0)

/* Rows of a table that indices point into. */
enum { TABLE = 7, MOST_OPERANDS = 2 };

typedef struct filtering {
    size_t taps;
    float values[12];
    int up, down, before, after;
} filtering;

typedef struct row row;
typedef dd_node (*builder)(dd_graph *graph, const dd_node *x, const row *row);

struct row {
    const char *name;
    dd_op op;
    builder build;
    dd_shape shapes[MOST_OPERANDS]; /* size[0] 0 and size[1] 0 for none */
    double low, high;               /* of the operands' numbers */
    double factor, shift;
    int axis; /* or the axes of a sum, as bits, a permutation's order as four digits, or a
                 normalisation's groups */
    const struct filtering *filtering;
    bool index;                /* the second operand holds rows of a table */
    bool flat;                 /* no gradient */
    bool no_plan;              /* cannot be asked for as an output */
    int stride, before, after; /* of a convolution */
    dd_shape third;            /* of its gradients: the shape of what they are a gradient in */
};

/* --- How rows make their node. --- */

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
        [DD_OP_EXP] = dd_exp,         [DD_OP_LOG] = dd_log,           [DD_OP_TANH] = dd_tanh,
        [DD_OP_SIGMOID] = dd_sigmoid, [DD_OP_SOFTPLUS] = dd_softplus, [DD_OP_SIN] = dd_sin,
        [DD_OP_COS] = dd_cos,         [DD_OP_STEP] = dd_step,         [DD_OP_DETACH] = dd_detach};
    return builders[r->op](g, x[0]);
}

/* To the shape of the second operand, which gives it that alone. */
static dd_node build_expand(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_expand(g, x[0], dd_graph_shape(g, x[1]));
}

static dd_node build_output(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_output(g, x[0], 40, 0);
    return (dd_node)dd_graph_nodes(g) - 1;
}

static dd_shape summed(dd_shape shape, int axes) {
    for (int i = 0; i < DD_AXES; i++)
        if (axes >> i & 1)
            shape.size[i] = 1;
    return shape;
}

static dd_node build_sum(dd_graph *g, const dd_node *x, const row *r) {
    return dd_sum(g, x[0], summed(dd_graph_shape(g, x[0]), r->axis));
}

static dd_node build_mean(dd_graph *g, const dd_node *x, const row *r) {
    return dd_mean(g, x[0], summed(dd_graph_shape(g, x[0]), r->axis));
}

/* The axis holds which are transposed, as bits. */
static dd_node build_matmul(dd_graph *g, const dd_node *x, const row *r) {
    return dd_matmul(g, x[0], r->axis & 1, x[1], r->axis & 2);
}

static dd_node build_matmul_itself(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_matmul(g, x[0], false, x[0], true);
}

/* The bias is the sums of the weights' rows. */
static dd_node build_linear(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_shape rows = summed(dd_graph_shape(g, x[1]), 8);
    return dd_linear_map(g, x[0], x[1],
                         dd_reshape(g, dd_sum(g, x[1], rows), dd_shape_rows(1, rows.size[2])));
}

/* The last two axes change places, the first two become one. */
static dd_node build_reshape(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    dd_shape from = dd_graph_shape(g, x[0]);
    return dd_reshape(g, x[0],
                      (dd_shape){{1, from.size[0] * from.size[1], from.size[3], from.size[2]}});
}

/* About the middle third of the axis. */
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

static dd_node build_convolve(dd_graph *g, const dd_node *x, const row *r) {
    return dd_convolve(g, x[0], x[1], r->stride, r->before, r->after);
}

/* Zeros of the row's third shape; sizes that it leaves open are the first operand's images and the
 * channels of the one that has them. */
static dd_node zeros(dd_graph *g, dd_shape shape) {
    return dd_expand(g, dd_scalar(g, 0), shape);
}

static dd_node build_convolve_input(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = r->third;
    dd_node gradient = DD_NONE;
    shape.size[0] = dd_graph_shape(g, x[0]).size[0];
    shape.size[3] = dd_graph_shape(g, x[1]).size[3];
    dd_node image = zeros(g, shape);
    dd_gradient(g, dd_convolve(g, image, x[1], r->stride, r->before, r->after), x[0], &image, 1,
                &gradient);
    return gradient;
}

static dd_node build_convolve_weight(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = r->third;
    dd_node gradient = DD_NONE;
    shape.size[0] = dd_graph_shape(g, x[1]).size[3];
    shape.size[3] = dd_graph_shape(g, x[0]).size[3];
    dd_node weights = zeros(g, shape);
    dd_gradient(g, dd_convolve(g, x[0], weights, r->stride, r->before, r->after), x[1], &weights, 1,
                &gradient);
    return gradient;
}

/* --- The table. --- */

#define FULL                                                                                       \
    {                                                                                              \
        { 2, 3, MANY, WIDE }                                                                       \
    }
#define ROWS                                                                                       \
    {                                                                                              \
        { 1, 1, MANY, WIDE }                                                                       \
    }

/* Every way in which two tensors meet, for one operation. */
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

#define SUM_OVER(word, axes)                                                                       \
    { "sum over " word, DD_OP_SUM, build_sum, {FULL}, .low = -2, .high = 2, .axis = axes }

#define UNARY(word, OP, from, to)                                                                  \
    { word, OP, build_unary, {ROWS}, .low = from, .high = to }

/* --- Those of images, of run_maps.c. --- */

static dd_node build_filter(dd_graph *g, const dd_node *x, const row *r) {
    const filtering *f = r->filtering;
    dd_node taps = dd_constant(g, f->values, (dd_shape){{1, 1, 1, f->taps}});
    return dd_filter(g, x[0], taps, f->up, f->down, f->before, f->after);
}

static dd_node build_normalize(dd_graph *g, const dd_node *x, const row *r) {
    return dd_normalize(g, x[0], (size_t)r->axis, r->factor);
}

/* The gradient of a normalisation, and the inverse deviation, come out of its rules alone. */
static dd_node build_normalize_gradient(dd_graph *g, const dd_node *x, const row *r) {
    dd_node gradient = DD_NONE;
    dd_gradient(g, build_normalize(g, x, r), x[1], x, 1, &gradient);
    return gradient;
}

static dd_node build_inverse_deviation(dd_graph *g, const dd_node *x, const row *r) {
    dd_shape shape = dd_graph_shape(g, x[0]), small = {{shape.size[0], 1, 1, (size_t)r->axis}};
    return dd_graph_make(g, (dd_node_data){.op = r->op,
                                           .inputs = {x[0], DD_NONE},
                                           .shape = small,
                                           .start = (size_t)r->axis,
                                           .factor = r->factor});
}

static dd_node build_softmax(dd_graph *g, const dd_node *x, const row *r) {
    (void)r;
    return dd_softmax(g, x[0]);
}

static dd_node build_permute(dd_graph *g, const dd_node *x, const row *r) {
    const int order[DD_AXES] = {r->axis / 1000, r->axis / 100 % 10, r->axis / 10 % 10,
                                r->axis % 10};
    return dd_permute(g, x[0], order);
}

static dd_node build_mask(dd_graph *g, const dd_node *x, const row *r) {
    dd_node seed = dd_affine(g, dd_step(g, x[0]), 40000, 1);
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
                         .factor = r->factor};
    return dd_graph_make(g, data);
}

/* Taps that are not symmetric, so that turning them round shows. */
static const filtering filterings[] = {
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 1, 1, 2, 1},
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 2, 1, 2, 1},
    {4, {0.125f, 0.5f, 0.25f, 0.375f}, 1, 2, 1, 1},
    {2, {0.75f, 0.25f}, 1, 1, -1, 2},
    {3, {0.75f, -0.25f, 0.5f}, 2, 2, 1, 3},
    {5, {0.5f, 0.25f, -1, 0.125f, 0.75f}, 1, 2, 3, -1},
    {8, {1, 2, -3, 0.5f, 0.25f, -1, 0.5f, 2}, 2, 1, 6, 5},
    {8, {1, 2, -3, 0.5f, 0.25f, -1, 0.5f, 2}, 1, 2, 4, 4},
    {2, {0.75f, 0.25f}, 3, 2, 1, 2},
    {3, {0.5f, 1, 0.25f}, 2, 3, 4, 2},
    {11, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 1, 1, 5, 5},
    {1, {0.5f}, 1, 1, 0, 0},
};

#define FILTER(word, which)                                                                        \
    {"filter " word,                                                                               \
     DD_OP_FILTER,                                                                                 \
     build_filter,                                                                                 \
     {{{1, 4, 4, WIDE}}},                                                                          \
     .low = -2,                                                                                    \
     .high = 2,                                                                                    \
     .filtering = &filterings[which]},                                                             \
    {                                                                                              \
        "filter " word ", many", DD_OP_FILTER, build_filter, {{{MANY, 5, 5, 2}}},                  \
            .low = -2, .high = 2, .filtering = &filterings[which]                                  \
    }

/* The three operations on images of as many channels, in as many groups. */
#define NORMALIZATIONS(word, channels, groups)                                                     \
    {"normalize " word, DD_OP_NORMALIZE, build_normalize, {{{2, 3, MANY, channels}}},              \
     .low = 1,          .high = 3,       .factor = 0.25,  .axis = groups},                         \
        {"normalize_gradient " word,                                                               \
         DD_OP_NORMALIZE_GRADIENT,                                                                 \
         build_normalize_gradient,                                                                 \
         {{{2, 3, MANY, channels}}, {{2, 3, MANY, channels}}},                                     \
         .low = 1,                                                                                 \
         .high = 3,                                                                                \
         .factor = 0.25,                                                                           \
         .axis = groups},                                                                          \
    {                                                                                              \
        "inverse_deviation " word, DD_OP_INVERSE_DEVIATION, build_inverse_deviation,               \
            {{{2, 3, MANY, channels}}}, .low = 1, .high = 3, .factor = 0.25, .axis = groups        \
    }

#define PERMUTE(order)                                                                             \
    {                                                                                              \
        "permute " #order, DD_OP_PERMUTE, build_permute, {FULL}, .low = -2, .high = 2,             \
                                                                 .axis = 1##order - 10000          \
    }

#define LEAKY(word, ...)                                                                           \
    { "leaky " word, DD_OP_LEAKY, build_leaky, {FULL, __VA_ARGS__}, .low = -2, .high = 2 }

#define POWER(word, from, to, exponent)                                                            \
    { "power " word, DD_OP_POWER, build_power, {ROWS}, .low = from, .high = to, .factor = exponent }

#define EACH_AXIS(word, OP, function)                                                              \
    {word " axis 0", OP, function, {FULL}, .low = -2, .high = 2, .axis = 0},                       \
        {word " axis 1", OP, function, {FULL}, .low = -2, .high = 2, .axis = 1},                   \
        {word " axis 2", OP, function, {FULL}, .low = -2, .high = 2, .axis = 2}, {                 \
        word " axis 3", OP, function, {FULL}, .low = -2, .high = 2, .axis = 3                      \
    }

/* A convolution of n images of h x w pixels and c channels with o filters of kh x kw taps, and its
 * two gradients. */
#define PLACES(size, taps, s, b, a) (((size) + (b) + (a) - (taps)) / (s) + 1)
#define CONVOLUTION_ROW(word, OP, function, first, second, other, s, b, a)                         \
    {                                                                                              \
        word, OP, function, {first, second}, .low = -1, .high = 1, .stride = s, .before = b,       \
                                             .after = a, .third = other                            \
    }
#define IMAGES(n, h, w, c)                                                                         \
    {                                                                                              \
        { n, h, w, c }                                                                             \
    }
#define CONVOLUTIONS(word, n, h, w, c, o, kh, kw, s, b, a)                                         \
    CONVOLUTION_ROW("convolve, " word, DD_OP_CONVOLVE, build_convolve, IMAGES(n, h, w, c),         \
                    IMAGES(o, kh, kw, c), IMAGES(0, 0, 0, 0), s, b, a),                            \
        CONVOLUTION_ROW("convolve input, " word, DD_OP_CONVOLVE_INPUT, build_convolve_input,       \
                        IMAGES(n, PLACES(h, kh, s, b, a), PLACES(w, kw, s, b, a), o),              \
                        IMAGES(o, kh, kw, c), IMAGES(0, h, w, 0), s, b, a),                        \
        CONVOLUTION_ROW("convolve weight, " word, DD_OP_CONVOLVE_WEIGHT, build_convolve_weight,    \
                        IMAGES(n, h, w, c),                                                        \
                        IMAGES(n, PLACES(h, kh, s, b, a), PLACES(w, kw, s, b, a), o),              \
                        IMAGES(0, kh, kw, 0), s, b, a)

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
    {"step", DD_OP_STEP, build_unary, {ROWS}, -1e-3, 1e-3, .flat = true},
    {"detach", DD_OP_DETACH, build_unary, {ROWS}, .low = -1, .high = 1, .flat = true},
    {"output",
     DD_OP_OUTPUT,
     build_output,
     {ROWS},
     .low = -1,
     .high = 1,
     .flat = true,
     .no_plan = true},
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
    FILTER("same size", 0),
    FILTER("doubling", 1),
    FILTER("halving", 2),
    FILTER("cut at the front", 3),
    FILTER("up and down by 2", 4),
    FILTER("halving, cut at the end", 5),
    FILTER("doubling, 8 taps", 6),
    FILTER("halving, 8 taps", 7),
    FILTER("by 3/2", 8),
    FILTER("by 2/3", 9),
    FILTER("of 11 taps", 10),
    FILTER("of one tap", 11),
    {"filter of an image that is not square",
     DD_OP_FILTER,
     build_filter,
     {{{1, MANY, 5, WIDE}}},
     .low = -2,
     .high = 2,
     .filtering = &filterings[0]},
    NORMALIZATIONS("one group", WIDE, 1),
    NORMALIZATIONS("groups of 4", 8, 2),
    NORMALIZATIONS("groups of 1", 3, 3),
    NORMALIZATIONS("groups of 2", 6, 3),
    {"softmax", DD_OP_SOFTMAX, build_softmax, {FULL}, .low = -3, .high = 3},
    PERMUTE(0123),
    PERMUTE(0231),
    PERMUTE(0312),
    PERMUTE(1023),
    PERMUTE(2301),
    PERMUTE(3210),
    PERMUTE(0213),
    PERMUTE(3012),
    PERMUTE(1302),
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
    {"add rows",
     DD_OP_ADD_ROWS,
     build_add_rows,
     {ROWS, {{1, 1, MANY, 1}}},
     .low = -2,
     .high = 2,
     .index = true},
    CONVOLUTIONS("3 x 3", MANY, 5, 4, WIDE, 3, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of one channel", MANY, 4, 5, 1, WIDE, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of one image", 1, 9, 8, WIDE, 2, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3 of two images", 2, 5, 6, 3, WIDE, 3, 3, 1, 1, 1),
    CONVOLUTIONS("3 x 3, 2 apart, zeros after", MANY, 6, 4, 3, WIDE, 3, 3, 2, 0, 1),
    CONVOLUTIONS("3 x 3, 2 apart, a row left over", MANY, 6, 5, WIDE, 1, 3, 3, 2, 0, 0),
    CONVOLUTIONS("3 x 3, more zeros than it needs", MANY, 3, 4, WIDE, 2, 3, 3, 1, 1, 3),
    CONVOLUTIONS("4 x 4, 2 apart", MANY, 6, 4, WIDE, 2, 4, 4, 2, 1, 1),
    CONVOLUTIONS("4 x 4 over all", MANY, 4, 4, 3, WIDE, 4, 4, 1, 0, 0),
    CONVOLUTIONS("1 x 3, 3 apart", MANY, 4, 7, 3, WIDE, 1, 3, 3, 1, 2),
    CONVOLUTIONS("1 x 1", MANY, 3, 2, WIDE, 5, 1, 1, 1, 0, 0),
    CONVOLUTIONS("1 x 1, 2 apart", MANY, 5, 3, WIDE, 2, 1, 1, 2, 0, 0),
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* --- One row at one size: the graph with both gradients, and numbers for its slots. --- */

/* Slots: operands, the seed of the first gradient, the functional's weights, and results from
 * RESULTS on. */
enum { SEED = 2, WEIGHTS = 3, SLOTS = 5, RESULTS = 8, MOST_RESULTS = 2 + 2 * MOST_OPERANDS };

typedef struct bench {
    const row *row;
    ddaebm_context *context;
    dd_graph *graph;
    int operands;
    dd_node inputs[SLOTS]; /* by slot; DD_NONE for those unused */
    dd_node value, energy, functional;
    dd_node first[MOST_OPERANDS];      /* by operand */
    dd_node second[MOST_OPERANDS + 1]; /* by the seed and the operands */
    double *numbers[SLOTS];
} bench;

static size_t elements(const bench *b, dd_node node) {
    return dd_shape_elements(dd_graph_shape(b->graph, node));
}

static dd_shape sized(dd_shape shape, size_t many, size_t wide) {
    for (int i = 0; i < DD_AXES; i++)
        shape.size[i] = shape.size[i] == MANY ? many : shape.size[i] == WIDE ? wide : shape.size[i];
    return shape;
}

/* Numbers that a float holds too. */
static void fill(const bench *b, int slot, double low, double high) {
    size_t count = elements(b, b->inputs[slot]);
    float *uniforms = calloc(count, sizeof *uniforms);
    ck_assert_ptr_nonnull(uniforms);
    dd_rng_uniforms(uniforms, 7, (uint64_t)slot, 0, count);
    for (size_t i = 0; i < count; i++)
        b->numbers[slot][i] = (double)(float)(low + (high - low) * (double)uniforms[i]);
    free(uniforms);
}

static void fill_index(const bench *b, int slot) {
    uint32_t word;
    for (size_t i = 0; i < elements(b, b->inputs[slot]); i++) {
        dd_rng_words(&word, 11, 0, i, 1);
        b->numbers[slot][i] = word % TABLE;
    }
}

static void add_input(bench *b, int slot, dd_shape shape, double low, double high) {
    b->inputs[slot] = dd_input(b->graph, slot, shape, 0);
    b->numbers[slot] = calloc(dd_shape_elements(shape), sizeof *b->numbers[slot]);
    ck_assert_ptr_nonnull(b->numbers[slot]);
    fill(b, slot, low, high);
}

static dd_node total(dd_graph *graph, dd_node x) {
    return dd_sum(graph, x, (dd_shape){{1, 1, 1, 1}});
}

static void add_operands(bench *b, size_t many, size_t wide) {
    for (int slot = 0; slot < SLOTS; slot++)
        b->inputs[slot] = DD_NONE;
    for (int i = 0; i < MOST_OPERANDS && (b->row->shapes[i].size[0] || b->row->shapes[i].size[1]);
         i++, b->operands++) {
        add_input(b, i, sized(b->row->shapes[i], many, wide), b->row->low, b->row->high);
        if (i == 1 && b->row->index)
            fill_index(b, i);
    }
}

/* The functional of the first gradients: sum over operands of sum(gradient * weights), or nothing.
 */
static void add_functional(bench *b) {
    for (int i = 0; i < b->operands; i++) {
        if (b->first[i] == DD_NONE)
            continue;
        ck_assert(dd_shape_equal(dd_graph_shape(b->graph, b->first[i]),
                                 dd_graph_shape(b->graph, b->inputs[i])));
        add_input(b, WEIGHTS + i, dd_graph_shape(b->graph, b->inputs[i]), -1, 1);
        dd_node term = total(b->graph, dd_multiply(b->graph, b->first[i], b->inputs[WEIGHTS + i]));
        b->functional = b->functional == DD_NONE ? term : dd_add(b->graph, b->functional, term);
    }
}

static void open_bench(bench *b, const row *r, size_t many, size_t wide, int threads) {
    *b = (bench){.row = r, .value = DD_NONE, .energy = DD_NONE, .functional = DD_NONE};
    ck_assert_int_eq(ddaebm_context_create(&b->context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(b->context, threads), DDAEBM_OK);
    ck_assert_int_eq(dd_graph_create(&b->graph, b->context), DDAEBM_OK);
    add_operands(b, many, wide);
    b->value = r->build(b->graph, b->inputs, r);
    add_input(b, SEED, dd_graph_shape(b->graph, b->value), -1, 1);
    b->energy = total(b->graph, dd_multiply(b->graph, b->value, b->inputs[SEED]));
    dd_gradient(b->graph, b->value, b->inputs[SEED], b->inputs, (size_t)b->operands, b->first);
    add_functional(b);
    dd_node wrt[MOST_OPERANDS + 1] = {b->inputs[SEED], b->inputs[0], b->inputs[1]};
    dd_gradient(b->graph, b->functional, DD_NONE, wrt, (size_t)b->operands + 1, b->second);
    ck_assert_int_eq(dd_graph_status(b->graph), DDAEBM_OK);
}

static void close_bench(bench *b) {
    dd_graph_free(b->graph);
    ddaebm_context_free(b->context);
    for (int slot = 0; slot < SLOTS; slot++)
        free(b->numbers[slot]);
}

/* --- In double, against central differences. --- */

static void run_twin(const bench *b, test_plain *twin) {
    test_plain_input inputs[SLOTS];
    for (int slot = 0; slot < SLOTS; slot++)
        inputs[slot] = (test_plain_input){slot, -1, b->numbers[slot]};
    test_plain_run(twin, inputs, SLOTS);
}

/* The slope of a node of one number in an entry of a slot, by the central difference of fourth
 * order. */
static double slope(const bench *b, test_plain *twin, dd_node node, int slot, size_t entry) {
    const double step = 1e-3, weights[4] = {1, -8, 8, -1};
    double *x = &b->numbers[slot][entry], at = *x, difference = 0;
    for (int i = 0; i < 4; i++) {
        *x = at + step * (i < 2 ? i - 2 : i - 1);
        run_twin(b, twin);
        difference += weights[i] * test_plain_value(twin, node)[0];
    }
    *x = at;
    return difference / (12 * step);
}

/* Whether `gradient` (zeros for DD_NONE) is that of `node` in a slot. */
static void check_slopes(const bench *b, dd_node node, int slot, dd_node gradient) {
    test_plain *twin = test_plain_create(b->graph);
    size_t count = elements(b, b->inputs[slot]);
    double *expected = calloc(count, sizeof *expected), largest = 1;
    ck_assert_ptr_nonnull(expected);
    run_twin(b, twin);
    if (gradient != DD_NONE)
        memcpy(expected, test_plain_value(twin, gradient), count * sizeof *expected);
    for (size_t i = 0; i < count; i++)
        largest = larger(largest, fabs(expected[i]));
    for (size_t i = 0; i < count; i++) {
        double difference = slope(b, twin, node, slot, i);
        ck_assert_msg(fabs(difference - expected[i]) <= DOUBLE * largest,
                      "%s: slot %d, entry %zu: %.12g, by differences %.12g", b->row->name, slot, i,
                      expected[i], difference);
    }
    free(expected);
    test_plain_free(twin);
}

static void check_vanishing(const bench *b) {
    for (int i = 0; i < b->operands; i++)
        ck_assert_msg(b->first[i] == DD_NONE, "%s has a gradient", b->row->name);
}

START_TEST(gradients_are_those_of_differences) {
    const size_t sizes[][2] = {{3, 2}, {2, 3}, {1, 4}, {1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s += sweep_step(2)) {
        bench b;
        open_bench(&b, &rows[_i], sizes[s][0], sizes[s][1], 1);
        if (b.row->index)
            ck_assert_int_eq(b.first[1], DD_NONE);
        if (b.row->flat)
            check_vanishing(&b);
        for (int i = 0; i < b.operands && !b.row->flat && !(i == 1 && b.row->index); i++) {
            check_slopes(&b, b.energy, i, b.first[i]);
            check_slopes(&b, b.functional, i, b.second[1 + i]);
        }
        if (!b.row->flat)
            check_slopes(&b, b.functional, SEED, b.second[0]);
        close_bench(&b);
    }
}
END_TEST

/* --- In float, through plans. --- */

typedef struct results {
    int count;
    dd_node nodes[MOST_RESULTS];
    size_t sizes[MOST_RESULTS];
    double *expected[MOST_RESULTS];
    float *found[MOST_RESULTS], *alone[MOST_RESULTS];
} results;

static void add_result(const bench *b, results *all, dd_node node) {
    if (node == DD_NONE)
        return;
    int i = all->count++;
    all->nodes[i] = node;
    all->sizes[i] = elements(b, node);
    all->expected[i] = calloc(all->sizes[i], sizeof *all->expected[i]);
    all->found[i] = calloc(all->sizes[i], sizeof *all->found[i]);
    all->alone[i] = calloc(all->sizes[i], sizeof *all->alone[i]);
    ck_assert(all->expected[i] && all->found[i] && all->alone[i]);
}

static void expect_results(const bench *b, results *all) {
    *all = (results){0};
    add_result(b, all, b->value);
    for (int i = 0; i < b->operands; i++)
        add_result(b, all, b->first[i]);
    for (int i = 0; i <= b->operands; i++)
        add_result(b, all, b->second[i]);
    test_plain *twin = test_plain_create(b->graph);
    run_twin(b, twin);
    for (int i = 0; i < all->count; i++)
        memcpy(all->expected[i], test_plain_value(twin, all->nodes[i]),
               all->sizes[i] * sizeof *all->expected[i]);
    test_plain_free(twin);
}

static void free_results(results *all) {
    for (int i = 0; i < all->count; i++) {
        free(all->expected[i]);
        free(all->found[i]);
        free(all->alone[i]);
    }
}

/* Runs once with NaN everywhere, so that numbers left over from another run show, and once with the
 * row's. */
static void run_plan(const bench *b, const dd_plan *plan, const results *all, float *const *into,
                     bool alone) {
    dd_workspace *workspace = NULL;
    float *numbers[SLOTS] = {NULL};
    ck_assert_int_eq(dd_workspace_create(&workspace, plan), DDAEBM_OK);
    for (int i = 0; i < all->count; i++)
        dd_workspace_bind(workspace, RESULTS + i, into[i]);
    for (int slot = 0; slot < SLOTS; slot++) {
        if (b->inputs[slot] == DD_NONE)
            continue;
        numbers[slot] = calloc(elements(b, b->inputs[slot]), sizeof *numbers[slot]);
        ck_assert_ptr_nonnull(numbers[slot]);
        dd_workspace_bind(workspace, slot, numbers[slot]);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int slot = 0; slot < SLOTS; slot++)
            for (size_t i = 0, count = numbers[slot] ? elements(b, b->inputs[slot]) : 0; i < count;
                 i++)
                numbers[slot][i] = pass == 0 ? NAN : (float)b->numbers[slot][i];
        dd_workspace_run(workspace, 0, dd_context_pool(b->context), alone);
    }
    for (int slot = 0; slot < SLOTS; slot++)
        free(numbers[slot]);
    dd_workspace_free(workspace);
}

static void compare(const row *r, const results *all, int parts, size_t many, size_t wide) {
    const char *name = r->name;
    double near = r->stride > 0 ? CONVOLUTIONS_FLOAT : FLOAT;
    for (int i = 0; i < all->count; i++) {
        double largest = 1, worst = 0;
        for (size_t j = 0; j < all->sizes[i]; j++) {
            double error = fabs((double)all->found[i][j] - all->expected[i][j]);
            largest = larger(largest, fabs(all->expected[i][j]));
            worst = error <= worst ? worst : error; /* NaN is the worst */
        }
        ck_assert_msg(worst <= near * largest,
                      "%s, %zu x %zu, %d parts: result %d is off by %g of %g", name, many, wide,
                      parts, i, worst, largest);
        ck_assert_msg(memcmp(all->found[i], all->alone[i], all->sizes[i] * sizeof(float)) == 0,
                      "%s, %zu x %zu, %d parts: result %d differs when run alone", name, many, wide,
                      parts, i);
    }
}

static void check_plans(const row *r, size_t many, size_t wide, int most_parts,
                        const dd_convolution_backend *convolutions) {
    results all;
    for (int parts = 1; parts <= most_parts; parts++) {
        bench b;
        dd_plan *plan = NULL;
        open_bench(&b, r, many, wide, parts < 2 ? 1 : 2); /* three parts by two threads */
        if (parts == 1)
            expect_results(&b, &all);
        for (int i = 0; i < all.count; i++)
            dd_output(b.graph, all.nodes[i], RESULTS + i, 0);
        ck_assert_int_eq(
            dd_plan_create(
                &plan, b.graph,
                (dd_plan_options){.phases = 1, .parts = parts, .convolutions = convolutions}),
            DDAEBM_OK);
        run_plan(&b, plan, &all, all.alone, true);
        run_plan(&b, plan, &all, all.found, false);
        compare(r, &all, parts, many, wide);
        dd_plan_free(plan);
        b.graph = NULL;
        close_bench(&b);
    }
    free_results(&all);
}

/* A tile holds 512 numbers; work is shared from 8192 on, so that the smallest need not be tried in
 * parts. Sampled: 1 x 1, 1 x 300 and 2 x 512. */
START_TEST(plans_compute_what_plain_loops_do) {
    const size_t sizes[][2] = {{1, 1},   {5, 1},   {1, 2},   {3, 3},   {7, 17},  {1, 300}, {5, 2},
                               {600, 3}, {3, 300}, {3, 511}, {2, 512}, {3, 513}, {7, 1200}};
    if (rows[_i].no_plan)
        return;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s += sweep_step(5)) {
        check_plans(&rows[_i], sizes[s][0], sizes[s][1], s < 6 ? 1 : 3,
                    dd_convolution_choose_direct());
        if (rows[_i].stride > 0 && dd_convolution_choose_direct() != &dd_convolution_blas)
            check_plans(&rows[_i], sizes[s][0], sizes[s][1], s < 6 ? 1 : 3, &dd_convolution_blas);
    }
}
END_TEST

START_TEST(every_operation_has_its_row) {
    for (int op = 0; op < DD_OP_COUNT; op++) {
        const dd_op_info *info = dd_op_describe((dd_op)op);
        bool found = info->arity == 0;
        for (int i = 0; i < ROW_COUNT; i++)
            if ((int)rows[i].op == op) {
                found = true;
                ck_assert_msg(rows[i].flat == !info->rule,
                              "%s: a gradient, or none, where the table says otherwise",
                              rows[i].name);
            }
        ck_assert_msg(found, "%s has no row", info->name);
        ck_assert_msg(info->arity > 0 || (!info->rule && !dd_kernels_portable.elementwise[op]),
                      "%s is a source", info->name);
        ck_assert_msg(info->elementwise == (dd_kernels_portable.elementwise[op] != NULL),
                      "%s: loops without a kernel", info->name);
    }
}
END_TEST

/* A row's graph must hold the row's operation, or the row shows nothing. */
START_TEST(every_row_uses_its_operation) {
    bench b;
    bool used = false;
    open_bench(&b, &rows[_i], 5, 4, 1);
    for (size_t n = 0; n < dd_graph_nodes(b.graph); n++)
        used = used || dd_graph_node(b.graph, (dd_node)n)->op == rows[_i].op;
    ck_assert_msg(used, "%s does not use its operation", rows[_i].name);
    close_bench(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gradient table");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, dd_blas_enter, dd_blas_leave);
    tcase_add_test(tests, every_operation_has_its_row);
    tcase_add_loop_test(tests, every_row_uses_its_operation, 0, ROW_COUNT);
    tcase_add_loop_test(tests, gradients_are_those_of_differences, 0, ROW_COUNT);
    tcase_add_loop_test(tests, plans_compute_what_plain_loops_do, 0, ROW_COUNT);
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    printf("rows: %d\n", ROW_COUNT);
    return failed;
}
