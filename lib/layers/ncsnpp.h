/* Energy and generator for images: the U-Net NCSN++ (Song et al., 2021), the generator with norms
 * that a latent input adapts (Xiao et al., 2022). */
#ifndef DD_NCSNPP_H
#define DD_NCSNPP_H

#include "layers/network.h"

/* -1/2 ||x - trunk(x, t)||^2; the trunk of a discriminator sees x_next as well. */
dd_node dd_ncsnpp_energy(dd_builder *builder, dd_node x, dd_node x_next, dd_node timestep);

/* tanh(trunk(x_next, t, style of z)) */
dd_node dd_ncsnpp_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z);

#endif
