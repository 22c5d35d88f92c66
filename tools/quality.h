/* Measures of samples against data: rows of doubles in, numbers out. */
#ifndef QUALITY_H
#define QUALITY_H

#include "options.h"

#include <ddaebm/ddaebm.h>

/* Samples and data of the same number of rows. */
typedef struct compared_rows {
    const double *samples; /* [count, width] */
    const double *data;    /* [count, width] */
    const double *others;  /* [count, width]: other rows of the data */
    size_t count, width;
} compared_rows;

/* Sliced Wasserstein-1 distance of the samples to the data, and of the data to its other rows (the
 * floor), in standard deviations of the data's columns. Constant columns do not count. */
typedef struct distances {
    double samples, floor;
} distances;
int measure_distances(distances *out, const compared_rows *rows);

/* Samples of the set 25gaussians: modes with more than a fifth of their share, the fraction of
 * samples within three standard deviations of a mode, and the standard deviation of those over the
 * mode's. */
typedef struct mode_shares {
    size_t modes;
    double near, spread;
} mode_shares;
mode_shares measure_modes(const compared_rows *rows);

/* Fractions of the samples whose score is below the 1% and the 5% quantile of the data's scores. */
typedef struct low_scores {
    double below_1, below_5;
} low_scores;
int measure_low_scores(low_scores *out, const float *of_samples, const float *of_data,
                       size_t count);

/* Total variation between the density of a model and data in the plane, on a grid of cells over the
 * data; and the least that this many rows leave, which an exact density would have. */
typedef struct variation {
    double found, floor;
    size_t side; /* cells along an axis */
} variation;
int measure_variation(variation *out, const ddaebm_model *model, const double *rows, size_t count);

#endif
