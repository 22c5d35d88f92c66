/* What else a model says of a row, beside f: statistics by which foreign rows stand out where f at level 0 does not show them. */
#ifndef DD_STATISTICS_H
#define DD_STATISTICS_H

#include "model/model.h"

/* With x_t and x_{t+1} the row diffused to two levels by one noise, the same for every row: f(x_t, t); the logarithm of the mean square of
 * sigma_cum[t] grad f(x_t, t); and of that of x - G(x_{t+1}, t, z), z too the same for every row. */
typedef enum dd_statistic {
    DD_STATISTIC_ENERGY,
    DD_STATISTIC_GRADIENT,
    DD_STATISTIC_RECONSTRUCTION,
    DD_STATISTIC_COUNT
} dd_statistic;

typedef struct dd_statistics dd_statistics;

/* With the model's present weights; the model must outlive it. */
ddaebm_status dd_statistics_create(dd_statistics **out, const ddaebm_model *model);
void dd_statistics_free(dd_statistics *statistics);

/* rows [count, width], finite, in the data's own units; out [count, DD_STATISTIC_COUNT]. */
ddaebm_status dd_statistics_measure(dd_statistics *statistics, const float *rows, size_t count, size_t level, float *out);

#endif
