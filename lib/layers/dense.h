/* Layers on rows [1, 1, N, C]. */
#ifndef DD_DENSE_H
#define DD_DENSE_H

#include "layers/builder.h"

/* x W^T + b, W [out, in]; both initialised uniform on +- 1 / sqrt(in), as PyTorch's Linear. */
dd_node dd_linear(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width);

/* dd_linear with another initialisation; and with biases initialised to 1 in the first half and 0
 * in the second, for scales and shifts. */
dd_node dd_linear_scaled(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width,
                         dd_scaling scaling);
dd_node dd_linear_style(dd_builder *builder, const dd_scope *scope, dd_node x, size_t width);

/* x where x > 0, slope x elsewhere; one trained slope, initialised to 1/4 (He et al., 2015). */
dd_node dd_prelu(dd_builder *builder, const dd_scope *scope, dd_node x);

/* dd_linear followed by batch normalisation over the rows (Ioffe and Szegedy, 2015), epsilon 1e-5,
 * momentum 0.1. Training: by the mean and variance of the batch; the running variance is updated
 * with the unbiased one, N/(N-1) of the batch's. Else: by the running ones. */
dd_node dd_linear_batch_norm(dd_builder *builder, const dd_scope *linear_scope,
                             const dd_scope *norm_scope, dd_node x, size_t width);

/* Declares the slopes, or the statistics, scales and shifts, of a layer that is never called. */
void dd_prelu_declare(dd_builder *builder, const dd_scope *scope);
void dd_batch_norm_declare(dd_builder *builder, const dd_scope *scope, size_t width);

/* Divides each row by its root mean square; 1e-8 is added to the mean of squares. */
dd_node dd_pixel_norm(dd_graph *graph, dd_node rows);

/* Sinusoidal embedding of the timesteps 0 .. count-1 [1, 1, count, width] (Vaswani et al., 2017):
 * sin(t w_j), then cos(t w_j), w_j = 10000^(-j/(half-1)) for j < half = width/2; a last column of
 * zeros if width is odd. width is at least 4. In a graph that is never run it is a placeholder,
 * since an untrusted configuration may ask for a table of 262 MB. */
dd_node dd_timestep_embedding(dd_builder *builder, size_t count, size_t width);

#endif
