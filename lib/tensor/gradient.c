/* Reverse accumulation: gradients as more nodes of the same graph. */
#include "base/context.h"
#include "tensor/graph.h"
#include "tensor/ops.h"

#include <string.h>

typedef struct sweep {
    bool *wanted;    /* [count]: whether a node is one of wrt */
    bool *depends;   /* [count]: on any of wrt, through operations that have a gradient */
    dd_node *sought; /* [count]: cotangent of each node, so far */
} sweep;

static void mark_dependents(const dd_graph *graph, dd_node last, bool *depends) {
    for (dd_node node = 0; node <= last; node++) {
        const dd_node_data *data = dd_graph_node(graph, node);
        if (!dd_op_describe(data->op)->rule)
            continue;
        for (int i = 0; i < dd_op_describe(data->op)->arity; i++)
            depends[node] |= depends[data->inputs[i]];
    }
}

/* Whether a node is only a tensor that is asked for, its axes in another order. */
static bool reorders_wanted(const dd_graph *graph, dd_node node, const sweep *s) {
    const dd_node_data *data = dd_graph_node(graph, node);
    return data->op == DD_OP_PERMUTE && s->wanted[data->inputs[0]] && !s->wanted[node];
}

static void pass_on(dd_graph *graph, dd_node node, sweep *s);

/* What goes to weights in a convolution's order is put into their own at once: else the first parts
 * of the sum would wait for the last in memory of their own, beside the place for the sum. */
static void add_part(dd_graph *graph, dd_node node, dd_node part, sweep *s) {
    dd_node *sum = &s->sought[node];
    *sum = *sum == DD_NONE ? part : dd_add(graph, *sum, part);
    if (*sum != DD_NONE && reorders_wanted(graph, node, s)) {
        pass_on(graph, node, s);
        *sum = DD_NONE;
    }
}

static void pass_on(dd_graph *graph, dd_node node, sweep *s) {
    dd_node_data data = *dd_graph_node(graph, node);
    const dd_op_info *op = dd_op_describe(data.op);
    bool wanted[DD_MOST_INPUTS] = {false};
    dd_node parts[DD_MOST_INPUTS] = {DD_NONE, DD_NONE, DD_NONE};
    for (int i = 0; i < op->arity; i++)
        wanted[i] = s->depends[data.inputs[i]];
    op->rule(graph, node, s->sought[node], wanted, parts);
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
               dd_alloc(context, nodes * sizeof *s.sought)};
    if (!s.wanted || !s.depends || !s.sought) {
        (void)dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
        goto cleanup;
    }
    memset(s.sought, 0xFF, nodes * sizeof *s.sought); /* DD_NONE */
    for (size_t i = 0; i < count; i++) {
        s.wanted[wrt[i]] = s.depends[wrt[i]] = true;
        s.sought[wrt[i]] = sums[i];
    }
    mark_dependents(graph, y, s.depends);
    if (s.depends[y])
        add_part(graph, y,
                 seed != DD_NONE ? seed
                                 : dd_expand(graph, dd_scalar(graph, 1), dd_graph_shape(graph, y)),
                 &s);
    for (dd_node node = y; node >= 0; node--)
        if (s.depends[node] && s.sought[node] != DD_NONE &&
            dd_op_describe(dd_graph_node(graph, node)->op)->rule)
            pass_on(graph, node, &s);
    for (size_t i = 0; i < count; i++)
        sums[i] = s.sought[wrt[i]];
cleanup:
    dd_free(context, s.wanted);
    dd_free(context, s.depends);
    dd_free(context, s.sought);
}

void dd_gradient(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count,
                 dd_node *gradients) {
    for (size_t i = 0; i < count; i++)
        gradients[i] = DD_NONE;
    dd_gradient_add(graph, y, seed, wrt, count, gradients);
}
