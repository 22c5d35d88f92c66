/* Matrix products by the kernel of tiles.c, where it is faster than CBLAS: of small and of tall
 * matrices, where a BLAS spends its time on packing factors that are used once or twice. Here b is
 * read as it lies or, if it is transposed, packed by the caller, who keeps it for all products with
 * it. An element of c has the same bits however the product is cut. */
#ifndef DD_TILE_MATMUL_H
#define DD_TILE_MATMUL_H

#include "tensor/kernels/blas_matmul.h"
#include "tensor/kernels/tiles.h"

/* Returns the kernels for products, or NULL where CBLAS does all of them: without AVX2, and where
 * the processor has wider instructions than the set that this process uses, as a BLAS may use
 * those. */
const dd_tile_kernels *dd_tile_matmul_choose(void);

/* Whether these kernels (or NULL) are faster than CBLAS; `kept`: what is packed serves many runs.
 */
bool dd_tile_matmul_pays(const dd_tile_kernels *kernels, const dd_matmul_call *call, bool kept);

/* Returns the floats of packed b; 0 if it is read as it lies. */
size_t dd_tile_matmul_packed(const dd_matmul_call *call);

/* Packs part `part` of `parts` of call->b. */
void dd_tile_matmul_pack(const dd_matmul_call *call, float *packed, size_t part, size_t parts);

/* Computes part `part` of `parts` of a product that pays: a band of rows or of columns. `packed`:
 * b, if it is to be packed. call->beta is taken as 0. */
void dd_tile_matmul_run_part(const dd_tile_kernels *kernels, const dd_matmul_call *call,
                             const float *packed, size_t part, size_t parts);

#endif
