#include "tensor/plan/schedule.h"

#include "base/context.h"
#include "base/error.h"
#include "tensor/graph/uses.h"

#include <limits.h>
#include <string.h>

typedef struct scheduler {
    const dd_graph *graph;
    dd_plan_options options;
    dd_schedule *out;
    int *phase;     /* [nodes]: when to compute; INT_MAX for what is not needed */
    int *pending;   /* [nodes]: inputs not yet computed */
    dd_node *ready; /* what could be computed next, in no order */
    size_t ready_count, member_count;
    dd_uses uses;
} scheduler;

static bool is_source(const dd_graph *graph, dd_node node) {
    return dd_graph_op(graph, node)->arity == 0;
}

/* Finds when each node is computed, from the outputs back to what they need. */
static void find_phases(scheduler *s) {
    size_t nodes = dd_graph_nodes(s->graph);
    for (size_t n = 0; n < nodes; n++)
        s->phase[n] = dd_graph_node(s->graph, (dd_node)n)->op == DD_OP_OUTPUT
                          ? dd_graph_node(s->graph, (dd_node)n)->phase
                          : INT_MAX;

    for (dd_node n = (dd_node)nodes - 1; n >= 0; n--) {
        if (s->phase[n] == INT_MAX)
            continue;
        const dd_node_data *data = dd_graph_node(s->graph, n);
        for (int i = 0; i < dd_graph_op(s->graph, n)->arity; i++)
            if (s->phase[n] < s->phase[data->inputs[i]])
                s->phase[data->inputs[i]] = s->phase[n];
    }

    if (s->options.prepare)
        for (size_t n = 0; n < nodes; n++)
            if (s->phase[n] != INT_MAX)
                s->phase[n] = dd_graph_node(s->graph, (dd_node)n)->phase;
}

/* Binds outputs to their slots. What is computed in its output's phase, and not read in a later
 * one, is computed where it is wanted, without a copy. */
static void bind_outputs(scheduler *s) {
    size_t nodes = dd_graph_nodes(s->graph);
    for (size_t n = 0; n < nodes; n++) {
        const dd_node_data *data = dd_graph_node(s->graph, (dd_node)n);
        if (data->op != DD_OP_OUTPUT)
            continue;
        dd_node x = data->inputs[0];
        bool direct = !is_source(s->graph, x) && dd_graph_base(s->graph, x) == x &&
                      s->out->bound[x] < 0 && s->phase[x] == s->phase[n];
        for (int32_t u = s->uses.first[x]; direct && u < s->uses.first[x + 1]; u++)
            direct = s->phase[s->uses.users[u]] == s->phase[x] &&
                     !dd_graph_op(s->graph, s->uses.users[u])->renames;

        if (direct) {
            s->out->bound[x] = data->constants.slot;
            s->phase[n] = INT_MAX;
        } else {
            s->out->bound[n] = data->constants.slot;
        }
    }
}

/* --- The order: list scheduling. It prolongs the open loop where it can, and otherwise prefers
 * operations that are no loop, so that loops gather members. Large tensors keep nearly to the order
 * in which they were made: what is computed long before it is read takes memory all the while, and
 * saves no pass. --- */

enum { ORDERED = 1 << 16, AHEAD = 24 };

/* Whether a node is to keep nearly to its place in the order. */
static bool large(const scheduler *s, dd_node node) {
    return dd_shape_elements(dd_graph_shape(s->graph, node)) >= ORDERED;
}

/* Returns the last node that may come next if it is large: not far ahead of the first that is due.
 */
static dd_node horizon(const scheduler *s) {
    dd_node lowest = INT32_MAX - AHEAD;
    for (size_t i = 0; i < s->ready_count; i++)
        if (s->ready[i] < lowest)
            lowest = s->ready[i];
    return lowest + AHEAD;
}

static bool loopable(const scheduler *s, dd_node node) {
    return dd_graph_op(s->graph, node)->elementwise;
}

/* Returns the index in `ready` of the lowest node, not too far ahead, that is elementwise (and of
 * the shape, if given), or is not; ready_count if there is none. */
static size_t find_ready(const scheduler *s, bool loop, const dd_shape *shape, dd_node last) {
    size_t best = s->ready_count;
    for (size_t i = 0; i < s->ready_count; i++) {
        dd_node node = s->ready[i];
        if (loopable(s, node) == loop &&
            (!shape || dd_shape_equal(dd_graph_shape(s->graph, node), *shape)) &&
            (node <= last || !large(s, node)) && (best == s->ready_count || node < s->ready[best]))
            best = i;
    }
    return best;
}

static void make_ready(scheduler *s, dd_node node, int phase) {
    if (s->phase[node] == phase && s->pending[node] == 0)
        s->ready[s->ready_count++] = node;
}

static void settle(scheduler *s, dd_node node, int phase) {
    for (int32_t u = s->uses.first[node]; u < s->uses.first[node + 1]; u++)
        if (--s->pending[s->uses.users[u]] == 0)
            make_ready(s, s->uses.users[u], phase);
}

/* Moves a node from `ready` to a group. */
static void take(scheduler *s, size_t i, dd_group *group, int phase) {
    dd_node node = s->ready[i];
    s->ready[i] = s->ready[--s->ready_count];
    s->out->members[s->member_count++] = node;
    s->out->group_of[node] = (int32_t)(group - s->out->groups);
    group->count++;
    settle(s, node, phase);
}

/* Puts all nodes of a phase into groups. */
static void order_phase(scheduler *s, int phase) {
    size_t nodes = dd_graph_nodes(s->graph);
    for (size_t n = 0; n < nodes; n++)
        if (!is_source(s->graph, (dd_node)n))
            make_ready(s, (dd_node)n, phase);

    while (s->ready_count > 0) {
        dd_group *group = &s->out->groups[s->out->count++];
        dd_node last = horizon(s);
        size_t next = find_ready(s, false, NULL, last);
        group->loop = next == s->ready_count;
        if (group->loop)
            next = find_ready(s, true, NULL, last);
        *group = (dd_group){&s->out->members[s->member_count], 0, phase, group->loop};
        dd_shape shape = dd_graph_shape(s->graph, s->ready[next]);
        take(s, next, group, phase);

        while (group->loop && group->count < DD_MOST_MEMBERS &&
               (next = find_ready(s, true, &shape, last)) < s->ready_count)
            take(s, next, group, phase);
    }
}

static void count_pending(scheduler *s) {
    size_t nodes = dd_graph_nodes(s->graph);
    for (size_t n = 0; n < nodes; n++)
        for (int i = 0; i < dd_graph_op(s->graph, (dd_node)n)->arity; i++)
            s->pending[n] += !is_source(s->graph, dd_graph_node(s->graph, (dd_node)n)->inputs[i]);
}

/* Finds what must be in memory: what another group reads, and whatever a single operation makes or
 * reads. */
static void find_materialized(scheduler *s) {
    for (size_t g = 0; g < s->out->count; g++) {
        const dd_group *group = &s->out->groups[g];
        for (size_t m = 0; m < group->count; m++) {
            dd_node node = group->members[m];
            const dd_node_data *data = dd_graph_node(s->graph, node);
            if (!group->loop || s->out->bound[node] >= 0)
                s->out->materialized[node] = true;
            for (int i = 0; i < dd_graph_op(s->graph, node)->arity; i++)
                if (s->out->group_of[data->inputs[i]] != (int32_t)g)
                    s->out->materialized[dd_graph_base(s->graph, data->inputs[i])] = true;
        }
    }
}

/* Whether a term may wait in the sum's place: it is the sum's alone, of its shape and phase, and
 * has no place yet. */
static bool may_wait(const scheduler *s, dd_node term, dd_node sum) {
    bool alone = s->uses.first[term + 1] - s->uses.first[term] == 1;
    return alone && s->out->group_of[term] >= 0 && s->out->bound[term] < 0 &&
           s->phase[term] == s->phase[sum] && !dd_graph_op(s->graph, term)->renames &&
           dd_shape_equal(dd_graph_shape(s->graph, term), dd_graph_shape(s->graph, sum));
}

static bool is_sum(const scheduler *s, dd_node node) {
    return dd_graph_node(s->graph, node)->op == DD_OP_ADD;
}

/* Returns the earliest term that is in memory before the sum is made and may wait in the sum's
 * place, or DD_NONE. */
static dd_node find_term(const scheduler *s, dd_node sum) {
    dd_node found = DD_NONE;
    for (int i = 0; i < 2; i++) {
        dd_node term = dd_graph_node(s->graph, sum)->inputs[i];
        if (!may_wait(s, term, sum))
            continue;
        if (!s->out->materialized[term]) /* made in the sum's loop, as its own terms may not be */
            term = is_sum(s, term) ? find_term(s, term) : DD_NONE;
        if (term != DD_NONE &&
            (found == DD_NONE || s->out->group_of[term] < s->out->group_of[found]))
            found = term;
    }
    return found;
}

/* Where an output is a sum, lets one of its terms wait for the others in the output's own memory,
 * and so on for a term that is a sum. */
static void bind_terms(scheduler *s) {
    for (dd_node n = (dd_node)dd_graph_nodes(s->graph) - 1; n >= 0; n--) {
        dd_node term = s->out->bound[n] >= 0 && is_sum(s, n) ? find_term(s, n) : DD_NONE;
        if (term != DD_NONE)
            s->out->bound[term] = s->out->bound[n];
    }
}

/* Allocates all arrays; dd_schedule_make frees them. */
static bool allocate(scheduler *s, ddaebm_context *context, size_t nodes) {
    dd_schedule *out = s->out;
    s->phase = dd_alloc_zero(context, nodes, sizeof *s->phase);
    s->pending = dd_alloc_zero(context, nodes, sizeof *s->pending);
    s->ready = dd_alloc_zero(context, nodes, sizeof *s->ready);
    out->groups = dd_alloc_zero(context, nodes, sizeof *out->groups);
    out->members = dd_alloc_zero(context, nodes, sizeof *out->members);
    out->bound = dd_alloc_zero(context, nodes, sizeof *out->bound);
    out->group_of = dd_alloc_zero(context, nodes, sizeof *out->group_of);
    out->materialized = dd_alloc_zero(context, nodes, sizeof *out->materialized);
    return s->phase && s->pending && s->ready && out->groups && out->members && out->bound &&
           out->group_of && out->materialized;
}

ddaebm_status dd_schedule_make(dd_schedule *out, const dd_graph *graph, dd_plan_options options) {
    ddaebm_context *context = dd_graph_context(graph);
    size_t nodes = dd_graph_nodes(graph);
    ddaebm_status status = DDAEBM_OK;
    scheduler s = {.graph = graph, .options = options, .out = out};
    *out = (dd_schedule){0};
    if (!allocate(&s, context, nodes)) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }
    DD_TRY(dd_uses_find(&s.uses, graph));

    memset(out->bound, 0xFF, nodes * sizeof *out->bound);       /* -1 */
    memset(out->group_of, 0xFF, nodes * sizeof *out->group_of); /* -1 */

    find_phases(&s);
    bind_outputs(&s);
    count_pending(&s);
    for (int phase = 0; phase < options.phases; phase++)
        order_phase(&s, phase);
    find_materialized(&s);
    bind_terms(&s);

cleanup:
    dd_free(context, s.phase);
    dd_free(context, s.pending);
    dd_free(context, s.ready);
    dd_uses_free(&s.uses);
    if (status != DDAEBM_OK)
        dd_schedule_free(out, context);
    return status;
}

void dd_schedule_free(dd_schedule *schedule, ddaebm_context *context) {
    dd_free(context, schedule->groups);
    dd_free(context, schedule->members);
    dd_free(context, schedule->bound);
    dd_free(context, schedule->group_of);
    dd_free(context, schedule->materialized);
    *schedule = (dd_schedule){0};
}
