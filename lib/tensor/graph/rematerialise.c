/* Rematerialisation: cheap tensors that are read again much later are computed a second time rather
 * than kept in memory until then (gradient checkpointing, Chen et al., 2016). */
#include "base/context.h"
#include "tensor/graph/node.h"
#include "tensor/graph/uses.h"

/* WORTHWHILE: elements from which on a tensor is rematerialised. LATE: a use this many nodes after
 * the previous one is late (nodes are computed nearly in their order, see plan/schedule.c). DEPTH:
 * how many nodes deep a tensor is rematerialised from what is kept. */
enum { WORTHWHILE = 1 << 15, LATE = 100, DEPTH = 8 };

typedef struct rewriter {
    const dd_graph *from;
    dd_graph *to;
    size_t nodes;
    dd_uses uses;
    dd_node *last_kept; /* [nodes]: the last user of the tensor itself; later ones read a copy */
    dd_node *last_used; /* [nodes]: the last user of what `now` is, so far */
    dd_node *now;       /* [nodes]: what stands for the tensor in the new graph */
    int copies;
} rewriter;

static bool is_large(const rewriter *r, dd_node node) {
    return dd_shape_elements(dd_graph_shape(r->from, node)) >= WORTHWHILE;
}

static bool is_cheap(const rewriter *r, dd_node node) {
    const dd_node_data *data = dd_graph_node(r->from, node);
    const dd_op_info *op = dd_op_describe(data->op);
    if (op->reorders) /* cheap for weights, in the order that convolutions read */
        return dd_graph_node(r->from, data->inputs[0])->op == DD_OP_INPUT;
    return op->cheap;
}

/* Whether a tensor can be rematerialised for a user from what is kept until then. */
static bool can_rematerialise(const rewriter *r, dd_node node, dd_node user, int depth) {
    if (!is_cheap(r, node) || depth == DEPTH)
        return false;
    const dd_node_data *data = dd_graph_node(r->from, node);
    for (int i = 0; i < dd_op_describe(data->op)->arity; i++) {
        dd_node input = data->inputs[i];
        if (dd_graph_node(r->from, input)->op != DD_OP_INPUT && is_large(r, input) &&
            r->last_kept[input] < user && !can_rematerialise(r, input, user, depth + 1))
            return false;
    }
    return true;
}

/* Chooses how long each tensor is kept: for its first users, up to the first late one for which, as
 * for all that follow, it can be rematerialised. */
static void choose_kept(rewriter *r) {
    for (dd_node n = 0; n < (dd_node)r->nodes; n++) {
        dd_node before = n, kept = n;
        bool dropped = false;
        for (int32_t u = r->uses.first[n]; u < r->uses.first[n + 1]; before = r->uses.users[u++]) {
            dd_node user = r->uses.users[u];
            if (user - before > LATE)
                dropped = is_large(r, n) && can_rematerialise(r, n, user, 0);
            if (!dropped)
                kept = user;
        }
        r->last_kept[n] = kept;
    }
}

static dd_node stand_in(rewriter *r, dd_node node, dd_node user);

/* Copies a node, with the inputs that `user` reads. */
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

/* Returns what a user reads: the tensor itself if it is small, still kept or rematerialised just
 * before; else a new copy. */
static dd_node stand_in(rewriter *r, dd_node node, dd_node user) {
    if (is_large(r, node) && user > r->last_kept[node] && user - r->last_used[node] > LATE)
        r->now[node] = copy(r, node, user, true);
    r->last_used[node] = user;
    return r->now[node];
}

/* Copies all nodes that are needed, in order. */
static ddaebm_status rewrite(rewriter *r) {
    for (dd_node n = 0; n < (dd_node)r->nodes; n++) {
        r->last_used[n] = n;
        if (r->uses.needed[n])
            r->now[n] = copy(r, n, n, false);
    }
    return dd_graph_status(r->to);
}

ddaebm_status dd_graph_rematerialise(dd_graph **graph) {
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
        status = rewrite(&r);
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
