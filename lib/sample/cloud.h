/* A cloud's rows and its Langevin steps at one density of a bridge; annealing.c takes it along. */
#ifndef DD_CLOUD_H
#define DD_CLOUD_H

#include "sample/annealing.h"

/* An end of the bridge's present part: the log-density and its gradient at each row. */
typedef struct dd_cloud_end {
    double *log_density; /* [count] */
    float *gradient;     /* [count, width] */
} dd_cloud_end;

struct dd_cloud {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *evaluator; /* f / temperature, and its gradient */
    size_t count, width, moving;
    float *fixed, *moves; /* [width]: what does not move, and 1 for what does, else 0 */

    size_t timestep;                             /* of `lower`; `upper` is that of timestep + 1 */
    float *x, *proposals;                        /* [count, width] */
    dd_cloud_end lower, upper;                   /* at x */
    dd_cloud_end proposed_lower, proposed_upper; /* at the proposals */
    double *log_weights;                         /* [count] */
    double *acceptance;                          /* [count]: probability, of the last step */
    double *sizes;                               /* [count]: of the last step */
    float *uniforms, *noise;                     /* [count], [count, width] */
    size_t *origin;                              /* [count]: of resampling */
};

/* Finds both ends at x, of the part of the bridge that ends at timestep t. */
ddaebm_status dd_cloud_enter(dd_cloud *cloud, size_t timestep);

/* Goes to the next part, whose upper end is this one's lower, and back. */
ddaebm_status dd_cloud_enter_below(dd_cloud *cloud);
ddaebm_status dd_cloud_enter_above(dd_cloud *cloud);

/* Makes one Metropolis-adjusted Langevin step of each row at a point of the present part. `number`
 * fixes the random numbers of the step, with the call's seed. */
ddaebm_status dd_cloud_move(dd_cloud *cloud, const dd_cloud_call *call,
                            const dd_bridge_point *point, uint64_t number);

#endif
