/* The three networks of any family, as the other rooms call them.
 *
 * timestep [1, 1, N, 1] holds integers from 0 to T-1; z is [1, 1, N, dd_settings_latent_width];
 * data is [1, 1, N, D] or, for images and families that see them as such, [N, H, W, C]. */
#ifndef DD_NETWORK_H
#define DD_NETWORK_H

#include "layers/builder.h"

/* f(x, t): one number a sample. */
dd_node dd_network_energy(dd_builder *builder, dd_node x, dd_node timestep);

/* The same network as a discriminator D(x_t, x_{t+1}, t): one logit a sample. For objective.kind
 * logistic, whose weights are those of a network that sees both. */
dd_node dd_network_discriminator(dd_builder *builder, dd_node x_t, dd_node x_next,
                                 dd_node timestep);

/* G(x_{t+1}, t, z): the predicted x_0, shaped like x_next. */
dd_node dd_network_generator(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node z);

/* q(z | x_t, x_{t+1}) = N(mean, exp(log_variance)). */
typedef struct dd_latent {
    dd_node mean, log_variance;
} dd_latent;

dd_latent dd_network_encoder(dd_builder *builder, dd_node x_t, dd_node x_next, dd_node timestep);

/* The shape of `samples` samples of data. */
dd_shape dd_network_data_shape(const dd_settings *settings, size_t samples);

/* Fills the table with the parameters of all three networks. */
ddaebm_status dd_network_declare(dd_parameters *out, ddaebm_context *context,
                                 const dd_settings *settings);

#endif
