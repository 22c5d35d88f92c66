#include "layers/dense.h"

#include "base/context.h"

#include <math.h>

static const dd_initial zeros = {.middle = 0}, ones = {.middle = 1}, quarter = {.middle = 0.25};

static size_t width_of(const dd_builder *builder, dd_node x) {
    return dd_graph_shape(builder->graph, x).size[3];
}

/* Weight [out, in] and bias of a layer. */
typedef struct linear {
    dd_node weight, bias;
} linear;

static linear linear_parameters(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width,
                                dd_initial weights, dd_initial biases) {
    dd_shape shape = dd_shape_rows(width, width_of(builder, x));
    return (linear){dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, shape, 2, weights),
                    dd_parameter_node(builder, scope, "bias", DD_ROLE_WEIGHT,
                                      dd_shape_rows(1, width), 1, biases)};
}

static linear scaled_parameters(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width,
                                dd_scaling scaling) {
    size_t inputs = width_of(builder, x);
    return linear_parameters(builder, scope, x, width, dd_initial_weights(scaling, inputs, width),
                             dd_initial_biases(scaling, inputs));
}

static dd_node apply_linear(dd_graph *graph, dd_node x, linear l) {
    return dd_linear_map(graph, x, l.weight, l.bias);
}

dd_node dd_linear(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width) {
    return dd_linear_scaled(builder, scope, x, width, (dd_scaling){DD_FAN_DEFAULT, 1});
}

dd_node dd_linear_scaled(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width,
                         dd_scaling scaling) {
    return apply_linear(builder->graph, x, scaled_parameters(builder, scope, x, width, scaling));
}

dd_node dd_linear_style(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width) {
    const dd_initial scales_then_shifts = {.middle = 1, .half = true};
    dd_initial weights =
        dd_initial_weights((dd_scaling){DD_FAN_OUTPUTS, 1}, width_of(builder, x), width);
    return apply_linear(builder->graph, x,
                        linear_parameters(builder, scope, x, width, weights, scales_then_shifts));
}

void dd_prelu_declare(dd_builder *builder, const dd_scope *scope) {
    dd_parameter_declare(builder, scope, "weight", DD_ROLE_WEIGHT, dd_shape_rows(1, 1), 1, quarter);
}

dd_node dd_prelu(dd_builder *builder, const dd_scope *scope, dd_node x) {
    return dd_leaky(builder->graph, x,
                    dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, dd_shape_rows(1, 1),
                                      1, quarter));
}

void dd_batch_norm_declare(dd_builder *builder, const dd_scope *scope, size_t width) {
    dd_shape shape = dd_shape_rows(1, width);
    dd_parameter_declare(builder, scope, "weight", DD_ROLE_WEIGHT, shape, 1, ones);
    dd_parameter_declare(builder, scope, "bias", DD_ROLE_WEIGHT, shape, 1, zeros);
    dd_parameter_declare(builder, scope, "running_mean", DD_ROLE_STATISTIC, shape, 1, zeros);
    dd_parameter_declare(builder, scope, "running_var", DD_ROLE_STATISTIC, shape, 1, ones);
    dd_parameter_declare(builder, scope, "num_batches_tracked", DD_ROLE_COUNTER,
                         dd_shape_rows(1, 1), 0, zeros);
}

/* before + (now - before) / 10 */
static void move_statistic(dd_builder *builder, const dd_scope *scope, const char *name,
                           dd_node now, dd_initial first) {
    dd_graph *graph = builder->graph;
    dd_node before = dd_statistic_before(builder, scope, name, dd_graph_shape(graph, now), first);
    dd_statistic_after(
        builder, scope, name,
        dd_add(graph, dd_affine(graph, before, 0.9, 0), dd_affine(graph, now, 0.1, 0)));
}

static dd_node inverse_deviation(dd_graph *graph, dd_node variance) {
    const double epsilon = 1e-5;
    return dd_power(graph, dd_affine(graph, variance, 1, epsilon), -0.5);
}

/* Batch normalisation in training: by the batch's statistics, which update the running ones. */
static dd_node batch_norm(dd_builder *builder, const dd_scope *scope, dd_node x, dd_node scale,
                          dd_node shift) {
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_shape_rows(1, width_of(builder, x));
    double rows = (double)dd_graph_shape(graph, x).size[2];
    dd_node mean = dd_mean(graph, x, shape), centred = dd_subtract(graph, x, mean);
    dd_node variance = dd_mean(graph, dd_multiply(graph, centred, centred), shape);

    move_statistic(builder, scope, "running_mean", mean, zeros);
    move_statistic(builder, scope, "running_var", dd_affine(graph, variance, rows / (rows - 1), 0),
                   ones);
    dd_counter_advance(builder, scope, "num_batches_tracked");
    return dd_add(
        graph,
        dd_multiply(graph, centred, dd_multiply(graph, inverse_deviation(graph, variance), scale)),
        shift);
}

/* Folds running statistics, trained scale and shift into the weights of the linear layer. */
static dd_node fold_batch_norm(dd_builder *builder, const dd_scope *scope, dd_node x, linear l,
                               dd_node scale, dd_node shift) {
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_graph_shape(graph, scale);
    dd_node mean =
        dd_parameter_node(builder, scope, "running_mean", DD_ROLE_STATISTIC, shape, 1, zeros);
    dd_node variance =
        dd_parameter_node(builder, scope, "running_var", DD_ROLE_STATISTIC, shape, 1, ones);
    scale = dd_multiply(graph, scale, inverse_deviation(graph, variance));
    l.bias = dd_add(graph, dd_multiply(graph, dd_subtract(graph, l.bias, mean), scale), shift);
    l.weight =
        dd_multiply(graph, l.weight, dd_reshape(graph, scale, dd_shape_rows(shape.size[3], 1)));
    return apply_linear(graph, x, l);
}

dd_node dd_linear_batch_norm(dd_builder *builder, const dd_scope *linear_scope,
                             const dd_scope *norm_scope, dd_node x, size_t width) {
    dd_shape shape = dd_shape_rows(1, width);
    linear l = scaled_parameters(builder, linear_scope, x, width, (dd_scaling){DD_FAN_DEFAULT, 1});
    dd_batch_norm_declare(builder, norm_scope, width);
    dd_node scale =
        dd_parameter_node(builder, norm_scope, "weight", DD_ROLE_WEIGHT, shape, 1, ones);
    dd_node shift = dd_parameter_node(builder, norm_scope, "bias", DD_ROLE_WEIGHT, shape, 1, zeros);
    if (builder->training)
        return batch_norm(builder, norm_scope, apply_linear(builder->graph, x, l), scale, shift);
    return fold_batch_norm(builder, norm_scope, x, l, scale, shift);
}

dd_node dd_pixel_norm(dd_graph *graph, dd_node rows) {
    dd_node squares = dd_mean(graph, dd_multiply(graph, rows, rows),
                              dd_shape_rows(dd_graph_shape(graph, rows).size[2], 1));
    return dd_multiply(graph, rows, dd_power(graph, dd_affine(graph, squares, 1, 1e-8), -0.5));
}

/* In float, like the published code. */
dd_node dd_timestep_embedding(dd_builder *builder, size_t count, size_t width) {
    dd_graph *graph = builder->graph;
    ddaebm_context *context = dd_graph_context(graph);
    if (builder->never_run)
        return dd_input(graph, -4, dd_shape_rows(count, width),
                        0); /* in addition to those of dd_network_declare */
    float *values = dd_alloc_zero(context, count * width, sizeof *values);
    if (!values)
        return dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);

    size_t half = width / 2;
    float step = -(float)(log(10000.0) / (double)(half - 1));
    for (size_t t = 0; t < count; t++)
        for (size_t j = 0; j < half; j++) {
            float angle = (float)t * expf((float)j * step);
            values[t * width + j] = sinf(angle);
            values[t * width + half + j] = cosf(angle);
        }
    dd_node embedding = dd_constant(graph, values, dd_shape_rows(count, width));
    dd_free(context, values);
    return embedding;
}
