#include "tensor/plan.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "tensor/plan_internal.h"

#include <limits.h>

/* Work below which a step is not worth waking others for: numbers moved, or multiply-adds. */
enum { PARALLEL_ELEMENTS = 8192, PARALLEL_MULTIPLY_ADDS = 1 << 17 };

static double multiply_adds(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    if (data->op != DD_OP_MATMUL)
        return 0;
    size_t inner = dd_graph_shape(graph, data->inputs[0]).size[data->flags & 1 ? 2 : 3];
    return (double)dd_shape_elements(data->shape) * (double)inner;
}

static bool worth_cutting(const dd_graph *graph, const dd_group *group) {
    dd_node node = group->members[0];
    const dd_node_data *data = dd_graph_node(graph, node);
    size_t elements = dd_shape_elements(data->shape);
    switch (data->op) {
    case DD_OP_MATMUL:
        return multiply_adds(graph, node) >= PARALLEL_MULTIPLY_ADDS;
    case DD_OP_SUM: /* over rows: cut by columns */
        return elements >= 32 && dd_shape_elements(dd_graph_shape(graph, data->inputs[0])) >= PARALLEL_ELEMENTS;
    case DD_OP_ADD_ROWS:
        return false;
    default:
        return elements * group->count >= PARALLEL_ELEMENTS;
    }
}

/* CBLAS takes sizes and strides as int. */
static ddaebm_status check_sizes(const dd_graph *graph) {
    for (size_t n = 0; n < dd_graph_nodes(graph); n++) {
        const dd_shape shape = dd_graph_shape(graph, (dd_node)n);
        size_t elements = 1;
        for (int i = 0; i < DD_AXES; i++)
            if (shape.size[i] == 0 || shape.size[i] > INT_MAX || !dd_size_mul(&elements, elements, shape.size[i]) ||
                elements > SIZE_MAX / 64)
                return dd_fail(DDAEBM_OUT_OF_RANGE, "a tensor of %zu x %zu x %zu x %zu is more than this machine can address",
                               shape.size[0], shape.size[1], shape.size[2], shape.size[3]);
    }
    return DDAEBM_OK;
}

static ddaebm_status make_steps(dd_plan *plan, const dd_schedule *schedule) {
    plan->steps = dd_alloc_zero(plan->context, schedule->count, sizeof *plan->steps);
    if (!plan->steps)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t g = 0; g < schedule->count; g++) {
        const dd_group *group = &schedule->groups[g];
        if (dd_plan_renames(plan->graph, group->members[0]))
            continue;
        dd_step_data *step = &plan->steps[plan->step_count++];
        *step = (dd_step_data){.node = group->members[0], .phase = group->phase, .parallel = worth_cutting(plan->graph, group)};
        step->barrier = step->parallel || (plan->step_count > 1 && step[-1].parallel);
        if (!group->loop)
            continue;
        ddaebm_status status = dd_loop_compile(&step->loop, plan->graph, group, schedule);
        if (status != DDAEBM_OK)
            return status;
        if (plan->scratch_tiles < (size_t)step->loop->scratch)
            plan->scratch_tiles = (size_t)step->loop->scratch;
    }
    return DDAEBM_OK;
}

static void count_slots(dd_plan *plan) {
    for (size_t n = 0; n < dd_graph_nodes(plan->graph); n++) {
        const dd_node_data *data = dd_graph_node(plan->graph, (dd_node)n);
        if ((data->op == DD_OP_INPUT || data->op == DD_OP_OUTPUT) && data->slot >= plan->slots)
            plan->slots = data->slot + 1;
    }
}

ddaebm_status dd_plan_create(dd_plan **out, dd_graph *graph, dd_plan_options options) {
    if (dd_graph_status(graph) != DDAEBM_OK)
        return dd_graph_status(graph);
    ddaebm_context *context = dd_graph_context(graph);
    dd_schedule schedule = {0};
    dd_plan *plan = dd_alloc_zero(context, 1, sizeof *plan);
    ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
    if (!plan)
        return status;
    *plan = (dd_plan){.graph = graph, .context = context, .kernels = dd_kernels_choose(), .options = options};
    DD_TRY(check_sizes(graph));
    DD_TRY(dd_schedule_make(&schedule, graph, options));
    DD_TRY(dd_memory_assign(plan, &schedule));
    DD_TRY(make_steps(plan, &schedule));
    count_slots(plan);
    *out = plan;
cleanup:
    dd_schedule_free(&schedule, context);
    if (status != DDAEBM_OK) {
        plan->graph = NULL; /* still the caller's */
        dd_plan_free(plan);
    }
    return status;
}

void dd_plan_free(dd_plan *plan) {
    if (!plan)
        return;
    for (size_t i = 0; i < plan->step_count; i++)
        dd_free(plan->context, plan->steps[i].loop);
    dd_free(plan->context, plan->steps);
    dd_free(plan->context, plan->locations);
    dd_free(plan->context, plan->scalars);
    dd_graph_free(plan->graph);
    dd_free(plan->context, plan);
}

size_t dd_plan_memory(const dd_plan *plan) {
    size_t scratch = (size_t)plan->options.parts * plan->scratch_tiles * DD_TILE;
    return (plan->arena + scratch) * sizeof(float) + (size_t)plan->slots * sizeof(float *);
}

size_t dd_plan_own_memory(const dd_plan *plan) {
    size_t bytes = sizeof *plan + dd_graph_memory(plan->graph) + dd_graph_nodes(plan->graph) * sizeof *plan->locations;
    for (size_t i = 0; i < plan->step_count; i++)
        bytes += sizeof *plan->steps + (plan->steps[i].loop ? sizeof *plan->steps[i].loop : 0);
    return bytes;
}

size_t dd_plan_steps(const dd_plan *plan) {
    return plan->step_count;
}

double dd_plan_multiply_adds(const dd_plan *plan, int phase) {
    double total = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].phase == phase && !plan->steps[i].loop)
            total += multiply_adds(plan->graph, plan->steps[i].node);
    return total;
}
