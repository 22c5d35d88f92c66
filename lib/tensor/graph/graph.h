/* A computation as a graph of nodes, and its gradient as more nodes of the same graph.
 *
 * Each node is an operation (operations.h) on earlier nodes. A network, a loss and a gradient are
 * all nodes, so gradients of any order come from one set of rules. Equal nodes are made once.
 *
 * Builders report no errors one by one. After the first failure (no memory, shapes that do not fit)
 * each builder returns DD_NONE, and dd_graph_status returns that failure. A finished graph is
 * planned once (plan/plan.h) and run many times (exec/workspace.h).
 *
 * Every tensor has four axes, slowest first: images are [N, H, W, C], rows [1, 1, N, C], weights of
 * a linear layer [1, 1, out, in], biases [1, 1, 1, C]. In elementwise operations an axis of size 1
 * is broadcast. */
#ifndef DD_GRAPH_H
#define DD_GRAPH_H

#include "base/ieee.h"

#include <ddaebm/context.h>
#include <stdbool.h>

typedef struct dd_graph dd_graph;

/* A node's number. Nodes are numbered in the order they are made, so inputs have smaller numbers.
 */
typedef int32_t dd_node;

/* DD_NONE: the result of a failed builder, and the gradient of what y does not depend on. */
enum { DD_NONE = -1, DD_AXES = 4 };

typedef struct dd_shape {
    size_t size[DD_AXES];
} dd_shape;

static inline dd_shape dd_shape_rows(size_t rows, size_t width) {
    return (dd_shape){{1, 1, rows, width}};
}

size_t dd_shape_elements(dd_shape shape);
bool dd_shape_equal(dd_shape a, dd_shape b);

/* Inputs and outputs are bound to slots: slot s stands for the s-th pointer that is bound before
 * the graph is run. */
typedef int32_t dd_slot;

ddaebm_status dd_graph_create(dd_graph **out, ddaebm_context *context);
void dd_graph_free(dd_graph *graph);

/* Returns DDAEBM_OK or the first failure of a builder. */
ddaebm_status dd_graph_status(const dd_graph *graph);

/* Records the graph's first failure; returns DD_NONE. */
dd_node dd_graph_fail(dd_graph *graph, ddaebm_status status, const char *text);

ddaebm_context *dd_graph_context(const dd_graph *graph);
dd_shape dd_graph_shape(const dd_graph *graph, dd_node node);

/* Sets gradients[i] = d sum(y * seed) / d wrt[i] by reverse accumulation, or DD_NONE where y does
 * not depend on wrt[i]. A seed of DD_NONE stands for ones. */
void dd_gradient(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                 dd_node *gradients);

/* Adds the same gradients to sums[i], which may be DD_NONE. wrt are inputs or detached nodes. */
void dd_gradient_add(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                     dd_node *sums);

/* Replaces the graph by one that computes the same outputs in less memory, at the cost of a few
 * cheap operations: large tensors that are read again much later are rematerialised, where all that
 * this needs is kept anyway. Node numbers change. On failure the graph is as it was. */
ddaebm_status dd_graph_rematerialise(dd_graph **graph);

#endif
