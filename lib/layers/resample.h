/* Images of twice or half the size. */
#ifndef DD_RESAMPLE_H
#define DD_RESAMPLE_H

#include "layers/builder.h"

typedef enum dd_resample { DD_RESAMPLE_NONE, DD_RESAMPLE_UP, DD_RESAMPLE_DOWN } dd_resample;

/* By the configuration's filter; or, where it has none, each pixel repeated and the mean of each
 * square of four. */
dd_node dd_resampled(dd_builder *builder, dd_node x, dd_resample way);

/* By a filter of `taps` on both axes, divided by their sum. */
dd_node dd_fir_up(dd_graph *graph, dd_node x, const dd_integers *taps);
dd_node dd_fir_down(dd_graph *graph, dd_node x, const dd_integers *taps);

/* Filtered at full size, with the margin that a convolution of `size` pixels and stride 2 needs:
 * one pixel more a side where size is 3. */
dd_node dd_fir_before_stride(dd_graph *graph, dd_node x, const dd_integers *taps, int size);

/* Squares of patch x patch pixels as pixels of that many times the channels, [N, H/patch, W/patch,
 * patch^2 C], row by row; and back. */
dd_node dd_fold(dd_graph *graph, dd_node x, size_t patch);
dd_node dd_unfold(dd_graph *graph, dd_node x, size_t patch);

#endif
