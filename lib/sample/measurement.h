/* What a restorer is told of x: y = A x + noise, as the networks see x. A is the identity or a map
 * of the caller. */
#ifndef DD_MEASUREMENT_H
#define DD_MEASUREMENT_H

#include "model/model.h"

#include <ddaebm/restorer.h>

typedef struct dd_measurement dd_measurement;

/* Makes a measurement without noise. `map` NULL: A is the identity. */
ddaebm_status dd_measurement_create(dd_measurement **out, const ddaebm_model *model,
                                    const ddaebm_operator *map, size_t most_rows);
void dd_measurement_free(dd_measurement *measurement);

/* Whether A is a map of the caller; and the numbers in a row of y. */
bool dd_measurement_is_mapped(const dd_measurement *measurement);
size_t dd_measurement_width(const dd_measurement *measurement);

/* Sets the noise, of ddaebm_restorer_set_noise. */
ddaebm_status dd_measurement_set_noise(dd_measurement *measurement, const double *deviations,
                                       size_t count);
double *dd_measurement_noise(const dd_measurement *measurement);

/* For a map: measures how large its numbers are. Called before draws. */
ddaebm_status dd_measurement_prepare(dd_measurement *measurement);

/* For the identity: y of a row as the networks see it, and the noise there: infinite where y is
 * missing, 0 for numbers that are known or that never vary. `moves`: of dd_model_find_fixed. */
void dd_measurement_read(const dd_measurement *measurement, dd_rows_in y, size_t row,
                         const float *moves, float *known, float *noise);

/* For a map: loads y of a row into a place, below `most_rows`. */
void dd_measurement_load(dd_measurement *measurement, dd_rows_in y, size_t place, size_t row);

/* y - A x of a row of draws in the units of the data, [measured]; NaN where y is missing. */
ddaebm_status dd_measurement_miss(dd_measurement *measurement, dd_rows_in y, size_t row,
                                  const double *x, double *out);

/* For a map: room for normal numbers, [most_rows, measured]. */
float *dd_measurement_normals(dd_measurement *measurement);

/* For a map: replaces each x of [count, inner width] by a draw z of N(z; x, ratio^2) N(y; A z,
 * noise^2), given normal numbers [count, inner width] and [count, measured]. What the map fails
 * with. */
ddaebm_status dd_measurement_draw(dd_measurement *measurement, float *x, size_t count, double ratio,
                                  const float *normals, const float *others);

#endif
