#include "tensor/graph/uses.h"

#include "base/context.h"
#include "tensor/graph/node.h"

#include <string.h>

/* Marks what the outputs depend on. */
static void find_needed(dd_uses *uses, const dd_graph *graph, size_t nodes) {
    for (dd_node n = (dd_node)nodes - 1; n >= 0; n--) {
        const dd_node_data *data = dd_graph_node(graph, n);
        uses->needed[n] |= data->op == DD_OP_OUTPUT;
        for (int i = 0; uses->needed[n] && i < dd_op_describe(data->op)->arity; i++)
            uses->needed[data->inputs[i]] = true;
    }
}

/* Without `fill`, counts each node's users into the next one's `first`; with `fill`, writes them,
 * which moves each start to the next one's. */
static void pass(dd_uses *uses, const dd_graph *graph, size_t nodes, bool fill) {
    for (size_t n = 0; n < nodes; n++) {
        const dd_node_data *data = dd_graph_node(graph, (dd_node)n);
        for (int i = 0; uses->needed[n] && i < dd_op_describe(data->op)->arity; i++)
            if (fill)
                uses->users[uses->first[data->inputs[i]]++] = (dd_node)n;
            else
                uses->first[data->inputs[i] + 1]++;
    }
}

ddaebm_status dd_uses_find(dd_uses *out, const dd_graph *graph) {
    ddaebm_context *context = dd_graph_context(graph);
    size_t nodes = dd_graph_nodes(graph);
    dd_uses uses = {.context = context,
                    .needed = dd_alloc_zero(context, nodes, sizeof *uses.needed),
                    .first = dd_alloc_zero(context, nodes + 2, sizeof *uses.first),
                    .users = dd_alloc_zero(context, nodes * DD_MOST_INPUTS, sizeof *uses.users)};
    if (!uses.needed || !uses.first || !uses.users) {
        dd_uses_free(&uses);
        return DDAEBM_OUT_OF_MEMORY;
    }

    find_needed(&uses, graph, nodes);
    pass(&uses, graph, nodes, false);
    for (size_t n = 0; n < nodes; n++)
        uses.first[n + 1] += uses.first[n];
    pass(&uses, graph, nodes, true);
    memmove(uses.first + 1, uses.first, nodes * sizeof *uses.first);
    uses.first[0] = 0;
    *out = uses;
    return DDAEBM_OK;
}

void dd_uses_free(dd_uses *uses) {
    if (!uses->context)
        return;
    dd_free(uses->context, uses->needed);
    dd_free(uses->context, uses->first);
    dd_free(uses->context, uses->users);
    *uses = (dd_uses){0};
}
