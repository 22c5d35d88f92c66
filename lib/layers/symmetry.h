/* The eight symmetries of the square, on images: which pixel goes where. */
#ifndef DD_SYMMETRY_H
#define DD_SYMMETRY_H

#include "tensor/graph/operations.h"

/* A symmetry is a number from 0, which changes nothing, to 7. Bit 0 reverses the rows, bit 1 the
 * columns, and bit 2 then exchanges both. */
enum { DD_SYMMETRIES = 8 };

/* The place (y, x) of an image of side x side pixels becomes the one that its pixel comes from. */
void dd_symmetry_source(unsigned symmetry, size_t side, size_t *y, size_t *x);

/* Square images [N, S, S, C], each by the symmetry. */
dd_node dd_turned(dd_graph *graph, dd_node x, unsigned symmetry);

#endif
