#include "tensor/plan/tasks.h"

#include "base/context.h"
#include "base/error.h"
#include "tensor/plan/fuse.h"

double dd_node_multiply_adds(const dd_graph *graph, dd_node node) {
    const dd_execution *execution = dd_graph_op(graph, node)->execution;
    return execution->multiply_adds ? execution->multiply_adds(graph, node) : 0;
}

/* Whether a group has work enough to be cut into parts. */
static bool worth_cutting(const dd_graph *graph, const dd_group *group) {
    dd_node node = group->members[0];
    const dd_node_data *data = dd_graph_node(graph, node);
    switch (dd_graph_op(graph, node)->execution->cutting) {
    case DD_CUT_BY_MULTIPLY_ADDS:
        return dd_node_multiply_adds(graph, node) >= DD_PARALLEL_MULTIPLY_ADDS;
    case DD_CUT_BY_INPUT:
        return dd_shape_elements(dd_graph_shape(graph, data->inputs[0])) >= DD_PARALLEL_ELEMENTS;
    case DD_CUT_NEVER:
        return false;
    default:
        return dd_shape_elements(data->shape) * group->count >= DD_PARALLEL_ELEMENTS;
    }
}

static dd_task *add_task(dd_plan *plan, dd_task data) {
    dd_task *task = &plan->tasks[plan->task_count++];
    *task = data;
    return task;
}

static void want_scratch(dd_plan *plan, size_t floats) {
    if (plan->scratch < dd_line_up(floats))
        plan->scratch = dd_line_up(floats);
}

/* --- Packed weights: a convolution's filters, and second factors of products, in the order that
 * kernels read. --- */

/* Whether two tasks read the same weights: of one plan, or of two whose slots are bound alike. */
static bool same_weights(const dd_plan *plan, const dd_task *a, const dd_plan *other,
                         const dd_task *b) {
    dd_node first = dd_task_weights(plan, a), second = dd_task_weights(other, b);
    if (plan == other)
        return first == second;
    const dd_node_data *x = dd_graph_node(plan->graph, first),
                       *y = dd_graph_node(other->graph, second);
    return x->op == DD_OP_INPUT && y->op == DD_OP_INPUT && x->constants.slot == y->constants.slot;
}

static bool same_order(const dd_plan *plan, const dd_task *a, const dd_plan *other,
                       const dd_task *b) {
    const dd_execution *x = dd_graph_op(plan->graph, a->node)->execution,
                       *y = dd_graph_op(other->graph, b->node)->execution;
    return x->same_packing == y->same_packing && x->same_packing(&a->method, &b->method);
}

/* Returns a task of `there`, or of the plans beside it, that makes what `pack` would, in the same
 * phase and to be kept; or NULL. */
static const dd_task *find_packing(const dd_plan *plan, const dd_task *pack, const dd_plan *there) {
    for (size_t i = 0; there && i < there->task_count; i++) {
        const dd_task *other = &there->tasks[i];
        if (other->stage == DD_TASK_PACK && other->packed_in == DD_PLACE_KEPT &&
            other->phase == pack->phase && same_weights(plan, pack, there, other) &&
            same_order(plan, pack, there, other))
            return other;
    }
    return there ? find_packing(plan, pack, there->options.beside) : NULL;
}

/* Whether a task's second input is computed before the phase that is run again and again. */
static bool is_factor_prepared(const dd_plan *plan, const dd_task *task) {
    return plan->options.prepare && dd_graph_op(plan->graph, task->node)->arity > 1 &&
           dd_graph_node(plan->graph, dd_task_weights(plan, task))->phase <
               plan->options.phases - 1;
}

/* Adds the task that packs `user`'s weights, unless another packs the same, and notes in `user`
 * where they lie. Weights that are prepared are packed once, in their own phase. In a training step
 * a product's factor is packed once a phase, but filters for each use, all in one place, `behind`
 * the tensors: packed filters of a whole step would take as much memory as its tensors, and are
 * read from memory no faster than they are packed. */
static void place_packed(dd_plan *plan, size_t behind, dd_task *user) {
    bool prepared = is_factor_prepared(plan, user);
    bool kept = prepared || (user->method.packs_once && !plan->options.prepare);
    dd_task pack = *user;
    pack.stage = DD_TASK_PACK;
    pack.parallel = user->method.packs_in_parallel;
    pack.phase =
        prepared ? dd_graph_node(plan->graph, dd_task_weights(plan, user))->phase : user->phase;

    const dd_task *same = kept ? find_packing(plan, &pack, plan) : NULL;
    user->packed_in = kept ? DD_PLACE_KEPT : DD_PLACE_ARENA;
    user->packed = same ? same->packed : kept ? plan->kept : behind;
    if (same)
        return;

    size_t *end = kept ? &plan->kept : &plan->arena;
    if (*end < user->packed + dd_line_up(user->method.packed))
        *end = user->packed + dd_line_up(user->method.packed);
    pack.packed_in = user->packed_in;
    pack.packed = user->packed;
    add_task(plan, pack);
}

/* --- Tasks of a group. --- */

/* Adds the tasks of a single operation. `behind`: where the arena's tensors end. */
static ddaebm_status add_operation(dd_plan *plan, dd_task task, size_t behind) {
    const dd_execution *execution = dd_graph_op(plan->graph, task.node)->execution;
    task.method.parts = task.parallel ? (size_t)plan->options.parts : 1;
    if (execution->choose) {
        dd_method_request request = {.graph = plan->graph,
                                     .node = task.node,
                                     .parts = task.method.parts,
                                     .parallel = task.parallel,
                                     .prepare = plan->options.prepare,
                                     .factor_prepared = is_factor_prepared(plan, &task),
                                     .tiles = plan->kernels.tiles,
                                     .convolutions = plan->options.convolutions};
        ddaebm_status status = execution->choose(&task.method, &request);
        if (status != DDAEBM_OK)
            return status;
    }

    if (task.method.packed > 0)
        place_packed(plan, behind, &task);
    add_task(plan, task);
    want_scratch(plan, task.method.scratch);
    if (task.method.sums) {
        task.stage = DD_TASK_SUM;
        task.parallel = task.method.sums_in_parallel;
        add_task(plan, task);
    }
    return DDAEBM_OK;
}

static ddaebm_status add_loop(dd_plan *plan, dd_task task, const dd_group *group,
                              const dd_schedule *schedule) {
    dd_task *added = add_task(plan, task);
    ddaebm_status status = dd_loop_compile(&added->loop, plan->graph, group, schedule);
    if (status == DDAEBM_OK)
        want_scratch(plan, (size_t)added->loop->scratch * DD_TILE);
    return status;
}

/* Makes the tasks of all groups, in order. */
static ddaebm_status make_tasks(dd_plan *plan, const dd_schedule *schedule) {
    enum { MOST_TASKS = 3 }; /* of a group */
    size_t behind = plan->arena;
    ddaebm_status status = DDAEBM_OK;
    plan->tasks = dd_alloc_zero(plan->context, MOST_TASKS * schedule->count, sizeof *plan->tasks);
    if (!plan->tasks)
        return DDAEBM_OUT_OF_MEMORY;

    for (size_t g = 0; g < schedule->count && status == DDAEBM_OK; g++) {
        const dd_group *group = &schedule->groups[g];
        if (dd_graph_op(plan->graph, group->members[0])->renames)
            continue;
        dd_task task = {.node = group->members[0],
                        .phase = group->phase,
                        .parallel = worth_cutting(plan->graph, group)};
        status =
            group->loop ? add_loop(plan, task, group, schedule) : add_operation(plan, task, behind);
    }
    return status;
}

/* --- Waking threads. --- */

/* Estimates how long a task takes one thread, in nanoseconds. */
static double task_time(const dd_plan *plan, const dd_task *task) {
    const double multiply_adds_per_ns = 20, numbers_per_ns = 1;
    const dd_loop *loop = task->loop;
    if (loop)
        return (double)loop->rows * (double)loop->width * loop->instructions / numbers_per_ns;

    if (task->stage == DD_TASK_PACK) {
        dd_node factor = dd_graph_node(plan->graph, task->node)->inputs[1];
        return (double)dd_shape_elements(dd_graph_shape(plan->graph, factor)) / numbers_per_ns;
    }
    return dd_node_multiply_adds(plan->graph, task->node) / multiply_adds_per_ns +
           (double)dd_shape_elements(dd_graph_shape(plan->graph, task->node)) / numbers_per_ns;
}

/* Threads are woken as long as what is left to share in a phase takes longer than waking them. */
static void set_wakes(dd_plan *plan) {
    const double worth_waking = 200e3;
    for (int phase = 0; phase < plan->options.phases; phase++) {
        double left = 0;
        for (size_t i = plan->task_count; i-- > 0;) {
            dd_task *task = &plan->tasks[i];
            if (task->phase != phase || !task->parallel)
                continue;
            left += task_time(plan, task);
            task->wakes = left >= worth_waking;
        }
    }
}

ddaebm_status dd_tasks_make(dd_plan *plan, const dd_schedule *schedule) {
    ddaebm_status status = make_tasks(plan, schedule);
    if (status == DDAEBM_OK)
        set_wakes(plan);
    return status;
}
