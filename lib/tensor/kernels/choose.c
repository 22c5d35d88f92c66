#include "tensor/kernels/convolution.h"
#include "tensor/kernels/maps.h"
#include "tensor/kernels/tiles.h"
#include "tensor/kernels/vector.h"

#include <stdbool.h>

#ifdef DD_HAVE_AVX2
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

const dd_kernels *dd_kernels_choose(void) {
#ifdef DD_HAVE_AVX2
    if (has_avx2())
        return &dd_kernels_avx2;
#endif
    return &dd_kernels_portable;
}

const dd_convolution_backend *dd_convolution_choose(void) {
    return &dd_convolution_winograd;
}

const dd_convolution_backend *dd_convolution_choose_direct(void) {
#ifdef DD_HAVE_ONEDNN
    return &dd_convolution_onednn;
#else
    return &dd_convolution_blas;
#endif
}

const dd_map_kernels *dd_map_kernels_choose(void) {
#ifdef DD_HAVE_AVX2
    if (has_avx2())
        return &dd_map_kernels_avx2;
#endif
    return &dd_map_kernels_portable;
}

const dd_tile_kernels *dd_tile_kernels_choose(void) {
#ifdef DD_HAVE_AVX2
    if (has_avx2())
        return &dd_tile_kernels_avx2;
#endif
    return &dd_tile_kernels_portable;
}
