/* Which plans may be run for some of their rows: those whose last phase makes each row of what it
 * computes of the same row of what it reads, and of what is there for all rows. */
#include "tensor/plan_internal.h"

static bool is_of_last_phase(const dd_plan *plan, dd_node node) {
    return dd_graph_node(plan->graph, node)->phase == plan->options.phases - 1;
}

/* [1, 1, rows, C]. Tensors of this shape have as many columns in each row whatever name they go by,
 * so row i stays row i. */
static bool has_rows(const dd_plan *plan, dd_node node) {
    dd_shape shape = dd_graph_shape(plan->graph, node);
    return shape.size[0] == 1 && shape.size[1] == 1 && shape.size[2] == plan->options.rows;
}

static bool loop_is_by_row(const dd_plan *plan, const dd_loop *loop) {
    for (int v = 0; v < loop->values; v++)
        if (is_of_last_phase(plan, loop->value[v].node) && !has_rows(plan, loop->value[v].node))
            return false;
    return loop->shape.size[0] == 1 && loop->shape.size[1] == 1 &&
           loop->shape.size[2] == plan->options.rows;
}

/* Its inputs are either rows or the same for all rows. */
static bool operation_is_by_row(const dd_plan *plan, const dd_node_data *data) {
    const dd_node *in = data->inputs;
    switch (data->op) {
    case DD_OP_LINEAR:
        return has_rows(plan, in[0]) && !is_of_last_phase(plan, in[1]) &&
               !is_of_last_phase(plan, in[2]);
    case DD_OP_MATMUL:
        return has_rows(plan, in[0]) && !data->constants.matmul.transpose_a &&
               !is_of_last_phase(plan, in[1]);
    case DD_OP_SLICE:
        return has_rows(plan, in[0]) && data->constants.slice.axis == 3;
    case DD_OP_PAD:
        return has_rows(plan, in[0]) && data->constants.pad.axis == 3;
    case DD_OP_CONCAT:
        return has_rows(plan, in[0]) && has_rows(plan, in[1]) && data->constants.concat == 3;
    case DD_OP_SUM:
        return has_rows(plan, in[0]);
    case DD_OP_TAKE_ROWS:
        return !is_of_last_phase(plan, in[0]) && has_rows(plan, in[1]);
    default:
        return false;
    }
}

static bool step_is_by_row(const dd_plan *plan, const dd_step_data *step) {
    if (step->loop)
        return loop_is_by_row(plan, step->loop);
    return has_rows(plan, step->node) &&
           operation_is_by_row(plan, dd_graph_node(plan->graph, step->node));
}

void dd_rows_find(dd_plan *plan) {
    enum { FEWEST = 2 }; /* one row is like what all rows share */
    plan->rows = plan->options.prepare && plan->options.parts == 1 && plan->options.rows >= FEWEST
                     ? plan->options.rows
                     : 0;
    for (size_t i = 0; i < plan->step_count && plan->rows > 0; i++)
        if (plan->steps[i].phase == plan->options.phases - 1 &&
            !step_is_by_row(plan, &plan->steps[i]))
            plan->rows = 0;
}
