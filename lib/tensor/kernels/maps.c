/* Plain loops over rows of images that compilers turn into vector code. Compiled once for each
 * instruction set, with DD_MAP_KERNELS as the name of its table. */
#include "tensor/kernels/maps.h"

#include <stdbool.h>

#ifndef DD_MAP_KERNELS
#define DD_MAP_KERNELS dd_map_kernels_portable
#define DD_KERNELS_NAME "portable"
#endif

/* --- Weighted sums of rows. --- */

/* Adds, or sets, the weighted sum of up to four rows. */
static inline void mix_few(float *restrict out, const float *const *in, size_t at, const float *w,
                           size_t taps, size_t count, bool add) {
    const float *a = in[0] + at, *b = in[taps > 1 ? 1 : 0] + at, *c = in[taps > 2 ? 2 : 0] + at,
                *d = in[taps > 3 ? 3 : 0] + at;

    switch (taps) {
    case 1:
        for (size_t i = 0; i < count; i++)
            out[i] = (add ? out[i] : 0.0f) + w[0] * a[i];
        break;
    case 2:
        for (size_t i = 0; i < count; i++)
            out[i] = (add ? out[i] : 0.0f) + (w[0] * a[i] + w[1] * b[i]);
        break;
    case 3:
        for (size_t i = 0; i < count; i++)
            out[i] = (add ? out[i] : 0.0f) + (w[0] * a[i] + w[1] * b[i] + w[2] * c[i]);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            out[i] =
                (add ? out[i] : 0.0f) + ((w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]));
        break;
    }
}

static inline void mix_row(float *restrict out, const float *const *in, size_t at,
                           const float *weights, size_t taps, size_t count) {
    for (size_t k = 0; k < taps; k += 4)
        mix_few(out, in + k, at, weights + k, taps - k, count, k > 0);
}

static inline void mix_pixels(float *restrict out, size_t out_stride, const float *const *in,
                              const float *weights, size_t taps, size_t in_stride, size_t pixels,
                              size_t channels) {
    for (size_t m = 0; m < pixels; m++)
        mix_row(out + m * out_stride, in, m * in_stride, weights, taps, channels);
}

/* Pixels of one and of three numbers have loops of their own, which compilers unroll. */
static void mix(float *restrict out, size_t out_stride, const float *const *in,
                const float *weights, size_t taps, size_t in_stride, size_t pixels,
                size_t channels) {
    if (out_stride == channels && in_stride == channels)
        mix_row(out, in, 0, weights, taps, pixels * channels);
    else if (channels == 1)
        mix_pixels(out, out_stride, in, weights, taps, in_stride, pixels, 1);
    else if (channels == 3)
        mix_pixels(out, out_stride, in, weights, taps, in_stride, pixels, 3);
    else
        mix_pixels(out, out_stride, in, weights, taps, in_stride, pixels, channels);
}

/* --- Moments, in double. Where the mean is far from zero, the variance loses digits to it, but no
 * more than the floats themselves have lost. --- */

/* Adds four rows at once, because totals are read and written each time. */
static void moments(dd_moments totals, const float *x, dd_matrix_size size) {
    double *restrict sum = totals.x, *restrict square = totals.xx;
    size_t row = 0;

    for (; row + 4 <= size.rows; row += 4) {
        const float *x0 = x + row * size.stride, *x1 = x0 + size.stride, *x2 = x1 + size.stride,
                    *x3 = x2 + size.stride;
        for (size_t j = 0; j < size.width; j++) {
            double a = (double)x0[j], b = (double)x1[j], c = (double)x2[j], d = (double)x3[j];
            sum[j] += (a + b) + (c + d);
            square[j] += (a * a + b * b) + (c * c + d * d);
        }
    }

    for (; row < size.rows; row++)
        for (size_t j = 0; j < size.width; j++) {
            double a = (double)x[row * size.stride + j];
            sum[j] += a;
            square[j] += a * a;
        }
}

/* The same, with the gradient g. */
static void moments_along(dd_moments totals, const float *x, const float *g, dd_matrix_size size) {
    double *restrict sum = totals.x, *restrict square = totals.xx, *restrict slope = totals.g,
                     *restrict product = totals.gx;
    size_t row = 0;

    for (; row + 2 <= size.rows; row += 2) {
        const float *x0 = x + row * size.stride, *x1 = x0 + size.stride,
                    *g0 = g + row * size.stride, *g1 = g0 + size.stride;
        for (size_t j = 0; j < size.width; j++) {
            double a = (double)x0[j], b = (double)x1[j], c = (double)g0[j], d = (double)g1[j];
            sum[j] += a + b;
            square[j] += a * a + b * b;
            slope[j] += c + d;
            product[j] += a * c + b * d;
        }
    }

    for (; row < size.rows; row++)
        for (size_t j = 0; j < size.width; j++) {
            double a = (double)x[row * size.stride + j], c = (double)g[row * size.stride + j];
            sum[j] += a;
            square[j] += a * a;
            slope[j] += c;
            product[j] += a * c;
        }
}

/* --- Normalisation. --- */

static void standardize(float *restrict out, const float *x, dd_standard by, dd_matrix_size size) {
    const float *centre = by.centre, *scale = by.scale, *shift = by.shift;
    for (size_t row = 0; row < size.rows; row++, x += size.stride, out += size.stride)
        for (size_t j = 0; j < size.width; j++)
            out[j] = (x[j] - centre[j]) * scale[j] + shift[j];
}

static void standardize_gradient(float *restrict out, const float *x, const float *g,
                                 dd_standard by, dd_matrix_size size) {
    const float *centre = by.centre, *scale = by.scale, *shift = by.shift;
    const float *slope = by.slope, *rest = by.slope_rest, *along = by.slope_along;
    for (size_t row = 0; row < size.rows;
         row++, x += size.stride, g += size.stride, out += size.stride)
        for (size_t j = 0; j < size.width; j++) {
            float y = (x[j] - centre[j]) * scale[j] + shift[j];
            out[j] = scale[j] * ((g[j] - slope[j]) - (y * along[j] + rest[j]));
        }
}

const dd_map_kernels DD_MAP_KERNELS = {
    .name = DD_KERNELS_NAME,
    .mix = mix,
    .moments = moments,
    .moments_along = moments_along,
    .standardize = standardize,
    .standardize_gradient = standardize_gradient,
};
