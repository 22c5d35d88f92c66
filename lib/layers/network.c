#include "layers/network.h"

#include "layers/image_encoder.h"
#include "layers/mlp.h"
#include "layers/ncsnpp.h"

typedef struct family {
    /* x_next is DD_NONE for an energy */
    dd_node (*energy)(dd_builder *builder, dd_node x, dd_node x_next, dd_node timestep);
    dd_node (*generator)(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z);
    dd_latent (*encoder)(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep);
} family;

static const family families[] = {
    [DD_FAMILY_MLP] = {dd_mlp_energy, dd_mlp_generator, dd_mlp_encoder},
    [DD_FAMILY_NCSNPP] = {dd_ncsnpp_energy, dd_ncsnpp_generator, dd_image_encoder},
};

static const family *family_of(const dd_builder *builder) {
    return &families[builder->settings->network.family];
}

dd_node dd_network_energy(dd_builder *builder, dd_node x, dd_node timestep) {
    builder->network = DDAEBM_NETWORK_ENERGY;
    return family_of(builder)->energy(builder, x, DD_NONE, timestep);
}

dd_node dd_network_discriminator(dd_builder *builder, dd_node x_t, dd_node x_next,
                                 dd_node timestep) {
    builder->network = DDAEBM_NETWORK_ENERGY;
    return family_of(builder)->energy(builder, x_t, x_next, timestep);
}

dd_node dd_network_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z) {
    builder->network = DDAEBM_NETWORK_GENERATOR;
    if (!builder->settings->network.latent)
        z = dd_affine(builder->graph, z, 0, 0);
    return family_of(builder)->generator(builder, x_next, timestep, z);
}

dd_latent dd_network_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep) {
    builder->network = DDAEBM_NETWORK_ENCODER;
    return family_of(builder)->encoder(builder, x_t, x_next, timestep);
}

dd_shape dd_network_data_shape(const dd_settings *settings, size_t samples) {
    size_t side = (size_t)settings->data.image_size;
    if (side == 0 ||
        settings->network.family == DD_FAMILY_MLP) /* which reads an image as one row */
        return dd_shape_rows(samples, dd_settings_inner_width(settings));
    return (dd_shape){{samples, side, side, (size_t)settings->data.channels}};
}

ddaebm_status dd_network_declare(dd_parameters *out, ddaebm_context *context,
                                 const dd_settings *settings) {
    enum { SAMPLES = 2 }; /* any number: parameters do not depend on it */
    dd_parameters parameters = {.context = context};
    dd_graph *graph = NULL;
    ddaebm_status status = dd_graph_create(&graph, context);
    if (status != DDAEBM_OK)
        return status;

    dd_builder builder = {.graph = graph,
                          .settings = settings,
                          .parameters = &parameters,
                          .declaring = true,
                          .never_run = true};
    dd_node x = dd_input(graph, -1, dd_network_data_shape(settings, SAMPLES), 0);
    dd_node timestep = dd_input(graph, -2, dd_shape_rows(SAMPLES, 1), 0);
    dd_node z = dd_input(graph, -3, dd_shape_rows(SAMPLES, dd_settings_latent_width(settings)), 0);
    if (settings->objective.kind == DD_OBJECTIVE_LOGISTIC)
        (void)dd_network_discriminator(&builder, x, x, timestep);
    else
        (void)dd_network_energy(&builder, x, timestep);
    (void)dd_network_generator(&builder, x, timestep, z);
    (void)dd_network_encoder(&builder, x, x, timestep);
    status = dd_graph_status(graph);
    dd_graph_free(graph);
    if (status != DDAEBM_OK) {
        dd_parameters_free(&parameters);
        return status;
    }
    *out = parameters;
    return DDAEBM_OK;
}
