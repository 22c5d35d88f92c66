/* Images of twice or half the size. */
#ifndef DD_RESAMPLE_H
#define DD_RESAMPLE_H

#include "layers/builder.h"

typedef enum dd_resample { DD_RESAMPLE_NONE, DD_RESAMPLE_UP, DD_RESAMPLE_DOWN } dd_resample;

/* Doubles or halves an image by the configured filter; without one, by repeating pixels or by means
 * of four. */
dd_node dd_resampled(dd_builder *builder, dd_node x, dd_resample way);

/* By a filter of `taps` on both axes, divided by their sum. */
dd_node dd_fir_up(dd_graph *graph, dd_node x, const dd_integers *taps);
dd_node dd_fir_down(dd_graph *graph, dd_node x, const dd_integers *taps);

/* Filters at full size, with the margin that a convolution of `size` pixels and stride 2 needs: one
 * pixel more on each side if size is 3. */
dd_node dd_fir_before_stride(dd_graph *graph, dd_node x, const dd_integers *taps, int size);

/* Folds squares of patch x patch pixels into channels, [N, H/patch, W/patch, patch^2 C], row by
 * row; and unfolds them. */
dd_node dd_fold(dd_graph *graph, dd_node x, size_t patch);
dd_node dd_unfold(dd_graph *graph, dd_node x, size_t patch);

#endif
