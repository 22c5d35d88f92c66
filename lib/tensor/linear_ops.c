/* Builders and gradient rules of the operations that are linear in each input: sums, products,
 * moves. */
#include "tensor/graph.h"
#include "tensor/ops.h"

/* --- Sums. --- */

/* Kernels sum over neighbouring axes: where axes that stay stand between, the last run of axes is
 * summed first. */
dd_node dd_sum(dd_graph *graph, dd_node x, dd_shape shape) {
    dd_shape from = dd_graph_shape(graph, x);
    if (x == DD_NONE || dd_shape_equal(from, shape))
        return x;
    bool summing = false, kept = false;
    dd_shape between = from;
    for (int i = DD_AXES - 1; i >= 0; i--) {
        if (from.size[i] == shape.size[i]) {
            kept = kept || (summing && from.size[i] != 1);
            continue;
        }
        if (shape.size[i] != 1)
            return dd_graph_fail(graph, DDAEBM_INTERNAL, "a shape that cannot be summed to");
        if (kept)
            return dd_sum(graph, dd_sum(graph, x, between), shape);
        summing = true;
        between.size[i] = 1;
    }
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_SUM, .inputs = {x}, .shape = shape});
}

dd_node dd_mean(dd_graph *graph, dd_node x, dd_shape shape) {
    if (x == DD_NONE)
        return DD_NONE;
    double ratio =
        (double)dd_shape_elements(shape) / (double)dd_shape_elements(dd_graph_shape(graph, x));
    return dd_affine(graph, dd_sum(graph, x, shape), ratio, 0);
}

void dd_rule_sum(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                 dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_expand(graph, cotangent,
                                 dd_graph_shape(graph, dd_graph_node(graph, self)->inputs[0]));
}

/* --- Matrix products. --- */

dd_node dd_matmul(dd_graph *graph, dd_node a, bool transpose_a, dd_node b, bool transpose_b) {
    dd_shape x = dd_graph_shape(graph, a), y = dd_graph_shape(graph, b);
    size_t inner_a = x.size[transpose_a ? 2 : 3], inner_b = y.size[transpose_b ? 3 : 2];
    if (a == DD_NONE || b == DD_NONE)
        return DD_NONE;
    if (x.size[0] != y.size[0] || x.size[1] != y.size[1] || inner_a != inner_b)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "matrices that cannot be multiplied");
    dd_shape shape = {
        {x.size[0], x.size[1], x.size[transpose_a ? 3 : 2], y.size[transpose_b ? 2 : 3]}};
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_MATMUL,
                                               .inputs = {a, b},
                                               .shape = shape,
                                               .constants.matmul = {transpose_a, transpose_b}});
}

/* C = op(A) op(B), G its cotangent: op(A)' = G op(B)^T and op(B)' = op(A)^T G, turned where op
 * transposes. */
void dd_rule_matmul(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                    dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node a = data.inputs[0], b = data.inputs[1];
    bool ta = data.constants.matmul.transpose_a, tb = data.constants.matmul.transpose_b;
    if (wanted[0])
        gradients[0] = ta ? dd_matmul(graph, b, tb, cotangent, true)
                          : dd_matmul(graph, cotangent, false, b, !tb);
    if (wanted[1])
        gradients[1] = tb ? dd_matmul(graph, cotangent, true, a, ta)
                          : dd_matmul(graph, a, !ta, cotangent, false);
}

dd_node dd_linear_map(dd_graph *graph, dd_node x, dd_node w, dd_node b) {
    dd_shape rows = dd_graph_shape(graph, x), weight = dd_graph_shape(graph, w),
             bias = dd_graph_shape(graph, b);
    if (x == DD_NONE || w == DD_NONE || b == DD_NONE)
        return DD_NONE;
    if (rows.size[3] != weight.size[3] || !dd_shape_equal(bias, dd_shape_rows(1, weight.size[2])))
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a linear map that does not fit its rows");
    dd_shape shape = dd_shape_rows(rows.size[2], weight.size[2]);
    return dd_graph_make(graph,
                         (dd_node_data){.op = DD_OP_LINEAR, .inputs = {x, w, b}, .shape = shape});
}

void dd_rule_linear(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                    dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_matmul(graph, cotangent, false, data.inputs[1], false);
    if (wanted[1])
        gradients[1] = dd_matmul(graph, cotangent, true, data.inputs[0], false);
    if (wanted[2])
        gradients[2] = dd_sum(graph, cotangent, dd_graph_shape(graph, data.inputs[2]));
}

/* --- Moves. --- */

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
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a concatenation of unlike tensors");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_CONCAT,
                                               .inputs = {a, b},
                                               .shape = shape,
                                               .constants.concat = (size_t)axis});
}

dd_node dd_take_rows(dd_graph *graph, dd_node table, dd_node index) {
    if (table == DD_NONE || index == DD_NONE)
        return DD_NONE;
    dd_shape shape =
        dd_shape_rows(dd_graph_shape(graph, index).size[2], dd_graph_shape(graph, table).size[3]);
    return dd_graph_make(
        graph, (dd_node_data){.op = DD_OP_TAKE_ROWS, .inputs = {table, index}, .shape = shape});
}

dd_node dd_add_rows(dd_graph *graph, dd_node x, dd_node index, size_t rows) {
    if (x == DD_NONE || index == DD_NONE)
        return DD_NONE;
    if (dd_graph_shape(graph, x).size[2] != dd_graph_shape(graph, index).size[2])
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "as many rows as indices are needed");
    dd_shape shape = dd_shape_rows(rows, dd_graph_shape(graph, x).size[3]);
    return dd_graph_make(
        graph, (dd_node_data){.op = DD_OP_ADD_ROWS, .inputs = {x, index}, .shape = shape});
}

dd_node dd_permute(dd_graph *graph, dd_node x, const int order[DD_AXES]) {
    dd_shape from = dd_graph_shape(graph, x), shape = {{0}};
    dd_constants constants = {0};
    for (int i = 0; i < DD_AXES; i++) {
        shape.size[i] = from.size[order[i]];
        constants.permute[i] = order[i];
    }
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_PERMUTE, .inputs = {x}, .shape = shape, .constants = constants});
}

void dd_rule_permute(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                     dd_node *gradients) {
    int back[DD_AXES];
    for (int i = 0; i < DD_AXES; i++)
        back[dd_graph_node(graph, self)->constants.permute[i]] = i;
    if (wanted[0])
        gradients[0] = dd_permute(graph, cotangent, back);
}

void dd_rule_reshape(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                     dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_reshape(graph, cotangent,
                                  dd_graph_shape(graph, dd_graph_node(graph, self)->inputs[0]));
}

void dd_rule_slice(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                   dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] =
            dd_pad(graph, cotangent, (int)data.constants.slice.axis, data.constants.slice.start,
                   dd_graph_shape(graph, data.inputs[0]).size[data.constants.slice.axis]);
}

void dd_rule_pad(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                 dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] =
            dd_slice(graph, cotangent, (int)data.constants.pad.axis, data.constants.pad.start,
                     dd_graph_shape(graph, data.inputs[0]).size[data.constants.pad.axis]);
}

void dd_rule_concat(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                    dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    size_t axis = data.constants.concat, first = dd_graph_shape(graph, data.inputs[0]).size[axis],
           second = data.shape.size[axis] - first;
    if (wanted[0])
        gradients[0] = dd_slice(graph, cotangent, (int)axis, 0, first);
    if (wanted[1])
        gradients[1] = dd_slice(graph, cotangent, (int)axis, first, second);
}

void dd_rule_take_rows(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                       dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_add_rows(graph, cotangent, data.inputs[1],
                                   dd_graph_shape(graph, data.inputs[0]).size[2]);
}

void dd_rule_add_rows(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                      dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_take_rows(graph, cotangent, data.inputs[1]);
}
