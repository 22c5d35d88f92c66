/* Elementwise operations: each number of the result is made of one number of each input, which is
 * broadcast. */
#include "tensor/ops/execution.h"

/* Finds the shape that two tensors are broadcast to; fails unless unlike sizes include a 1. */
static bool common_shape(dd_graph *graph, dd_node a, dd_node b, dd_shape *out) {
    dd_shape x = dd_graph_shape(graph, a), y = dd_graph_shape(graph, b);
    for (int i = 0; i < DD_AXES; i++) {
        if (x.size[i] != y.size[i] && x.size[i] != 1 && y.size[i] != 1) {
            (void)dd_graph_fail(graph, DDAEBM_INTERNAL,
                                "shapes that cannot be broadcast to each other");
            return false;
        }
        out->size[i] = x.size[i] > y.size[i] ? x.size[i] : y.size[i];
    }
    return true;
}

static dd_node binary(dd_graph *graph, dd_op op, dd_node a, dd_node b) {
    dd_shape shape;
    if (a == DD_NONE || b == DD_NONE || !common_shape(graph, a, b, &shape))
        return DD_NONE;
    return dd_graph_make(graph, (dd_node_data){.op = op, .inputs = {a, b}, .shape = shape});
}

static dd_node unary(dd_graph *graph, dd_op op, dd_node x, dd_constants constants) {
    dd_shape shape = dd_graph_shape(graph, x);
    return dd_graph_make(
        graph, (dd_node_data){.op = op, .inputs = {x}, .shape = shape, .constants = constants});
}

dd_node dd_add(dd_graph *graph, dd_node a, dd_node b) {
    return a < b ? binary(graph, DD_OP_ADD, a, b) : binary(graph, DD_OP_ADD, b, a);
}

dd_node dd_subtract(dd_graph *graph, dd_node a, dd_node b) {
    return binary(graph, DD_OP_SUBTRACT, a, b);
}

dd_node dd_multiply(dd_graph *graph, dd_node a, dd_node b) {
    return a < b ? binary(graph, DD_OP_MULTIPLY, a, b) : binary(graph, DD_OP_MULTIPLY, b, a);
}

dd_node dd_affine(dd_graph *graph, dd_node x, double factor, double shift) {
    if (x != DD_NONE &&
        dd_graph_node(graph, x)->op == DD_OP_AFFINE) { /* of an affine map: made one */
        const dd_node_data *inner = dd_graph_node(graph, x);
        shift += factor * inner->constants.affine.shift;
        factor *= inner->constants.affine.factor;
        x = inner->inputs[0];
    }
    return factor == 1 && shift == 0
               ? x
               : unary(graph, DD_OP_AFFINE, x, (dd_constants){.affine = {factor, shift}});
}

dd_node dd_power(dd_graph *graph, dd_node x, double exponent) {
    return exponent == 1 ? x : unary(graph, DD_OP_POWER, x, (dd_constants){.exponent = exponent});
}

dd_node dd_exp(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_EXP, x, (dd_constants){0});
}

dd_node dd_log(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_LOG, x, (dd_constants){0});
}

dd_node dd_tanh(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_TANH, x, (dd_constants){0});
}

dd_node dd_sigmoid(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_SIGMOID, x, (dd_constants){0});
}

dd_node dd_softplus(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_SOFTPLUS, x, (dd_constants){0});
}

dd_node dd_sin(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_SIN, x, (dd_constants){0});
}

dd_node dd_cos(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_COS, x, (dd_constants){0});
}

dd_node dd_heaviside(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_HEAVISIDE, x, (dd_constants){0});
}

dd_node dd_leaky(dd_graph *graph, dd_node x, dd_node slope) {
    return binary(graph, DD_OP_LEAKY, x, slope);
}

dd_node dd_silu(dd_graph *graph, dd_node x) {
    return unary(graph, DD_OP_SILU, x, (dd_constants){0});
}

dd_node dd_expand(dd_graph *graph, dd_node x, dd_shape shape) {
    dd_shape from = dd_graph_shape(graph, x);
    if (x == DD_NONE || dd_shape_equal(from, shape))
        return x;
    for (int i = 0; i < DD_AXES; i++)
        if (from.size[i] != shape.size[i] && from.size[i] != 1)
            return dd_graph_fail(graph, DDAEBM_INTERNAL, "a shape that cannot be expanded");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_EXPAND, .inputs = {x}, .shape = shape});
}

/* --- Gradient rules. --- */

static dd_shape shape_of_input(dd_graph *graph, dd_node self, int input) {
    return dd_graph_shape(graph, dd_graph_node(graph, self)->inputs[input]);
}

static void add_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                         dd_node *gradients) {
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            gradients[i] = dd_sum(graph, cotangent, shape_of_input(graph, self, i));
}

static void subtract_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                              dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_sum(graph, cotangent, shape_of_input(graph, self, 0));
    if (wanted[1]) /* negated after the sum, which may be smaller */
        gradients[1] =
            dd_affine(graph, dd_sum(graph, cotangent, shape_of_input(graph, self, 1)), -1, 0);
}

static void multiply_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                              dd_node *gradients) {
    dd_node a = dd_graph_node(graph, self)->inputs[0], b = dd_graph_node(graph, self)->inputs[1];
    if (wanted[0])
        gradients[0] = dd_sum(graph, dd_multiply(graph, cotangent, b), dd_graph_shape(graph, a));
    if (wanted[1])
        gradients[1] = dd_sum(graph, dd_multiply(graph, cotangent, a), dd_graph_shape(graph, b));
}

/* dy/dx of y = op(x), in terms of x and y. */
static dd_node slope(dd_graph *graph, dd_node self) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0], y = self;

    switch (data.op) {
    case DD_OP_POWER:
        return dd_affine(graph, dd_power(graph, x, data.constants.exponent - 1),
                         data.constants.exponent, 0);
    case DD_OP_EXP:
        return y;
    case DD_OP_LOG:
        return dd_power(graph, x, -1);
    case DD_OP_TANH: /* 1 - y^2 */
        return dd_affine(graph, dd_multiply(graph, y, y), -1, 1);
    case DD_OP_SIGMOID: /* y (1 - y) */
        return dd_multiply(graph, y, dd_affine(graph, y, -1, 1));
    case DD_OP_SOFTPLUS:
        return dd_sigmoid(graph, x);
    case DD_OP_SIN:
        return dd_cos(graph, x);
    case DD_OP_COS:
        return dd_affine(graph, dd_sin(graph, x), -1, 0);
    default:
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "an operation without a derivative");
    }
}

static void affine_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    double factor = dd_graph_node(graph, self)->constants.affine.factor;
    if (wanted[0])
        gradients[0] = dd_affine(graph, cotangent, factor, 0);
}

static void unary_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                           dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_multiply(graph, cotangent, slope(graph, self));
}

static void expand_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    if (wanted[0])
        gradients[0] = dd_sum(graph, cotangent, shape_of_input(graph, self, 0));
}

/* With m = heaviside(x): dy/dx = m + slope (1 - m) and dy/dslope = x (1 - m). */
static void leaky_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                           dd_node *gradients) {
    dd_node x = dd_graph_node(graph, self)->inputs[0],
            slope = dd_graph_node(graph, self)->inputs[1];

    dd_node above = dd_heaviside(graph, x), below = dd_affine(graph, above, -1, 1);
    if (wanted[0]) {
        dd_node factor = dd_add(graph, above, dd_multiply(graph, slope, below));
        gradients[0] =
            dd_sum(graph, dd_multiply(graph, cotangent, factor), dd_graph_shape(graph, x));
    }

    if (wanted[1]) {
        dd_node negative = dd_multiply(graph, x, below);
        gradients[1] =
            dd_sum(graph, dd_multiply(graph, cotangent, negative), dd_graph_shape(graph, slope));
    }
}

/* The first two derivatives are silu nodes too. With s = sigmoid(x), the third is
 * s (1 - s) (3 (1 - 2 s) + x (1 - 6 s (1 - s))). */
static void silu_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                          dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0];
    if (!wanted[0])
        return;
    if (data.constants.derivative < 2) {
        dd_constants next = {.derivative = data.constants.derivative + 1};
        gradients[0] = dd_multiply(graph, cotangent, unary(graph, DD_OP_SILU, x, next));
        return;
    }

    dd_node s = dd_sigmoid(graph, x), slope = dd_multiply(graph, s, dd_affine(graph, s, -1, 1));
    dd_node bend = dd_multiply(graph, x, dd_affine(graph, slope, -6, 1));
    dd_node third = dd_multiply(graph, slope, dd_add(graph, dd_affine(graph, s, -6, 3), bend));
    gradients[0] = dd_multiply(graph, cotangent, third);
}

/* --- Kernels. --- */

static void affine_numbers(const dd_node_data *data, float *factor, float *shift) {
    *factor = (float)data->constants.affine.factor;
    *shift = (float)data->constants.affine.shift;
}

static void power_numbers(const dd_node_data *data, float *factor, float *shift) {
    *factor = (float)data->constants.exponent;
    *shift = 0;
}

static void silu_numbers(const dd_node_data *data, float *factor, float *shift) {
    *factor = (float)data->constants.derivative;
    *shift = 0;
}

/* An operation of so many inputs, by the kernel; then what else there is to say. */
#define ELEMENTWISE(op, inputs, elementwise_kernel, ...)                                           \
    const dd_op_info dd_op_##op = {                                                                \
        .name = #op,                                                                               \
        .arity = (inputs),                                                                         \
        .elementwise = true,                                                                       \
        .cheap = true,                                                                             \
        .execution = &(const dd_execution){.kernel = DD_ELEMENTWISE_##elementwise_kernel},         \
        __VA_ARGS__}

/* The same with constants, which `to_numbers` gives to the kernel. */
#define WITH_NUMBERS(op, elementwise_kernel, member, to_numbers, rule)                             \
    const dd_op_info dd_op_##op = {                                                                \
        .name = #op,                                                                               \
        .arity = 1,                                                                                \
        .constants = DD_SIZE_OF(member),                                                           \
        .elementwise = true,                                                                       \
        .cheap = true,                                                                             \
        .execution = &(const dd_execution){.kernel = DD_ELEMENTWISE_##elementwise_kernel,          \
                                           .numbers = (to_numbers)},                               \
        .gradient = (rule)}

ELEMENTWISE(add, 2, ADD, .gradient = add_gradient);
ELEMENTWISE(subtract, 2, SUBTRACT, .gradient = subtract_gradient);
ELEMENTWISE(multiply, 2, MULTIPLY, .gradient = multiply_gradient);
WITH_NUMBERS(affine, AFFINE, affine, affine_numbers, affine_gradient);
WITH_NUMBERS(power, POWER, exponent, power_numbers, unary_gradient);
ELEMENTWISE(exp, 1, EXP, .gradient = unary_gradient);
ELEMENTWISE(log, 1, LOG, .gradient = unary_gradient);
ELEMENTWISE(tanh, 1, TANH, .gradient = unary_gradient);
ELEMENTWISE(sigmoid, 1, SIGMOID, .gradient = unary_gradient);
ELEMENTWISE(softplus, 1, SOFTPLUS, .gradient = unary_gradient);
ELEMENTWISE(sin, 1, SIN, .gradient = unary_gradient);
ELEMENTWISE(cos, 1, COS, .gradient = unary_gradient);
ELEMENTWISE(heaviside, 1, HEAVISIDE, .gradient = NULL);
ELEMENTWISE(leaky, 2, LEAKY, .gradient = leaky_gradient);
WITH_NUMBERS(silu, SILU, derivative, silu_numbers, silu_gradient);
ELEMENTWISE(expand, 1, COPY, .gradient = expand_gradient);
