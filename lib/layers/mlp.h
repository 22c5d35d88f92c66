/* Multi-layer perceptrons on rows: the published toy networks and the options added to them. */
#ifndef DD_MLP_H
#define DD_MLP_H

#include "layers/network.h"

dd_node dd_mlp_energy(dd_builder *builder, dd_node x, dd_node x_next, dd_node timestep);
dd_node dd_mlp_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z);
dd_latent dd_mlp_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep);

#endif
