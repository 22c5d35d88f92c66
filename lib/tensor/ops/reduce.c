/* Sums over axes, and means. */
#include "tensor/ops/execution.h"

#include <string.h>

/* Kernels sum over neighbouring axes. If axes that stay stand between those to be summed, the last
 * run of axes is summed first. */

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

static void sum_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                         dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_expand(graph, cotangent,
                                 dd_graph_shape(graph, dd_graph_node(graph, self)->inputs[0]));
}

/* --- Execution. --- */

typedef struct sum_view {
    size_t outer, middle, inner;
} sum_view;

/* A tensor as [outer, middle, inner], of which the middle is summed: dd_sum sees to it that only
 * neighbouring axes are. */
static sum_view summed_view(dd_shape from, dd_shape to) {
    sum_view v = {1, 1, 1};
    for (int i = 0; i < DD_AXES; i++)
        if (from.size[i] != to.size[i])
            v.middle *= from.size[i];
        else if (v.middle == 1)
            v.outer *= from.size[i];
        else
            v.inner *= from.size[i];
    return v;
}

/* Whether there are too few results to share out, so that parts sum shares of the terms instead. */
static bool splits(sum_view v, size_t parts) {
    enum { LEAST_COLUMNS = 64 }; /* from so many a part on, columns are shared out */
    return parts > 1 && v.outer < parts && v.inner < LEAST_COLUMNS * parts;
}

static sum_view view_of(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    return summed_view(dd_graph_shape(graph, data->inputs[0]), data->shape);
}

static ddaebm_status choose_sum(dd_method *out, const dd_method_request *request) {
    if (!splits(view_of(request->graph, request->node), request->parts))
        return DDAEBM_OK;
    size_t results = dd_shape_elements(dd_graph_shape(request->graph, request->node));
    out->sums = true;
    out->scratch = results * sizeof(double) / sizeof(float);
    return DDAEBM_OK;
}

/* Sums this part's terms of each sum, in double, in its scratch. */
static void run_split_sum(const dd_call *call, sum_view v) {
    const dd_kernels *kernels = call->kernels->vector;
    double *totals = (double *)call->scratch;
    dd_range mine = dd_share(v.middle, call->part, call->parts);
    memset(totals, 0, v.outer * v.inner * sizeof *totals);
    for (size_t i = 0; i < v.outer; i++) {
        const float *x = call->in[0] + (i * v.middle + mine.first) * v.inner;
        if (v.inner == 1)
            totals[i] = kernels->sum(x, mine.last - mine.first);
        else
            kernels->add_columns(totals + i * v.inner, x, mine.last - mine.first, v.inner, v.inner);
    }
}

static void finish_sum(const dd_call *call) {
    for (size_t i = 0; i < dd_shape_elements(call->data->shape); i++) {
        double total = 0;
        for (size_t part = 0; part < call->method->parts; part++)
            total += ((const double *)(call->scratch + part * call->scratch_stride))[i];
        call->out[i] = (float)total;
    }
}

/* Runs a part: some results whole, or where there are too few of them some terms of each. */
static void run_sum(const dd_call *call) {
    const float *x = call->in[0];
    const dd_kernels *kernels = call->kernels->vector;
    sum_view v = summed_view(call->in_shape[0], call->out_shape);

    if (call->stage == DD_TASK_SUM) {
        finish_sum(call);
        return;
    }
    if (call->method->sums) {
        run_split_sum(call, v);
        return;
    }

    if (v.inner == 1) {
        dd_range mine = dd_share(v.outer, call->part, call->parts);
        for (size_t i = mine.first; i < mine.last; i++)
            call->out[i] = (float)kernels->sum(x + i * v.middle, v.middle);
        return;
    }

    bool within = v.outer < call->parts; /* within each block of rows, parts are cut by columns */
    dd_range blocks = within ? (dd_range){0, v.outer} : dd_share(v.outer, call->part, call->parts);
    dd_range columns = within ? dd_share(v.inner, call->part, call->parts) : (dd_range){0, v.inner};
    for (size_t i = blocks.first; i < blocks.last; i++)
        kernels->sum_columns(call->out + i * v.inner + columns.first,
                             x + i * v.middle * v.inner + columns.first, v.middle,
                             columns.last - columns.first, v.inner);
}

static bool sum_is_by_row(const dd_row_question *question, dd_node node) {
    return dd_has_rows(question, dd_graph_node(question->graph, node)->inputs[0]);
}

static const dd_execution execution = {
    .cutting = DD_CUT_BY_INPUT, .is_by_row = sum_is_by_row, .choose = choose_sum, .run = run_sum};

const dd_op_info dd_op_sum = {
    .name = "sum", .arity = 1, .gradient = sum_gradient, .execution = &execution};
