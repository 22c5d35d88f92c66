#include "support/plain.h"

#include "support/plain_convolution.h"
#include "support/plain_tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(DD_OP_COUNT == 40, "a new operation: give it a twin here and rows in "
                                  "test_gradient_table.c, then raise this number");

struct test_plain {
    const dd_graph *graph;
    size_t nodes;
    double **values;
};

static void *zeroed(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    if (!block) {
        (void)fprintf(stderr, "no memory for a test\n");
        abort();
    }
    return block;
}

test_plain *test_plain_create(const dd_graph *graph) {
    test_plain *plain = zeroed(1, sizeof *plain);
    plain->graph = graph;
    plain->nodes = dd_graph_nodes(graph);
    plain->values = zeroed(plain->nodes, sizeof *plain->values);
    for (size_t n = 0; n < plain->nodes; n++)
        plain->values[n] =
            zeroed(dd_shape_elements(dd_graph_shape(graph, (dd_node)n)), sizeof **plain->values);
    return plain;
}

void test_plain_free(test_plain *plain) {
    if (!plain)
        return;
    for (size_t n = 0; n < plain->nodes; n++)
        free(plain->values[n]);
    free(plain->values);
    free(plain);
}

const double *test_plain_value(const test_plain *plain, dd_node node) {
    return plain->values[node];
}

/* --- The operations. --- */

static void read_input(tensor out, const dd_node_data *data, const test_plain_input *inputs,
                       size_t count) {
    const double *numbers = NULL;
    for (size_t i = 0; i < count && !numbers; i++)
        if (inputs[i].slot == data->constants.slot &&
            (inputs[i].phase < 0 || inputs[i].phase == data->phase))
            numbers = inputs[i].numbers;
    for (size_t i = 0; i < dd_shape_elements(out.shape); i++)
        out.x[i] = numbers ? numbers[i] : (double)NAN;
}

static void read_constant(tensor out, const float *numbers) {
    for (size_t i = 0; i < dd_shape_elements(out.shape); i++)
        out.x[i] = (double)numbers[i];
}

static double element(const dd_node_data *data, double a, double b) {
    switch (data->op) {
    case DD_OP_ADD:
        return a + b;
    case DD_OP_SUBTRACT:
        return a - b;
    case DD_OP_MULTIPLY:
        return a * b;
    case DD_OP_AFFINE:
        return data->constants.affine.factor * a + data->constants.affine.shift;
    case DD_OP_POWER:
        return pow(a, data->constants.exponent);
    case DD_OP_EXP:
        return exp(a);
    case DD_OP_LOG:
        return log(a);
    case DD_OP_TANH:
        return tanh(a);
    case DD_OP_SIGMOID:
        return 1 / (1 + exp(-a));
    case DD_OP_SOFTPLUS:
        return fmax(a, 0) + log1p(exp(-fabs(a)));
    case DD_OP_SIN:
        return sin(a);
    case DD_OP_COS:
        return cos(a);
    case DD_OP_HEAVISIDE:
        return a > 0 ? 1 : 0;
    case DD_OP_LEAKY:
        return a > 0 ? a : a * b;
    case DD_OP_SILU: {
        double s = 1 / (1 + exp(-a));
        return data->constants.derivative == 0   ? a * s
               : data->constants.derivative == 1 ? s * (1 + a * (1 - s))
                                                 : s * (1 - s) * (2 + a * (1 - 2 * s));
    }
    default: /* expand, output */
        return a;
    }
}

static void elementwise(tensor out, const dd_node_data *data, tensor a, tensor b) {
    size_t at[DD_AXES] = {0}, i = 0;
    do
        out.x[i++] =
            element(data, a.x[offset_of(a.shape, at)], b.x ? b.x[offset_of(b.shape, at)] : 0);
    while (next(out.shape, at));
}

static void sum(tensor out, tensor x) {
    size_t at[DD_AXES] = {0}, i = 0;
    memset(out.x, 0, dd_shape_elements(out.shape) * sizeof *out.x);
    do
        out.x[offset_of(out.shape, at)] += x.x[i++];
    while (next(x.shape, at));
}

static void matmul(tensor out, bool ta, bool tb, tensor a, tensor b) {
    size_t inner = a.shape.size[ta ? 2 : 3], at[DD_AXES] = {0}, i = 0;
    do {
        double total = 0;
        for (size_t k = 0; k < inner; k++) {
            size_t in_a[DD_AXES] = {at[0], at[1], ta ? k : at[2], ta ? at[2] : k};
            size_t in_b[DD_AXES] = {at[0], at[1], tb ? at[3] : k, tb ? k : at[3]};
            total += a.x[offset_of(a.shape, in_a)] * b.x[offset_of(b.shape, in_b)];
        }
        out.x[i++] = total;
    } while (next(out.shape, at));
}

static void linear(tensor out, tensor x, tensor w, tensor b) {
    size_t width = out.shape.size[3];
    matmul(out, false, true, x, w);
    for (size_t i = 0; i < dd_shape_elements(out.shape); i++)
        out.x[i] += b.x[i % width];
}

static void slice(tensor out, tensor x, int axis, size_t start) {
    size_t at[DD_AXES] = {0}, i = 0;
    do {
        size_t from[DD_AXES] = {at[0], at[1], at[2], at[3]};
        from[axis] += start;
        out.x[i++] = x.x[offset_of(x.shape, from)];
    } while (next(out.shape, at));
}

/* Copies x into out from `start` on. */
static void place(tensor out, tensor x, int axis, size_t start) {
    size_t at[DD_AXES] = {0}, i = 0;
    do {
        size_t to[DD_AXES] = {at[0], at[1], at[2], at[3]};
        to[axis] += start;
        out.x[offset_of(out.shape, to)] = x.x[i++];
    } while (next(x.shape, at));
}

static void pad(tensor out, tensor x, int axis, size_t start) {
    memset(out.x, 0, dd_shape_elements(out.shape) * sizeof *out.x);
    place(out, x, axis, start);
}

static void take_rows(tensor out, tensor table, tensor index) {
    size_t width = out.shape.size[3];
    for (size_t n = 0; n < out.shape.size[2]; n++)
        for (size_t j = 0; j < width; j++)
            out.x[n * width + j] = table.x[(size_t)index.x[n] * width + j];
}

static void add_rows(tensor out, tensor x, tensor index) {
    size_t width = out.shape.size[3];
    memset(out.x, 0, dd_shape_elements(out.shape) * sizeof *out.x);
    for (size_t n = 0; n < x.shape.size[2]; n++)
        for (size_t j = 0; j < width; j++)
            out.x[(size_t)index.x[n] * width + j] += x.x[n * width + j];
}

/* The operations that are neither sources nor element by element. */
static void structural(tensor out, const dd_node_data *data, tensor a, tensor b, tensor c) {
    switch (data->op) {
    case DD_OP_SUM:
        sum(out, a);
        break;
    case DD_OP_MATMUL:
        matmul(out, data->constants.matmul.transpose_a, data->constants.matmul.transpose_b, a, b);
        break;
    case DD_OP_LINEAR:
        linear(out, a, b, c);
        break;
    case DD_OP_RESHAPE:
    case DD_OP_DETACH:
        memcpy(out.x, a.x, dd_shape_elements(out.shape) * sizeof *out.x);
        break;
    case DD_OP_SLICE:
        slice(out, a, (int)data->constants.slice.axis, data->constants.slice.start);
        break;
    case DD_OP_PAD:
        pad(out, a, (int)data->constants.pad.axis, data->constants.pad.start);
        break;
    case DD_OP_CONCAT:
        place(out, a, (int)data->constants.concat, 0);
        place(out, b, (int)data->constants.concat, a.shape.size[data->constants.concat]);
        break;
    case DD_OP_TAKE_ROWS:
        take_rows(out, a, b);
        break;
    case DD_OP_ADD_ROWS:
        add_rows(out, a, b);
        break;
    case DD_OP_CONVOLVE:
    case DD_OP_CONVOLVE_INPUT:
    case DD_OP_CONVOLVE_WEIGHT:
        test_plain_convolution(out.x, data, a.x, a.shape, b.x, b.shape);
        break;
    default:
        if (!test_plain_maps(out, data, a, b))
            elementwise(out, data, a, b);
        break;
    }
}

static tensor tensor_of(const test_plain *plain, dd_node node) {
    if (node == DD_NONE)
        return (tensor){.x = NULL};
    return (tensor){dd_graph_shape(plain->graph, node), plain->values[node]};
}

void test_plain_run(test_plain *plain, const test_plain_input *inputs, size_t count) {
    for (size_t n = 0; n < plain->nodes; n++) {
        const dd_node_data *data = dd_graph_node(plain->graph, (dd_node)n);
        tensor out = tensor_of(plain, (dd_node)n);
        switch (data->op) {
        case DD_OP_INPUT:
            read_input(out, data, inputs, count);
            break;
        case DD_OP_CONSTANT:
            read_constant(out, dd_graph_constant(plain->graph, data->constants.constant));
            break;
        case DD_OP_SCALAR:
            out.x[0] = data->constants.scalar;
            break;
        default:
            structural(out, data, tensor_of(plain, data->inputs[0]),
                       tensor_of(plain, data->inputs[1]), tensor_of(plain, data->inputs[2]));
            break;
        }
    }
}
