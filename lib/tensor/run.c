/* Runs a plan: its steps in order, each cut into the same parts whoever runs them. */
#include "base/context.h"
#include "tensor/kernels/matmul.h"
#include "tensor/plan_internal.h"

#include <string.h>

struct dd_workspace {
    const dd_plan *plan;
    float *arena, *scratch; /* scratch: [parts, tiles, DD_TILE] */
    float **slots;
};

ddaebm_status dd_workspace_create(dd_workspace **out, const dd_plan *plan) {
    dd_workspace *workspace = dd_alloc_zero(plan->context, 1, sizeof *workspace);
    if (!workspace)
        return DDAEBM_OUT_OF_MEMORY;
    workspace->plan = plan;
    workspace->arena = dd_alloc_zero(plan->context, plan->arena, sizeof *workspace->arena);
    workspace->scratch =
        dd_alloc_zero(plan->context, (size_t)plan->options.parts * plan->scratch_tiles * DD_TILE, sizeof *workspace->scratch);
    workspace->slots = dd_alloc_zero(plan->context, (size_t)plan->slots, sizeof *workspace->slots);
    if (!workspace->arena || !workspace->scratch || !workspace->slots) {
        dd_workspace_free(workspace);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = workspace;
    return DDAEBM_OK;
}

void dd_workspace_free(dd_workspace *workspace) {
    if (!workspace)
        return;
    ddaebm_context *context = workspace->plan->context;
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
    return at.place == DD_PLACE_SLOT ? workspace->slots[at.index] : workspace->arena + at.offset;
}

/* The share of part `part`: [first, last). */
typedef struct range {
    size_t first, last;
} range;

static range share(size_t count, size_t part, size_t parts) {
    return (range){count * part / parts, count * (part + 1) / parts};
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
        run->source[v] = value->kind == DD_VALUE_SCRATCH ? NULL : read_at(run->workspace, value->node);
        if (value->kind == DD_VALUE_SPLAT)
            fill(run->at[v], run->source[v][0], DD_TILE);
        else if (value->kind == DD_VALUE_REPEATED && run->at[v])
            for (size_t row = 0; row < loop->rows_per_tile; row++)
                memcpy(run->at[v] + row * loop->width, run->source[v], loop->width * sizeof(float));
    }
}

/* Copies a repeated tensor's rows for a tile. */
static void gather(const dd_loop *loop, const dd_value *value, const float *source, float *out, tile t) {
    for (size_t i = 0; i < t.rows; i++, out += t.columns) {
        size_t row = t.row + i;
        const size_t *size = loop->shape.size;
        const float *from = source + row % size[2] * value->row_stride[2] + row / size[2] % size[1] * value->row_stride[1] +
                            row / size[2] / size[1] * value->row_stride[0];
        if (value->one_a_row)
            fill(out, *from, t.columns);
        else
            memcpy(out, from + t.column, t.columns * sizeof *out);
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
        else if (value->kind == DD_VALUE_REPEATED && value->scratch < 0)
            run->at[v] = (float *)run->source[v] + t.column;
        else if (value->kind == DD_VALUE_GATHERED)
            gather(loop, value, run->source[v], run->at[v], t);
    }
    for (int i = 0; i < loop->instructions; i++) {
        const dd_instruction *now = &loop->instruction[i];
        kernels->elementwise[now->op](run->at[now->out], run->at[now->a], now->b >= 0 ? run->at[now->b] : NULL, count, now->factor,
                                      now->shift);
    }
}

static void run_loop(const dd_workspace *workspace, const dd_loop *loop, size_t part, size_t parts) {
    loop_run run = {
        .workspace = workspace, .loop = loop, .scratch = workspace->scratch + part * workspace->plan->scratch_tiles * DD_TILE};
    begin_loop(&run);
    size_t across = (loop->width + DD_TILE - 1) / DD_TILE, down = (loop->rows + loop->rows_per_tile - 1) / loop->rows_per_tile;
    range mine = share(across * down, part, parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        tile t = {.row = i / across * loop->rows_per_tile, .rows = loop->rows_per_tile, .column = i % across * DD_TILE};
        if (t.rows > loop->rows - t.row)
            t.rows = loop->rows - t.row;
        t.columns = loop->width - t.column < DD_TILE ? loop->width - t.column : DD_TILE;
        run_tile(&run, t);
    }
}

/* --- Single operations. --- */

static void run_matmul(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    dd_shape x = dd_graph_shape(workspace->plan->graph, data->inputs[0]),
             y = dd_graph_shape(workspace->plan->graph, data->inputs[1]);
    const float *a = read_at(workspace, data->inputs[0]), *b = read_at(workspace, data->inputs[1]);
    dd_matmul_call call = {.m = data->shape.size[2],
                           .n = data->shape.size[3],
                           .k = x.size[data->flags & 1 ? 2 : 3],
                           .transpose_a = data->flags & 1,
                           .transpose_b = data->flags & 2,
                           .a_stride = x.size[3],
                           .b_stride = y.size[3],
                           .c_stride = data->shape.size[3]};
    size_t batch = x.size[0] * x.size[1];
    for (size_t i = 0; i < batch; i++) {
        call.a = a + i * x.size[2] * x.size[3];
        call.b = b + i * y.size[2] * y.size[3];
        call.c = out + i * call.m * call.n;
        dd_matmul_run_part(&call, part, parts);
    }
}

/* A tensor seen as [outer, middle, inner]: the axes before `axis`, it, and those after. */
typedef struct view {
    size_t outer, middle, inner;
} view;

static view view_at(dd_shape shape, int axis) {
    view v = {1, shape.size[axis], 1};
    for (int i = 0; i < axis; i++)
        v.outer *= shape.size[i];
    for (int i = axis + 1; i < DD_AXES; i++)
        v.inner *= shape.size[i];
    return v;
}

/* Sums are over neighbouring axes alone: [outer, middle, inner] to [outer, 1, inner] (dd_sum sees to that). */
static void run_sum(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    dd_shape from = dd_graph_shape(workspace->plan->graph, data->inputs[0]);
    const float *x = read_at(workspace, data->inputs[0]);
    const dd_kernels *kernels = workspace->plan->kernels;
    size_t outer = 1, middle = 1, inner = 1;
    for (int i = 0; i < DD_AXES; i++)
        if (from.size[i] != data->shape.size[i])
            middle *= from.size[i];
        else if (middle == 1)
            outer *= from.size[i];
        else
            inner *= from.size[i];
    if (inner == 1) {
        range mine = share(outer, part, parts);
        for (size_t i = mine.first; i < mine.last; i++)
            out[i] = (float)kernels->sum(x + i * middle, middle);
        return;
    }
    range mine = share(inner, part, parts);
    for (size_t i = 0; i < outer; i++)
        kernels->sum_columns(out + i * inner + mine.first, x + i * middle * inner + mine.first, middle, mine.last - mine.first,
                             inner);
}

static void run_slice(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    view small = view_at(data->shape, data->axis);
    view large = view_at(dd_graph_shape(workspace->plan->graph, data->inputs[0]), data->axis);
    const float *x = read_at(workspace, data->inputs[0]) + data->start * large.inner;
    range mine = share(small.outer, part, parts);
    size_t run = small.middle * small.inner;
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(out + i * run, x + i * large.middle * large.inner, run * sizeof *out);
}

static void run_pad(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    view large = view_at(data->shape, data->axis);
    view small = view_at(dd_graph_shape(workspace->plan->graph, data->inputs[0]), data->axis);
    const float *x = read_at(workspace, data->inputs[0]);
    range mine = share(large.outer, part, parts);
    size_t run = small.middle * small.inner, whole = large.middle * large.inner, before = data->start * large.inner;
    for (size_t i = mine.first; i < mine.last; i++) {
        memset(out + i * whole, 0, before * sizeof *out);
        memcpy(out + i * whole + before, x + i * run, run * sizeof *out);
        memset(out + i * whole + before + run, 0, (whole - before - run) * sizeof *out);
    }
}

static void run_concat(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    view a = view_at(dd_graph_shape(workspace->plan->graph, data->inputs[0]), data->axis);
    view b = view_at(dd_graph_shape(workspace->plan->graph, data->inputs[1]), data->axis);
    const float *x = read_at(workspace, data->inputs[0]), *y = read_at(workspace, data->inputs[1]);
    size_t first = a.middle * a.inner, second = b.middle * b.inner;
    range mine = share(a.outer, part, parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        memcpy(out + i * (first + second), x + i * first, first * sizeof *out);
        memcpy(out + i * (first + second) + first, y + i * second, second * sizeof *out);
    }
}

/* An index outside the table would be the library's own mistake; it is kept inside all the same. */
static size_t row_of(const float *index, size_t i, size_t rows) {
    float r = index[i];
    return r > 0 && r < (float)rows ? (size_t)r : 0;
}

static void run_take_rows(const dd_workspace *workspace, const dd_node_data *data, float *out, size_t part, size_t parts) {
    const float *table = read_at(workspace, data->inputs[0]), *index = read_at(workspace, data->inputs[1]);
    size_t rows = dd_graph_shape(workspace->plan->graph, data->inputs[0]).size[2], width = data->shape.size[3];
    range mine = share(data->shape.size[2], part, parts);
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(out + i * width, table + row_of(index, i, rows) * width, width * sizeof *out);
}

/* Sums in double, like all sums. */
static void run_add_rows(const dd_workspace *workspace, const dd_node_data *data, float *out) {
    enum { COLUMNS = 64 };
    const float *x = read_at(workspace, data->inputs[0]), *index = read_at(workspace, data->inputs[1]);
    size_t count = dd_graph_shape(workspace->plan->graph, data->inputs[0]).size[2], width = data->shape.size[3];
    size_t rows = data->shape.size[2];
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < width; column += COLUMNS) {
            size_t columns = width - column < COLUMNS ? width - column : COLUMNS;
            double wide[COLUMNS] = {0};
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < columns && row_of(index, i, rows) == row; j++)
                    wide[j] += (double)x[i * width + column + j];
            for (size_t j = 0; j < columns; j++)
                out[row * width + column + j] = (float)wide[j];
        }
    }
}

static void run_step(const dd_workspace *workspace, const dd_step_data *step, size_t part, size_t parts) {
    if (step->loop) {
        run_loop(workspace, step->loop, part, parts);
        return;
    }
    const dd_node_data *data = dd_graph_node(workspace->plan->graph, step->node);
    float *out = write_at(workspace, step->node);
    switch (data->op) {
    case DD_OP_SUM:
        run_sum(workspace, data, out, part, parts);
        break;
    case DD_OP_MATMUL:
        run_matmul(workspace, data, out, part, parts);
        break;
    case DD_OP_SLICE:
        run_slice(workspace, data, out, part, parts);
        break;
    case DD_OP_PAD:
        run_pad(workspace, data, out, part, parts);
        break;
    case DD_OP_CONCAT:
        run_concat(workspace, data, out, part, parts);
        break;
    case DD_OP_TAKE_ROWS:
        run_take_rows(workspace, data, out, part, parts);
        break;
    case DD_OP_ADD_ROWS:
        run_add_rows(workspace, data, out);
        break;
    default: /* sources and loops have no step of this kind */
        break;
    }
}

/* --- The whole. --- */

typedef struct phase_run {
    const dd_workspace *workspace;
    int phase;
} phase_run;

static void run_phase(void *argument, dd_team *team, int index) {
    const phase_run *run = argument;
    const dd_plan *plan = run->workspace->plan;
    size_t parts = (size_t)plan->options.parts, size = (size_t)dd_team_size(team);
    for (size_t i = 0; i < plan->step_count; i++) {
        const dd_step_data *step = &plan->steps[i];
        if (step->phase != run->phase)
            continue;
        if (step->barrier)
            dd_team_wait(team);
        if (!step->parallel && index == 0)
            run_step(run->workspace, step, 0, 1);
        for (size_t part = (size_t)index; step->parallel && part < parts; part += size)
            run_step(run->workspace, step, part, parts);
    }
}

void dd_workspace_run(dd_workspace *workspace, int phase, dd_pool *pool, bool alone) {
    phase_run run = {workspace, phase};
    dd_pool_run(pool, alone || workspace->plan->options.parts == 1, run_phase, &run);
}
