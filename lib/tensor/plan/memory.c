/* A tensor lives from the group that makes it to the last that reads it. In the arena, tensors
 * whose lifetimes are apart share places; the largest are placed first. */
#include "tensor/plan/memory.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"

#include <limits.h>
#include <stdlib.h>

typedef struct tensor {
    dd_node node;
    size_t floats, offset;
    int32_t first, last; /* groups */
} tensor;

static int by_size(const void *a, const void *b) {
    const tensor *x = a, *y = b;
    if (x->floats != y->floats)
        return x->floats < y->floats ? 1 : -1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static int by_offset(const void *a, const void *b) {
    const tensor *const *x = a, *const *y = b;
    return (*x)->offset < (*y)->offset ? -1 : (*x)->offset > (*y)->offset;
}

/* Returns the lowest gap among the tensors in the arena that live at the same time. */
static size_t lowest_offset(const tensor *placed, size_t count, const tensor *t,
                            const tensor **neighbours) {
    size_t found = 0, offset = 0;
    for (size_t i = 0; i < count; i++)
        if (placed[i].last != INT32_MAX && placed[i].first <= t->last && t->first <= placed[i].last)
            neighbours[found++] = &placed[i];

    qsort(neighbours, found, sizeof *neighbours, by_offset);
    for (size_t i = 0; i < found; i++) {
        if (neighbours[i]->offset >= offset + t->floats)
            break;
        if (neighbours[i]->offset + neighbours[i]->floats > offset)
            offset = neighbours[i]->offset + neighbours[i]->floats;
    }
    return offset;
}

/* Places a tensor. What later phases read lives for ever, apart from the arena. */
static void place(dd_plan *plan, tensor *tensors, size_t i, const tensor **neighbours) {
    tensor *t = &tensors[i];
    if (t->last == INT32_MAX) {
        plan->locations[t->node] = (dd_location){DD_PLACE_KEPT, 0, plan->kept};
        plan->kept += t->floats;
        return;
    }
    t->offset = lowest_offset(tensors, i, t, neighbours);
    plan->locations[t->node] = (dd_location){DD_PLACE_ARENA, 0, t->offset};
    if (t->offset + t->floats > plan->arena)
        plan->arena = t->offset + t->floats;
}

/* Finds the last group that reads each tensor: INT32_MAX, for ever, where a later phase reads what
 * was prepared. */
static void find_last_uses(const dd_plan *plan, const dd_schedule *schedule, int32_t *last) {
    for (size_t g = 0; g < schedule->count; g++) {
        const dd_group *group = &schedule->groups[g];
        for (size_t m = 0; m < group->count; m++) {
            const dd_node_data *data = dd_graph_node(plan->graph, group->members[m]);
            for (int i = 0; i < dd_op_describe(data->op)->arity; i++) {
                dd_node base = dd_graph_base(plan->graph, data->inputs[i]);
                int32_t made = schedule->group_of[base];
                bool kept = plan->options.prepare && made >= 0 &&
                            schedule->groups[made].phase < group->phase;
                last[base] = kept ? INT32_MAX : last[base] > (int32_t)g ? last[base] : (int32_t)g;
            }
        }
    }
}

/* Returns where a source's numbers are, NOWHERE for other nodes. */
static dd_location place_of_source(const dd_node_data *data, dd_node node) {
    switch (data->op) {
    case DD_OP_INPUT:
        return (dd_location){DD_PLACE_SLOT, data->constants.slot, 0};
    case DD_OP_CONSTANT:
        return (dd_location){DD_PLACE_CONSTANT, data->constants.constant, 0};
    case DD_OP_SCALAR:
        return (dd_location){DD_PLACE_SCALAR, node, 0};
    default:
        return (dd_location){DD_PLACE_NOWHERE, 0, 0};
    }
}

/* Places sources and what is bound to slots, and lists all other tensors. Returns how many. */
static size_t place_fixed(dd_plan *plan, const dd_schedule *schedule, const int32_t *last,
                          tensor *tensors) {
    size_t count = 0;
    for (size_t n = 0; n < dd_graph_nodes(plan->graph); n++) {
        const dd_node_data *data = dd_graph_node(plan->graph, (dd_node)n);
        int32_t made = schedule->group_of[n];
        plan->locations[n] = place_of_source(data, (dd_node)n);
        plan->scalars[n] = data->op == DD_OP_SCALAR ? (float)data->constants.scalar : 0;
        if (schedule->bound[n] >= 0)
            plan->locations[n] = (dd_location){DD_PLACE_SLOT, schedule->bound[n], 0};
        else if (made >= 0 && schedule->materialized[n] &&
                 !dd_graph_op(plan->graph, (dd_node)n)->renames)
            tensors[count++] = (tensor){.node = (dd_node)n,
                                        .floats = dd_line_up(dd_shape_elements(data->shape)),
                                        .first = made,
                                        .last = last[n] > made ? last[n] : made};
    }

    return count;
}

ddaebm_status dd_memory_assign(dd_plan *plan, const dd_schedule *schedule) {
    size_t nodes = dd_graph_nodes(plan->graph), count = 0;
    ddaebm_context *context = plan->context;
    ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
    int32_t *last = dd_alloc_zero(context, nodes, sizeof *last);
    tensor *tensors = dd_alloc_zero(context, nodes, sizeof *tensors);
    const tensor **neighbours = dd_alloc_zero(context, nodes, sizeof *neighbours);
    plan->locations = dd_alloc_zero(context, nodes, sizeof *plan->locations);
    plan->scalars = dd_alloc_zero(context, nodes, sizeof *plan->scalars);
    if (!last || !tensors || !neighbours || !plan->locations || !plan->scalars)
        goto cleanup;

    find_last_uses(plan, schedule, last);
    count = place_fixed(plan, schedule, last, tensors);

    qsort(tensors, count, sizeof *tensors, by_size);
    for (size_t i = 0; i < count; i++)
        place(plan, tensors, i, neighbours);
    for (size_t n = 0; n < nodes; n++)
        plan->locations[n] = plan->locations[dd_graph_base(plan->graph, (dd_node)n)];
    status = DDAEBM_OK;

cleanup:
    dd_free(context, last);
    dd_free(context, tensors);
    dd_free(context, neighbours);
    return status;
}
