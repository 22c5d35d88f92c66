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

/* Whose chunks are those of `sampler`, which must outlive it; f is that of the weights, which are
 * copied, divided by the temperature. Chains allocate nothing. */
ddaebm_status dd_refiner_create(dd_refiner **out, const ddaebm_model *model,
                                const dd_weights *weights, double temperature,
                                const dd_evaluator *sampler);
void dd_refiner_free(dd_refiner *refiner);

/* What a call asks of its chunks, and what they count together. */
typedef struct dd_refine_call {
    dd_refiner *refiner;
    size_t steps; /* of a timestep, at least 1: the sizes are found in the first half, and fixed in
                     the rest */
    uint64_t seed;
    dd_guidance
        *guidance; /* NULL for none; with one, chunks are computed on the caller's thread alone */
    atomic_size_t kept, accepted; /* proposals in the rest, and those of them that were accepted */
} dd_refine_call;

/* Moves rows x [count, inner width] of a chunk in a lane of the sampler by `steps` steps at a
 * timestep, and reports a pass each. Row i is sample first + i. False if the call is cancelled;
 * *status is then what the guidance failed with, or untouched. */
bool dd_refine(dd_refine_call *call, dd_lane *lane, float *x, size_t count, size_t timestep,
               uint64_t first, ddaebm_status *status);

#endif
