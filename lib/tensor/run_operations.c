/* Runs single operations: the short ones, and who runs the others. */
#include "tensor/kernels/matmul.h"
#include "tensor/plan_internal.h"

#include <string.h>

/* Products over the last two axes: cut between them where there are enough, else within each. */
static void run_products(const dd_call *call, dd_matmul_call product) {
    size_t batch = call->shape[0].size[0] * call->shape[0].size[1];
    bool within = batch < call->parts;
    dd_range mine = within ? (dd_range){0, batch} : dd_share(batch, call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        product.a = call->in[0] + i * call->shape[0].size[2] * call->shape[0].size[3];
        product.b = call->in[1] + i * call->shape[1].size[2] * call->shape[1].size[3];
        product.c = call->out + i * product.m * product.n;
        dd_matmul_run_part(&product, within ? call->part : 0, within ? call->parts : 1);
    }
}

dd_matmul_call dd_product_of(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    dd_shape a = dd_graph_shape(graph, data->inputs[0]), b = dd_graph_shape(graph, data->inputs[1]),
             c = data->shape;
    bool linear = data->op == DD_OP_LINEAR,
         transpose_a = !linear && data->constants.matmul.transpose_a,
         transpose_b = linear || data->constants.matmul.transpose_b;
    return (dd_matmul_call){.m = c.size[2],
                            .n = c.size[3],
                            .k = a.size[transpose_a ? 2 : 3],
                            .transpose_a = transpose_a,
                            .transpose_b = transpose_b,
                            .a_stride = a.size[3],
                            .b_stride = b.size[3],
                            .c_stride = c.size[3]};
}

/* By the library's own kernel (plan.c decides), or by CBLAS. */
static void run_matmul(const dd_call *call) {
    dd_matmul_call product = dd_product_of(call->plan->graph, call->step->node);
    product.m = call->made.size[2];
    product.a = call->in[0];
    product.b = call->in[1];
    product.start = call->data->op == DD_OP_LINEAR ? call->in[2] : NULL;
    product.c = call->out;
    if (call->step->stage == DD_STEP_PACK)
        dd_tile_matmul_pack(&product, call->packed, call->part, call->parts);
    else if (call->step->tiles)
        dd_tile_matmul_run_part(call->plan->tiles, &product, call->packed, call->part, call->parts);
    else
        run_products(call, product);
}

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

/* Sums are over neighbouring axes alone: [outer, middle, inner] to [outer, 1, inner] (dd_sum sees
 * to that). */
static view summed_view(dd_shape from, dd_shape to) {
    view v = {1, 1, 1};
    for (int i = 0; i < DD_AXES; i++)
        if (from.size[i] != to.size[i])
            v.middle *= from.size[i];
        else if (v.middle == 1)
            v.outer *= from.size[i];
        else
            v.inner *= from.size[i];
    return v;
}

static bool splits(view v, size_t parts) {
    enum { LEAST_COLUMNS = 64 }; /* from so many a part on, columns are shared out */
    return parts > 1 && v.outer < parts && v.inner < LEAST_COLUMNS * parts;
}

bool dd_sum_splits(const dd_graph *graph, dd_node node, size_t parts) {
    const dd_node_data *data = dd_graph_node(graph, node);
    return data->op == DD_OP_SUM &&
           splits(summed_view(dd_graph_shape(graph, data->inputs[0]), data->shape), parts);
}

size_t dd_sum_scratch(const dd_graph *graph, dd_node node) {
    return dd_shape_elements(dd_graph_shape(graph, node)) * sizeof(double) / sizeof(float);
}

/* This part's share of each sum, in double, to its scratch. */
static void run_split_sum(const dd_call *call, view v) {
    const dd_kernels *kernels = call->plan->kernels;
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
        for (size_t part = 0; part < (size_t)call->plan->options.parts; part++)
            total += ((const double *)(call->scratch + part * call->plan->scratch))[i];
        call->out[i] = (float)total;
    }
}

static void run_sum(const dd_call *call) {
    const float *x = call->in[0];
    const dd_kernels *kernels = call->plan->kernels;
    view v = summed_view(call->shape[0], call->made);
    if (call->step->stage == DD_STEP_SUM) {
        finish_sum(call);
        return;
    }
    if (splits(v, call->parts)) {
        run_split_sum(call, v);
        return;
    }
    if (v.inner == 1) {
        dd_range mine = dd_share(v.outer, call->part, call->parts);
        for (size_t i = mine.first; i < mine.last; i++)
            call->out[i] = (float)kernels->sum(x + i * v.middle, v.middle);
        return;
    }
    bool within = v.outer < call->parts; /* cut within each block of rows, by columns */
    dd_range blocks = within ? (dd_range){0, v.outer} : dd_share(v.outer, call->part, call->parts);
    dd_range columns = within ? dd_share(v.inner, call->part, call->parts) : (dd_range){0, v.inner};
    for (size_t i = blocks.first; i < blocks.last; i++)
        kernels->sum_columns(call->out + i * v.inner + columns.first,
                             x + i * v.middle * v.inner + columns.first, v.middle,
                             columns.last - columns.first, v.inner);
}

static void run_slice(const dd_call *call) {
    view small = view_at(call->made, call->data->constants.slice.axis);
    view large = view_at(call->shape[0], call->data->constants.slice.axis);
    const float *x = call->in[0] + call->data->constants.slice.start * large.inner;
    dd_range mine = dd_share(small.outer, call->part, call->parts);
    size_t run = small.middle * small.inner;
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(call->out + i * run, x + i * large.middle * large.inner, run * sizeof *call->out);
}

static void run_pad(const dd_call *call) {
    view large = view_at(call->made, call->data->constants.pad.axis);
    view small = view_at(call->shape[0], call->data->constants.pad.axis);
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
    view a = view_at(call->shape[0], call->data->constants.concat);
    view b = view_at(call->shape[1], call->data->constants.concat);
    const float *x = call->in[0], *y = call->in[1];
    size_t first = a.middle * a.inner, second = b.middle * b.inner;
    dd_range mine = dd_share(a.outer, call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        memcpy(call->out + i * (first + second), x + i * first, first * sizeof *call->out);
        memcpy(call->out + i * (first + second) + first, y + i * second,
               second * sizeof *call->out);
    }
}

/* An index outside the table would be the library's own mistake; it is kept inside all the same. */
static size_t row_of(const float *index, size_t i, size_t rows) {
    float r = index[i];
    return r > 0 && r < (float)rows ? (size_t)r : 0;
}

static void run_take_rows(const dd_call *call) {
    const float *table = call->in[0], *index = call->in[1];
    size_t rows = call->shape[0].size[2], width = call->made.size[3];
    dd_range mine = dd_share(call->made.size[2], call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(call->out + i * width, table + row_of(index, i, rows) * width,
               width * sizeof *call->out);
}

/* Sums in double, like all sums. */
static void run_add_rows(const dd_call *call) {
    enum { COLUMNS = 64 };
    const float *x = call->in[0], *index = call->in[1];
    size_t count = call->shape[0].size[2], width = call->data->shape.size[3];
    size_t rows = call->data->shape.size[2];
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < width; column += COLUMNS) {
            size_t columns = width - column < COLUMNS ? width - column : COLUMNS;
            double wide[COLUMNS] = {0};
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < columns && row_of(index, i, rows) == row; j++)
                    wide[j] += (double)x[i * width + column + j];
            for (size_t j = 0; j < columns; j++)
                call->out[row * width + column + j] = (float)wide[j];
        }
    }
}

dd_op_run dd_op_runner(dd_op op) {
    switch (op) {
    case DD_OP_SUM:
        return run_sum;
    case DD_OP_MATMUL:
    case DD_OP_LINEAR:
        return run_matmul;
    case DD_OP_SLICE:
        return run_slice;
    case DD_OP_PAD:
        return run_pad;
    case DD_OP_CONCAT:
        return run_concat;
    case DD_OP_TAKE_ROWS:
        return run_take_rows;
    case DD_OP_ADD_ROWS:
        return run_add_rows;
    case DD_OP_PERMUTE:
        return dd_run_permute;
    case DD_OP_SOFTMAX:
        return dd_run_softmax;
    case DD_OP_MASK:
        return dd_run_mask;
    case DD_OP_CONVOLVE:
    case DD_OP_CONVOLVE_INPUT:
    case DD_OP_CONVOLVE_WEIGHT:
        return dd_run_convolve;
    case DD_OP_FILTER:
        return dd_run_filter;
    case DD_OP_NORMALIZE:
    case DD_OP_NORMALIZE_GRADIENT:
    case DD_OP_INVERSE_DEVIATION:
        return dd_run_normalize;
    default:
        return NULL;
    }
}
