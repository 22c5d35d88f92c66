/* Reverse accumulation: gradients as more nodes of the same graph. */
#include "base/context.h"
#include "tensor/graph.h"
#include "tensor/ops.h"

#include <string.h>

typedef struct sweep {
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

static void pass_on(dd_graph *graph, dd_node node, sweep *s) {
    dd_node_data data = *dd_graph_node(graph, node);
    const dd_op_info *op = dd_op_describe(data.op);
    bool wanted[DD_MOST_INPUTS] = {false};
    dd_node parts[DD_MOST_INPUTS] = {DD_NONE, DD_NONE, DD_NONE};
    for (int i = 0; i < op->arity; i++)
        wanted[i] = s->depends[data.inputs[i]];
    op->rule(graph, node, s->sought[node], wanted, parts);
    for (int i = 0; i < op->arity; i++) {
        if (parts[i] == DD_NONE)
            continue;
        dd_node *sum = &s->sought[data.inputs[i]];
        *sum = *sum == DD_NONE ? parts[i] : dd_add(graph, *sum, parts[i]);
    }
}

void dd_gradient(dd_graph *graph, dd_node y, dd_node seed, const dd_node *wrt, size_t count, dd_node *gradients) {
    for (size_t i = 0; i < count; i++)
        gradients[i] = DD_NONE;
    if (dd_graph_status(graph) != DDAEBM_OK || y == DD_NONE)
        return;
    ddaebm_context *context = dd_graph_context(graph);
    size_t nodes = (size_t)y + 1;
    for (size_t i = 0; i < count; i++)
        nodes = wrt[i] >= (dd_node)nodes ? (size_t)wrt[i] + 1 : nodes;
    sweep s = {dd_alloc_zero(context, nodes, sizeof *s.depends), dd_alloc(context, nodes * sizeof *s.sought)};
    if (!s.depends || !s.sought) {
        (void)dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
        goto cleanup;
    }
    memset(s.sought, 0xFF, nodes * sizeof *s.sought); /* DD_NONE */
    for (size_t i = 0; i < count; i++)
        s.depends[wrt[i]] = true;
    mark_dependents(graph, y, s.depends);
    if (s.depends[y])
        s.sought[y] = seed != DD_NONE ? seed : dd_expand(graph, dd_scalar(graph, 1), dd_graph_shape(graph, y));
    for (dd_node node = y; node >= 0; node--)
        if (s.depends[node] && s.sought[node] != DD_NONE && dd_op_describe(dd_graph_node(graph, node)->op)->rule)
            pass_on(graph, node, &s);
    for (size_t i = 0; i < count; i++)
        gradients[i] = s.sought[wrt[i]];
cleanup:
    dd_free(context, s.depends);
    dd_free(context, s.sought);
}
