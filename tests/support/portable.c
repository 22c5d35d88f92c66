/* The loops for processors without AVX2, whatever the processor: a program that is linked with --wrap of the three (CMakeLists.txt) runs
 * those. */
#include "tensor/kernels/maps.h"
#include "tensor/kernels/tiles.h"
#include "tensor/kernels/vector.h"

const dd_kernels *__wrap_dd_kernels_choose(void);
const dd_kernels *__wrap_dd_kernels_choose(void) {
    return &dd_kernels_portable;
}

const dd_map_kernels *__wrap_dd_map_kernels_choose(void);
const dd_map_kernels *__wrap_dd_map_kernels_choose(void) {
    return &dd_map_kernels_portable;
}

const dd_tile_kernels *__wrap_dd_tile_kernels_choose(void);
const dd_tile_kernels *__wrap_dd_tile_kernels_choose(void) {
    return &dd_tile_kernels_portable;
}
