#include "layers/mlp.h"

#include "layers/dense.h"
#include "layers/form.h"

#include <math.h>

/* Widths of layers: two lists of the configuration concatenated, or a list and one more width. */
typedef struct widths {
    size_t count;
    int64_t values[2 * DD_MOST_INTEGERS];
} widths;

typedef struct stack {
    const dd_mlp_settings *settings;
    dd_norm norm;
    widths widths;
} stack;

static widths both(const dd_integers *list, const dd_integers *more) {
    widths all = {0};
    for (size_t i = 0; i < list->count; i++)
        all.values[all.count++] = list->values[i];
    for (size_t i = 0; i < more->count; i++)
        all.values[all.count++] = more->values[i];
    return all;
}

static widths with_one(const dd_integers *list, size_t more) {
    return both(list, &(dd_integers){.count = 1, .values = {(int64_t)more}});
}

static dd_node activate(dd_builder *builder, const dd_scope *scope, const dd_mlp_settings *settings,
                        dd_node h) {
    switch ((dd_activation)settings->activation) {
    case DD_ACTIVATION_PRELU:
        return dd_prelu(builder, scope, h);
    case DD_ACTIVATION_SILU:
        break;
    }
    return dd_silu(builder->graph, h);
}

/* Linear layer, normalisation and activation, for all layers but the last, which is linear alone.
 * The published networks have a norm and an activation for the last layer as well, which they never
 * use. */
static dd_node layers(dd_builder *builder, const char *name, dd_node h, stack s) {
    for (size_t k = 0; k < s.widths.count; k++) {
        dd_scope linear = dd_scope_of("%s.layers.%zu", name, k),
                 norm = dd_scope_of("%s.layers_bn.%zu", name, k);
        dd_scope activation = dd_scope_of("%s.activation_fn.%zu", name, k);
        size_t width = (size_t)s.widths.values[k];
        bool last = k + 1 == s.widths.count, prelu = s.settings->activation == DD_ACTIVATION_PRELU;
        bool normalised = s.norm == DD_NORM_BATCH && !last;
        h = normalised ? dd_linear_batch_norm(builder, &linear, &norm, h, width)
                       : dd_linear(builder, &linear, h, width);
        if (s.norm == DD_NORM_BATCH && last)
            dd_batch_norm_declare(builder, &norm, width);
        if (prelu && last)
            dd_prelu_declare(builder, &activation);
        else if (!last)
            h = activate(builder, &activation, s.settings, h);
    }

    return h;
}

/* x, and sin and cos of pi f x for the network's number of frequencies f from 1/2 to 8, evenly in
 * their logarithm (Tancik et al., 2020). */
static dd_node with_waves(dd_builder *builder, const dd_mlp_settings *settings, dd_node x) {
    const double pi = 3.14159265358979323846, low = 0.5, high = 8;
    dd_graph *graph = builder->graph;
    dd_node all = x;
    for (int64_t i = 0, count = settings->frequencies; i < count; i++) {
        double frequency = low * pow(high / low, count > 1 ? (double)i / (double)(count - 1) : 0);
        dd_node angle = dd_affine(graph, x, pi * frequency, 0);
        all = dd_concat(graph, all, dd_concat(graph, dd_sin(graph, angle), dd_cos(graph, angle), 3),
                        3);
    }
    return all;
}

/* net(concat[x_encoder(x), t_encoder(embedding(t))]), both branches with 2 time_width features. The
 * branch of the timestep is computed once a timestep, not once a sample, and is never normalised.
 */
static dd_node trunk(dd_builder *builder, const dd_mlp_settings *settings, dd_node x,
                     dd_node timestep, widths out_widths) {
    size_t time_width = (size_t)builder->settings->network.time_width,
           timesteps = (size_t)builder->settings->diffusion.timesteps;
    stack branch = {settings, DD_NORM_NONE, with_one(&settings->feature_layers, 2 * time_width)};
    dd_node timesteps_features =
        layers(builder, "t_encoder", dd_timestep_embedding(builder, timesteps, time_width), branch);
    branch.norm = (dd_norm)settings->norm;
    dd_node features = layers(builder, "x_encoder", x, branch);
    dd_node all = dd_concat(builder->graph, features,
                            dd_take_rows(builder->graph, timesteps_features, timestep), 3);
    return layers(builder, "net", all, (stack){settings, (dd_norm)settings->norm, out_widths});
}

dd_node dd_mlp_energy(dd_builder *builder, dd_node x, dd_node x_next, dd_node timestep) {
    const dd_mlp_settings *settings = &builder->settings->energy.mlp;
    const int64_t form = builder->settings->form.energy;
    bool distance = form != DD_FORM_SCALAR;
    size_t width = distance ? dd_settings_inner_width(builder->settings) + 1 : 1;
    dd_node seen = with_waves(builder, settings, x);
    if (x_next != DD_NONE)
        seen = dd_concat(builder->graph, seen, with_waves(builder, settings, x_next), 3);
    dd_node out =
        trunk(builder, settings, seen, timestep, with_one(&settings->hidden_layers, width));
    if (!distance)
        return out;

    dd_node point = dd_slice(builder->graph, out, 3, 0, width - 1),
            bias = dd_slice(builder->graph, out, 3, width - 1, 1);
    if (form == DD_FORM_NORMAL)
        return dd_add(builder->graph, bias, dd_normal_energy(builder->graph, x, point));
    if (form == DD_FORM_DENSITY) {
        dd_scope linear = dd_scope_of("linear");
        point = dd_add(builder->graph, point, dd_linear(builder, &linear, x, width - 1));
    }
    return dd_add(builder->graph, bias, dd_distance_energy(builder, x, timestep, point));
}

/* The first numbers of z, as many as a row has, padded with zeros. */
static dd_node first_of_latent(dd_builder *builder, dd_node z) {
    size_t width = dd_settings_inner_width(builder->settings),
           latent = dd_settings_latent_width(builder->settings);
    if (latent < width)
        return dd_pad(builder->graph, z, 3, 0, width);
    return dd_slice(builder->graph, z, 3, 0, width);
}

/* With form.proposal, the Fourier features are those of the draw of x_0 that normal data would
 * have. They resolve the effect of z as well as x_{t+1}, so that the network can move draws that
 * fall between two modes. */
dd_node dd_mlp_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z) {
    const dd_mlp_settings *settings = &builder->settings->generator.mlp;
    dd_graph *graph = builder->graph;
    bool proposes = builder->settings->form.proposal;
    dd_node noise = proposes ? first_of_latent(builder, z) : DD_NONE;
    dd_node start = proposes ? dd_with_residual(builder, x_next, timestep, noise) : x_next;

    dd_node x = dd_concat(graph, with_waves(builder, settings, start), z, 3);
    dd_node out =
        trunk(builder, settings, x, timestep,
              with_one(&settings->hidden_layers, dd_settings_inner_width(builder->settings)));
    if (!builder->settings->form.residual)
        return out;
    return dd_with_residual(builder, x_next, timestep, proposes ? dd_add(graph, noise, out) : out);
}

dd_latent dd_mlp_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep) {
    const dd_mlp_settings *settings = &builder->settings->encoder.mlp;
    dd_node h = trunk(builder, settings,
                      dd_concat(builder->graph, with_waves(builder, settings, x_t),
                                with_waves(builder, settings, x_next), 3),
                      timestep, both(&settings->hidden_layers, &settings->feature_layers));
    size_t latent = dd_settings_latent_width(builder->settings);
    dd_scope mean = dd_scope_of("fc_mu"), log_variance = dd_scope_of("fc_var");
    dd_latent out = {.mean = dd_linear(builder, &mean, h, latent)};
    out.log_variance = dd_linear(builder, &log_variance, h, latent);
    return out;
}
