#include "tensor/kernels/convolution.h"
#include "tensor/kernels/instructions.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static bool always(void) {
    return true;
}

#ifdef DD_HAVE_AVX2
static bool runs_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#ifdef DD_HAVE_AVX512
static bool runs_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* Skylake-SP, Cascade Lake and Cooper Lake lower their clock for 512-bit multiplications, also that
 * of other cores and of the code that follows. They lack an extension that Ice Lake and Zen 4 have,
 * which is asked for here. Nothing is measured: a measurement that came out otherwise once would
 * change bits. */
static bool pays_avx512(void) {
    return __builtin_cpu_supports("avx512vbmi2") != 0;
}
#endif

static const dd_instructions sets[] = {
    {"portable", &dd_kernels_portable, &dd_map_kernels_portable, &dd_tile_kernels_portable, always,
     always},
#ifdef DD_HAVE_AVX2
    {"avx2", &dd_kernels_avx2, &dd_map_kernels_avx2, &dd_tile_kernels_avx2, runs_avx2, always},
#endif
#ifdef DD_HAVE_AVX512
    {"avx512", &dd_kernels_avx512, &dd_map_kernels_avx512, &dd_tile_kernels_avx512, runs_avx512,
     pays_avx512},
#endif
};

enum { SETS = sizeof sets / sizeof *sets };

const dd_instructions *dd_instructions_built(size_t i) {
    return i < SETS ? &sets[i] : NULL;
}

const dd_instructions *dd_instructions_find(const char *word) {
    size_t last = SETS - 1;
    bool named = false;
    for (size_t i = 0; word && i < SETS; i++)
        if (strcmp(word, sets[i].name) == 0) {
            last = i;
            named = true;
        }
    while (!sets[last].runs() || (!named && !sets[last].pays())) /* the first of all does */
        last--;
    return &sets[last];
}

const dd_instructions *dd_instructions_choose(void) {
    static _Atomic(const dd_instructions *) chosen;
    const dd_instructions *found = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (found)
        return found;
    found = dd_instructions_find(getenv("DDAEBM_INSTRUCTIONS"));
    atomic_store_explicit(&chosen, found, memory_order_relaxed);
    return found;
}

const dd_kernels *dd_kernels_choose(void) {
    return dd_instructions_choose()->vector;
}

const dd_map_kernels *dd_map_kernels_choose(void) {
    return dd_instructions_choose()->maps;
}

const dd_tile_kernels *dd_tile_kernels_choose(void) {
    return dd_instructions_choose()->tiles;
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
