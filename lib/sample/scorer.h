/* The scorer from inside. */
#ifndef DD_SCORER_H
#define DD_SCORER_H

#include "sample/evaluator.h"

#include <ddaebm/scorer.h>

/* ddaebm_scorer_score and ddaebm_scorer_gradient of rows as the networks see them, [count, inner
 * width], with respect to those. count is at least 1. */
ddaebm_status dd_scorer_inner_score(ddaebm_scorer *scorer, const float *rows, size_t count,
                                    size_t timestep, float *scores);
ddaebm_status dd_scorer_inner_gradient(ddaebm_scorer *scorer, const float *rows, size_t count,
                                       size_t timestep, float *gradients);

#endif
