/* Blocks of NCSN++: residual blocks, attention, the step of the input pyramid. Each is scaled by
 * 1/sqrt 2 where image.skip_rescale asks for it. */
#ifndef DD_RESIDUAL_H
#define DD_RESIDUAL_H

#include "layers/resample.h"

/* What a block is told beside its image. */
typedef struct dd_condition {
    dd_node time;     /* features of the timesteps, activated: a row a timestep */
    dd_node timestep; /* of each image [1, 1, N, 1] */
    dd_node style;    /* a row an image, for adaptive norms; DD_NONE for plain ones */
} dd_condition;

/* Rows of a table, a timestep each, for the images of a batch: [N, 1, 1, C]. */
dd_node dd_of_timestep(dd_graph *graph, dd_node table, dd_node timestep);

/* x W + (h of x), h two convolutions of 3 x 3 with a norm, an activation and the timestep's
 * features before (Brock et al., 2019; Song et al., 2021); W only where the size or the channels
 * change. */
dd_node dd_residual_block(dd_builder *builder, const dd_scope *scope, dd_node x,
                          const dd_condition *condition, size_t channels, dd_resample way);

/* x + attention of each pixel to all pixels, one head. */
dd_node dd_attention(dd_builder *builder, const dd_scope *scope, dd_node x);

/* An image of half the size: a convolution of 3 x 3 and stride 2, after the filter where there is
 * one. */
dd_node dd_pyramid_down(dd_builder *builder, const dd_scope *scope, dd_node x, size_t channels);

/* x over sqrt 2, where the configuration asks for it. */
dd_node dd_rescaled(dd_builder *builder, dd_node x);

#endif
