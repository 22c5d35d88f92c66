#include "grid.h"

#include "console.h"
#include "inputs.h"

#include <stdlib.h>

enum { POINTS_AT_ONCE = 16384 };

/* Returns the coordinate of a column or row. */
static double along(interval range, size_t index, size_t side) {
    return range.low + (range.high - range.low) * ((double)index / (double)(side - 1));
}

/* Fills in the points first .. first+count-1 of the grid, counted row by row. */
static void fill_points(double *points, interval range, size_t side, size_t first, size_t count) {
    for (size_t i = 0; i < count; i++) {
        points[2 * i] = along(range, (first + i) % side, side);
        points[2 * i + 1] = along(range, (first + i) / side, side);
    }
}

int score_grid(float **scores, const ddaebm_model *model, interval range, size_t side) {
    ddaebm_scorer *scorer = NULL;
    double *points = NULL;
    float *grid = NULL;
    int code = 0;
    TRY(make_doubles(&points, POINTS_AT_ONCE, 2));
    TRY(make_room(&grid, (uint64_t)side * side, 1));
    TRY(checked(ddaebm_scorer_create(&scorer, model)));

    for (size_t first = 0; first < side * side; first += POINTS_AT_ONCE) {
        size_t count = side * side - first < POINTS_AT_ONCE ? side * side - first : POINTS_AT_ONCE;
        fill_points(points, range, side, first, count);
        TRY(checked(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, points, count, 0,
                                               grid + first)));
    }

    *scores = grid;
    grid = NULL;
cleanup:
    free(grid);
    free(points);
    ddaebm_scorer_free(scorer);
    return code;
}
