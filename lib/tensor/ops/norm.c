/* Group normalisation. With y = (x - mean) r, r = 1 / sqrt(variance + epsilon), the Jacobian J of y
 * is symmetric: J g = r (g - mean(g) - y mean(g y)). */
#include "tensor/ops/execution.h"

#include <math.h>
#include <string.h>

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
        return dd_graph_fail(graph, DDAEBM_INTERNAL,
                             "channels that cannot be divided into equal groups");
    return make_normalize(graph, DD_OP_NORMALIZE, x, DD_NONE,
                          (dd_constants){.normalize = {groups, epsilon}});
}

static void normalize_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                               dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = make_normalize(graph, DD_OP_NORMALIZE_GRADIENT, data.inputs[0], cotangent,
                                      data.constants);
}

/* Broadcasts one number a group of each image, [N, 1, 1, G], to its channels: [N, 1, 1, C]. */
static dd_node a_channel(dd_graph *graph, dd_node x, size_t channels) {
    dd_shape shape = dd_graph_shape(graph, x);
    size_t images = shape.size[0], groups = shape.size[3];
    dd_node column = dd_reshape(graph, x, (dd_shape){{1, images, groups, 1}});
    dd_node repeated = dd_expand(graph, column, (dd_shape){{1, images, groups, channels / groups}});
    return dd_reshape(graph, repeated, (dd_shape){{images, 1, 1, channels}});
}

/* Mean of a b over each group, broadcast to its channels. */
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

/* d(c . J g)/dx = -r (y mean(c J g) + J c mean(g y) + J g mean(c y)), and d(c . J g)/dg = J c, as J
 * is symmetric. */
static void normalize_gradient_gradient(dd_graph *graph, dd_node self, dd_node cotangent,
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
    dd_node r = dd_graph_make(graph, (dd_node_data){.op = DD_OP_INVERSE_STD,
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
static void inverse_std_gradient(dd_graph *graph, dd_node self, dd_node cotangent,
                                 const bool *wanted, dd_node *gradients) {
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

/* --- Execution. An image is a matrix of a row a pixel and a column a channel; where channels are
 * few, a row holds several pixels. --- */

enum { LEAST_WIDTH = 32, MOMENTS = 4, FACTORS = 6 };

static size_t matrix_width(size_t channels) {
    return channels < LEAST_WIDTH ? LEAST_WIDTH / channels * channels : channels;
}

static ddaebm_status choose_normalize(dd_method *out, const dd_method_request *request) {
    dd_node x = dd_graph_node(request->graph, request->node)->inputs[0];
    size_t width = matrix_width(dd_graph_shape(request->graph, x).size[3]);
    out->scratch = width * (MOMENTS * sizeof(double) / sizeof(float) + FACTORS);
    return DDAEBM_OK;
}

/* The normalisation of some groups of one image. */
typedef struct normalization {
    const dd_call *call;
    const float *x, *g;
    float *out;
    size_t pixels, groups, channels; /* channels of a group */
    dd_matrix_size whole, rest;      /* all full rows, and the pixels left over as one row */
    dd_moments totals;
    dd_standard by;
} normalization;

static void find_moments(normalization *n) {
    const dd_map_kernels *maps = n->call->kernels->maps;
    size_t after = n->whole.rows * n->whole.stride;
    memset(n->totals.x, 0, MOMENTS * n->whole.width * sizeof *n->totals.x);
    if (n->g) {
        maps->moments_along(n->totals, n->x, n->g, n->whole);
        maps->moments_along(n->totals, n->x + after, n->g + after, n->rest);
    } else {
        maps->moments(n->totals, n->x, n->whole);
        maps->moments(n->totals, n->x + after, n->rest);
    }
}

/* Sums over a group's channels, in each of a row's pixels. */
static double fold(const normalization *n, const double *totals, size_t group) {
    double total = 0;
    for (size_t first = group * n->channels; first < n->whole.width;
         first += n->groups * n->channels)
        for (size_t j = 0; j < n->channels; j++)
            total += totals[first + j];
    return total;
}

static void set_factors(normalization *n, size_t column, double mean, double scale, double slope,
                        double along) {
    dd_standard by = n->by;
    by.centre[column] = (float)mean;
    by.scale[column] = (float)scale;
    by.shift[column] = (float)(((double)by.centre[column] - mean) * scale);
    by.slope[column] = (float)slope;
    by.slope_rest[column] = (float)(slope - (double)by.slope[column]);
    by.slope_along[column] = (float)along;
}

static double inverse_std(const normalization *n, double mean, size_t group) {
    double variance =
        fold(n, n->totals.xx, group) / (double)(n->pixels * n->channels) - mean * mean;
    return 1 / sqrt((variance < 0 ? 0 : variance) + n->call->data->constants.normalize.epsilon);
}

static void find_factors(normalization *n) {
    double elements = (double)(n->pixels * n->channels);
    for (size_t group = 0; group < n->groups; group++) {
        double mean = fold(n, n->totals.x, group) / elements, scale = inverse_std(n, mean, group);
        double slope = fold(n, n->totals.g, group) / elements;
        double along = (fold(n, n->totals.gx, group) / elements - mean * slope) * scale;
        for (size_t first = group * n->channels; first < n->whole.width;
             first += n->groups * n->channels)
            for (size_t j = 0; j < n->channels; j++)
                set_factors(n, first + j, mean, scale, slope, along);
    }
}

static void write_normalized(const normalization *n) {
    const dd_map_kernels *maps = n->call->kernels->maps;
    size_t after = n->whole.rows * n->whole.stride;
    if (n->g) {
        maps->standardize_gradient(n->out, n->x, n->g, n->by, n->whole);
        maps->standardize_gradient(n->out + after, n->x + after, n->g + after, n->by, n->rest);
    } else {
        maps->standardize(n->out, n->x, n->by, n->whole);
        maps->standardize(n->out + after, n->x + after, n->by, n->rest);
    }
}

/* Sets the matrix. Where all channels are wanted, pixels lie side by side, and several make a row.
 */
static void set_matrix(normalization *n, size_t stride) {
    size_t width = n->groups * n->channels,
           pixels = width == stride ? matrix_width(width) / width : 1;
    n->whole = (dd_matrix_size){n->pixels / pixels, width * pixels, stride * pixels};
    n->rest = (dd_matrix_size){1, n->pixels % pixels * width, stride};
}

static void place_scratch(normalization *n) {
    size_t width = n->whole.width;
    double *wide = (double *)n->call->scratch;
    n->totals = (dd_moments){wide, wide + width, wide + 2 * width, wide + 3 * width};
    float *narrow = (float *)(wide + MOMENTS * width);
    n->by = (dd_standard){narrow,
                          narrow + width,
                          narrow + 2 * width,
                          narrow + 3 * width,
                          narrow + 4 * width,
                          narrow + 5 * width};
}

/* Normalises some groups of one image, or computes their inverse standard deviations. */
static void normalize_groups(const dd_call *call, size_t image, dd_range groups) {
    dd_shape shape = call->in_shape[0];
    size_t channels = shape.size[3] / call->data->constants.normalize.groups,
           pixels = shape.size[1] * shape.size[2];
    size_t first = image * pixels * shape.size[3] + groups.first * channels;
    normalization n = {.call = call,
                       .x = call->in[0] + first,
                       .g = call->in[1] ? call->in[1] + first : NULL,
                       .pixels = pixels,
                       .groups = groups.last - groups.first,
                       .channels = channels};

    set_matrix(&n, shape.size[3]);
    place_scratch(&n);
    find_moments(&n);

    if (call->data->op == DD_OP_INVERSE_STD) {
        float *out = call->out + image * call->data->constants.normalize.groups + groups.first;
        for (size_t g = 0; g < n.groups; g++)
            out[g] =
                (float)inverse_std(&n, fold(&n, n.totals.x, g) / (double)(pixels * channels), g);
        return;
    }

    n.out = call->out + first;
    find_factors(&n);
    write_normalized(&n);
}

/* Parts are cut between images where there are enough of them, else within each, by groups. */
static void run_normalize(const dd_call *call) {
    size_t images = call->in_shape[0].size[0];
    bool within = images < call->parts;
    dd_range mine = within ? (dd_range){0, images} : dd_share(images, call->part, call->parts);
    dd_range groups =
        within ? dd_share(call->data->constants.normalize.groups, call->part, call->parts)
               : (dd_range){0, call->data->constants.normalize.groups};
    for (size_t i = mine.first; i < mine.last && groups.first < groups.last; i++)
        normalize_groups(call, i, groups);
}

const dd_op_info dd_op_normalize = {
    .name = "normalize",
    .arity = 1,
    .constants = DD_SIZE_OF(normalize),
    .gradient = normalize_gradient,
    .cheap = true,
    .execution = &(const dd_execution){.choose = choose_normalize, .run = run_normalize}};

/* J g, of x and a cotangent g. */
const dd_op_info dd_op_normalize_gradient = {
    .name = "normalize_gradient",
    .arity = 2,
    .constants = DD_SIZE_OF(normalize),
    .gradient = normalize_gradient_gradient,
    .execution = &(const dd_execution){.choose = choose_normalize, .run = run_normalize}};

/* The inverse standard deviation r of each group: [N, 1, 1, groups]. */
const dd_op_info dd_op_inverse_std = {.name = "inverse_std",
                                      .arity = 1,
                                      .constants = DD_SIZE_OF(normalize),
                                      .gradient = inverse_std_gradient,
                                      .execution = &(const dd_execution){.cutting = DD_CUT_BY_INPUT,
                                                                         .choose = choose_normalize,
                                                                         .run = run_normalize}};
