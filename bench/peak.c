#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "peak.h"

#include "base/context.h"
#include "tensor/kernels/instructions.h"
#include "tensor/kernels/unroll.h"

#include <string.h>
#include <time.h>

/* Independent chains of multiply-adds: more than their latency in cycles times those that begin in
 * one cycle. */
enum { CHAINS = 12, PARTS_MOST = 256, RUNS = 5 };
static const size_t rounds = 4000000;

/* Computes x = factor x + shift `rounds` times in each chain. Returning a result keeps compilers
 * from removing the loop. */
#define PEAK_LOOP(name, lanes, attributes)                                                         \
    typedef float name##_vector __attribute__((vector_size(4 * (lanes))));                         \
    attributes static float name(float factor, float shift) {                                      \
        name##_vector chain[CHAINS], total = {0};                                                  \
        DD_UNROLLED (i, CHAINS)                                                                    \
            chain[i] = total + (float)i;                                                           \
        for (size_t r = 0; r < rounds; r++)                                                        \
            DD_UNROLLED (i, CHAINS)                                                                \
                chain[i] = chain[i] * factor + shift;                                              \
        DD_UNROLLED (i, CHAINS)                                                                    \
            total += chain[i];                                                                     \
        return total[0];                                                                           \
    }

PEAK_LOOP(portable, 4, )
#ifdef DD_HAVE_AVX2
PEAK_LOOP(avx2, 8, __attribute__((target("avx2,fma"))))
#endif
#ifdef DD_HAVE_AVX512
PEAK_LOOP(avx512, 16, __attribute__((target("avx512f,avx2,fma"))))
#endif

typedef struct peak_loop {
    const char *set;
    size_t lanes;
    float (*run)(float factor, float shift);
} peak_loop;

static const peak_loop loops[] = {
    {"portable", 4, portable},
#ifdef DD_HAVE_AVX2
    {"avx2", 8, avx2},
#endif
#ifdef DD_HAVE_AVX512
    {"avx512", 16, avx512},
#endif
};

typedef struct peak_run {
    const peak_loop *loop;
    float results[PARTS_MOST];
} peak_run;

static void run_part(void *argument, size_t part, int taker) {
    (void)taker;
    peak_run *run = argument;
    volatile float factor = 0.5f, shift = 1.0f; /* unknown to the compiler */
    run->results[part] = run->loop->run(factor, shift);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double peak_rate(ddaebm_context *context, size_t parts) {
    static peak_run run;
    double best = 1e30;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
        if (strcmp(loops[i].set, dd_instructions_choose()->name) == 0)
            run.loop = &loops[i];

    parts = parts < PARTS_MOST ? parts : PARTS_MOST;
    for (int i = 0; i < RUNS; i++) {
        double start = now();
        dd_pool_run(dd_context_pool(context), false,
                    &(dd_work){.parts = parts, .function = run_part, .argument = &run});
        double taken = now() - start;
        best = taken < best ? taken : best;
    }

    return 2e-9 * (double)(rounds * CHAINS * run.loop->lanes * parts) / best;
}
