#include "objective/spectrum.h"

#include <math.h>
#include <string.h>

static size_t least_factor(size_t number) {
    for (size_t factor = 2; factor * factor <= number; factor++)
        if (number % factor == 0)
            return factor;
    return number;
}

dd_spectrum dd_spectrum_of(const dd_settings *settings) {
    dd_spectrum spectrum = {.count = 1, .block = {1}, .width = dd_settings_inner_width(settings)};
    if (settings->network.family != DD_FAMILY_NCSNPP)
        return spectrum;

    spectrum.side = dd_settings_outer_side(settings);
    spectrum.channels = (size_t)settings->data.channels;
    spectrum.margin = (size_t)settings->data.padding;
    spectrum.width = spectrum.side * spectrum.side * spectrum.channels;
    for (size_t block = 1; block < spectrum.side; spectrum.count++)
        spectrum.block[spectrum.count] = block *= least_factor(spectrum.side / block);
    return spectrum;
}

/* --- Drawing. --- */

/* Adds a fraction of the block's mean to each of its pixels, channel by channel. */
static void add_mean(const dd_spectrum *s, float *corner, size_t block, double share) {
    size_t line = (s->side + 2 * s->margin) * s->channels;
    for (size_t c = 0; c < s->channels; c++) {
        double sum = 0;
        for (size_t y = 0; y < block; y++)
            for (size_t x = 0; x < block; x++)
                sum += (double)corner[y * line + x * s->channels + c];

        float more = (float)(share * sum / (double)(block * block));
        for (size_t y = 0; y < block; y++)
            for (size_t x = 0; x < block; x++)
                corner[y * line + x * s->channels + c] += more;
    }
}

static void add_means(const dd_spectrum *s, float *sample, size_t block, double share) {
    size_t line = (s->side + 2 * s->margin) * s->channels;
    for (size_t y = 0; y < s->side; y += block)
        for (size_t x = 0; x < s->side; x += block)
            add_mean(s, sample + (s->margin + y) * line + (s->margin + x) * s->channels, block,
                     share);
}

static void clear_margin(const dd_spectrum *s, float *sample) {
    size_t whole = s->side + 2 * s->margin, line = whole * s->channels,
           edge = s->margin * s->channels;
    for (size_t y = 0; y < whole && s->margin > 0; y++) {
        bool inside = y >= s->margin && y < s->margin + s->side;
        memset(sample + y * line, 0, (inside ? edge : line) * sizeof *sample);
        memset(sample + y * line + line - edge, 0, edge * sizeof *sample);
    }
}

/* Number of coordinates of P_k x: one a block and channel. */
static double coordinates(const dd_spectrum *s, size_t k) {
    return k < s->count ? (double)s->width / (double)(s->block[k] * s->block[k]) : 0;
}

/* Scales part by part. When parts 0 to k-1 have their deviations and the rest has d_{k-1}, adding
 * P_k of it times d_k/d_{k-1} - 1 gives the rest d_k. */
void dd_spectrum_colour(const dd_spectrum *s, const double *deviations, float *sample,
                        float *density) {
    const double two_pi = 6.28318530717958647692;
    size_t numbers = s->side > 0
                         ? (s->side + 2 * s->margin) * (s->side + 2 * s->margin) * s->channels
                         : s->width;
    double constant = 0, inverse = 0;

    clear_margin(s, sample);
    for (size_t i = 0; i < numbers; i++)
        sample[i] *= (float)deviations[0];
    for (size_t k = 1; k < s->count; k++)
        add_means(s, sample, s->block[k], deviations[k] / deviations[k - 1] - 1);

    for (size_t k = 0; k < s->count; k++) {
        double variance = deviations[k] * deviations[k];
        density[k] = (float)(1 / variance - inverse);
        inverse = 1 / variance;
        constant -= 0.5 * (coordinates(s, k) - coordinates(s, k + 1)) * log(two_pi * variance);
    }
    density[s->count] = (float)constant;
}

/* --- The density, in a graph. --- */

static dd_node without_margin(dd_graph *graph, const dd_spectrum *s, dd_node x) {
    for (int axis = 1; axis <= 2 && s->margin > 0; axis++)
        x = dd_slice(graph, x, axis, s->margin, s->side);
    return x;
}

/* Means over squares of factor x factor pixels, or over the whole image. */
static dd_node block_means(dd_graph *graph, dd_node x, size_t factor) {
    float taps[DD_MOST_TAPS];
    dd_shape shape = dd_graph_shape(graph, x);
    if (factor == shape.size[1]) {
        shape.size[1] = shape.size[2] = 1;
        return dd_mean(graph, x, shape);
    }
    for (size_t i = 0; i < factor; i++)
        taps[i] = 1 / (float)factor;
    return dd_filter(graph, x, dd_constant(graph, taps, (dd_shape){{1, 1, 1, factor}}), 1,
                     (int)factor, 0, 0);
}

dd_node dd_spectrum_log_density(dd_graph *graph, const dd_spectrum *s, dd_node x, dd_node density) {
    dd_shape one = dd_shape_a_sample(graph, x);
    dd_node means = without_margin(graph, s, x), squares = DD_NONE;
    for (size_t k = 0; k < s->count; k++) {
        if (k > 0)
            means = block_means(graph, means, s->block[k] / s->block[k - 1]);
        double pixels = (double)(s->block[k] * s->block[k]);
        dd_node norm =
            dd_affine(graph, dd_sum(graph, dd_multiply(graph, means, means), one), pixels, 0);
        dd_node term =
            dd_multiply(graph, norm, dd_reshape(graph, dd_slice(graph, density, 3, k, 1), one));
        squares = k > 0 ? dd_add(graph, squares, term) : term;
    }
    dd_node constant = dd_reshape(graph, dd_slice(graph, density, 3, s->count, 1), one);
    return dd_add(graph, dd_affine(graph, squares, -0.5, 0), constant);
}
