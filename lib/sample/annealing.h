/* A cloud of points on its way between N(0, I) and the energy: annealed importance sampling (Neal,
 * Statistics and Computing 2001). The bridge goes through the timesteps, T-1 first: between
 * timestep t+1 and t stands exp((1 - lambda) f(x, t+1) + lambda f(x, t)), f divided by the
 * temperature, and before the first N(0, I) in the place of f(x, T). Points move by
 * Metropolis-adjusted Langevin steps, which keep each of these densities.
 *
 * Everything is in the units that the networks see. Numbers that are the same in every row of the
 * data do not move, so densities are over the others. */
#ifndef DD_ANNEALING_H
#define DD_ANNEALING_H

#include "sample/evaluator.h"

/* One density of the bridge, and the step size that suits it. */
typedef struct dd_bridge_point {
    size_t timestep; /* t: of the end that lambda = 1 is */
    double lambda;   /* above 0, up to 1 */
    double log_size; /* logarithm of the Langevin step's size */
} dd_bridge_point;

/* From N(0, I), which is not in it, to the energy at timestep 0, its last point. */
typedef struct dd_bridge {
    dd_bridge_point *points;
    size_t count;
} dd_bridge;

typedef struct dd_cloud dd_cloud;

/* What calls it, and what it may not do twice with the same random numbers. */
typedef struct dd_cloud_call {
    uint64_t seed;
    ddaebm_progress_function progress; /* in points of the bridge; NULL for none */
    void *progress_user;
    uint64_t done, total;
} dd_cloud_call;

/* A cloud of `count` points of the model's energy. The model must outlive it. */
ddaebm_status dd_cloud_create(dd_cloud **out, const ddaebm_model *model, size_t count);
void dd_cloud_free(dd_cloud *cloud);

/* Finds a bridge whose neighbouring densities differ by little, with a step size for each of its
 * points, by a cloud that is resampled at each point. `gap`: the relative variance of weights from
 * one point to the next. `into` is freed by the caller. CANCELLED if progress asks for it;
 * NOT_FINITE if the energy is no number where the cloud is. */
ddaebm_status dd_cloud_find_bridge(dd_cloud *cloud, const dd_cloud_call *call, double gap,
                                   dd_bridge *into);

/* A bridge with `parts` points for each one of another. */
ddaebm_status dd_bridge_refine(dd_bridge *into, ddaebm_context *context, const dd_bridge *from,
                               size_t parts);

/* Draws the cloud from N(0, I) and takes it along the bridge. log_weights [count]: of Z, the
 * normaliser of exp(f(x, 0) / temperature): the mean of their exponentials is Z. */
ddaebm_status dd_cloud_forward(dd_cloud *cloud, dd_cloud_call *call, const dd_bridge *bridge,
                               double *log_weights);

/* Takes rows of the energy's density at timestep 0, [count, inner width], back along the bridge.
 * The mean of the weights' exponentials is 1 / Z. */
ddaebm_status dd_cloud_backward(dd_cloud *cloud, dd_cloud_call *call, const dd_bridge *bridge,
                                const float *rows, double *log_weights);

#endif
