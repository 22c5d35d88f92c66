#include "tensor/exec/workspace.h"

#include "base/context.h"
#include "tensor/exec/loop.h"

/* `kept`: kept memory of another workspace, or NULL for memory of its own. */
static ddaebm_status create(dd_workspace **out, const dd_plan *plan, float *kept) {
    dd_workspace *workspace = dd_alloc_zero(plan->context, 1, sizeof *workspace);
    if (!workspace)
        return DDAEBM_OUT_OF_MEMORY;

    workspace->plan = plan;
    workspace->own = kept ? NULL : dd_alloc_zero(plan->context, plan->kept, sizeof *workspace->own);
    workspace->kept = kept ? kept : workspace->own;
    workspace->arena = dd_alloc_zero(plan->context, plan->arena, sizeof *workspace->arena);
    workspace->scratch = dd_alloc_zero(plan->context, (size_t)plan->options.parts * plan->scratch,
                                       sizeof *workspace->scratch);
    workspace->slots = dd_alloc_zero(plan->context, (size_t)plan->slots, sizeof *workspace->slots);

    if (!workspace->kept || !workspace->arena || !workspace->scratch || !workspace->slots) {
        dd_workspace_free(workspace);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = workspace;
    return DDAEBM_OK;
}

ddaebm_status dd_workspace_create(dd_workspace **out, const dd_plan *plan) {
    return create(out, plan, NULL);
}

ddaebm_status dd_workspace_create_beside(dd_workspace **out, const dd_plan *plan,
                                         const dd_workspace *other) {
    return create(out, plan, other->kept);
}

void dd_workspace_free(dd_workspace *workspace) {
    if (!workspace)
        return;
    ddaebm_context *context = workspace->plan->context;
    dd_free(context, workspace->own);
    dd_free(context, workspace->arena);
    dd_free(context, workspace->scratch);
    dd_free(context, workspace->slots);
    dd_free(context, workspace);
}

void dd_workspace_bind(dd_workspace *workspace, dd_slot slot, float *numbers) {
    if (slot < workspace->plan->slots) /* a slot that no output depends on is not kept */
        workspace->slots[slot] = numbers;
}

/* --- Tasks. --- */

/* Returns the shape of a tensor's first rows, if it has the plan's rows. */
static dd_shape cut(dd_shape shape, const dd_plan *plan, size_t first) {
    if (first && shape.size[2] == plan->rows)
        shape.size[2] = first;
    return shape;
}

/* Runs part `part` of `parts` of a single operation. `first`: as of dd_loop_run. */
static void run_operation(const dd_workspace *workspace, const dd_task *task, size_t first,
                          size_t part, size_t parts) {
    const dd_plan *plan = workspace->plan;
    const dd_node_data *data = dd_graph_node(plan->graph, task->node);
    const dd_op_info *op = dd_op_describe(data->op);
    dd_call call = {.data = data,
                    .method = &task->method,
                    .stage = task->stage,
                    .kernels = &plan->kernels,
                    .out_shape = cut(data->shape, plan, first),
                    .out = dd_storage_write(workspace, task->node),
                    .part = part,
                    .parts = parts,
                    .scratch = workspace->scratch + part * plan->scratch,
                    .scratch_stride = plan->scratch,
                    .packed = dd_storage_packed(workspace, task)};

    for (int i = 0; i < op->arity; i++) {
        call.in[i] = dd_storage_read(workspace, data->inputs[i]);
        call.in_shape[i] = dd_graph_shape(plan->graph, data->inputs[i]);
    }
    if (!op->execution->reads_table) /* other inputs are the same for all rows, or read by row */
        call.in_shape[0] = cut(call.in_shape[0], plan, first);
    op->execution->run(&call);
}

static void run_task(const dd_workspace *workspace, const dd_task *task, size_t first, size_t part,
                     size_t parts) {
    if (task->loop)
        dd_loop_run(workspace, task->loop, first, part, parts);
    else
        run_operation(workspace, task, first, part, parts);
}

/* --- Phases. --- */

typedef struct task_run {
    const dd_workspace *workspace;
    const dd_task *task;
    size_t first, parts;
} task_run;

static void run_part(void *argument, size_t part, int taker) {
    (void)taker;
    const task_run *run = argument;
    run_task(run->workspace, run->task, run->first, part, run->parts);
}

/* Whether a task packs weights that dd_workspace_pack has packed: their slot is bound to NULL. */
static bool is_packed_already(const dd_workspace *workspace, const dd_task *task) {
    const dd_plan *plan = workspace->plan;
    return task->stage == DD_TASK_PACK && plan->options.prepare &&
           !dd_storage_read(workspace, dd_graph_node(plan->graph, task->node)->inputs[1]);
}

/* Runs a phase's tasks in order, each cut into the same parts whoever runs them. */
static void run_phase(dd_workspace *workspace, int phase, size_t first, dd_pool *pool, bool alone) {
    const dd_plan *plan = workspace->plan;
    size_t parts = (size_t)plan->options.parts;
    dd_team team = dd_pool_enter(pool, alone || parts == 1);

    for (size_t i = 0; i < plan->task_count; i++) {
        const dd_task *task = &plan->tasks[i];
        if (task->phase != phase || is_packed_already(workspace, task))
            continue;
        task_run run = {workspace, task, first, task->parallel ? parts : 1};
        dd_team_run(team, &(dd_work){.parts = run.parts,
                                     .small = !task->wakes,
                                     .function = run_part,
                                     .argument = &run});
    }
    dd_pool_leave(team);
}

void dd_workspace_run(dd_workspace *workspace, int phase, dd_pool *pool, bool alone) {
    run_phase(workspace, phase, 0, pool, alone);
}

void dd_workspace_run_rows(dd_workspace *workspace, size_t rows, dd_pool *pool, bool alone) {
    const dd_plan *plan = workspace->plan;
    run_phase(workspace, plan->options.phases - 1, rows < plan->rows ? rows : 0, pool, alone);
}

void dd_workspace_pack(dd_workspace *workspace, dd_slot slot, float *numbers) {
    const dd_plan *plan = workspace->plan;
    if (slot >= plan->slots)
        return;
    float *before = workspace->slots[slot];
    workspace->slots[slot] = numbers;
    for (size_t i = 0; i < plan->task_count; i++) {
        const dd_task *task = &plan->tasks[i];
        size_t parts = task->parallel ? (size_t)plan->options.parts : 1;
        for (size_t part = 0; dd_task_packs(plan, task, slot) && part < parts; part++)
            run_operation(workspace, task, 0, part, parts);
    }
    workspace->slots[slot] = before;
}
