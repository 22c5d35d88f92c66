/* Random volume-preserving transformations, each as probable as its inverse, with which
 * objective.transform_contrast contrasts data. */
#ifndef DD_TRANSFORM_H
#define DD_TRANSFORM_H

#include "config/settings.h"

/* Transforms one sample, as the networks see it, by transformation `index` of (seed, stream).
 * Samples that share these three are transformed alike. `in` and `out` must not overlap.
 *
 * Images, inside their margin: with probability 1/2 one of the seven symmetries of the square other
 * than the identity; else one of negation, a random permutation of equal blocks (2 x 2 or more),
 * and a cyclic shift by random numbers of rows and columns. Rows: each number is negated with
 * probability 1/2. */
void dd_transform(const dd_settings *settings, uint64_t seed, uint64_t stream, uint64_t index,
                  const float *in, float *out);

#endif
