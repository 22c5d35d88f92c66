/* Encoders of images: pairs (x_t, x_{t+1}) to the mean and log variance of z. */
#ifndef DD_IMAGE_ENCODER_H
#define DD_IMAGE_ENCODER_H

#include "layers/network.h"

/* The one that encoder.kind names: convolutions of 4 x 4 and stride 2 down to 4 x 4 pixels; or up
 * to six residual blocks, a channel of the batch's spread (Karras et al., 2018), and a log variance
 * below 0. */
dd_latent dd_image_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep);

/* The spread of each group of min(N, 4) images, n, n + N/4 and so on, as one more channel. */
dd_node dd_with_spread(dd_graph *graph, dd_node x);

#endif
