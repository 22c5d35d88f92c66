/* Adam's arithmetic on flat arrays, averages of weights, and the schedule of the learning rate. */
#ifndef DD_ADAM_H
#define DD_ADAM_H

#include "base/threads.h"
#include "config/settings.h"

/* Adam's state of one tensor. */
typedef struct dd_adam_state {
    float *m, *v;       /* m may be NULL if beta1 is 0: the first moment is then the gradient */
    uint64_t updates;   /* of this tensor: one without a gradient does not count them */
    double rate_factor; /* of the learning rate, which the caller applies; 0: frozen */
} dd_adam_state;

/* Updates `count` weights once (Kingma and Ba, 2015), on the pool's threads. */
void dd_adam_update(dd_adam_state *state, float *weights, const float *gradients, size_t count,
                    double rate, const dd_settings *settings, dd_pool *pool);

/* average = decay average + (1 - decay) weights */
void dd_average_update(float *average, const float *weights, size_t count, double decay,
                       dd_pool *pool);

/* Largest gradient that is accepted: the square of a larger one leaves float's range, and the
 * second moment would stay infinite. */
#define DD_MOST_GRADIENT 1e18f

/* Whether |value| <= bound for all; a NaN is not. bound is finite. */
bool dd_all_within(const float *values, size_t count, float bound, dd_pool *pool);

/* Learning rate of step `step`, counted from 0, of `steps`: constant, or
 * last + (first - last) (1 + cos(pi step / steps)) / 2. */
double dd_learning_rate(const dd_settings *settings, double first, uint64_t step, uint64_t steps);

#endif
