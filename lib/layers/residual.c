#include "layers/residual.h"

#include "layers/dense.h"
#include "layers/image_layers.h"

#include <math.h>

static const dd_scaling average = {DD_FAN_AVERAGE, 1},
                        nearly_zero = {DD_FAN_AVERAGE, DD_NEARLY_ZERO};

dd_node dd_of_timestep(dd_graph *graph, dd_node table, dd_node timestep) {
    return dd_rows_to_images(graph, dd_take_rows(graph, table, timestep));
}

dd_node dd_rescaled(dd_builder *builder, dd_node x) {
    return builder->settings->image.skip_rescale ? dd_affine(builder->graph, x, sqrt(0.5), 0) : x;
}

static dd_node norm(dd_builder *builder, const dd_scope *scope, dd_node x,
                    const dd_condition *condition) {
    return condition->style == DD_NONE ? dd_group_norm(builder, scope, x)
                                       : dd_adaptive_norm(builder, scope, x, condition->style);
}

/* The bias is added to the features of the timestep, one row each. */
static dd_node first_convolution(dd_builder *builder, const dd_scope *scope, dd_node h,
                                 const dd_condition *condition, size_t channels) {
    dd_graph *graph = builder->graph;
    dd_scope conv = dd_scope_of("%s.Conv_0", scope->text),
             dense = dd_scope_of("%s.Dense_0", scope->text);
    dd_conv_shape shape = dd_conv_same(channels, 3, average);
    dd_node product = dd_conv_product(builder, &conv, h, shape),
            bias = dd_conv_bias(builder, &conv, h, shape);
    dd_node features =
        dd_add(graph, dd_linear_scaled(builder, &dense, condition->time, channels, average), bias);
    return dd_add(graph, product, dd_of_timestep(graph, features, condition->timestep));
}

/* The product at each pixel and the filter commute: it is computed at the smaller size. */
static dd_node shortcut(dd_builder *builder, const dd_scope *scope, dd_node x, size_t channels,
                        dd_resample way) {
    dd_scope conv = dd_scope_of("%s.Conv_2", scope->text);
    dd_conv_shape shape = dd_conv_same(channels, 1, average);
    if (way == DD_RESAMPLE_NONE && dd_graph_shape(builder->graph, x).size[3] == channels)
        return x;
    if (way == DD_RESAMPLE_DOWN)
        return dd_conv(builder, &conv, dd_resampled(builder, x, way), shape);
    dd_node product = dd_resampled(builder, dd_conv_product(builder, &conv, x, shape), way);
    return dd_add(builder->graph, product, dd_conv_bias(builder, &conv, x, shape));
}

dd_node dd_residual_block(dd_builder *builder, const dd_scope *scope, dd_node x,
                          const dd_condition *condition, size_t channels, dd_resample way) {
    dd_graph *graph = builder->graph;
    dd_scope first = dd_scope_of("%s.GroupNorm_0", scope->text),
             second = dd_scope_of("%s.GroupNorm_1", scope->text);
    dd_scope last = dd_scope_of("%s.Conv_1", scope->text);
    dd_node h = dd_resampled(builder, dd_silu(graph, norm(builder, &first, x, condition)), way);
    h = first_convolution(builder, scope, h, condition, channels);
    h = dd_dropout(builder, dd_silu(graph, norm(builder, &second, h, condition)));
    h = dd_conv(builder, &last, h, dd_conv_same(channels, 3, nearly_zero));
    return dd_rescaled(builder, dd_add(graph, shortcut(builder, scope, x, channels, way), h));
}

dd_node dd_attention(dd_builder *builder, const dd_scope *scope, dd_node x) {
    static const dd_scaling tenth = {DD_FAN_AVERAGE, 0.1};
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_graph_shape(graph, x);
    dd_shape pixels = {{1, shape.size[0], shape.size[1] * shape.size[2], shape.size[3]}};
    dd_scope norm = dd_scope_of("%s.GroupNorm_0", scope->text);
    dd_node h = dd_group_norm(builder, &norm, x), projected[3];

    for (int i = 0; i < 3; i++) {
        dd_scope layer = dd_scope_of("%s.NIN_%d", scope->text, i);
        projected[i] = dd_reshape(graph, dd_pointwise(builder, &layer, h, tenth), pixels);
    }
    dd_node query =
        dd_affine(graph, projected[0], 1 / sqrt((double)(pixels.size[3] + !pixels.size[3])), 0);
    dd_node weights = dd_softmax(graph, dd_matmul(graph, query, false, projected[1], true));
    dd_node mixed = dd_reshape(graph, dd_matmul(graph, weights, false, projected[2], false), shape);
    dd_scope out = dd_scope_of("%s.NIN_3", scope->text);
    return dd_rescaled(builder, dd_add(graph, x, dd_pointwise(builder, &out, mixed, nearly_zero)));
}

dd_node dd_pyramid_down(dd_builder *builder, const dd_scope *scope, dd_node x, size_t channels) {
    bool fir = builder->settings->image.fir;
    dd_scope layer = dd_scope_of(fir ? "%s.Conv2d_0" : "%s.Conv_0", scope->text);
    dd_conv_shape shape = {channels, 3, 2, 0, fir ? 0 : 1, average};
    if (fir)
        x = dd_fir_before_stride(builder->graph, x, &builder->settings->image.fir_kernel, 3);
    return dd_conv(builder, &layer, x, shape);
}
