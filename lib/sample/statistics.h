/* Computes the statistics of rows (dd_statistic) that show out-of-distribution rows where f at
 * timestep 0 does not. */
#ifndef DD_STATISTICS_H
#define DD_STATISTICS_H

#include "model/model.h"

typedef struct dd_statistics dd_statistics;

/* Takes the model's present weights; the model must outlive it. */
ddaebm_status dd_statistics_create(dd_statistics **out, const ddaebm_model *model);
void dd_statistics_free(dd_statistics *statistics);

/* Rows to measure, and where their statistics go. */
typedef struct dd_statistics_job {
    dd_rows_in rows; /* [count], finite */
    size_t count, timestep;
    float *out;                        /* row i's statistics from out[i * stride] on */
    size_t stride;                     /* at least dd_model_statistics */
    ddaebm_progress_function progress; /* NULL for none */
    void *progress_user;
} dd_statistics_job;

/* Measures rows; CANCELLED if progress cancels. Does not allocate. */
ddaebm_status dd_statistics_measure(dd_statistics *statistics, const dd_statistics_job *job);

/* Returns a buffer of `count` numbers, valid until the next call; NULL without memory. Allocates if
 * no call before asked for as many. */
float *dd_statistics_room(dd_statistics *statistics, size_t count);

#endif
