/* The eight symmetries of the square, applied to images. */
#ifndef DD_SYMMETRY_H
#define DD_SYMMETRY_H

#include "tensor/graph/operations.h"

/* A symmetry is a number from 0, which changes nothing, to 7. Bit 0 reverses the rows, bit 1 the
 * columns, and bit 2 then exchanges both. */
enum { DD_SYMMETRY_MIRROR = 2, DD_SYMMETRIES = 8 };

/* Replaces a place (y, x) of an image of side x side pixels by the place that its pixel comes from.
 */
void dd_symmetry_source(unsigned symmetry, size_t side, size_t *y, size_t *x);

/* Mirrors an image [side, side, channels] left to right, in place. */
void dd_symmetry_mirror(float *image, size_t side, size_t channels);

/* Applies a symmetry to each of the square images [N, S, S, C]. */
dd_node dd_symmetry_apply(dd_graph *graph, dd_node x, unsigned symmetry);

#endif
