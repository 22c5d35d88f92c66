/* Random transformations that keep volumes and are drawn as often as their inverses: what
 * objective.transform_contrast compares data with. */
#ifndef DD_TRANSFORM_H
#define DD_TRANSFORM_H

#include "config/settings.h"

/* Transforms one sample, as the networks see it, by transformation `index` of (seed, stream):
 *   images, inside their margin: with probability 1/2 turned or mirrored, by one of the seven
 * symmetries of the square that move it; else one of: negated; cut into equal blocks, 2 x 2 or
 * more, in a random order; moved around by a random number of rows and columns; rows: each number
 * negated with probability 1/2. Samples that share (seed, stream, index) are transformed alike. in
 * and out are apart. */
void dd_transform(const dd_settings *settings, uint64_t seed, uint64_t stream, uint64_t index,
                  const float *in, float *out);

#endif
