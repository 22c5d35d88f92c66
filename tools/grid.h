/* Scores of the points of a square grid. */
#ifndef GRID_H
#define GRID_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* Scores side * side points of [low, high]^2, ends included, at timestep 0 of a two-dimensional
 * model. *scores, to be freed with free, is [side, side]: rows in ascending y, columns in ascending
 * x. Returns 0 or the exit status. */
int score_grid(float **scores, const ddaebm_model *model, interval range, size_t side);

#endif
