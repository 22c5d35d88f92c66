/* The normal distribution that images begin from with form.energy normal: a mean image m, and for
 * each frequency k of the discrete cosine transform (DCT-II, orthonormal) a variance v_k. Natural
 * images are not far from that: their variances fall with the frequency (Field, 1987). */
#ifndef DD_SPECTRAL_H
#define DD_SPECTRAL_H

#include "layers/builder.h"

/* Names of the statistics of the energy's network: m is [height, width, channels], v is [channels,
 * frequency across, frequency down]. A trainer measures them (dd_model_fit_spectrum). */
#define DD_SPECTRAL_MEAN "energy.normal.mean"
#define DD_SPECTRAL_VARIANCE "energy.normal.variance"

/* Writes the matrix [n, n] of the transform, a frequency a row. Its transpose is its inverse. */
void dd_cosine_matrix(float *matrix, size_t n);

/* Whitens diffused images x [N, H, W, C], H = W: D' (a^2 v + sigma^2)^-1/2 D (x - a m), where D is
 * the transform, a = a_cum[t] and sigma = sigma_cum[t]. *log_density [N, 1, 1, 1] is the
 * log-density of N(0, I) at 0 plus the log-determinant of that map, so that the log-density of x is
 * *log_density minus half the sum of the result's squares. */
dd_node dd_whiten_images(dd_builder *builder, dd_node x, dd_node timestep, dd_node *log_density);

#endif
