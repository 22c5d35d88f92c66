/* Encoders of images: pairs (x_t, x_{t+1}) to the mean and log variance of z. */
#ifndef DD_IMAGE_ENCODER_H
#define DD_IMAGE_ENCODER_H

#include "layers/network.h"

/* The encoder of encoder.kind: convolutions of 4 x 4 and stride 2 down to 4 x 4 pixels; or up to
 * six residual blocks, a channel of the minibatch standard deviation (Karras et al., 2018), and a
 * log variance below 0. */
dd_latent dd_image_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep);

/* Appends a channel with the minibatch standard deviation of each group of min(N, 4) images, n, n +
 * N/4 and so on. */
dd_node dd_minibatch_deviation(dd_graph *graph, dd_node x);

#endif
