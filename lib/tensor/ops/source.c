/* Sources and results: what comes into a graph and what leaves it. */
#include "tensor/ops/execution.h"

dd_node dd_input(dd_graph *graph, dd_slot slot, dd_shape shape, int phase) {
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_INPUT, .shape = shape, .constants.slot = slot, .phase = phase});
}

dd_node dd_constant(dd_graph *graph, const float *values, dd_shape shape) {
    int32_t index = dd_graph_keep(graph, values, shape);
    return dd_graph_make(
        graph, (dd_node_data){.op = DD_OP_CONSTANT, .shape = shape, .constants.constant = index});
}

dd_node dd_scalar(dd_graph *graph, double value) {
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_SCALAR, .shape = {{1, 1, 1, 1}}, .constants.scalar = value});
}

void dd_output(dd_graph *graph, dd_node node, dd_slot slot, int phase) {
    (void)dd_graph_make(graph, (dd_node_data){.op = DD_OP_OUTPUT,
                                              .inputs = {node},
                                              .shape = dd_graph_shape(graph, node),
                                              .constants.slot = slot,
                                              .phase = phase});
}

const dd_op_info dd_op_input = {.name = "input", .constants = DD_SIZE_OF(slot)};
const dd_op_info dd_op_constant = {.name = "constant", .constants = DD_SIZE_OF(constant)};
const dd_op_info dd_op_scalar = {.name = "scalar", .constants = DD_SIZE_OF(scalar)};

/* A copy, unless the input can be computed where the output is wanted (plan/schedule.c). */
const dd_op_info dd_op_output = {
    .name = "output",
    .arity = 1,
    .constants = DD_SIZE_OF(slot),
    .elementwise = true,
    .execution = &(const dd_execution){.kernel = DD_ELEMENTWISE_COPY},
};
