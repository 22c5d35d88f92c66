/* Builders and gradient rules of the operations on images, and of softmax and masks, which come
 * with them. */
#include "tensor/graph.h"
#include "tensor/ops.h"

/* --- Convolutions: three operations, closed among themselves. Each is linear in both its inputs.
 * --- */

/* Places of a filter of `taps` along `size` pixels; 0 if there is none. */
static size_t places(size_t size, size_t taps, dd_window window) {
    int64_t room = (int64_t)size * window.up + window.before + window.after - (int64_t)taps;
    return room < 0 ? 0 : (size_t)(room / window.stride) + 1;
}

static dd_node convolve(dd_graph *graph, dd_node x, dd_node weight, dd_window window) {
    dd_shape from = dd_graph_shape(graph, x), w = dd_graph_shape(graph, weight);
    if (x == DD_NONE || weight == DD_NONE)
        return DD_NONE;
    dd_shape shape = {{from.size[0], places(from.size[1], w.size[1], window),
                       places(from.size[2], w.size[2], window), w.size[0]}};
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

void dd_rule_convolve(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
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

void dd_rule_convolve_input(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node y = data.inputs[0], weight = data.inputs[1];
    if (wanted[0])
        gradients[0] = convolve(graph, cotangent, weight, data.constants.window);
    if (wanted[1])
        gradients[1] = convolve_weight(graph, cotangent, y, dd_graph_shape(graph, weight),
                                       data.constants.window);
}

void dd_rule_convolve_weight(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                             dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0], y = data.inputs[1];
    if (wanted[0])
        gradients[0] =
            convolve_input(graph, y, cotangent, dd_graph_shape(graph, x), data.constants.window);
    if (wanted[1])
        gradients[1] = convolve(graph, x, cotangent, data.constants.window);
}

/* --- Filters: the transpose of one is another. --- */

static dd_node filter(dd_graph *graph, dd_node x, dd_node taps, dd_window window) {
    dd_shape from = dd_graph_shape(graph, x), shape = from;
    if (x == DD_NONE || taps == DD_NONE)
        return DD_NONE;
    size_t count = dd_graph_shape(graph, taps).size[3];
    shape.size[1] = places(from.size[1], count, window);
    shape.size[2] = places(from.size[2], count, window);
    bool known = dd_graph_node(graph, taps)->op == DD_OP_CONSTANT && count <= DD_MOST_TAPS;
    if (shape.size[1] == 0 || shape.size[2] == 0 || !known)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a filter that does not fit its image");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_FILTER,
                                               .inputs = {x, taps},
                                               .shape = shape,
                                               .constants.window = window});
}

dd_node dd_filter(dd_graph *graph, dd_node x, dd_node taps, int up, int down, int before,
                  int after) {
    return filter(graph, x, taps,
                  (dd_window){(int16_t)up, (int16_t)down, (int16_t)before, (int16_t)after});
}

/* Steps and zeros change places, and the taps turn round. Both axes must ask for the same margin,
 * so images are square or the filter does not skip. */
void dd_rule_filter(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                    dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_shape from = dd_graph_shape(graph, data.inputs[0]),
             taps_shape = dd_graph_shape(graph, data.inputs[1]);
    int taps = (int)taps_shape.size[3];
    const float *values =
        dd_graph_constant(graph, dd_graph_node(graph, data.inputs[1])->constants.constant);
    float turned[DD_MOST_TAPS];
    if (!wanted[0])
        return;
    for (int i = 0; i < taps; i++)
        turned[i] = values[taps - 1 - i];
    dd_window back = {.up = data.constants.window.stride,
                      .stride = data.constants.window.up,
                      .before = (int16_t)(taps - 1 - data.constants.window.before)};
    int64_t room = (int64_t)(from.size[1] - 1) * back.stride + taps;
    back.after = (int16_t)(room - (int64_t)data.shape.size[1] * back.up - back.before);
    dd_node result = filter(graph, cotangent, dd_constant(graph, turned, taps_shape), back);
    if (result != DD_NONE && !dd_shape_equal(dd_graph_shape(graph, result), from))
        result = dd_graph_fail(graph, DDAEBM_INTERNAL, "a filter over an image that is not square");
    gradients[0] = result;
}

/* --- Normalisation over groups of channels. With y = (x - mean) r, r = 1 / sqrt(variance +
 * epsilon), the Jacobian is symmetric: J g = r (g - mean(g) - y mean(g y)). --- */

static dd_node make_normalize(dd_graph *graph, dd_op op, dd_node x, dd_node g,
                              dd_constants constants) {
    return dd_graph_make(graph, (dd_node_data){.op = op,
                                               .inputs = {x, g},
                                               .shape = dd_graph_shape(graph, x),
                                               .constants = constants});
}

dd_node dd_normalize(dd_graph *graph, dd_node x, size_t groups, double epsilon) {
    if (x == DD_NONE)
        return DD_NONE;
    if (groups == 0 || dd_graph_shape(graph, x).size[3] % groups != 0)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "channels that do not fall into equal groups");
    return make_normalize(graph, DD_OP_NORMALIZE, x, DD_NONE,
                          (dd_constants){.normalize = {groups, epsilon}});
}

void dd_rule_normalize(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                       dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = make_normalize(graph, DD_OP_NORMALIZE_GRADIENT, data.inputs[0], cotangent,
                                      data.constants);
}

/* One number a group of each image, [N, 1, 1, G], repeated for its channels: [N, 1, 1, C]. */
static dd_node a_channel(dd_graph *graph, dd_node x, size_t channels) {
    dd_shape shape = dd_graph_shape(graph, x);
    size_t images = shape.size[0], groups = shape.size[3];
    dd_node column = dd_reshape(graph, x, (dd_shape){{1, images, groups, 1}});
    dd_node repeated = dd_expand(graph, column, (dd_shape){{1, images, groups, channels / groups}});
    return dd_reshape(graph, repeated, (dd_shape){{images, 1, 1, channels}});
}

/* Mean of a b over each group, repeated for its channels. */
static dd_node group_mean(dd_graph *graph, dd_node a, dd_node b, size_t groups) {
    dd_shape shape = dd_graph_shape(graph, a);
    size_t images = shape.size[0], channels = shape.size[3];
    dd_node sums = dd_sum(graph, dd_multiply(graph, a, b), (dd_shape){{images, 1, 1, channels}});
    dd_node rows = dd_reshape(graph, sums, (dd_shape){{1, images, groups, channels / groups}});
    dd_node totals = dd_reshape(graph, dd_sum(graph, rows, (dd_shape){{1, images, groups, 1}}),
                                (dd_shape){{images, 1, 1, groups}});
    double elements = (double)(shape.size[1] * shape.size[2] * channels / groups);
    return a_channel(graph, dd_affine(graph, totals, 1 / elements, 0), channels);
}

/* d(c . J g)/dx = -r (y mean(c J g) + J c mean(g y) + J g mean(c y)), J symmetric: itself for the
 * other input. */
void dd_rule_normalize_gradient(dd_graph *graph, dd_node self, dd_node cotangent,
                                const bool *wanted, dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node x = data.inputs[0], g = data.inputs[1];
    dd_node jc = make_normalize(graph, DD_OP_NORMALIZE_GRADIENT, x, cotangent, data.constants);
    if (wanted[1])
        gradients[1] = jc;
    if (!wanted[0])
        return;
    dd_shape shape = data.shape, small = {{shape.size[0], 1, 1, data.constants.normalize.groups}};
    dd_node y = make_normalize(graph, DD_OP_NORMALIZE, x, DD_NONE, data.constants);
    dd_node r = dd_graph_make(graph, (dd_node_data){.op = DD_OP_INVERSE_DEVIATION,
                                                    .inputs = {x},
                                                    .shape = small,
                                                    .constants = data.constants});
    dd_node scale = dd_affine(graph, a_channel(graph, r, shape.size[3]), -1, 0);
    dd_node of_y = dd_multiply(graph, scale,
                               group_mean(graph, cotangent, self, data.constants.normalize.groups));
    dd_node of_jc =
        dd_multiply(graph, scale, group_mean(graph, g, y, data.constants.normalize.groups));
    dd_node of_jg =
        dd_multiply(graph, scale, group_mean(graph, cotangent, y, data.constants.normalize.groups));
    gradients[0] =
        dd_add(graph, dd_add(graph, dd_multiply(graph, of_y, y), dd_multiply(graph, of_jc, jc)),
               dd_multiply(graph, of_jg, self));
}

/* d r / d x = -r^2 y / m, m elements in a group */
void dd_rule_inverse_deviation(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                               dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (!wanted[0])
        return;
    dd_shape shape = dd_graph_shape(graph, data.inputs[0]);
    double elements =
        (double)(shape.size[1] * shape.size[2] * shape.size[3] / data.constants.normalize.groups);
    dd_node y = make_normalize(graph, DD_OP_NORMALIZE, data.inputs[0], DD_NONE, data.constants);
    dd_node small = dd_multiply(graph, cotangent, dd_multiply(graph, self, self));
    gradients[0] = dd_multiply(
        graph, y, a_channel(graph, dd_affine(graph, small, -1 / elements, 0), shape.size[3]));
}

/* --- Softmax and masks. --- */

dd_node dd_softmax(dd_graph *graph, dd_node x) {
    return dd_graph_make(
        graph,
        (dd_node_data){.op = DD_OP_SOFTMAX, .inputs = {x}, .shape = dd_graph_shape(graph, x)});
}

/* y (g - sum(g y)) */
void dd_rule_softmax(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                     dd_node *gradients) {
    dd_shape rows = dd_graph_shape(graph, self);
    rows.size[3] = 1;
    if (!wanted[0])
        return;
    dd_node total = dd_sum(graph, dd_multiply(graph, cotangent, self), rows);
    gradients[0] = dd_multiply(graph, self, dd_subtract(graph, cotangent, total));
}

dd_node dd_mask(dd_graph *graph, dd_node seed, uint32_t stream, double keep, dd_shape shape) {
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_MASK,
                                               .inputs = {seed},
                                               .shape = shape,
                                               .constants.mask = {keep, stream}});
}
