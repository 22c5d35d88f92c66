#include "layers/image_layers.h"

#include "layers/dense.h"

/* --- Shapes. --- */

dd_node dd_pixels(dd_graph *graph, dd_node x) {
    dd_shape shape = dd_graph_shape(graph, x);
    return dd_reshape(graph, x,
                      dd_shape_rows(shape.size[0] * shape.size[1] * shape.size[2], shape.size[3]));
}

dd_node dd_pixels_of(dd_graph *graph, dd_node rows, dd_shape shape) {
    shape.size[3] = dd_graph_shape(graph, rows).size[3];
    return dd_reshape(graph, rows, shape);
}

dd_node dd_rows_to_images(dd_graph *graph, dd_node rows) {
    dd_shape shape = dd_graph_shape(graph, rows);
    return dd_reshape(graph, rows, (dd_shape){{shape.size[2], 1, 1, shape.size[3]}});
}

dd_node dd_images_to_rows(dd_graph *graph, dd_node x) {
    dd_shape shape = dd_graph_shape(graph, x);
    return dd_reshape(graph, x,
                      dd_shape_rows(shape.size[0], shape.size[1] * shape.size[2] * shape.size[3]));
}

/* --- Convolutions. --- */

dd_conv_shape dd_conv_same(size_t channels, int size, dd_scaling scaling) {
    return (dd_conv_shape){channels, size, 1, size / 2, size / 2, scaling};
}

/* Weights in the layout of convolutions, [O, KH, KW, C]. */
static dd_node filters(dd_builder *builder, const dd_scope *scope, size_t inputs, dd_conv_shape c) {
    static const int channels_last[DD_AXES] = {0, 2, 3, 1};
    size_t side = (size_t)c.size, places = side * side;
    dd_initial first = dd_initial_weights(c.scaling, inputs * places, c.channels * places);
    dd_shape in_files = {{c.channels, inputs, side, side}},
             in_kernels = {{c.channels, side, side, inputs}};
    if (builder->kernel_layout)
        return dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, in_kernels, 4, first);
    dd_node weight =
        dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, in_files, 4, first);
    return side == 1 || inputs == 1 ? dd_reshape(builder->graph, weight, in_kernels)
                                    : dd_permute(builder->graph, weight, channels_last);
}

dd_node dd_conv_product(dd_builder *builder, const dd_scope *scope, dd_node x, dd_conv_shape c) {
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_graph_shape(graph, x);
    dd_node weight = filters(builder, scope, shape.size[3], c);
    size_t side = (size_t)c.size;
    bool margins = c.before != 0 || c.after != 0;

    if (side == 1 && c.stride == 1 && !margins)
        return dd_pixels_of(
            graph,
            dd_matmul(graph, dd_pixels(graph, x), false, dd_images_to_rows(graph, weight), true),
            shape);
    if (shape.size[1] == side && shape.size[2] == side && !margins)
        return dd_rows_to_images(graph, dd_matmul(graph, dd_images_to_rows(graph, x), false,
                                                  dd_images_to_rows(graph, weight), true));
    return dd_convolve(graph, x, weight, c.stride, c.before, c.after);
}

dd_node dd_conv_bias(dd_builder *builder, const dd_scope *scope, dd_node x, dd_conv_shape c) {
    size_t inputs = dd_graph_shape(builder->graph, x).size[3] * (size_t)c.size * (size_t)c.size;
    return dd_parameter_node(builder, scope, "bias", DD_ROLE_WEIGHT, dd_shape_rows(1, c.channels),
                             1, dd_initial_biases(c.scaling, inputs));
}

dd_node dd_conv(dd_builder *builder, const dd_scope *scope, dd_node x, dd_conv_shape c) {
    dd_node product = dd_conv_product(builder, scope, x, c);
    return dd_add(builder->graph, product, dd_conv_bias(builder, scope, x, c));
}

dd_node dd_pointwise(dd_builder *builder, const dd_scope *scope, dd_node x, dd_scaling scaling) {
    dd_graph *graph = builder->graph;
    dd_shape shape = dd_graph_shape(graph, x);
    size_t channels = shape.size[3];
    dd_node weight =
        dd_parameter_node(builder, scope, "W", DD_ROLE_WEIGHT, dd_shape_rows(channels, channels), 2,
                          dd_initial_weights(scaling, channels, channels));
    dd_node bias =
        dd_parameter_node(builder, scope, "b", DD_ROLE_WEIGHT, dd_shape_rows(1, channels), 1,
                          dd_initial_biases(scaling, channels));
    return dd_pixels_of(
        graph, dd_add(graph, dd_matmul(graph, dd_pixels(graph, x), false, weight, false), bias),
        shape);
}

/* --- Norms and dropout. --- */

static dd_node normalize(dd_builder *builder, dd_node x) {
    size_t channels = dd_graph_shape(builder->graph, x).size[3], most = 32;
    return dd_normalize(builder->graph, x, channels / 4 < most ? channels / 4 : most, 1e-6);
}

dd_node dd_group_norm(dd_builder *builder, const dd_scope *scope, dd_node x) {
    dd_shape shape = dd_shape_rows(1, dd_graph_shape(builder->graph, x).size[3]);
    dd_node scale = dd_parameter_node(builder, scope, "weight", DD_ROLE_WEIGHT, shape, 1,
                                      (dd_initial){.middle = 1});
    dd_node shift = dd_parameter_node(builder, scope, "bias", DD_ROLE_WEIGHT, shape, 1,
                                      (dd_initial){.middle = 0});
    return dd_add(builder->graph, dd_multiply(builder->graph, normalize(builder, x), scale), shift);
}

dd_node dd_adaptive_norm(dd_builder *builder, const dd_scope *scope, dd_node x, dd_node style) {
    dd_graph *graph = builder->graph;
    size_t channels = dd_graph_shape(graph, x).size[3];
    dd_scope layer = dd_scope_of("%s.style", scope->text);
    dd_node rows = dd_linear_style(builder, &layer, style, 2 * channels);
    dd_node scale = dd_rows_to_images(graph, dd_slice(graph, rows, 3, 0, channels));
    dd_node shift = dd_rows_to_images(graph, dd_slice(graph, rows, 3, channels, channels));
    return dd_add(graph, dd_multiply(graph, normalize(builder, x), scale), shift);
}

dd_node dd_dropout(dd_builder *builder, dd_node x) {
    double dropout = builder->settings->image.dropout;
    if (!builder->training || dropout <= 0)
        return x;
    dd_shape shape = dd_graph_shape(builder->graph, x);
    dd_node mask =
        dd_mask(builder->graph, builder->dropout_seed, builder->dropouts++, 1 - dropout, shape);
    return dd_multiply(builder->graph, x, mask);
}
