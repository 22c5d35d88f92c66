/* The same computation with less kept: what is cheap is made again where it is wanted long after.
 */
#include "base/context.h"
#include "tensor/graph.h"
#include "tensor/ops.h"
#include "tensor/uses.h"

/* Tensors from this size on; a use this many nodes after the last one is late (nodes are computed
 * nearly in their order, see schedule.c); and how many nodes deep a tensor is made again from what
 * is kept. */
enum { LARGE = 1 << 15, LATE = 100, DEPTH = 8 };

typedef struct rewriter {
    const dd_graph *from;
    dd_graph *to;
    size_t nodes;
    dd_uses uses;
    dd_node
        *last_kept; /* [nodes]: the last user of the tensor itself; later ones have it made again */
    dd_node *last_used; /* [nodes]: the last user of what `now` is, so far */
    dd_node *now;       /* [nodes]: what stands for the tensor in the new graph */
    int copies;
} rewriter;

static bool is_large(const rewriter *r, dd_node node) {
    return dd_shape_elements(dd_graph_shape(r->from, node)) >= LARGE;
}

static bool is_cheap(const rewriter *r, dd_node node) {
    const dd_node_data *data = dd_graph_node(r->from, node);
    if (data->op == DD_OP_PERMUTE) /* weights, in the order that convolutions read them in */
        return dd_graph_node(r->from, data->inputs[0])->op == DD_OP_INPUT;
    switch (data->op) {
    case DD_OP_NORMALIZE:
    case DD_OP_MASK:
    case DD_OP_RESHAPE:
    case DD_OP_CONCAT:
    case DD_OP_FILTER:
        return true;
    case DD_OP_OUTPUT:
        return false;
    default:
        return dd_op_describe(data->op)->elementwise;
    }
}

/* Whether a tensor can be made again for a user from what is kept until then. */
static bool can_make(const rewriter *r, dd_node node, dd_node user, int depth) {
    if (!is_cheap(r, node) || depth == DEPTH)
        return false;
    const dd_node_data *data = dd_graph_node(r->from, node);
    for (int i = 0; i < dd_op_describe(data->op)->arity; i++) {
        dd_node input = data->inputs[i];
        if (dd_graph_node(r->from, input)->op != DD_OP_INPUT && is_large(r, input) &&
            r->last_kept[input] < user && !can_make(r, input, user, depth + 1))
            return false;
    }
    return true;
}

/* A tensor is kept for its first users, up to the first late one for which, as for all that follow,
 * it can be made again. */
static void choose_kept(rewriter *r) {
    for (dd_node n = 0; n < (dd_node)r->nodes; n++) {
        dd_node before = n, kept = n;
        bool dropped = false;
        for (int32_t u = r->uses.first[n]; u < r->uses.first[n + 1]; before = r->uses.users[u++]) {
            dd_node user = r->uses.users[u];
            if (user - before > LATE)
                dropped = is_large(r, n) && can_make(r, n, user, 0);
            if (!dropped)
                kept = user;
        }
        r->last_kept[n] = kept;
    }
}

static dd_node stand_in(rewriter *r, dd_node node, dd_node user);

static dd_node copy(rewriter *r, dd_node node, dd_node user, bool again) {
    dd_node_data data = *dd_graph_node(r->from, node);
    if (data.op == DD_OP_CONSTANT)
        return dd_constant(r->to, dd_graph_constant(r->from, data.constants.constant), data.shape);
    for (int i = 0; i < dd_op_describe(data.op)->arity; i++)
        data.inputs[i] = stand_in(r, data.inputs[i], user);
    if (again)
        data.copy = ++r->copies;
    return dd_graph_make(r->to, data);
}

/* What a user reads: the tensor, if it is small, kept so long, or has just been made again; or a
 * new copy. */
static dd_node stand_in(rewriter *r, dd_node node, dd_node user) {
    if (is_large(r, node) && user > r->last_kept[node] && user - r->last_used[node] > LATE)
        r->now[node] = copy(r, node, user, true);
    r->last_used[node] = user;
    return r->now[node];
}

ddaebm_status dd_graph_recompute(dd_graph **graph) {
    ddaebm_context *context = dd_graph_context(*graph);
    ddaebm_status status = dd_graph_status(*graph);
    if (status != DDAEBM_OK)
        return status;
    rewriter r = {.from = *graph, .nodes = dd_graph_nodes(*graph)};
    r.last_kept = dd_alloc_zero(context, r.nodes, sizeof *r.last_kept);
    r.last_used = dd_alloc_zero(context, r.nodes, sizeof *r.last_used);
    r.now = dd_alloc_zero(context, r.nodes, sizeof *r.now);
    status =
        r.last_kept && r.last_used && r.now ? dd_uses_find(&r.uses, *graph) : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        status = dd_graph_create(&r.to, context);
    if (status == DDAEBM_OK) {
        choose_kept(&r);
        for (dd_node n = 0; n < (dd_node)r.nodes; n++) {
            r.last_used[n] = n;
            if (r.uses.needed[n])
                r.now[n] = copy(&r, n, n, false);
        }
        status = dd_graph_status(r.to);
    }
    if (status == DDAEBM_OK) {
        dd_graph_free(*graph);
        *graph = r.to;
    } else {
        dd_graph_free(r.to);
    }
    dd_uses_free(&r.uses);
    dd_free(context, r.last_kept);
    dd_free(context, r.last_used);
    dd_free(context, r.now);
    return status;
}
