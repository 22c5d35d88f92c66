/* Runs a plan: its steps in order, each cut into the same parts whoever runs them. */
#include "base/context.h"
#include "tensor/kernels/matmul.h"
#include "tensor/plan_internal.h"

#include <string.h>

struct dd_workspace {
    const dd_plan *plan;
    float *kept;            /* what is prepared */
    float *own;             /* the same, or NULL where it is another workspace's */
    float *arena, *scratch; /* scratch: [parts, plan->scratch] */
    float **slots;
};

/* `kept`: another's, or NULL for one of its own. */
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

static const float *read_at(const dd_workspace *workspace, dd_node node) {
    dd_location at = workspace->plan->locations[node];
    switch (at.place) {
    case DD_PLACE_ARENA:
        return workspace->arena + at.offset;
    case DD_PLACE_KEPT:
        return workspace->kept + at.offset;
    case DD_PLACE_SLOT:
        return workspace->slots[at.index];
    case DD_PLACE_CONSTANT:
        return dd_graph_constant(workspace->plan->graph, at.index);
    case DD_PLACE_SCALAR:
        return workspace->plan->scalars + at.index;
    default:
        return NULL;
    }
}

static float *write_at(const dd_workspace *workspace, dd_node node) {
    dd_location at = workspace->plan->locations[node];
    if (at.place == DD_PLACE_SLOT)
        return workspace->slots[at.index];
    return (at.place == DD_PLACE_KEPT ? workspace->kept : workspace->arena) + at.offset;
}

/* --- Fused loops. --- */

typedef struct tile {
    size_t row, rows, column, columns;
} tile;

typedef struct loop_run {
    const dd_workspace *workspace;
    const dd_loop *loop;
    float *scratch;
    const float *source[DD_MOST_VALUES]; /* where each value that is not scratch begins in memory */
    float *at[DD_MOST_VALUES];           /* where each value is for the present tile */
    const float
        *held[DD_MOST_VALUES]; /* the row that fills a gathered value's tile, NULL for several */
} loop_run;

static void fill(float *out, float value, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

/* What stays the same for all tiles. */
static void begin_loop(loop_run *run) {
    const dd_loop *loop = run->loop;
    for (int v = 0; v < loop->values; v++) {
        const dd_value *value = &loop->value[v];
        run->at[v] = value->scratch >= 0 ? run->scratch + (size_t)value->scratch * DD_TILE : NULL;
        run->source[v] =
            value->kind == DD_VALUE_SCRATCH ? NULL : read_at(run->workspace, value->node);
        if (value->kind == DD_VALUE_SPLAT)
            fill(run->at[v], run->source[v][0], DD_TILE);
    }
}

static const float *row_at(const dd_loop *loop, const dd_value *value, const float *source,
                           size_t row) {
    const size_t *size = loop->shape.size;
    return source + row % size[2] * value->row_stride[2] +
           row / size[2] % size[1] * value->row_stride[1] +
           row / size[2] / size[1] * value->row_stride[0];
}

/* One row again and again. */
static void repeat(float *out, const float *row, size_t rows, size_t columns) {
    memcpy(out, row, columns * sizeof *out);
    for (size_t done = 1; done < rows;) {
        size_t more = done < rows - done ? done : rows - done;
        memcpy(out + done * columns, out, more * columns * sizeof *out);
        done += more;
    }
}

/* Rows that follow each other in memory, or a number for each. */
static void follow(float *out, const float *from, const dd_value *value, size_t rows,
                   size_t columns) {
    if (!value->one_a_row)
        memcpy(out, from, rows * columns * sizeof *out);
    else if (columns == 1)
        memcpy(out, from, rows * sizeof *out);
    else
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                out[i * columns + j] = from[i * value->step];
}

/* Brings a repeated tensor's rows for a tile, run by run. A tile that one row fills may hold it
 * already. */
static void gather(loop_run *run, int v, tile t) {
    const dd_value *value = &run->loop->value[v];
    float *out = run->at[v];
    for (size_t row = t.row, end = t.row + t.rows; row < end;) {
        const float *from =
            row_at(run->loop, value, run->source[v], row) + (value->one_a_row ? 0 : t.column);
        size_t left = value->run - row % value->run, rows = left < end - row ? left : end - row;
        bool fills = rows == t.rows && value->step == 0;
        if (fills && run->held[v] == from)
            return;
        run->held[v] = fills ? from : NULL;
        if (value->step != 0)
            follow(out, from, value, rows, t.columns);
        else if (value
                     ->one_a_row) /* what is held must do for tiles that are larger than this one */
            fill(out, *from, fills ? DD_TILE : rows * t.columns);
        else
            repeat(out, from, fills ? run->loop->rows_per_tile : rows, t.columns);
        out += rows * t.columns;
        row += rows;
    }
}

static void run_tile(loop_run *run, tile t) {
    const dd_loop *loop = run->loop;
    const dd_kernels *kernels = run->workspace->plan->kernels;
    size_t count = t.rows * t.columns;
    for (int v = 0; v < loop->values; v++) {
        const dd_value *value = &loop->value[v];
        if (value->kind == DD_VALUE_STREAM)
            run->at[v] = (float *)run->source[v] + t.row * loop->width + t.column;
        else if (value->kind == DD_VALUE_GATHERED && value->scratch < 0)
            run->at[v] = (float *)row_at(loop, value, run->source[v], t.row) + t.column;
        else if (value->kind == DD_VALUE_GATHERED)
            gather(run, v, t);
    }
    for (int i = 0; i < loop->instructions; i++) {
        const dd_instruction *now = &loop->instruction[i];
        kernels->elementwise[now->op](run->at[now->out], run->at[now->a],
                                      now->b >= 0 ? run->at[now->b] : NULL, count, now->factor,
                                      now->shift);
    }
}

/* `first`: how many rows of the loop's shape are wanted, the first ones; all of them where it is 0.
 */
static void run_loop(const dd_workspace *workspace, const dd_loop *loop, size_t first, size_t part,
                     size_t parts) {
    bool flat = loop->rows == 1;
    size_t rows = first && !flat ? first : loop->rows,
           width = first && flat ? first * loop->shape.size[3] : loop->width;
    loop_run run = {.workspace = workspace,
                    .loop = loop,
                    .scratch = workspace->scratch + part * workspace->plan->scratch};
    begin_loop(&run);
    size_t across = (width + DD_TILE - 1) / DD_TILE,
           down = (rows + loop->rows_per_tile - 1) / loop->rows_per_tile;
    dd_range mine = dd_share(across * down, part, parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        tile t = {.row = i / across * loop->rows_per_tile,
                  .rows = loop->rows_per_tile,
                  .column = i % across * DD_TILE};
        if (t.rows > rows - t.row)
            t.rows = rows - t.row;
        t.columns = width - t.column < DD_TILE ? width - t.column : DD_TILE;
        run_tile(&run, t);
    }
}

/* Of a tensor whose rows are a step's, the first ones. */
static dd_shape cut(dd_shape shape, const dd_plan *plan, size_t first) {
    if (first && shape.size[2] == plan->rows)
        shape.size[2] = first;
    return shape;
}

static float *packed_at(const dd_workspace *workspace, const dd_step_data *step) {
    if (step->packed_in == DD_PLACE_NOWHERE)
        return NULL;
    return (step->packed_in == DD_PLACE_KEPT ? workspace->kept : workspace->arena) + step->packed;
}

/* `first`: as of run_loop. */
static void run_operation(const dd_workspace *workspace, const dd_step_data *step, size_t first,
                          size_t part, size_t parts) {
    const dd_plan *plan = workspace->plan;
    const dd_node_data *data = dd_graph_node(plan->graph, step->node);
    dd_call call = {.plan = plan,
                    .step = step,
                    .data = data,
                    .made = cut(data->shape, plan, first),
                    .out = write_at(workspace, step->node),
                    .part = part,
                    .parts = parts,
                    .scratch = workspace->scratch + part * plan->scratch,
                    .packed = packed_at(workspace, step)};
    for (int i = 0; i < dd_op_describe(data->op)->arity; i++) {
        call.in[i] = read_at(workspace, data->inputs[i]);
        call.shape[i] = dd_graph_shape(plan->graph, data->inputs[i]);
        if (i == 0 && data->op != DD_OP_TAKE_ROWS) /* what rows are made of; the rest is the same
                                                      for all, or read by row */
            call.shape[i] = cut(call.shape[i], plan, first);
    }
    dd_op_run run = dd_op_runner(data->op);
    if (run) /* renamings and sources have nothing to do */
        run(&call);
}

static void run_step(const dd_workspace *workspace, const dd_step_data *step, size_t first,
                     size_t part, size_t parts) {
    if (step->loop)
        run_loop(workspace, step->loop, first, part, parts);
    else
        run_operation(workspace, step, first, part, parts);
}

/* --- The whole. --- */

typedef struct step_run {
    const dd_workspace *workspace;
    const dd_step_data *step;
    size_t first, parts;
} step_run;

static void run_part(void *argument, size_t part, int taker) {
    (void)taker;
    const step_run *run = argument;
    run_step(run->workspace, run->step, run->first, part, run->parts);
}

/* What is bound to nothing was packed before (dd_workspace_pack). */
static bool is_packed_already(const dd_workspace *workspace, const dd_step_data *step) {
    const dd_plan *plan = workspace->plan;
    return step->stage == DD_STEP_PACK && plan->options.prepare &&
           !read_at(workspace, dd_graph_node(plan->graph, step->node)->inputs[1]);
}

static void run_phase(dd_workspace *workspace, int phase, size_t first, dd_pool *pool, bool alone) {
    const dd_plan *plan = workspace->plan;
    size_t parts = (size_t)plan->options.parts;
    dd_team team = dd_pool_enter(pool, alone || parts == 1);
    for (size_t i = 0; i < plan->step_count; i++) {
        const dd_step_data *step = &plan->steps[i];
        if (step->phase != phase || is_packed_already(workspace, step))
            continue;
        step_run run = {workspace, step, first, step->parallel ? parts : 1};
        dd_team_run(team, &(dd_work){.parts = run.parts,
                                     .small = !step->wakes,
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
    for (size_t i = 0; i < plan->step_count; i++) {
        const dd_step_data *step = &plan->steps[i];
        size_t parts = step->parallel ? (size_t)plan->options.parts : 1;
        for (size_t part = 0; dd_step_packs(plan, step, slot) && part < parts; part++)
            run_operation(workspace, step, 0, part, parts);
    }
    workspace->slots[slot] = before;
}
