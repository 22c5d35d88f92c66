/* Which plans may be run for some of their rows: those whose last phase computes each row from the
 * same row of its inputs, and from what is the same for all rows. */
#include "tensor/plan/rows.h"

/* Tensors of the shape [1, 1, rows, C] have as many columns in each row whatever name they go by,
 * so row i stays row i. */
static bool loop_is_by_row(const dd_row_question *question, const dd_loop *loop) {
    for (int v = 0; v < loop->values; v++)
        if (!dd_is_shared(question, loop->value[v].node) &&
            !dd_has_rows(question, loop->value[v].node))
            return false;
    return loop->shape.size[0] == 1 && loop->shape.size[1] == 1 &&
           loop->shape.size[2] == question->rows;
}

static bool is_by_row(const dd_row_question *question, const dd_task *task) {
    if (task->loop)
        return loop_is_by_row(question, task->loop);
    const dd_execution *execution = dd_graph_op(question->graph, task->node)->execution;
    return dd_has_rows(question, task->node) && execution->is_by_row &&
           execution->is_by_row(question, task->node);
}

void dd_rows_find(dd_plan *plan) {
    enum { FEWEST = 2 }; /* one row is like what all rows share */
    const dd_plan_options *options = &plan->options;
    dd_row_question question = {plan->graph, options->rows, options->phases - 1};
    bool possible = options->prepare && options->parts == 1 && options->rows >= FEWEST;

    for (size_t i = 0; i < plan->task_count && possible; i++)
        possible =
            plan->tasks[i].phase != question.last_phase || is_by_row(&question, &plan->tasks[i]);
    plan->rows = possible ? options->rows : 0;
}
