#include "tensor/kernels/vector.h"

const dd_kernels *dd_kernels_choose(void) {
#ifdef DD_HAVE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &dd_kernels_avx2;
#endif
    return &dd_kernels_portable;
}
