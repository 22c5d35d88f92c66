/* Scores and gradients of rows as the networks see them; and the scorer's parts, for the files
 * lib/sample/scorer.c and explain.c alone. */
#ifndef DD_SCORER_H
#define DD_SCORER_H

#include "sample/evaluator.h"
#include "sample/statistics.h"

#include <ddaebm/scorer.h>

typedef struct dd_explainer dd_explainer;

struct ddaebm_scorer {
    ddaebm_context *context;
    const ddaebm_model *model;
    dd_evaluator *scores, *gradients; /* both with the same weights */
    dd_statistics *statistics;        /* NULL until a kind other than the energy is first scored */
    dd_explainer *explainer;          /* NULL until a row is first explained */
    ddaebm_progress_function progress;
    void *progress_user;
};

/* Energy scores of rows as the networks see them, [count, inner width], and their gradients with
 * respect to those rows. count is at least 1. The scorer's progress function is not called. */
ddaebm_status dd_scorer_inner_score(ddaebm_scorer *scorer, const float *rows, size_t count,
                                    size_t timestep, float *scores);
ddaebm_status dd_scorer_inner_gradient(ddaebm_scorer *scorer, const float *rows, size_t count,
                                       size_t timestep, float *gradients);

/* Refuse rows with a number that is not finite, and timesteps that the model does not have. */
ddaebm_status dd_scorer_check_rows(const ddaebm_model *model, dd_rows_in rows, size_t count);
ddaebm_status dd_scorer_check_timestep(const ddaebm_model *model, size_t timestep);

#endif
