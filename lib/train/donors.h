/* First values for what is missing in a table: what a normal distribution expects, and what that
 * was wrong by in a row nearby. So they follow relations that are no lines, and lie where values
 * are known to lie. */
#ifndef DD_DONORS_H
#define DD_DONORS_H

#include "model/model.h"

/* Adds to each missing value of `expected`, rows [count, width] of the model's data filled with
 * their expectations, the error of that in one of the nearest rows that know it. `given` has NaN
 * where a value is missing. The choice is fixed by the seed. */
ddaebm_status dd_donors_add(const ddaebm_model *model, const double *given, double *expected,
                            size_t count, uint64_t seed);

#endif
