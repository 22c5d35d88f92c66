#include "layers/ncsnpp.h"

#include "diffusion/process.h"
#include "layers/dense.h"
#include "layers/form.h"
#include "layers/image_layers.h"
#include "layers/resample.h"
#include "layers/residual.h"
#include "layers/spectral.h"

/* State of building the network. The published modules are numbered in the order in which they are
 * made, whatever their type. */
typedef struct unet {
    dd_builder *builder;
    const dd_u_net_settings *settings;
    dd_condition condition;
    dd_node h, pyramid;
    dd_node kept[DD_MOST_INTEGERS * (DD_MOST_BLOCKS + 1) + 1]; /* for the upward path */
    size_t kept_count, module;
} unet;

static dd_scope next_module(unet *net) {
    return dd_scope_of("all_modules.%zu", net->module++);
}

static void keep(unet *net) {
    net->kept[net->kept_count++] = net->h;
}

static void block(unet *net, size_t channels, dd_resample way) {
    dd_scope scope = next_module(net);
    net->h = dd_residual_block(net->builder, &scope, net->h, &net->condition, channels, way);
}

static void attend(unet *net) {
    dd_scope scope = next_module(net);
    net->h = dd_attention(net->builder, &scope, net->h);
}

static void convolve(unet *net, size_t channels, double scale) {
    dd_scope scope = next_module(net);
    net->h = dd_conv(net->builder, &scope, net->h,
                     dd_conv_same(channels, 3, (dd_scaling){DD_FAN_AVERAGE, scale}));
}

static size_t channels_at(const unet *net, size_t depth) {
    return (size_t)(net->settings->channels * net->settings->multipliers.values[depth]);
}

static bool attends(const unet *net, size_t depth) {
    const dd_integers *sizes = &net->settings->attention;
    int64_t size =
        net->builder->settings->data.image_size / net->builder->settings->image.patch >> depth;
    for (size_t i = 0; i < sizes->count; i++)
        if (sizes->values[i] == size)
            return true;
    return false;
}

static size_t present_channels(const unet *net) {
    return dd_graph_shape(net->builder->graph, net->h).size[3];
}

/* Features of the timesteps, one row a timestep, shared by all blocks. */
static dd_node time_features(unet *net) {
    dd_builder *builder = net->builder;
    size_t width = (size_t)net->settings->channels,
           timesteps = (size_t)builder->settings->diffusion.timesteps;
    dd_node features = dd_timestep_embedding(builder, timesteps, width);
    for (int i = 0; i < 2; i++) {
        dd_scope scope = next_module(net);
        features =
            dd_linear_scaled(builder, &scope, features, 4 * width, (dd_scaling){DD_FAN_AVERAGE, 1});
        features = dd_silu(builder->graph, features);
    }
    return features;
}

/* Adds the input, halved at each resolution, to the features (input pyramid). */
static void add_pyramid(unet *net) {
    dd_scope scope = next_module(net);
    net->pyramid = dd_pyramid_down(net->builder, &scope, net->pyramid, present_channels(net));
    net->h = net->pyramid =
        dd_rescaled(net->builder, dd_add(net->builder->graph, net->pyramid, net->h));
}

/* Downward path: blocks at each resolution, then half the size. */
static void go_down(unet *net) {
    for (size_t depth = 0; depth < net->settings->multipliers.count; depth++) {
        for (int64_t i = 0; i < net->settings->blocks; i++) {
            block(net, channels_at(net, depth), DD_RESAMPLE_NONE);
            if (attends(net, depth))
                attend(net);
            keep(net);
        }
        if (depth + 1 == net->settings->multipliers.count)
            break;
        block(net, present_channels(net), DD_RESAMPLE_DOWN);
        if (net->builder->settings->image.progressive_input == DD_PROGRESSIVE_RESIDUAL)
            add_pyramid(net);
        keep(net);
    }
}

static void go_up(unet *net) {
    for (size_t depth = net->settings->multipliers.count; depth-- > 0;) {
        for (int64_t i = 0; i <= net->settings->blocks; i++) {
            net->h = dd_concat(net->builder->graph, net->h, net->kept[--net->kept_count], 3);
            block(net, channels_at(net, depth), DD_RESAMPLE_NONE);
        }
        if (attends(net, depth))
            attend(net);
        if (depth > 0)
            block(net, present_channels(net), DD_RESAMPLE_UP);
    }
}

/* The U-Net from input to features of the same size. */
static dd_node trunk(dd_builder *builder, const dd_u_net_settings *settings, dd_node x,
                     dd_node timestep, dd_node style, size_t channels, bool linear) {
    unet net = {.builder = builder,
                .settings = settings,
                .condition = {.timestep = timestep, .style = style},
                .h = x,
                .pyramid = x};

    net.condition.time = time_features(&net);
    convolve(&net, (size_t)settings->channels, 1);
    keep(&net);
    go_down(&net);
    block(&net, present_channels(&net), DD_RESAMPLE_NONE);
    attend(&net);
    block(&net, present_channels(&net), DD_RESAMPLE_NONE);
    go_up(&net);
    dd_scope norm = next_module(&net);
    dd_node unnormalised = net.h;
    net.h = dd_silu(builder->graph, dd_group_norm(builder, &norm, net.h));
    convolve(&net, channels, DD_NEARLY_ZERO);
    if (!linear)
        return net.h;
    dd_node out = net.h;
    net.h = unnormalised;
    convolve(&net, channels, DD_NEARLY_ZERO);
    return dd_add(builder->graph, out, net.h);
}

/* Maps data from [0, 1] to [-1, 1], and folds squares of pixels into channels. */
static dd_node taken_in(dd_builder *builder, dd_node x) {
    dd_node centred = builder->settings->image.centered ? x : dd_affine(builder->graph, x, 2, -1);
    return dd_fold(builder->graph, centred, (size_t)builder->settings->image.patch);
}

/* The log-density of a normal distribution, but with a point subtracted from the whitened image; in
 * units of f. */
static dd_node normal_energy(dd_builder *builder, dd_node x, dd_node timestep, dd_node point) {
    dd_graph *graph = builder->graph;
    dd_node log_density = DD_NONE,
            white = dd_fold(graph, dd_whiten_images(builder, x, timestep, &log_density),
                            (size_t)builder->settings->image.patch);
    dd_node normal = dd_add(graph, log_density, dd_normal_energy(graph, white, point));
    return dd_affine(graph, normal, dd_settings_density_weight(builder->settings), 0);
}

/* One number a pixel, summed, plus the form's function of an image that the network returns as
 * well, part of which is computed without normalisation. `taken` is x as the trunk takes it. */
static dd_node density_energy(dd_builder *builder, dd_node x, dd_node taken, dd_node seen,
                              dd_node timestep) {
    dd_graph *graph = builder->graph;
    size_t channels = dd_graph_shape(graph, taken).size[3];
    dd_node out = trunk(builder, &builder->settings->energy.u_net, seen, timestep, DD_NONE,
                        channels + 1, true);
    dd_node point = dd_slice(graph, out, 3, 0, channels),
            heights = dd_slice(graph, out, 3, channels, 1);
    dd_node height = dd_sum(graph, heights, dd_shape_a_sample(graph, x));
    return dd_add(graph, height,
                  builder->settings->form.energy == DD_FORM_NORMAL
                      ? normal_energy(builder, x, timestep, point)
                      : dd_distance_energy(builder, taken, timestep, point));
}

dd_node dd_ncsnpp_energy(dd_builder *builder, dd_node x, dd_node x_next, dd_node timestep) {
    dd_graph *graph = builder->graph;
    const int64_t form = builder->settings->form.energy;
    dd_node taken = taken_in(builder, x), seen = taken;
    if (x_next != DD_NONE)
        seen = dd_concat(graph, taken, taken_in(builder, x_next), 3);
    if (form == DD_FORM_DENSITY || form == DD_FORM_NORMAL)
        return density_energy(builder, x, taken, seen, timestep);
    dd_node point = trunk(builder, &builder->settings->energy.u_net, seen, timestep, DD_NONE,
                          dd_graph_shape(graph, taken).size[3], false);
    return form == DD_FORM_DISTANCE ? dd_distance_energy(builder, taken, timestep, point)
                                    : dd_normal_energy(graph, taken, point);
}

/* The mapping network: one row of styles an image. */
static dd_node style_of(dd_builder *builder, dd_node z) {
    size_t width = (size_t)builder->settings->network.latent_embedding;
    dd_node style = dd_pixel_norm(builder->graph, z);
    for (int64_t i = 0; i <= builder->settings->network.mapping_layers; i++) {
        dd_scope scope = dd_scope_of("z_transform.%d", (int)(2 * i + 1));
        style = dd_silu(builder->graph, dd_linear_scaled(builder, &scope, style, width,
                                                         (dd_scaling){DD_FAN_OUTPUTS, 1}));
    }
    return style;
}

/* The last numbers of z as images of the trunk's size: they carry what differs from place to place,
 * which a style cannot. */
static dd_node maps_of(dd_builder *builder, dd_node z, dd_shape shape) {
    size_t numbers = shape.size[1] * shape.size[2] * shape.size[3];
    size_t width = dd_graph_shape(builder->graph, z).size[3];
    return dd_reshape(builder->graph, dd_slice(builder->graph, z, 3, width - numbers, numbers),
                      shape);
}

/* tanh never reaches -1, but black pixels, which many images have, are -1. */
static dd_node reaching(dd_graph *graph, const dd_settings *settings, dd_node x) {
    double gain = settings->image.tanh_gain;
    if (gain <= 1)
        return x;
    dd_node zero = dd_scalar(graph, 0);
    dd_node above_black = dd_leaky(graph, dd_affine(graph, x, gain, 1), zero);
    dd_node above_white = dd_leaky(graph, dd_affine(graph, x, gain, -1), zero);
    return dd_affine(graph, dd_subtract(graph, above_black, above_white), 1, -1);
}

dd_node dd_ncsnpp_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z) {
    dd_graph *graph = builder->graph;
    dd_node x = taken_in(builder, x_next);
    dd_shape shape = dd_graph_shape(graph, x);
    size_t channels = shape.size[3], maps = (size_t)builder->settings->network.latent_maps;

    shape.size[3] = maps;
    if (maps > 0) {
        x = dd_concat(graph, x, maps_of(builder, z, shape), 3);
        z = dd_slice(graph, z, 3, 0,
                     dd_graph_shape(graph, z).size[3] - maps * shape.size[1] * shape.size[2]);
    }
    dd_node out = trunk(builder, &builder->settings->generator.u_net, x, timestep,
                        style_of(builder, z), channels, false);
    out = dd_unfold(graph, out, (size_t)builder->settings->image.patch);
    if (!builder->settings->image.tanh)
        return builder->settings->form.residual ? dd_with_residual(builder, x_next, timestep, out)
                                                : out;
    return reaching(graph, builder->settings,
                    dd_tanh(graph, builder->settings->form.residual
                                       ? dd_with_logits(builder, x_next, timestep, out)
                                       : out));
}
