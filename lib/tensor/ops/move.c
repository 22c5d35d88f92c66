/* Moves: parts of tensors, tensors put together, and other names for a tensor. */
#include "tensor/ops/execution.h"

#include <string.h>

dd_node dd_reshape(dd_graph *graph, dd_node x, dd_shape shape) {
    if (x == DD_NONE || dd_shape_equal(dd_graph_shape(graph, x), shape))
        return x;
    if (dd_shape_elements(dd_graph_shape(graph, x)) != dd_shape_elements(shape))
        return dd_graph_fail(graph, DDAEBM_INTERNAL,
                             "a reshape that changes the number of elements");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_RESHAPE, .inputs = {x}, .shape = shape});
}

dd_node dd_detach(dd_graph *graph, dd_node x) {
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_DETACH, .inputs = {x}, .shape = dd_graph_shape(graph, x)});
}

dd_node dd_slice(dd_graph *graph, dd_node x, int axis, size_t start, size_t length) {
    dd_shape shape = dd_graph_shape(graph, x);
    if (x == DD_NONE || (start == 0 && length == shape.size[axis]))
        return x;
    if (length == 0 || start > shape.size[axis] || length > shape.size[axis] - start)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a slice outside its tensor");
    shape.size[axis] = length;
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_SLICE,
                                               .inputs = {x},
                                               .shape = shape,
                                               .constants.slice = {(size_t)axis, start}});
}

dd_node dd_pad(dd_graph *graph, dd_node x, int axis, size_t before, size_t length) {
    dd_shape shape = dd_graph_shape(graph, x);
    if (x == DD_NONE || shape.size[axis] == length)
        return x;
    if (before > length || shape.size[axis] > length - before)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a padding smaller than its tensor");
    shape.size[axis] = length;
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_PAD,
                                               .inputs = {x},
                                               .shape = shape,
                                               .constants.pad = {(size_t)axis, before}});
}

dd_node dd_concat(dd_graph *graph, dd_node a, dd_node b, int axis) {
    if (a == DD_NONE || b == DD_NONE)
        return DD_NONE;
    dd_shape x = dd_graph_shape(graph, a), y = dd_graph_shape(graph, b), shape = x;
    shape.size[axis] += y.size[axis];
    y.size[axis] = x.size[axis];
    if (!dd_shape_equal(x, y))
        return dd_graph_fail(graph, DDAEBM_INTERNAL,
                             "a concatenation of tensors whose other axes differ");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_CONCAT,
                                               .inputs = {a, b},
                                               .shape = shape,
                                               .constants.concat = (size_t)axis});
}

/* --- Gradient rules. --- */

static void reshape_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                             dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_reshape(graph, cotangent,
                                  dd_graph_shape(graph, dd_graph_node(graph, self)->inputs[0]));
}

static void slice_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                           dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] =
            dd_pad(graph, cotangent, (int)data.constants.slice.axis, data.constants.slice.start,
                   dd_graph_shape(graph, data.inputs[0]).size[data.constants.slice.axis]);
}

static void pad_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                         dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] =
            dd_slice(graph, cotangent, (int)data.constants.pad.axis, data.constants.pad.start,
                     dd_graph_shape(graph, data.inputs[0]).size[data.constants.pad.axis]);
}

static void concat_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    size_t axis = data.constants.concat, first = dd_graph_shape(graph, data.inputs[0]).size[axis],
           second = data.shape.size[axis] - first;
    if (wanted[0])
        gradients[0] = dd_slice(graph, cotangent, (int)axis, 0, first);
    if (wanted[1])
        gradients[1] = dd_slice(graph, cotangent, (int)axis, first, second);
}

/* --- Execution. --- */

/* A tensor seen as [outer, middle, inner]: the axes before `axis`, it, and those after. */
typedef struct view {
    size_t outer, middle, inner;
} view;

static view view_at(dd_shape shape, size_t axis) {
    view v = {1, shape.size[axis], 1};
    for (size_t i = 0; i < axis; i++)
        v.outer *= shape.size[i];
    for (size_t i = axis + 1; i < DD_AXES; i++)
        v.inner *= shape.size[i];
    return v;
}

static void run_slice(const dd_call *call) {
    view small = view_at(call->out_shape, call->data->constants.slice.axis);
    view large = view_at(call->in_shape[0], call->data->constants.slice.axis);
    const float *x = call->in[0] + call->data->constants.slice.start * large.inner;
    dd_range mine = dd_share(small.outer, call->part, call->parts);
    size_t run = small.middle * small.inner;
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(call->out + i * run, x + i * large.middle * large.inner, run * sizeof *call->out);
}

static void run_pad(const dd_call *call) {
    view large = view_at(call->out_shape, call->data->constants.pad.axis);
    view small = view_at(call->in_shape[0], call->data->constants.pad.axis);
    const float *x = call->in[0];
    dd_range mine = dd_share(large.outer, call->part, call->parts);
    size_t run = small.middle * small.inner, whole = large.middle * large.inner,
           before = call->data->constants.pad.start * large.inner;
    for (size_t i = mine.first; i < mine.last; i++) {
        memset(call->out + i * whole, 0, before * sizeof *call->out);
        memcpy(call->out + i * whole + before, x + i * run, run * sizeof *call->out);
        memset(call->out + i * whole + before + run, 0, (whole - before - run) * sizeof *call->out);
    }
}

static void run_concat(const dd_call *call) {
    view a = view_at(call->in_shape[0], call->data->constants.concat);
    view b = view_at(call->in_shape[1], call->data->constants.concat);
    const float *x = call->in[0], *y = call->in[1];
    size_t first = a.middle * a.inner, second = b.middle * b.inner;
    dd_range mine = dd_share(a.outer, call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        memcpy(call->out + i * (first + second), x + i * first, first * sizeof *call->out);
        memcpy(call->out + i * (first + second) + first, y + i * second,
               second * sizeof *call->out);
    }
}

static bool slice_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node_data *data = dd_graph_node(question->graph, node);
    return dd_has_rows(question, data->inputs[0]) && data->constants.slice.axis == DD_AXES - 1;
}

static bool pad_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node_data *data = dd_graph_node(question->graph, node);
    return dd_has_rows(question, data->inputs[0]) && data->constants.pad.axis == DD_AXES - 1;
}

static bool concat_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node_data *data = dd_graph_node(question->graph, node);
    return dd_has_rows(question, data->inputs[0]) && dd_has_rows(question, data->inputs[1]) &&
           data->constants.concat == DD_AXES - 1;
}

const dd_op_info dd_op_reshape = {
    .name = "reshape", .arity = 1, .gradient = reshape_gradient, .renames = true, .cheap = true};

const dd_op_info dd_op_detach = {.name = "detach", .arity = 1, .renames = true};

const dd_op_info dd_op_slice = {
    .name = "slice",
    .arity = 1,
    .constants = DD_SIZE_OF(slice),
    .gradient = slice_gradient,
    .execution = &(const dd_execution){.is_by_row = slice_is_by_row, .run = run_slice}};

const dd_op_info dd_op_pad = {
    .name = "pad",
    .arity = 1,
    .constants = DD_SIZE_OF(pad),
    .gradient = pad_gradient,
    .execution = &(const dd_execution){.is_by_row = pad_is_by_row, .run = run_pad}};

const dd_op_info dd_op_concat = {
    .name = "concat",
    .arity = 2,
    .constants = DD_SIZE_OF(concat),
    .gradient = concat_gradient,
    .cheap = true,
    .execution = &(const dd_execution){.is_by_row = concat_is_by_row, .run = run_concat}};
