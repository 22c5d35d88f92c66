/* Layers on images [N, H, W, C]: convolutions, norms, dropout, and conversions between rows and
 * images. */
#ifndef DD_IMAGE_LAYERS_H
#define DD_IMAGE_LAYERS_H

#include "layers/builder.h"

/* A convolution of `size` x `size` pixels; `before` and `after` are the rows and columns of zeros
 * around the image. */
typedef struct dd_conv_shape {
    size_t channels;
    int size, stride, before, after;
    dd_scaling scaling;
} dd_conv_shape;

/* A convolution of stride 1 that keeps the size of the image; `size` is odd. */
dd_conv_shape dd_conv_same(size_t channels, int size, dd_scaling scaling);

/* A convolution without and with its bias. One that covers a single pixel, or all of them, is a
 * matrix product. */
dd_node dd_conv_product(dd_builder *builder, const dd_scope *scope, dd_node x,
                        dd_conv_shape convolution);
dd_node dd_conv(dd_builder *builder, const dd_scope *scope, dd_node x, dd_conv_shape convolution);

/* The bias of a convolution of x, [1, 1, 1, channels]. */
dd_node dd_conv_bias(dd_builder *builder, const dd_scope *scope, dd_node x,
                     dd_conv_shape convolution);

/* x W + b at each pixel, W [C, C]. */
dd_node dd_pointwise(dd_builder *builder, const dd_scope *scope, dd_node x, dd_scaling scaling);

/* Group normalisation over min(C / 4, 32) groups of channels, epsilon 1e-6 (Wu and He, 2018), with
 * one scale and shift a channel; or adaptive, with scale and shift linear in the rows of `style`
 * [1, 1, N, width]. */
dd_node dd_group_norm(dd_builder *builder, const dd_scope *scope, dd_node x);
dd_node dd_adaptive_norm(dd_builder *builder, const dd_scope *scope, dd_node x, dd_node style);

/* Dropout with probability image.dropout in training, the remaining numbers scaled up; else x. */
dd_node dd_dropout(dd_builder *builder, dd_node x);

/* Converts images to rows of pixels [1, 1, N H W, C] and back, and rows to images of one pixel and
 * back. */
dd_node dd_pixels(dd_graph *graph, dd_node x);
dd_node dd_pixels_of(dd_graph *graph, dd_node rows, dd_shape shape);
dd_node dd_rows_to_images(dd_graph *graph, dd_node rows);
dd_node dd_images_to_rows(dd_graph *graph, dd_node x);

#endif
