/* Turns a group of elementwise operations into one loop over tiles that stay in the first-level
 * cache. */
#include "tensor/plan/fuse.h"

#include "base/context.h"

#include <string.h>

typedef struct compiler {
    const dd_graph *graph;
    const dd_group *group;
    const dd_schedule *schedule;
    dd_loop *loop;
    dd_value value[DD_MOST_VALUES]; /* the loop's while it is made */
    dd_instruction instruction[DD_MOST_MEMBERS];
    int last_use[DD_MOST_VALUES]; /* last instruction that reads a value */
} compiler;

/* The value that stands for a node, or -1. */
static int find_value(const dd_loop *loop, dd_node node) {
    for (int v = 0; v < loop->values; v++)
        if (loop->value[v].node == node)
            return v;
    return -1;
}

/* Finds where a gathered value's rows lie, and over how many rows of the loop they go on alike:
 * over the last axes that are all broadcast, or all there. */
static void set_strides(dd_value *value, dd_shape loop, dd_shape input) {
    size_t stride = input.size[3];
    bool going_on = true;
    value->run = 1;

    for (int axis = DD_AXES - 2; axis >= 0; axis--) {
        value->row_stride[axis] = input.size[axis] == 1 ? 0 : stride;
        stride *= input.size[axis];
        if (loop.size[axis] == 1)
            continue;
        if (value->run == 1)
            value->run_stride = value->row_stride[axis];
        going_on = going_on && value->row_stride[axis] == value->run_stride * value->run;
        value->run *= going_on ? loop.size[axis] : 1;
    }
}

/* Finds how a tensor that the loop reads, but does not make, is broadcast to the loop's shape. */
static dd_value classify(dd_shape loop, dd_shape input, dd_node node) {
    dd_value value = {.node = node, .scratch = -1};
    if (dd_shape_equal(input, loop)) {
        value.kind = DD_VALUE_WHOLE;
    } else if (dd_shape_elements(input) == 1) {
        value.kind = DD_VALUE_SPLAT;
    } else {
        value.kind = DD_VALUE_GATHERED;
        value.one_a_row = input.size[3] != loop.size[3] || loop.size[3] == 1;
        set_strides(&value, loop, input);
    }
    return value;
}

/* Returns the value that stands for an input. */
static int read_value(compiler *c, dd_node node) {
    int v = find_value(c->loop, node);
    if (v < 0) {
        v = c->loop->values++;
        c->loop->value[v] = classify(c->loop->shape, dd_graph_shape(c->graph, node), node);
    }
    c->last_use[v] = c->loop->instructions;
    return v;
}

/* Appends the instruction that computes a node. */
static void emit(compiler *c, dd_node node) {
    const dd_node_data *data = dd_graph_node(c->graph, node);
    dd_instruction *instruction = &c->loop->instruction[c->loop->instructions];
    const dd_op_info *op = dd_op_describe(data->op);
    *instruction = (dd_instruction){.kernel = op->execution->kernel, .b = -1};
    if (op->execution->numbers)
        op->execution->numbers(data, &instruction->factor, &instruction->shift);

    instruction->a = read_value(c, data->inputs[0]);
    if (op->arity == 2)
        instruction->b = read_value(c, data->inputs[1]);
    instruction->out = c->loop->values++;
    c->loop->value[instruction->out] =
        (dd_value){.kind = c->schedule->materialized[node] ? DD_VALUE_WHOLE : DD_VALUE_SCRATCH,
                   .node = node,
                   .scratch = -1};
    c->last_use[instruction->out] = c->loop->instructions;
    c->loop->instructions++;
}

/* Sets rows and width of the iteration: one long row where nothing is gathered. */
static void set_extent(dd_loop *loop) {
    bool flat = true;
    for (int v = 0; v < loop->values; v++)
        flat = flat && loop->value[v].kind != DD_VALUE_GATHERED;
    loop->width = flat ? dd_shape_elements(loop->shape) : loop->shape.size[3];
    loop->rows = dd_shape_elements(loop->shape) / loop->width;
    loop->rows_per_tile = loop->width >= DD_TILE ? 1 : DD_TILE / loop->width;
}

/* Assigns tiles to what is not read or written in place. Those of intermediate values are used
 * again after their last use. */
static void assign_scratch(compiler *c) {
    dd_loop *loop = c->loop;
    bool spare[DD_MOST_VALUES] = {false};
    for (int v = 0; v < loop->values; v++) {
        dd_value *value = &loop->value[v];
        bool in_place =
            value->kind == DD_VALUE_GATHERED && loop->rows_per_tile == 1 && !value->one_a_row;
        if (value->kind == DD_VALUE_SPLAT || (value->kind == DD_VALUE_GATHERED && !in_place))
            value->scratch = loop->scratch++;
    }

    for (int i = 0; i < loop->instructions; i++) {
        dd_value *out = &loop->value[loop->instruction[i].out];
        if (out->kind == DD_VALUE_SCRATCH) {
            int tile = 0;
            while (tile < loop->scratch && !spare[tile])
                tile++;
            if (tile == loop->scratch)
                loop->scratch++;
            spare[tile] = false;
            out->scratch = tile;
        }

        for (int v = 0; v < loop->values; v++)
            if (loop->value[v].kind == DD_VALUE_SCRATCH && loop->value[v].scratch >= 0 &&
                c->last_use[v] == i)
                spare[loop->value[v].scratch] = true;
    }
}

/* Copies a loop without spare room: a training step on images has thousands. */
static dd_loop *copy_loop(ddaebm_context *context, const dd_loop *loop) {
    dd_loop *copy = dd_alloc(context, dd_loop_memory(loop));
    if (!copy)
        return NULL;
    *copy = *loop;
    copy->value = (dd_value *)(copy + 1);
    copy->instruction = (dd_instruction *)(copy->value + copy->values);

    memcpy(copy->value, loop->value, (size_t)copy->values * sizeof *copy->value);
    memcpy(copy->instruction, loop->instruction,
           (size_t)copy->instructions * sizeof *copy->instruction);
    return copy;
}

ddaebm_status dd_loop_compile(dd_loop **out, const dd_graph *graph, const dd_group *group,
                              const dd_schedule *schedule) {
    compiler c = {.graph = graph, .group = group, .schedule = schedule};
    dd_loop loop = {.shape = dd_graph_shape(graph, group->members[0]),
                    .value = c.value,
                    .instruction = c.instruction};
    c.loop = &loop;

    for (size_t m = 0; m < group->count; m++)
        emit(&c, group->members[m]);
    set_extent(&loop);
    assign_scratch(&c);
    *out = copy_loop(dd_graph_context(graph), &loop);
    return *out ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}
