/* What else a model says of a row, beside f: statistics by which foreign rows stand out where f at
 * timestep 0 does not show them. */
#ifndef DD_STATISTICS_H
#define DD_STATISTICS_H

#include "model/model.h"

/* With x_t and x_{t+1} the row diffused to two timesteps by one noise, the same for every row:
 * f(x_t, t); the logarithm of the mean square of sigma_cum[t] grad f(x_t, t); that of x -
 * G(x_{t+1}, t, z), z too the same for every row; and the logarithm of the probability that of the
 * eight turned and mirrored images x_t is the one that is data, log softmax of f/w over the
 * symmetries of the square. */
typedef enum dd_statistic {
    DD_STATISTIC_ENERGY,
    DD_STATISTIC_GRADIENT,
    DD_STATISTIC_RECONSTRUCTION,
    DD_STATISTIC_ORIENTATION /* where dd_model_statistics is more than three */
} dd_statistic;

typedef struct dd_statistics dd_statistics;

/* With the model's present weights; the model must outlive it. */
ddaebm_status dd_statistics_create(dd_statistics **out, const ddaebm_model *model);
void dd_statistics_free(dd_statistics *statistics);

/* What is to be measured, and where it goes. */
typedef struct dd_measurement {
    dd_rows_in rows; /* [count], finite */
    size_t count, timestep;
    float *out;                        /* row i's statistics from out[i * stride] on */
    size_t stride;                     /* at least dd_model_statistics */
    ddaebm_progress_function progress; /* NULL for nobody */
    void *progress_user;
} dd_measurement;

/* CANCELLED if progress asks for it. Does not allocate. */
ddaebm_status dd_statistics_measure(dd_statistics *statistics, const dd_measurement *measurement);

/* Room for `count` numbers, the statistics' own until the next call; NULL without memory. Allocates
 * if none before asked for as many. */
float *dd_statistics_room(dd_statistics *statistics, size_t count);

#endif
