/* Prepares and runs convolutions and their gradients. */
#include "tensor/plan_internal.h"

dd_convolution_shape dd_convolution_of(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    dd_shape x = data->shape, y = data->shape, weights = data->shape;
    if (data->op != DD_OP_CONVOLVE_INPUT)
        x = dd_graph_shape(graph, data->inputs[0]);
    if (data->op != DD_OP_CONVOLVE)
        y = dd_graph_shape(graph, data->inputs[data->op == DD_OP_CONVOLVE_INPUT ? 0 : 1]);
    if (data->op != DD_OP_CONVOLVE_WEIGHT)
        weights = dd_graph_shape(graph, data->inputs[1]);
    return (dd_convolution_shape){.images = x.size[0],
                                  .height = x.size[1],
                                  .width = x.size[2],
                                  .channels = x.size[3],
                                  .rows = y.size[1],
                                  .columns = y.size[2],
                                  .filters = y.size[3],
                                  .down = weights.size[1],
                                  .across = weights.size[2],
                                  .stride = data->constants.window.stride,
                                  .before = data->constants.window.before};
}

ddaebm_status dd_convolution_prepare(dd_convolution **out, const dd_plan *plan, dd_node node,
                                     size_t parts) {
    dd_op op = dd_graph_node(plan->graph, node)->op;
    dd_convolution_kind kind = op == DD_OP_CONVOLVE         ? DD_CONVOLUTION_FORWARD
                               : op == DD_OP_CONVOLVE_INPUT ? DD_CONVOLUTION_INPUT
                                                            : DD_CONVOLUTION_WEIGHT;
    dd_convolution_shape shape = dd_convolution_of(plan->graph, node);
    shape.packed_once = plan->options.prepare;
    const dd_convolution_backend *backend =
        plan->options.convolutions ? plan->options.convolutions : dd_convolution_choose();
    return backend->create(out, plan->context, kind, &shape, parts);
}

/* Adds what the other parts left in their scratches to what the first wrote. */
static void add_up(const dd_call *call) {
    const float *scratches = call->scratch - call->part * call->plan->scratch;
    dd_range mine = dd_share(dd_shape_elements(call->data->shape), call->part, call->parts);
    for (size_t part = 1; part < call->parts; part++) {
        const float *from = scratches + part * call->plan->scratch;
        for (size_t i = mine.first; i < mine.last; i++)
            call->out[i] += from[i];
    }
}

/* Parts that are summed keep their sum at the beginning of their scratch, but for the first. */
static void run(const dd_call *call) {
    const dd_convolution *convolution = call->step->convolution;
    dd_convolution_call work = {.part = call->part,
                                .a = call->in[0],
                                .b = convolution->packed ? call->packed : call->in[1],
                                .out = call->out,
                                .scratch = call->scratch};
    if (convolution->sums) {
        work.scratch += dd_line_up(dd_shape_elements(call->data->shape));
        if (call->part > 0)
            work.out = call->scratch;
    }
    convolution->backend->run(convolution, &work);
}

void dd_run_convolve(const dd_call *call) {
    const dd_convolution *convolution = call->step->convolution;
    switch (call->step->stage) {
    case DD_STEP_PACK:
        convolution->backend->pack(convolution, call->part, call->in[1], call->packed);
        break;
    case DD_STEP_SUM:
        add_up(call);
        break;
    default:
        run(call);
        break;
    }
}
