/* Permutations of axes. */
#include "tensor/ops/execution.h"

#include <string.h>

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

static void permute_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                             dd_node *gradients) {
    int back[DD_AXES];
    for (int i = 0; i < DD_AXES; i++)
        back[dd_graph_node(graph, self)->constants.permute[i]] = i;
    if (wanted[0])
        gradients[0] = dd_permute(graph, cotangent, back);
}

/* --- Execution. --- */

/* The result's axes, slowest first, where axes that stay neighbours are one: sizes, and strides in
 * the result and in x. */
typedef struct moves {
    int axes;
    size_t size[DD_AXES], out_stride[DD_AXES], in_stride[DD_AXES];
} moves;

/* Joins axes that stay neighbours. */
static moves moves_of(const dd_call *call) {
    moves m = {.axes = 0};
    size_t in_stride[DD_AXES], stride = 1;
    for (int i = DD_AXES - 1; i >= 0; i--) {
        in_stride[i] = stride;
        stride *= call->in_shape[0].size[i];
    }

    for (int i = 0; i < DD_AXES; i++) {
        size_t size = call->data->shape.size[i],
               distance = in_stride[call->data->constants.permute[i]];
        if (size == 1)
            continue;
        bool joins = m.axes > 0 && m.in_stride[m.axes - 1] == distance * size;
        if (!joins)
            m.size[m.axes++] = 1;
        m.size[m.axes - 1] *= size;
        m.in_stride[m.axes - 1] = distance;
    }

    if (m.axes == 0)
        m = (moves){.axes = 1, .size = {1}, .in_stride = {1}};

    stride = 1;
    for (int i = m.axes - 1; i >= 0; i--) {
        m.out_stride[i] = stride;
        stride *= m.size[i];
    }
    return m;
}

/* out[i, j] = x[j, i], by blocks, so that both sides stay within a few cache lines; rows of out are
 * `to` floats apart, rows of x `from`. */
static void transpose(float *restrict out, const float *restrict x, size_t rows, size_t columns,
                      size_t to, size_t from) {
    enum { BLOCK_SIDE = 16 };
    for (size_t top = 0; top < rows; top += BLOCK_SIDE)
        for (size_t left = 0; left < columns; left += BLOCK_SIDE) {
            size_t bottom = top + BLOCK_SIDE < rows ? top + BLOCK_SIDE : rows,
                   right = left + BLOCK_SIDE < columns ? left + BLOCK_SIDE : columns;
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++)
                    out[i * to + j] = x[j * from + i];
        }
}

/* Moves axis `axis` and those after it. The last axis is copied whole where x has it last too;
 * otherwise it is transposed with `fast`, the axis that x has last. */
static void move(float *out, const float *x, const moves *m, int axis, int fast) {
    int last = m->axes - 1;
    if (axis == fast && fast != last)
        axis++;
    if (axis < last) {
        for (size_t i = 0; i < m->size[axis]; i++)
            move(out + i * m->out_stride[axis], x + i * m->in_stride[axis], m, axis + 1, fast);
        return;
    }
    if (fast == last)
        memcpy(out, x, m->size[last] * sizeof *out);
    else
        transpose(out, x, m->size[fast], m->size[last], m->out_stride[fast], m->in_stride[last]);
}

/* Parts are cut along the result's slowest axis. */
static void run_permute(const dd_call *call) {
    moves m = moves_of(call);
    dd_range mine = dd_share(m.size[0], call->part, call->parts);
    int fast = m.axes - 1;
    while (m.in_stride[fast] != 1)
        fast--;
    m.size[0] = mine.last - mine.first;
    if (m.size[0] > 0)
        move(call->out + mine.first * m.out_stride[0], call->in[0] + mine.first * m.in_stride[0],
             &m, 0, fast);
}

const dd_op_info dd_op_permute = {.name = "permute",
                                  .arity = 1,
                                  .constants = DD_SIZE_OF(permute),
                                  .gradient = permute_gradient,
                                  .reorders = true,
                                  .execution = &(const dd_execution){.run = run_permute}};
