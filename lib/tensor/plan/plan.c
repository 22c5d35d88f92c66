#include "tensor/plan/plan.h"

#include "base/checked.h"
#include "base/context.h"
#include "base/error.h"
#include "tensor/plan/memory.h"
#include "tensor/plan/rows.h"
#include "tensor/plan/tasks.h"

#include <limits.h>

/* Refuses tensors that are too large: CBLAS takes sizes and strides as int. */
static ddaebm_status check_shape(dd_shape shape) {
    size_t elements = 1;
    for (int i = 0; i < DD_AXES; i++)
        if (shape.size[i] == 0 || shape.size[i] > INT_MAX ||
            !dd_size_mul(&elements, elements, shape.size[i]) || elements > SIZE_MAX / 64)
            return dd_fail(
                DDAEBM_OUT_OF_RANGE,
                "a tensor of %zu x %zu x %zu x %zu is more than this machine can address",
                shape.size[0], shape.size[1], shape.size[2], shape.size[3]);
    return DDAEBM_OK;
}

static ddaebm_status check_sizes(const dd_graph *graph) {
    for (dd_node n = 0; n < (dd_node)dd_graph_nodes(graph); n++) {
        const dd_execution *execution = dd_graph_op(graph, n)->execution;
        ddaebm_status status = check_shape(dd_graph_shape(graph, n));
        if (status == DDAEBM_OK && execution && execution->check)
            status = execution->check(graph, n);
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

static void count_slots(dd_plan *plan) {
    for (size_t n = 0; n < dd_graph_nodes(plan->graph); n++) {
        const dd_node_data *data = dd_graph_node(plan->graph, (dd_node)n);
        if ((data->op == DD_OP_INPUT || data->op == DD_OP_OUTPUT) &&
            data->constants.slot >= plan->slots)
            plan->slots = data->constants.slot + 1;
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
    *plan = (dd_plan){
        .graph = graph,
        .context = context,
        .kernels = {dd_kernels_choose(), dd_map_kernels_choose(), dd_tile_matmul_choose()},
        .kept = options.beside ? options.beside->kept : 0,
        .options = options};

    DD_TRY(check_sizes(graph));
    DD_TRY(dd_schedule_make(&schedule, graph, options));
    DD_TRY(dd_memory_assign(plan, &schedule));
    DD_TRY(dd_tasks_make(plan, &schedule));
    count_slots(plan);
    dd_rows_find(plan);
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
    for (size_t i = 0; i < plan->task_count; i++) {
        if (plan->tasks[i].stage == DD_TASK_RUN)
            dd_method_free(&plan->tasks[i].method);
        dd_free(plan->context, plan->tasks[i].loop);
    }
    dd_free(plan->context, plan->tasks);
    dd_free(plan->context, plan->locations);
    dd_free(plan->context, plan->scalars);
    dd_graph_free(plan->graph);
    dd_free(plan->context, plan);
}

size_t dd_plan_memory(const dd_plan *plan) {
    size_t scratch = (size_t)plan->options.parts * plan->scratch;
    return (plan->kept + plan->arena + scratch) * sizeof(float) +
           (size_t)plan->slots * sizeof(float *);
}

size_t dd_plan_own_memory(const dd_plan *plan) {
    size_t bytes = sizeof *plan + dd_graph_memory(plan->graph) +
                   dd_graph_nodes(plan->graph) * sizeof *plan->locations;
    for (size_t i = 0; i < plan->task_count; i++) {
        const dd_task *task = &plan->tasks[i];
        bytes += sizeof *task + (task->loop ? dd_loop_memory(task->loop) : 0) +
                 (task->stage == DD_TASK_RUN ? task->method.memory : 0);
    }
    return bytes;
}

/* --- Which slots are read. --- */

/* Whether a task reads an input, bound to the slot, as it is. */
static bool is_read(const dd_plan *plan, const dd_task *task, dd_node input, dd_slot slot) {
    dd_location at = plan->locations[input];
    bool packed = task->stage == DD_TASK_RUN && task->packed_in != DD_PLACE_NOWHERE;
    return at.place == DD_PLACE_SLOT && at.index == slot &&
           !(packed && dd_graph_base(plan->graph, input) == dd_task_weights(plan, task));
}

static bool task_reads(const dd_plan *plan, const dd_task *task, dd_slot slot) {
    for (int v = 0; task->loop && v < task->loop->values; v++)
        if (is_read(plan, task, task->loop->value[v].node, slot))
            return true;
    const dd_node_data *data = dd_graph_node(plan->graph, task->node);
    for (int i = 0; !task->loop && i < dd_op_describe(data->op)->arity; i++)
        if (is_read(plan, task, data->inputs[i], slot))
            return true;
    return false;
}

bool dd_plan_reads(const dd_plan *plan, dd_slot slot) {
    for (size_t i = 0; i < plan->task_count; i++)
        if (plan->tasks[i].stage != DD_TASK_PACK && task_reads(plan, &plan->tasks[i], slot))
            return true;
    return false;
}

bool dd_plan_packs(const dd_plan *plan, dd_slot slot) {
    for (size_t i = 0; i < plan->task_count; i++)
        if (dd_task_packs(plan, &plan->tasks[i], slot))
            return true;
    return false;
}

/* --- Figures. --- */

size_t dd_plan_rows(const dd_plan *plan) {
    return plan->rows;
}

size_t dd_plan_tasks(const dd_plan *plan) {
    return plan->task_count;
}

double dd_plan_multiply_adds(const dd_plan *plan, int phase) {
    double total = 0;
    for (size_t i = 0; i < plan->task_count; i++) {
        const dd_task *task = &plan->tasks[i];
        if (task->phase == phase && !task->loop && task->stage == DD_TASK_RUN)
            total += dd_node_multiply_adds(plan->graph, task->node);
    }
    return total;
}
