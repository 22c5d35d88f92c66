/* Reverse-mode differentiation: gradients as more nodes of the same graph. */
#include "base/context.h"
#include "tensor/graph/node.h"

#include <string.h>

typedef struct sweep {
    bool *wanted;       /* [nodes]: whether a node is one of wrt */
    bool *depends;      /* [nodes]: on any of wrt, through operations that have a gradient */
    dd_node *cotangent; /* [nodes]: of each node, so far */
} sweep;

/* Marks the nodes that depend on wrt. */
static void mark_dependents(const dd_graph *graph, dd_node last, bool *depends) {
    for (dd_node node = 0; node <= last; node++) {
        const dd_node_data *data = dd_graph_node(graph, node);
        const dd_op_info *op = dd_op_describe(data->op);
        for (int i = 0; op->gradient && i < op->arity; i++)
            depends[node] |= depends[data->inputs[i]];
    }
}

/* Whether a node is only a tensor of wrt with its axes in another order. */
static bool reorders_wanted(const dd_graph *graph, dd_node node, const sweep *s) {
    const dd_node_data *data = dd_graph_node(graph, node);
    return dd_op_describe(data->op)->reorders && s->wanted[data->inputs[0]] && !s->wanted[node];
}

static void pass_on(dd_graph *graph, dd_node node, sweep *s);

/* Adds a part to a node's cotangent. A part for weights in a convolution's order is passed on to
 * the weights themselves at once: otherwise the first parts of the sum would wait for the last in
 * memory of their own, beside the place for the sum. */
static void add_part(dd_graph *graph, dd_node node, dd_node part, sweep *s) {
    dd_node *sum = &s->cotangent[node];
    *sum = *sum == DD_NONE ? part : dd_add(graph, *sum, part);
    if (*sum != DD_NONE && reorders_wanted(graph, node, s)) {
        pass_on(graph, node, s);
        *sum = DD_NONE;
    }
}

/* Adds a node's cotangent, by its gradient rule, to those of its inputs. */
static void pass_on(dd_graph *graph, dd_node node, sweep *s) {
    dd_node_data data = *dd_graph_node(graph, node);
    const dd_op_info *op = dd_op_describe(data.op);
    bool wanted[DD_MOST_INPUTS] = {false};
    dd_node parts[DD_MOST_INPUTS] = {DD_NONE, DD_NONE, DD_NONE};
    for (int i = 0; i < op->arity; i++)
        wanted[i] = s->depends[data.inputs[i]];
    op->gradient(graph, node, s->cotangent[node], wanted, parts);
    for (int i = 0; i < op->arity; i++)
        if (parts[i] != DD_NONE)
            add_part(graph, data.inputs[i], parts[i], s);
}

void dd_gradient_add(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                     dd_node *sums) {
    if (dd_graph_status(graph) != DDAEBM_OK || y == DD_NONE)
        return;

    ddaebm_context *context = dd_graph_context(graph);
    size_t nodes = (size_t)y + 1;
    for (size_t i = 0; i < count; i++)
        nodes = wrt[i] >= (dd_node)nodes ? (size_t)wrt[i] + 1 : nodes;
    sweep s = {dd_alloc_zero(context, nodes, sizeof *s.wanted),
               dd_alloc_zero(context, nodes, sizeof *s.depends),
               dd_alloc(context, nodes * sizeof *s.cotangent)};
    if (!s.wanted || !s.depends || !s.cotangent) {
        (void)dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
        goto cleanup;
    }

    memset(s.cotangent, 0xFF, nodes * sizeof *s.cotangent); /* DD_NONE */
    for (size_t i = 0; i < count; i++) {
        s.wanted[wrt[i]] = s.depends[wrt[i]] = true;
        s.cotangent[wrt[i]] = sums[i];
    }
    mark_dependents(graph, y, s.depends);

    if (s.depends[y])
        add_part(graph, y,
                 seed != DD_NONE ? seed
                                 : dd_expand(graph, dd_scalar(graph, 1), dd_graph_shape(graph, y)),
                 &s);
    for (dd_node node = y; node >= 0; node--)
        if (s.depends[node] && s.cotangent[node] != DD_NONE && dd_graph_op(graph, node)->gradient)
            pass_on(graph, node, &s);

    for (size_t i = 0; i < count; i++)
        sums[i] = s.cotangent[wrt[i]];
cleanup:
    dd_free(context, s.wanted);
    dd_free(context, s.depends);
    dd_free(context, s.cotangent);
}

void dd_gradient(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                 dd_node *gradients) {
    for (size_t i = 0; i < count; i++)
        gradients[i] = DD_NONE;
    dd_gradient_add(graph, y, seed, wrt, count, gradients);
}
