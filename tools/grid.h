/* Scores of the points of a square grid. */
#ifndef GRID_H
#define GRID_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* Level-0 scores of a two-dimensional model at side * side points over [low, high]^2: *scores, to
 * be freed with free, is [side, side], row = y ascending, column = x ascending, ends included. 0 or
 * the exit status. */
int score_grid(float **scores, const ddaebm_model *model, interval range, size_t side);

#endif
