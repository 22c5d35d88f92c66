/* The operations: their list, their constants, and the builders that make nodes of them.
 *
 * To add one: a line in DD_OPERATIONS, a member of dd_constants if it has constants, and a builder
 * here; everything else about it (shape and gradient rules, cost, execution) goes into the file of
 * its family in ops/, as the variable dd_op_<name>. */
#ifndef DD_OPERATIONS_H
#define DD_OPERATIONS_H

#include "tensor/graph/graph.h"

/* X(ENUMERATOR, name): the enumerator DD_OP_<ENUMERATOR> and the descriptor dd_op_<name>. */
#define DD_OPERATIONS(X)                                                                           \
    /* sources and results */                                                                      \
    X(INPUT, input)                                                                                \
    X(CONSTANT, constant)                                                                          \
    X(SCALAR, scalar)                                                                              \
    X(OUTPUT, output)                                                                              \
    /* elementwise: inputs are broadcast to the node's shape */                                    \
    X(ADD, add)                                                                                    \
    X(SUBTRACT, subtract)                                                                          \
    X(MULTIPLY, multiply)                                                                          \
    X(AFFINE, affine)                                                                              \
    X(POWER, power)                                                                                \
    X(EXP, exp)                                                                                    \
    X(LOG, log)                                                                                    \
    X(TANH, tanh)                                                                                  \
    X(SIGMOID, sigmoid)                                                                            \
    X(SOFTPLUS, softplus)                                                                          \
    X(SIN, sin)                                                                                    \
    X(COS, cos)                                                                                    \
    X(HEAVISIDE, heaviside)                                                                        \
    X(LEAKY, leaky)                                                                                \
    X(SILU, silu)                                                                                  \
    X(EXPAND, expand)                                                                              \
    /* sums and matrix products */                                                                 \
    X(SUM, sum)                                                                                    \
    X(MATMUL, matmul)                                                                              \
    X(LINEAR, linear)                                                                              \
    /* moves */                                                                                    \
    X(RESHAPE, reshape)                                                                            \
    X(DETACH, detach)                                                                              \
    X(SLICE, slice)                                                                                \
    X(PAD, pad)                                                                                    \
    X(CONCAT, concat)                                                                              \
    X(TAKE_ROWS, take_rows)                                                                        \
    X(ADD_ROWS, add_rows)                                                                          \
    X(PERMUTE, permute)                                                                            \
    /* the rest */                                                                                 \
    X(SOFTMAX, softmax)                                                                            \
    X(MASK, mask)                                                                                  \
    X(CONVOLVE, convolve)                                                                          \
    X(CONVOLVE_INPUT, convolve_input)                                                              \
    X(CONVOLVE_WEIGHT, convolve_weight)                                                            \
    X(FILTER, filter)                                                                              \
    X(NORMALIZE, normalize)                                                                        \
    X(NORMALIZE_GRADIENT, normalize_gradient)                                                      \
    X(INVERSE_STD, inverse_std)

typedef enum dd_op {
#define DD_OP_ENUMERATOR(ENUMERATOR, name) DD_OP_##ENUMERATOR,
    DD_OPERATIONS(DD_OP_ENUMERATOR)
#undef DD_OP_ENUMERATOR
        DD_OP_COUNT
} dd_op;

/* How a convolution or a filter walks over an image, on both axes alike: up - 1 zeros are put after
 * each pixel, `before` and `after` zeros around them all (negative: pixels cut off), and the filter
 * stands at every stride-th place. */
typedef struct dd_window {
    int16_t up, stride, before, after;
} dd_window;

/* The constants of a node; its operation says which member counts. Nodes are compared by these
 * bytes (dd_op_info.constants), so no member may have padding. */
typedef union dd_constants {
    dd_slot slot;     /* input, output */
    int32_t constant; /* constant: index into the graph's constants */
    double scalar;
    struct {
        double factor, shift;
    } affine;
    double exponent;    /* power */
    int32_t derivative; /* silu: the order of the derivative of x sigmoid(x), 0 to 2 */
    struct {
        bool transpose_a, transpose_b;
    } matmul;
    struct {
        size_t axis, start;
    } slice, pad;
    size_t concat;            /* the axis */
    int32_t permute[DD_AXES]; /* axis i of the result is axis permute[i] of x */
    struct {
        double keep;
        uint64_t rng_stream;
    } mask;
    dd_window window; /* convolve and its two gradients, filter */
    struct {
        uint64_t groups;
        double epsilon;
    } normalize; /* and its gradient, and inverse_std */
} dd_constants;

/* --- Sources and results. --- */

/* The tensor bound to the slot. A node belongs to the latest phase among its inputs: a plan runs
 * phase by phase, and what is bound may change in between (training updates the energy between
 * phases 0 and 1). */
dd_node dd_input(dd_graph *graph, dd_slot slot, dd_shape shape, int phase);

/* A tensor of values that are copied into the graph. */
dd_node dd_constant(dd_graph *graph, const float *values, dd_shape shape);

/* One number, as [1, 1, 1, 1]. */
dd_node dd_scalar(dd_graph *graph, double value);

/* Asks for a node's value: written to the slot when `phase` is run. */
void dd_output(dd_graph *graph, dd_node node, dd_slot slot, int phase);

/* --- Elementwise. --- */

dd_node dd_add(dd_graph *graph, dd_node a, dd_node b);
dd_node dd_subtract(dd_graph *graph, dd_node a, dd_node b);
dd_node dd_multiply(dd_graph *graph, dd_node a, dd_node b);

/* factor x + shift */
dd_node dd_affine(dd_graph *graph, dd_node x, double factor, double shift);

/* x^exponent; x > 0 unless the exponent is an integer. */
dd_node dd_power(dd_graph *graph, dd_node x, double exponent);

dd_node dd_exp(dd_graph *graph, dd_node x);
dd_node dd_log(dd_graph *graph, dd_node x);
dd_node dd_tanh(dd_graph *graph, dd_node x);
dd_node dd_sigmoid(dd_graph *graph, dd_node x);
dd_node dd_softplus(dd_graph *graph, dd_node x); /* log(1 + e^x) */
dd_node dd_sin(dd_graph *graph, dd_node x);
dd_node dd_cos(dd_graph *graph, dd_node x);

/* The Heaviside function: 1 where x > 0, else 0. Its gradient vanishes. */
dd_node dd_heaviside(dd_graph *graph, dd_node x);

/* Leaky ReLU: x where x > 0, slope x elsewhere; slope may be broadcast. */
dd_node dd_leaky(dd_graph *graph, dd_node x, dd_node slope);

dd_node dd_silu(dd_graph *graph, dd_node x); /* x sigmoid(x) */

/* x broadcast to a shape: axes of size 1 are repeated. */
dd_node dd_expand(dd_graph *graph, dd_node x, dd_shape shape);

/* --- Sums and matrix products. --- */

/* Sum, or mean, over every axis whose size in shape is 1. */
dd_node dd_sum(dd_graph *graph, dd_node x, dd_shape shape);
dd_node dd_mean(dd_graph *graph, dd_node x, dd_shape shape);

/* op(a) op(b) over the last two axes, where op transposes if asked to; the first two axes, equal in
 * a and b, count products. */
dd_node dd_matmul(dd_graph *graph, dd_node a, bool transpose_a, dd_node b, bool transpose_b);

/* x w^T + b: rows x [1, 1, N, in], weights w [1, 1, out, in], bias b [1, 1, 1, out]. */
dd_node dd_linear_map(dd_graph *graph, dd_node x, dd_node w, dd_node b);

/* --- Moves. --- */

dd_node dd_reshape(dd_graph *graph, dd_node x, dd_shape shape);

/* x as a constant: its gradient vanishes. */
dd_node dd_detach(dd_graph *graph, dd_node x);

/* x[start : start + length] along an axis. */
dd_node dd_slice(dd_graph *graph, dd_node x, int axis, size_t start, size_t length);

/* x with zeros before and after it along an axis, `length` in all. */
dd_node dd_pad(dd_graph *graph, dd_node x, int axis, size_t before, size_t length);

dd_node dd_concat(dd_graph *graph, dd_node a, dd_node b, int axis);

/* Gathers rows: row index[n] of a table [1, 1, R, C] for each n of an index [1, 1, N, 1] of whole
 * numbers: [1, 1, N, C]. */
dd_node dd_take_rows(dd_graph *graph, dd_node table, dd_node index);

/* The transpose of dd_take_rows: row r of [1, 1, rows, C] is the sum of x's rows n with
 * index[n] = r. */
dd_node dd_add_rows(dd_graph *graph, dd_node x, dd_node index, size_t rows);

/* The axes in another order: axis i of the result is axis order[i] of x. */
dd_node dd_permute(dd_graph *graph, dd_node x, const int order[DD_AXES]);

/* --- Softmax, dropout. --- */

/* exp(x) over its sum, along the last axis. */
dd_node dd_softmax(dd_graph *graph, dd_node x);

/* A dropout mask: 1/keep with probability keep, else 0. `seed` [1, 1, 1, 4] holds a 64-bit seed as
 * four whole numbers from 0 to 65535, low bits first; the mask depends on it, on `rng_stream` and
 * on the element's index alone. No gradient. */
dd_node dd_mask(dd_graph *graph, dd_node seed, uint32_t rng_stream, double keep, dd_shape shape);

/* --- Images [N, H, W, C]. --- */

/* Cross-correlation with weights [O, KH, KW, C]: y[n, i, j, o] = sum over k, l, c of
 * w[o, k, l, c] x[n, i stride + k - before, j stride + l - before, c], x taken as 0 outside, with
 * `after` rows and columns of zeros at the other end: [N, OH, OW, O]. */
dd_node dd_convolve(dd_graph *graph, dd_node x, dd_node weight, int stride, int before, int after);

/* Resampling: each channel is correlated with the outer product of taps [1, 1, 1, K] with itself (a
 * constant, K <= DD_MOST_TAPS), after up - 1 zeros have been put after each pixel, `before` and
 * `after` around all; every down-th place is kept: [N, OH, OW, C], OH = (H up + before + after - K)
 * / down + 1. */
dd_node dd_filter(dd_graph *graph, dd_node x, dd_node taps, int up, int down, int before,
                  int after);

enum { DD_MOST_TAPS = 64 };

/* Group norm without scale and shift (Wu and He, 2018): (x - mean) / sqrt(variance + epsilon), over
 * the pixels and channels of each of `groups` equal runs of channels. */
dd_node dd_normalize(dd_graph *graph, dd_node x, size_t groups, double epsilon);

#endif
