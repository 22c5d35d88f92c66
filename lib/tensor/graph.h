/* Computations as graphs of operations, closed under differentiation.
 *
 * A network or a loss is a number of nodes; a gradient is more nodes of the same graph, so
 * gradients of any order come from one set of rules. Equal nodes are made once. Building cannot
 * fail halfway: after a failure (no memory, shapes that do not fit) every builder returns DD_NONE
 * at once, and dd_graph_status tells. A graph is then planned (plan.h) and run many times.
 *
 * Every tensor has four axes, slowest first: images are [N, H, W, C], rows [1, 1, N, C], weights of
 * a linear layer [1, 1, out, in], biases [1, 1, 1, C]. Where two tensors meet element by element,
 * an axis of size 1 is repeated. */
#ifndef DD_GRAPH_H
#define DD_GRAPH_H

#include "base/ieee.h"

#include <ddaebm/context.h>
#include <stdbool.h>

typedef struct dd_graph dd_graph;

/* A node: its number, ascending in the order of making, so that inputs are always smaller. */
typedef int32_t dd_node;

/* No node: the result of a failed builder, and a gradient that vanishes by structure. */
enum { DD_NONE = -1, DD_AXES = 4 };

typedef struct dd_shape {
    size_t size[DD_AXES];
} dd_shape;

static inline dd_shape dd_shape_rows(size_t rows, size_t width) {
    return (dd_shape){{1, 1, rows, width}};
}

size_t dd_shape_elements(dd_shape shape);
bool dd_shape_equal(dd_shape a, dd_shape b);

/* How numbers come in and out: slot s stands for the s-th pointer that is bound when the graph is
 * run. */
typedef int32_t dd_slot;

ddaebm_status dd_graph_create(dd_graph **out, ddaebm_context *context);
void dd_graph_free(dd_graph *graph);

/* DDAEBM_OK, or what went wrong first while building. */
ddaebm_status dd_graph_status(const dd_graph *graph);

dd_shape dd_graph_shape(const dd_graph *graph, dd_node node);

/* --- Sources. --- */

/* What is bound to the slot. A node belongs to the latest phase among its inputs: a plan runs phase
 * by phase, and what is bound may change in between (lib/train updates the energy between phases 0
 * and 1). */
dd_node dd_input(dd_graph *graph, dd_slot slot, dd_shape shape, int phase);

/* Copied numbers. */
dd_node dd_constant(dd_graph *graph, const float *values, dd_shape shape);

/* One number, as [1, 1, 1, 1]. */
dd_node dd_scalar(dd_graph *graph, double value);

/* --- Element by element. --- */

dd_node dd_add(dd_graph *graph, dd_node a, dd_node b);
dd_node dd_subtract(dd_graph *graph, dd_node a, dd_node b);
dd_node dd_multiply(dd_graph *graph, dd_node a, dd_node b);
dd_node dd_affine(dd_graph *graph, dd_node x, double factor, double shift); /* factor x + shift */
dd_node dd_power(dd_graph *graph, dd_node x,
                 double exponent); /* x^exponent; x > 0 unless the exponent is whole */
dd_node dd_exp(dd_graph *graph, dd_node x);
dd_node dd_log(dd_graph *graph, dd_node x);
dd_node dd_tanh(dd_graph *graph, dd_node x);
dd_node dd_sigmoid(dd_graph *graph, dd_node x);
dd_node dd_softplus(dd_graph *graph, dd_node x); /* log(1 + e^x) */
dd_node dd_sin(dd_graph *graph, dd_node x);
dd_node dd_cos(dd_graph *graph, dd_node x);
dd_node dd_step(dd_graph *graph, dd_node x); /* 1 where x > 0, else 0; its gradient vanishes */
dd_node dd_leaky(dd_graph *graph, dd_node x,
                 dd_node slope); /* x where x > 0, slope x elsewhere; slope may be repeated */
dd_node dd_silu(dd_graph *graph, dd_node x);                   /* x sigmoid(x) */
dd_node dd_expand(dd_graph *graph, dd_node x, dd_shape shape); /* axes of size 1 repeated */

/* --- Sums, products, moves. --- */

dd_node dd_sum(dd_graph *graph, dd_node x,
               dd_shape shape); /* over every axis whose size in shape is 1 */
dd_node dd_mean(dd_graph *graph, dd_node x, dd_shape shape); /* likewise */

/* op(a) op(b) over the last two axes, op = transposition where asked for; the first two axes are
 * alike. */
dd_node dd_matmul(dd_graph *graph, dd_node a, bool transpose_a, dd_node b, bool transpose_b);

/* x w^T + b: rows x [1, 1, N, in], weights w [1, 1, out, in], bias b [1, 1, 1, out]. */
dd_node dd_linear_map(dd_graph *graph, dd_node x, dd_node w, dd_node b);

dd_node dd_reshape(dd_graph *graph, dd_node x, dd_shape shape);
dd_node dd_detach(dd_graph *graph, dd_node x); /* x, as a constant: its gradient vanishes */
dd_node dd_slice(dd_graph *graph, dd_node x, int axis, size_t start, size_t length);
dd_node dd_pad(dd_graph *graph, dd_node x, int axis, size_t before,
               size_t length); /* zeros around x, to `length` */
dd_node dd_concat(dd_graph *graph, dd_node a, dd_node b, int axis);

/* Row index[n] of a table [1, 1, R, C] for each n of an index [1, 1, N, 1] that holds whole
 * numbers: [1, 1, N, C]. */
dd_node dd_take_rows(dd_graph *graph, dd_node table, dd_node index);

/* Its transpose: row r of [1, 1, rows, C] is the sum of x's rows n with index[n] = r. */
dd_node dd_add_rows(dd_graph *graph, dd_node x, dd_node index, size_t rows);

/* The axes in another order: axis i of the result is axis order[i] of x. */
dd_node dd_permute(dd_graph *graph, dd_node x, const int order[DD_AXES]);

/* exp(x) over its sum, along the last axis. */
dd_node dd_softmax(dd_graph *graph, dd_node x);

/* At random 1/keep, with probability keep, or 0: what dropout multiplies by. Fixed by the numbers
 * of `seed` [1, 1, 1, 4] (whole, from 0 to 65535: the 64 bits of a seed, low ones first), `stream`
 * and the element. No gradient. */
dd_node dd_mask(dd_graph *graph, dd_node seed, uint32_t stream, double keep, dd_shape shape);

/* --- Images [N, H, W, C]. --- */

/* Correlation with weights [O, KH, KW, C]: y[n, i, j, o] = sum of w[o, k, l, c] x[n, i stride + k -
 * before, j stride + l - before, c], x taken as 0 outside, with `after` rows and columns of zeros
 * at the other end: [N, OH, OW, O]. */
dd_node dd_convolve(dd_graph *graph, dd_node x, dd_node weight, int stride, int before, int after);

/* Every channel correlated with the outer product of taps [1, 1, 1, K], a constant (K at most 64),
 * with itself, after up - 1 zeros have been put after each pixel, `before` and `after` around all;
 * every down-th place is kept: [N, OH, OW, C], OH = (H up + before
 * + after - K) / down + 1. */
dd_node dd_filter(dd_graph *graph, dd_node x, dd_node taps, int up, int down, int before,
                  int after);

/* (x - mean) / sqrt(variance + epsilon), over the pixels and channels of each of `groups` equal
 * runs of channels of an image (Wu and He, 2018). */
dd_node dd_normalize(dd_graph *graph, dd_node x, size_t groups, double epsilon);

/* --- Derivatives and results. --- */

/* gradients[i] = d sum(y * seed) / d wrt[i], by reverse accumulation; DD_NONE where y does not
 * depend on wrt[i]. seed DD_NONE stands for ones. */
void dd_gradient(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                 dd_node *gradients);

/* The same, added to sums[i], which may be DD_NONE; wrt are inputs or detached. */
void dd_gradient_add(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                     dd_node *sums);

/* Asks for a node's value: written to the slot when `phase` is run. */
void dd_output(dd_graph *graph, dd_node node, dd_slot slot, int phase);

/* Puts in the graph's place one that computes the same outputs and, planned, takes less memory for
 * a few cheap operations more: large tensors that are wanted again long after are made again, where
 * all that this needs is kept anyway. Nodes get other numbers. On failure the graph is as it was.
 */
ddaebm_status dd_graph_recompute(dd_graph **graph);

#endif
