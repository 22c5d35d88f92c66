/* Scores and gradients of rows as the networks see them. */
#ifndef DD_SCORER_H
#define DD_SCORER_H

#include "sample/evaluator.h"

#include <ddaebm/scorer.h>

/* Energy scores of rows as the networks see them, [count, inner width], and their gradients with
 * respect to those rows. count is at least 1. */
ddaebm_status dd_scorer_inner_score(ddaebm_scorer *scorer, const float *rows, size_t count,
                                    size_t timestep, float *scores);
ddaebm_status dd_scorer_inner_gradient(ddaebm_scorer *scorer, const float *rows, size_t count,
                                       size_t timestep, float *gradients);

#endif
