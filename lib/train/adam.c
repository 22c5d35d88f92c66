#include "train/adam.h"

#include "tensor/kernels/share.h"
#include "tensor/kernels/vector.h"

#include <math.h>
#include <stdatomic.h>

enum { GRAIN = 16384 }; /* fewest numbers a thread */

/* One pass over flat arrays, divided evenly among threads. */
typedef struct pass {
    const dd_kernels *kernels;
    size_t count, parts;
    float *a, *m, *v;
    const float *b;
    dd_adam_factors factors;
    float decay, rest, bound;
    atomic_bool within;
    void (*part)(struct pass *pass, size_t first, size_t count);
} pass;

static void run_part(void *argument, size_t part, int taker) {
    (void)taker;
    pass *p = argument;
    dd_range mine = dd_share(p->count, part, p->parts);
    p->part(p, mine.first, mine.last - mine.first);
}

/* Numbers are independent of each other, so bits do not depend on the parts. */
static void run(pass *p, dd_pool *pool) {
    size_t threads = (size_t)dd_pool_threads(pool), grains = p->count / GRAIN;
    p->kernels = dd_kernels_choose();
    p->parts = grains < 1 ? 1 : grains < threads ? grains : threads;
    dd_pool_run(pool, false, &(dd_work){.parts = p->parts, .function = run_part, .argument = p});
}

static void adam_part(pass *p, size_t first, size_t count) {
    p->kernels->adam(p->a + first, p->b + first, p->m ? p->m + first : NULL, p->v + first, count,
                     p->factors);
}

static void average_part(pass *p, size_t first, size_t count) {
    p->kernels->average(p->a + first, p->b + first, count, p->decay, p->rest);
}

static void within_part(pass *p, size_t first, size_t count) {
    if (!p->kernels->all_within(p->b + first, count, p->bound))
        atomic_store(&p->within, false);
}

void dd_adam_update(dd_adam_state *state, float *weights, const float *gradients, size_t count,
                    double rate, const dd_settings *settings, dd_pool *pool) {
    double updates = (double)++state->updates, beta1 = settings->optimizer.beta1,
           beta2 = settings->optimizer.beta2;
    pass p = {.count = count,
              .a = weights,
              .b = gradients,
              .m = state->m,
              .v = state->v,
              .factors = {.beta1 = (float)beta1,
                          .rest1 = (float)(1 - beta1),
                          .beta2 = (float)beta2,
                          .rest2 = (float)(1 - beta2),
                          .rate = (float)(rate / (1 - pow(beta1, updates))),
                          .root = (float)(1 / sqrt(1 - pow(beta2, updates))),
                          .epsilon = (float)settings->optimizer.epsilon},
              .part = adam_part};

    run(&p, pool);
}

void dd_average_update(float *average, const float *weights, size_t count, double decay,
                       dd_pool *pool) {
    pass p = {.count = count,
              .a = average,
              .b = weights,
              .decay = (float)decay,
              .rest = (float)(1 - decay),
              .part = average_part};
    run(&p, pool);
}

bool dd_all_within(const float *values, size_t count, float bound, dd_pool *pool) {
    pass p = {.count = count, .b = values, .bound = bound, .part = within_part};
    atomic_init(&p.within, true);
    run(&p, pool);
    return atomic_load(&p.within);
}

double dd_learning_rate(const dd_settings *settings, double first, uint64_t step, uint64_t steps) {
    const double pi = 3.14159265358979323846;
    if (settings->optimizer.rate_schedule == DD_RATE_CONSTANT)
        return first;
    double progress = step < steps ? (double)step / (double)steps : 1.0,
           last = settings->optimizer.final_rate;
    return last + (first - last) * (1 + cos(pi * progress)) / 2;
}
