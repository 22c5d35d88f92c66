/* Blocks of NCSN++: residual blocks, attention, the input pyramid. With image.skip_rescale each is
 * scaled by 1/sqrt 2. */
#ifndef DD_RESIDUAL_H
#define DD_RESIDUAL_H

#include "layers/resample.h"

/* Inputs of a block other than its image. */
typedef struct dd_condition {
    dd_node time;     /* activated features of the timesteps, one row a timestep */
    dd_node timestep; /* of each image [1, 1, N, 1] */
    dd_node style;    /* one row an image, for adaptive norms; DD_NONE for plain ones */
} dd_condition;

/* Looks up the row of each image's timestep in a table: [N, 1, 1, C]. */
dd_node dd_of_timestep(dd_graph *graph, dd_node table, dd_node timestep);

/* x W + h(x), h two convolutions of 3 x 3, each after a norm and an activation, with the features
 * of the timestep added between (Brock et al., 2019; Song et al., 2021); W only where the size or
 * the channels change. */
dd_node dd_residual_block(dd_builder *builder, const dd_scope *scope, dd_node x,
                          const dd_condition *condition, size_t channels, dd_resample way);

/* x + attention of each pixel to all pixels, one head. */
dd_node dd_attention(dd_builder *builder, const dd_scope *scope, dd_node x);

/* Halves an image: a convolution of 3 x 3 and stride 2, after the configured filter, if any. */
dd_node dd_pyramid_down(dd_builder *builder, const dd_scope *scope, dd_node x, size_t channels);

/* x / sqrt 2 with image.skip_rescale, else x. */
dd_node dd_rescaled(dd_builder *builder, dd_node x);

#endif
