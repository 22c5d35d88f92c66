#include "layers/mlp.h"

#include "layers/dense.h"

/* Widths of a stack of layers: a list from the configuration and one or more after it. */
typedef struct stack {
    const dd_network_settings *settings;
    dd_norm norm;
    dd_integers widths;
} stack;

static dd_integers with(dd_integers list, const dd_integers *more) {
    for (size_t i = 0; i < more->count && list.count < DD_MOST_INTEGERS; i++)
        list.values[list.count++] = more->values[i];
    return list;
}

static dd_integers with_one(dd_integers list, size_t more) {
    return with(list, &(dd_integers){.count = 1, .values = {(int64_t)more}});
}

/* Linear, normalisation and activation for all but the last layer, which is linear alone. The published networks own a norm and an activation for the last one
 * too, and never call them. */
static dd_node layers(dd_builder *builder, const char *name, dd_node h, stack s) {
    for (size_t k = 0; k < s.widths.count; k++) {
        dd_scope linear = dd_scope_of("%s.layers.%zu", name, k), norm = dd_scope_of("%s.layers_bn.%zu", name, k);
        dd_scope activation = dd_scope_of("%s.activation_fn.%zu", name, k);
        size_t width = (size_t)s.widths.values[k];
        bool last = k + 1 == s.widths.count, prelu = s.settings->activation == DD_ACTIVATION_PRELU;
        h = dd_linear(builder, &linear, h, width);
        if (s.norm == DD_NORM_BATCH && last)
            dd_batch_norm_declare(builder, &norm, width);
        else if (s.norm == DD_NORM_BATCH)
            h = dd_batch_norm(builder, &norm, h);
        if (prelu && last)
            dd_prelu_declare(builder, &activation);
        else if (!last)
            h = prelu ? dd_prelu(builder, &activation, h) : dd_silu(builder->graph, h);
    }
    return h;
}

/* net(concat[x_encoder(x), t_encoder(embedding(t))]), both branches with 2 time_width features. The level's branch is computed once a level, not once a
 * sample, and is never normalised. */
static dd_node trunk(dd_builder *builder, const dd_network_settings *settings, dd_node x, dd_node level, dd_integers out_widths) {
    size_t time_width = (size_t)builder->settings->network.time_width, levels = (size_t)builder->settings->diffusion.timesteps;
    stack branch = {settings, DD_NORM_NONE, with_one(settings->feature_layers, 2 * time_width)};
    dd_node levels_features = layers(builder, "t_encoder", dd_level_embedding(builder->graph, levels, time_width), branch);
    branch.norm = (dd_norm)settings->norm;
    dd_node features = layers(builder, "x_encoder", x, branch);
    dd_node all = dd_concat(builder->graph, features, dd_take_rows(builder->graph, levels_features, level), 3);
    return layers(builder, "net", all, (stack){settings, (dd_norm)settings->norm, out_widths});
}

dd_node dd_mlp_energy(dd_builder *builder, dd_node x, dd_node level) {
    const dd_network_settings *settings = &builder->settings->energy;
    return trunk(builder, settings, x, level, with_one(settings->hidden_layers, 1));
}

dd_node dd_mlp_generator(dd_builder *builder, dd_node x_next, dd_node level, dd_node z) {
    const dd_network_settings *settings = &builder->settings->generator;
    dd_node x = dd_concat(builder->graph, x_next, z, 3);
    return trunk(builder, settings, x, level, with_one(settings->hidden_layers, (size_t)builder->settings->data.width));
}

dd_latent dd_mlp_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node level) {
    const dd_network_settings *settings = &builder->settings->encoder;
    dd_node h = trunk(builder, settings, dd_concat(builder->graph, x_t, x_next, 3), level,
                      with(settings->hidden_layers, &settings->feature_layers));
    size_t latent = (size_t)builder->settings->network.latent_width;
    dd_scope mean = dd_scope_of("fc_mu"), log_variance = dd_scope_of("fc_var");
    dd_latent out = {.mean = dd_linear(builder, &mean, h, latent)};
    out.log_variance = dd_linear(builder, &log_variance, h, latent);
    return out;
}
