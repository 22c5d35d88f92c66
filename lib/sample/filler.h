/* Draws of missing numbers given the known ones of a row, by a Markov chain on the energy.
 *
 * In what the networks see, the rows that agree with the known numbers are a plane: the known part,
 * orthogonal to it, is fixed. Metropolis-adjusted Langevin steps (refine.h) stay within. */
#ifndef DD_FILLER_H
#define DD_FILLER_H

#include "sample/refine.h"

typedef struct dd_filler dd_filler;

/* Makes a filler of a model of rows, which must outlive it. */
ddaebm_status dd_filler_create(dd_filler **out, const ddaebm_model *model);
void dd_filler_free(dd_filler *filler);

/* Replaces the weights by others of the model's shape. */
ddaebm_status dd_filler_renew(dd_filler *filler, const dd_weights *weights);

/* Rows to fill. */
typedef struct dd_fill_call {
    const double
        *rows; /* [count, width]: in the units of the data, NaN where a number is missing */
    size_t count;
    size_t draws; /* of each row */
    size_t steps; /* of the chain, at each timestep */
    bool anneal; /* goes through all timesteps, the known part diffused alike; else at timestep 0 */
    const double *start; /* [count, width], without NaN: where chains begin; NULL: in N(0, I) */
    bool centre; /* begins in the middle of N(0, I) instead: without steps, its expectation */
    uint64_t seed, first; /* row i is row first + i of the seed */
    double *out;          /* [draws, count, width]; NULL: not wanted */
    double *mean;         /* [count, width]: mean of what is missing; NULL: not wanted */
    ddaebm_progress_function progress; /* NULL for none */
    void *progress_user;
} dd_fill_call;

/* Fills the rows. Known numbers stay as they are. Does not allocate. */
ddaebm_status dd_filler_run(dd_filler *filler, const dd_fill_call *call);

#endif
