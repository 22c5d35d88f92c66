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
 * With NULL it has chunks of its own, and the weights are the model's. Chains allocate nothing. */
ddaebm_status dd_refiner_create(dd_refiner **out, const ddaebm_model *model,
                                const dd_weights *weights, double temperature,
                                dd_evaluator *sampler);
void dd_refiner_free(dd_refiner *refiner);

/* The evaluator whose chunks it refines: the sampler's, or its own. */
dd_evaluator *dd_refiner_evaluator(const dd_refiner *refiner);

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

/* Directions in which a row may move. */
typedef struct dd_plane {
    const float *moves; /* [inner width]: 1 for numbers that move, 0 for others */
    const float *basis; /* [count, inner width], orthonormal; NULL: each number that moves by itself
                         */
    size_t count;
} dd_plane;

/* Projects a vector [width] on a plane; `room` has as many numbers. */
void dd_plane_project(const dd_plane *plane, size_t width, float *vector, float *room);

/* Rows of a chunk that are moved. */
typedef struct dd_refine_rows {
    float *x; /* [count, inner width] */
    size_t count, timestep;
    uint64_t first;         /* row i is sample first + i */
    const dd_plane *planes; /* [count]; NULL: all directions */
    double *means; /* [count, inner width]; takes the mean of x + temperature gradient over the
                      second half of the steps, the gradient being that of the log-density. Its
                      expectation is that of x, and for N(0, temperature I) it does not vary
                      (Assaraf and Caffarel, 1999). NULL: not wanted */
} dd_refine_rows;

/* Moves rows of a chunk in a lane by call->steps steps at a timestep, and reports a pass for each.
 * False if the call is cancelled; *status is then what the guidance failed with, or unchanged. */
bool dd_refine_within(dd_refine_call *call, dd_lane *lane, const dd_refine_rows *rows,
                      ddaebm_status *status);

/* Moves rows x [count, inner width] of a chunk in a lane of the sampler by `steps` steps at a
 * timestep: dd_refine_within in all directions. */
bool dd_refine(dd_refine_call *call, dd_lane *lane, float *x, size_t count, size_t timestep,
               uint64_t first, ddaebm_status *status);

#endif
