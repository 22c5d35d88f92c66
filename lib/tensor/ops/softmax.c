/* Softmax along the last axis. */
#include "tensor/ops/execution.h"

dd_node dd_softmax(dd_graph *graph, dd_node x) {
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_SOFTMAX, .inputs = {x}, .shape = dd_graph_shape(graph, x)});
}

/* y (g - sum(g y)) */
static void softmax_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                             dd_node *gradients) {
    dd_shape rows = dd_graph_shape(graph, self);
    rows.size[3] = 1;
    if (!wanted[0])
        return;
    dd_node total = dd_sum(graph, dd_multiply(graph, cotangent, self), rows);
    gradients[0] = dd_multiply(graph, self, dd_subtract(graph, cotangent, total));
}

static void run_softmax(const dd_call *call) {
    size_t width = call->data->shape.size[3];
    dd_range mine = dd_share(dd_shape_elements(call->data->shape) / width, call->part, call->parts);
    call->kernels->vector->softmax(call->out + mine.first * width, call->in[0] + mine.first * width,
                                   mine.last - mine.first, width);
}

const dd_op_info dd_op_softmax = {.name = "softmax",
                                  .arity = 1,
                                  .gradient = softmax_gradient,
                                  .execution = &(const dd_execution){.run = run_softmax}};
