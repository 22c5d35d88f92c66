/* Features of images: what the last convolutions of a small classifier see (features.npy, which
 * experiments/features/train makes). */
#ifndef IMAGE_FEATURES_H
#define IMAGE_FEATURES_H

#include "image_options.h"

#include <stddef.h>

enum { IMAGE_FEATURES = 64 };

/* Fills *out with the features of images in [-1, 1], [count, IMAGE_FEATURES], to be freed with
 * free. Channels are averaged and images resized to what the classifier was trained on. Returns 0,
 * or the exit status after a complaint. */
int find_features(float **out, const double *images, size_t count, image_shape shape);

#endif
