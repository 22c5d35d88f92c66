/* Matrix products by the kernel of tiles.c, where that beats CBLAS: of small and tall matrices, for
 * which a BLAS packs what is multiplied once or twice. Here b is read where it lies or, if it is
 * transposed, was packed by the caller, who keeps it for all products with it. An element of c has
 * the same bits however the product is cut. */
#ifndef DD_TILE_MATMUL_H
#define DD_TILE_MATMUL_H

#include "tensor/kernels/blas_matmul.h"
#include "tensor/kernels/tiles.h"

/* The kernels that products take here; NULL where CBLAS does all of them: without AVX2, and where
 * the processor has wider instructions than the set that this process uses, since a BLAS may use
 * those. */
const dd_tile_kernels *dd_tile_matmul_choose(void);

/* Whether these kernels (or NULL) are faster than CBLAS; `kept`: what is packed serves many runs.
 */
bool dd_tile_matmul_pays(const dd_tile_kernels *kernels, const dd_matmul_call *call, bool kept);

/* Floats of packed b; 0 if it is read where it lies. */
size_t dd_tile_matmul_packed(const dd_matmul_call *call);

/* Part `part` of `parts` of packing call->b. */
void dd_tile_matmul_pack(const dd_matmul_call *call, float *packed, size_t part, size_t parts);

/* Part `part` of `parts` of a product that pays: a band of rows or of columns. `packed`: b, if it
 * is to be packed. call->beta is taken for 0. */
void dd_tile_matmul_run_part(const dd_tile_kernels *kernels, const dd_matmul_call *call,
                             const float *packed, size_t part, size_t parts);

#endif
