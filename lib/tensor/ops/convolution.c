/* Convolutions: three operations, closed among themselves. Each is linear in both its inputs, and
 * the gradient of each is made of the other two. */
#include "base/checked.h"
#include "base/error.h"
#include "tensor/ops/execution.h"
#include "tensor/ops/window.h"

#include <limits.h>

static dd_node convolve(dd_graph *graph, dd_node x, dd_node weight, dd_window window) {
    dd_shape from = dd_graph_shape(graph, x), w = dd_graph_shape(graph, weight);
    if (x == DD_NONE || weight == DD_NONE)
        return DD_NONE;
    dd_shape shape = {{from.size[0], dd_window_places(from.size[1], w.size[1], window),
                       dd_window_places(from.size[2], w.size[2], window), w.size[0]}};
    if (from.size[3] != w.size[3] || shape.size[1] == 0 || shape.size[2] == 0)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a convolution that does not fit its image");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_CONVOLVE,
                                               .inputs = {x, weight},
                                               .shape = shape,
                                               .constants.window = window});
}

static dd_node convolve_input(dd_graph *graph, dd_node y, dd_node weight, dd_shape shape,
                              dd_window window) {
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_CONVOLVE_INPUT,
                                               .inputs = {y, weight},
                                               .shape = shape,
                                               .constants.window = window});
}

static dd_node convolve_weight(dd_graph *graph, dd_node x, dd_node y, dd_shape shape,
                               dd_window window) {
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_CONVOLVE_WEIGHT,
                                               .inputs = {x, y},
                                               .shape = shape,
                                               .constants.window = window});
}

dd_node dd_convolve(dd_graph *graph, dd_node x, dd_node weight, int stride, int before, int after) {
    return convolve(graph, x, weight,
                    (dd_window){1, (int16_t)stride, (int16_t)before, (int16_t)after});
}

static void convolve_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                              dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0], weight = data.inputs[1];
    if (wanted[0])
        gradients[0] = convolve_input(graph, cotangent, weight, dd_graph_shape(graph, x),
                                      data.constants.window);
    if (wanted[1])
        gradients[1] = convolve_weight(graph, x, cotangent, dd_graph_shape(graph, weight),
                                       data.constants.window);
}

static void convolve_input_gradient(dd_graph *graph, dd_node self, dd_node cotangent,
                                    const bool *wanted, dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node y = data.inputs[0], weight = data.inputs[1];
    if (wanted[0])
        gradients[0] = convolve(graph, cotangent, weight, data.constants.window);
    if (wanted[1])
        gradients[1] = convolve_weight(graph, cotangent, y, dd_graph_shape(graph, weight),
                                       data.constants.window);
}

static void convolve_weight_gradient(dd_graph *graph, dd_node self, dd_node cotangent,
                                     const bool *wanted, dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0], y = data.inputs[1];
    if (wanted[0])
        gradients[0] =
            convolve_input(graph, y, cotangent, dd_graph_shape(graph, x), data.constants.window);
    if (wanted[1])
        gradients[1] = convolve(graph, x, cotangent, data.constants.window);
}

/* --- Execution, by a backend (kernels/convolution.h). --- */

/* Reads off the sizes: which of x, y and the weights is the result depends on the operation. */
static dd_convolution_shape convolution_of(const dd_graph *graph, dd_node node) {
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

/* The matrices of a convolution: pixels of y, filters, and the taps of all channels. */
static ddaebm_status check_convolution(const dd_graph *graph, dd_node node) {
    dd_convolution_shape s = convolution_of(graph, node);
    size_t pixels = s.images, patch = s.down, all;
    bool fits = dd_size_mul(&pixels, pixels, s.rows) && dd_size_mul(&pixels, pixels, s.columns) &&
                pixels <= INT_MAX && dd_size_mul(&patch, patch, s.across) &&
                dd_size_mul(&patch, patch, s.channels) && patch <= INT_MAX &&
                dd_size_mul(&all, pixels, patch);
    if (!fits)
        return dd_fail(
            DDAEBM_OUT_OF_RANGE,
            "a convolution of %zu x %zu x %zu pixels with filters of %zu x %zu x %zu is too large",
            s.images, s.rows, s.columns, s.down, s.across, s.channels);
    return DDAEBM_OK;
}

static double multiply_adds(const dd_graph *graph, dd_node node) {
    dd_convolution_shape s = convolution_of(graph, node);
    return (double)(s.images * s.rows * s.columns) * (double)(s.filters * s.down) *
           (double)(s.across * s.channels);
}

/* Creates the convolution by its backend, and notes what it needs. */
static ddaebm_status choose_convolution(dd_method *out, const dd_method_request *request) {
    dd_op op = dd_graph_node(request->graph, request->node)->op;
    dd_convolution_kind kind = op == DD_OP_CONVOLVE         ? DD_CONVOLUTION_FORWARD
                               : op == DD_OP_CONVOLVE_INPUT ? DD_CONVOLUTION_INPUT
                                                            : DD_CONVOLUTION_WEIGHT;
    dd_convolution_shape shape = convolution_of(request->graph, request->node);
    shape.packed_once = request->prepare;
    const dd_convolution_backend *backend =
        request->convolutions ? request->convolutions : dd_convolution_choose();

    dd_convolution *convolution = NULL;
    ddaebm_status status = backend->create(&convolution, dd_graph_context(request->graph), kind,
                                           &shape, request->parts);
    if (status != DDAEBM_OK)
        return status;

    size_t results = dd_shape_elements(dd_graph_shape(request->graph, request->node));
    out->convolution = convolution;
    out->memory = convolution->memory;
    out->packed = convolution->packed;
    out->packs_in_parallel = request->parallel;
    out->sums = convolution->sums;
    out->sums_in_parallel = request->parallel;
    out->scratch = (convolution->sums ? dd_line_up(results) : 0) + convolution->scratch;
    return DDAEBM_OK;
}

void dd_method_free(dd_method *method) {
    if (method->convolution)
        method->convolution->backend->destroy(method->convolution);
    method->convolution = NULL;
}

static bool same_packing(const dd_method *a, const dd_method *b) {
    return a->convolution->backend == b->convolution->backend &&
           a->convolution->backend->same_packing(a->convolution, b->convolution);
}

/* Adds what the other parts left in their scratches to what the first wrote. */
static void add_up(const dd_call *call) {
    const float *scratches = call->scratch - call->part * call->scratch_stride;
    dd_range mine = dd_share(dd_shape_elements(call->data->shape), call->part, call->parts);
    for (size_t part = 1; part < call->parts; part++) {
        const float *from = scratches + part * call->scratch_stride;
        for (size_t i = mine.first; i < mine.last; i++)
            call->out[i] += from[i];
    }
}

/* Parts that are summed keep their sum at the beginning of their scratch, but for the first. */
static void run(const dd_call *call) {
    const dd_convolution *convolution = call->method->convolution;
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

static void run_convolve(const dd_call *call) {
    const dd_convolution *convolution = call->method->convolution;
    switch (call->stage) {
    case DD_TASK_PACK:
        convolution->backend->pack(convolution, call->part, call->in[1], call->packed);
        break;
    case DD_TASK_SUM:
        add_up(call);
        break;
    default:
        run(call);
        break;
    }
}

static const dd_execution execution = {.cutting = DD_CUT_BY_MULTIPLY_ADDS,
                                       .check = check_convolution,
                                       .multiply_adds = multiply_adds,
                                       .choose = choose_convolution,
                                       .same_packing = same_packing,
                                       .run = run_convolve};

const dd_op_info dd_op_convolve = {.name = "convolve",
                                   .arity = 2,
                                   .constants = DD_SIZE_OF(window),
                                   .gradient = convolve_gradient,
                                   .execution = &execution};

/* The gradient in x, of a cotangent and the weights. */
const dd_op_info dd_op_convolve_input = {.name = "convolve_input",
                                         .arity = 2,
                                         .constants = DD_SIZE_OF(window),
                                         .gradient = convolve_input_gradient,
                                         .execution = &execution};

/* The gradient in the weights, of x and a cotangent. */
const dd_op_info dd_op_convolve_weight = {.name = "convolve_weight",
                                          .arity = 2,
                                          .constants = DD_SIZE_OF(window),
                                          .gradient = convolve_weight_gradient,
                                          .execution = &execution};
