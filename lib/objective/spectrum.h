/* Gaussian noise with a standard deviation for each scale, with which noise_contrast contrasts
 * data.
 *
 * P_k x replaces each block of b_k x b_k pixels of an image x by its mean, 1 = b_0 < b_1 < ... <
 * b_{K-1} = S, each dividing the next, S the side. The image is the sum of K orthogonal parts: part
 * k is P_k x - P_{k+1} x, the last P_{K-1} x. The d_k coordinates of part k in an orthonormal basis
 * are normal with variance v_k, so the density of the noise is
 *
 *   log n(x) = -1/2 sum_k (1/v_k - 1/v_{k-1}) ||P_k x||^2 - 1/2 sum_k d_k log(2 pi v_k)
 *
 * with 1/v_{-1} = 0. Equal v_k give white noise; small v_k for small k make it smooth or constant.
 * Rows have one part. The margin of padded images is not part of the noise: it is that of the data.
 */
#ifndef DD_SPECTRUM_H
#define DD_SPECTRUM_H

#include "diffusion/process.h"

#include "config/settings.h"

enum { DD_MOST_SCALES = 8 };

/* Sides of the blocks, and layout of the image that they divide. */
typedef struct dd_spectrum {
    size_t count;
    size_t block[DD_MOST_SCALES];
    size_t side, channels, margin; /* of the image inside its margin; side 0 for rows */
    size_t width;                  /* numbers in a sample, those of the margin not counted */
} dd_spectrum;

dd_spectrum dd_spectrum_of(const dd_settings *settings);

/* Number of values that describe the density of one sample's noise: a factor of each ||P_k x||^2,
 * and a constant. */
static inline size_t dd_spectrum_numbers(const dd_spectrum *spectrum) {
    return spectrum->count + 1;
}

/* Turns standard normal numbers, laid out as the networks see a sample, into noise of the standard
 * deviations given [count], with zeros on the margin, and writes what describes its density to
 * `density` [dd_spectrum_numbers]. */
void dd_spectrum_colour(const dd_spectrum *spectrum, const double *deviations, float *sample,
                        float *density);

/* log n(x), one number a sample, of noise described by density [1, 1, N, dd_spectrum_numbers]; the
 * margin does not count. */
dd_node dd_spectrum_log_density(dd_graph *graph, const dd_spectrum *spectrum, dd_node x,
                                dd_node density);

#endif
