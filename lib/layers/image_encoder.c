#include "layers/image_encoder.h"

#include "layers/dense.h"
#include "layers/image_layers.h"
#include "layers/residual.h"

#include <math.h>

static const dd_scaling outputs = {DD_FAN_OUTPUTS, 1},
                        nearly_zero = {DD_FAN_OUTPUTS, DD_NEARLY_ZERO}, torch = {DD_FAN_DEFAULT, 1};

static dd_node leaky(dd_graph *graph, dd_node x) {
    return dd_leaky(graph, x, dd_scalar(graph, 0.2));
}

static int base_two_logarithm(int64_t x) {
    int result = 0;
    for (; x > 1; x >>= 1)
        result++;
    return result;
}

/* Features of the timesteps, one row a timestep. */
static dd_node time_features(dd_builder *builder) {
    size_t width = (size_t)builder->settings->network.time_width,
           timesteps = (size_t)builder->settings->diffusion.timesteps;
    dd_node features = dd_timestep_embedding(builder, timesteps, width);
    for (int i = 0; i < 2; i++) {
        dd_scope scope = dd_scope_of("t_embed.main.%d", 2 * i);
        features =
            leaky(builder->graph, dd_linear_scaled(builder, &scope, features, width, outputs));
    }
    return features;
}

/* --- Convolutions down to 4 x 4 pixels. --- */

/* Builds the encoder of encoder.kind convolutional. */
static dd_latent convolutional(dd_builder *builder, dd_node h, dd_node timestep) {
    dd_graph *graph = builder->graph;
    dd_node time = time_features(builder), heads[2];
    size_t width = (size_t)builder->settings->encoder.channels;
    int depth = base_two_logarithm(builder->settings->data.image_size) - 1;

    for (int k = 1; k <= depth; k++, width *= 2) {
        dd_scope conv = dd_scope_of("conv%d", k), dense = dd_scope_of("dense_t%d", k);
        dd_conv_shape shape =
            k == 1 ? dd_conv_same(width, 3, torch) : (dd_conv_shape){width, 4, 2, 1, 1, torch};
        h = leaky(graph, dd_conv_product(builder, &conv, h, shape));
        h = dd_add(graph, h,
                   dd_of_timestep(graph, dd_linear_scaled(builder, &dense, time, width, outputs),
                                  timestep));
    }
    for (int i = 0; i < 2; i++) {
        dd_scope conv = dd_scope_of("conv%d%d", depth + 1, i + 1);
        dd_conv_shape shape = {dd_settings_latent_width(builder->settings), 4, 1, 0, 0, torch};
        heads[i] = dd_images_to_rows(graph, dd_conv(builder, &conv, h, shape));
    }
    return (dd_latent){heads[0], heads[1]};
}

/* --- Residual blocks. --- */

dd_node dd_minibatch_deviation(dd_graph *graph, dd_node x) {
    dd_shape shape = dd_graph_shape(graph, x), channel = shape;
    size_t group = shape.size[0] < 4 ? shape.size[0] : 4,
           groups = group > 0 ? shape.size[0] / group : 0;
    size_t numbers = shape.size[1] * shape.size[2] * shape.size[3];
    dd_node members = dd_reshape(graph, x, (dd_shape){{group, groups, 1, numbers}});
    dd_shape one = {{1, groups, 1, numbers}};
    dd_node away = dd_subtract(graph, members, dd_mean(graph, members, one));
    dd_node variance = dd_mean(graph, dd_multiply(graph, away, away), one);
    dd_node deviation = dd_power(graph, dd_affine(graph, variance, 1, 1e-8), 0.5);
    dd_node spread = dd_mean(graph, deviation, (dd_shape){{1, groups, 1, 1}});
    dd_node each = dd_expand(graph, spread, (dd_shape){{group, groups, 1, 1}});

    channel.size[3] = 1;
    return dd_concat(
        graph, x,
        dd_expand(graph, dd_reshape(graph, each, (dd_shape){{shape.size[0], 1, 1, 1}}), channel),
        3);
}

/* Halves the size with a fixed filter. */
static dd_node halved(dd_graph *graph, dd_node x) {
    static const dd_integers taps = {.count = 4, .values = {1, 3, 3, 1}};
    return dd_fir_down(graph, x, &taps);
}

/* Residual block that halves the image. */
static dd_node down_block(dd_builder *builder, int number, dd_node x, dd_node time,
                          dd_node timestep, size_t channels) {
    dd_graph *graph = builder->graph;
    dd_scope first = dd_scope_of("conv%d.conv1.0.conv", number),
             second = dd_scope_of("conv%d.conv2.0.conv", number);
    dd_scope dense = dd_scope_of("conv%d.dense_t1", number),
             skip = dd_scope_of("conv%d.skip.0.conv", number);
    dd_conv_shape shape = dd_conv_same(channels, 3, outputs);
    dd_node h = leaky(graph, x), bias = dd_conv_bias(builder, &first, h, shape);
    dd_node features =
        dd_add(graph, dd_linear_scaled(builder, &dense, time, channels, outputs), bias);

    h = leaky(graph, dd_add(graph, dd_conv_product(builder, &first, h, shape),
                            dd_of_timestep(graph, features, timestep)));
    shape.scaling = nearly_zero;
    h = dd_conv(builder, &second, halved(graph, h), shape);
    dd_node passed =
        dd_conv_product(builder, &skip, halved(graph, x), dd_conv_same(channels, 1, outputs));
    return dd_affine(graph, dd_add(graph, h, passed), sqrt(0.5), 0);
}

/* Builds the encoder of encoder.kind large. */
static dd_latent large(dd_builder *builder, dd_node h, dd_node timestep) {
    dd_graph *graph = builder->graph;
    dd_node time = time_features(builder);
    size_t width = (size_t)builder->settings->encoder.channels;
    int size = base_two_logarithm(builder->settings->data.image_size), blocks = size < 6 ? size : 6;
    dd_scope start = dd_scope_of("start_conv.conv"), final = dd_scope_of("final_conv.conv");
    dd_scope mean = dd_scope_of("end_linear_mean"), log_variance = dd_scope_of("end_linear_logvar");

    h = dd_conv(builder, &start, h, dd_conv_same(2 * width, 1, outputs));
    for (int k = 1; k <= blocks; k++)
        h = down_block(builder, k, h, time, timestep, k == 1 ? 4 * width : 8 * width);
    h = dd_conv(builder, &final, dd_minibatch_deviation(graph, h),
                dd_conv_same(8 * width, 3, outputs));
    dd_shape shape = dd_graph_shape(graph, h);
    h = dd_sum(graph, leaky(graph, h), (dd_shape){{shape.size[0], 1, 1, shape.size[3]}});
    dd_node rows = dd_images_to_rows(graph, h);
    size_t latent = dd_settings_latent_width(builder->settings);
    dd_node raw = dd_linear_scaled(builder, &log_variance, rows, latent, outputs);
    return (dd_latent){dd_linear_scaled(builder, &mean, rows, latent, outputs),
                       dd_affine(graph, dd_softplus(graph, raw), -1, 0)};
}

dd_latent dd_image_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep) {
    dd_node pair = dd_concat(builder->graph, x_t, x_next, 3);
    return (builder->settings->encoder.kind == DD_ENCODER_LARGE ? large : convolutional)(
        builder, pair, timestep);
}
