/* Adam with a learning-rate schedule, and averages of the weights. */
#ifndef DD_OPTIMIZER_H
#define DD_OPTIMIZER_H

#include "base/threads.h"
#include "config/settings.h"

/* Adam's memory of one tensor. */
typedef struct dd_adam_state {
    float *m, *v;       /* m may be NULL if beta1 is 0: the first moment is the gradient */
    uint64_t updates;   /* those that it has had: a tensor without a gradient does not age */
    double rate_factor; /* of the learning rate, for who calls dd_adam_update; 0: frozen */
} dd_adam_state;

/* One update of `count` weights (Kingma and Ba, 2015). Cut over the pool's threads. */
void dd_adam_update(dd_adam_state *state, float *weights, const float *gradients, size_t count,
                    double rate, const dd_settings *settings, dd_pool *pool);

/* average = decay average + (1 - decay) weights */
void dd_average_update(float *average, const float *weights, size_t count, double decay,
                       dd_pool *pool);

/* Gradients beyond this have squares that leave float's range, and the second moment would stay
 * infinite for ever. */
#define DD_MOST_GRADIENT 1e18f

/* Whether |value| <= bound, which is finite, for all: no NaN among them. */
bool dd_all_within(const float *values, size_t count, float bound, dd_pool *pool);

/* Rate of the step-th step, counted from 0, of `steps`: constant, or final + (first - final) (1 +
 * cos(pi step / steps)) / 2. */
double dd_learning_rate(const dd_settings *settings, double first, uint64_t step, uint64_t steps);

#endif
