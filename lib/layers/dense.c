#include "layers/dense.h"

#include "base/context.h"
#include "tensor/ops.h"

#include <math.h>

static const dd_first zeros = {0, 0}, ones = {1, 0}, quarter = {0.25, 0};

static size_t width_of(const dd_builder *builder, dd_node x) {
    return dd_graph_shape(builder->graph, x).size[3];
}

dd_node dd_linear(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width) {
    size_t inputs = width_of(builder, x);
    dd_first first = {0, inputs > 0 ? 1 / sqrt((double)inputs) : 0};
    dd_node weight = dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, dd_shape_rows(width, inputs), 2, first);
    dd_node bias = dd_parameter_node(builder, scope, "bias", DD_ROLE_WEIGHT, dd_shape_rows(1, width), 1, first);
    return dd_add(builder->graph, dd_matmul(builder->graph, x, false, weight, true), bias);
}

void dd_prelu_declare(dd_builder *builder, const dd_scope *scope) {
    dd_parameter_declare(builder, scope, "weight", DD_ROLE_WEIGHT, dd_shape_rows(1, 1), 1, quarter);
}

/* x (step(x) + slope (1 - step(x))): so written, the slope's gradient is one sum over the negative part. */
dd_node dd_prelu(dd_builder *builder, const dd_scope *scope, dd_node x) {
    dd_graph *graph = builder->graph;
    dd_node slope = dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, dd_shape_rows(1, 1), 1, quarter);
    dd_node above = dd_step(graph, x), below = dd_affine(graph, above, -1, 1);
    return dd_multiply(graph, x, dd_add(graph, above, dd_multiply(graph, slope, below)));
}

dd_node dd_silu(dd_graph *graph, dd_node x) {
    return dd_multiply(graph, x, dd_sigmoid(graph, x));
}

void dd_batch_norm_declare(dd_builder *builder, const dd_scope *scope, size_t width) {
    dd_shape shape = dd_shape_rows(1, width);
    dd_parameter_declare(builder, scope, "weight", DD_ROLE_WEIGHT, shape, 1, ones);
    dd_parameter_declare(builder, scope, "bias", DD_ROLE_WEIGHT, shape, 1, zeros);
    dd_parameter_declare(builder, scope, "running_mean", DD_ROLE_STATISTIC, shape, 1, zeros);
    dd_parameter_declare(builder, scope, "running_var", DD_ROLE_STATISTIC, shape, 1, ones);
    dd_parameter_declare(builder, scope, "num_batches_tracked", DD_ROLE_COUNTER, dd_shape_rows(1, 1), 0, zeros);
}

/* before + (now - before) / 10 */
static void move_statistic(dd_builder *builder, const dd_scope *scope, const char *name, dd_node now, dd_first first) {
    dd_graph *graph = builder->graph;
    dd_node before = dd_statistic_before(builder, scope, name, dd_graph_shape(graph, now), first);
    dd_statistic_after(builder, scope, name, dd_add(graph, dd_affine(graph, before, 0.9, 0), dd_affine(graph, now, 0.1, 0)));
}

dd_node dd_batch_norm(dd_builder *builder, const dd_scope *scope, dd_node x) {
    const double epsilon = 1e-5;
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_shape_rows(1, width_of(builder, x));
    dd_batch_norm_declare(builder, scope, shape.size[3]);
    dd_node scale = dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, shape, 1, ones);
    dd_node shift = dd_parameter_node(builder, scope, "bias", DD_ROLE_WEIGHT, shape, 1, zeros);
    if (!builder->training) { /* one scale and shift, fixed by the parameters */
        dd_node mean = dd_parameter_node(builder, scope, "running_mean", DD_ROLE_STATISTIC, shape, 1, zeros);
        dd_node variance = dd_parameter_node(builder, scope, "running_var", DD_ROLE_STATISTIC, shape, 1, ones);
        scale = dd_multiply(graph, scale, dd_power(graph, dd_affine(graph, variance, 1, epsilon), -0.5));
        shift = dd_subtract(graph, shift, dd_multiply(graph, mean, scale));
        return dd_add(graph, dd_multiply(graph, x, scale), shift);
    }
    double rows = (double)dd_graph_shape(graph, x).size[2];
    dd_node mean = dd_mean(graph, x, shape), centred = dd_subtract(graph, x, mean);
    dd_node variance = dd_mean(graph, dd_multiply(graph, centred, centred), shape);
    move_statistic(builder, scope, "running_mean", mean, zeros);
    move_statistic(builder, scope, "running_var", dd_affine(graph, variance, rows / (rows - 1), 0), ones);
    dd_counter_advance(builder, scope, "num_batches_tracked");
    dd_node inverse_deviation = dd_power(graph, dd_affine(graph, variance, 1, epsilon), -0.5);
    return dd_add(graph, dd_multiply(graph, centred, dd_multiply(graph, inverse_deviation, scale)), shift);
}

/* In float, like the published code. */
dd_node dd_level_embedding(dd_graph *graph, size_t count, size_t width) {
    ddaebm_context *context = dd_graph_context(graph);
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
