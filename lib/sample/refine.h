/* Refinement of samples by a Markov chain on the energy: Metropolis-adjusted Langevin steps
 * (Roberts and Tweedie, Bernoulli 1996), whose stationary density at timestep t is exp(f(x, t) /
 * temperature + guidance). */
#ifndef DD_REFINE_H
#define DD_REFINE_H

#include "sample/evaluator.h"
#include "sample/guidance.h"

#include <stdatomic.h>

enum { DD_MOST_REFINE_STEPS = 100000 };

typedef struct dd_refiner dd_refiner;

/* A dd_eval_build. Builds f(x, t) / temperature and its gradient with respect to x, side by side:
 * [rows, 1 + inner width]. `user` is the temperature, a double. */
dd_node dd_refiner_build_energy(dd_builder *builder, const dd_process *process,
                                const dd_node in[DD_EVAL_OUT], const void *user);

/* Makes a refiner of the chunks of `sampler`, which must outlive it, with copies of the weights.
 * Chains allocate nothing. */
ddaebm_status dd_refiner_create(dd_refiner **out, const ddaebm_model *model,
                                const dd_weights *weights, double temperature,
                                const dd_evaluator *sampler);
void dd_refiner_free(dd_refiner *refiner);

/* Arguments of all chunks of a call, and their counts. */
typedef struct dd_refine_call {
    dd_refiner *refiner;
    size_t steps; /* of a timestep, at least 1; step sizes are adapted in the first half and fixed
                     in the second */
    uint64_t seed;
    dd_guidance
        *guidance; /* NULL for none; with one, chunks are computed on the caller's thread alone */
    atomic_size_t kept,
        accepted; /* proposals of the second halves, and those of them that were accepted */
} dd_refine_call;

/* Moves rows x [count, inner width] of a chunk in a lane of the sampler by `steps` steps at a
 * timestep, and reports a pass for each. Row i is sample first + i. False if the call is cancelled;
 * *status is then what the guidance failed with, or unchanged. */
bool dd_refine(dd_refine_call *call, dd_lane *lane, float *x, size_t count, size_t timestep,
               uint64_t first, ddaebm_status *status);

#endif
