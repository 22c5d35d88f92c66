#include "diffusion/noise_scale.h"

#include "base/rng.h"

#include <math.h>

/* ---- Draws. ---- */

/* A draw has so many words of its stream; beyond them the last try stands. */
enum { TRIES = 16, WORDS = 4 * TRIES + 4 };

static double uniform(uint32_t word) {
    return ((double)word + 0.5) * 0x1p-32;
}

/* A draw of the gamma distribution with shape above 1 and scale 1 (Marsaglia and Tsang, 2000): of
 * 20 tries at most one is refused, so that 16 in a row are not seen. */
static double gamma_draw(double shape, const uint32_t words[WORDS]) {
    const double two_pi = 6.28318530717958647692;
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d), value = d;
    for (int i = 0; i < TRIES; i++) {
        const uint32_t *w = words + 4 * i;
        double normal = sqrt(-2 * log(uniform(w[0]))) * cos(two_pi * uniform(w[1]));
        double root = 1 + c * normal;
        if (root <= 0)
            continue;
        double cube = root * root * root;
        value = d * cube;
        if (log(uniform(w[2])) < 0.5 * normal * normal + d - value + d * log(cube))
            break;
    }
    return value;
}

double dd_noise_scale_draw(const dd_settings *settings, uint64_t seed, uint64_t stream,
                           uint64_t index) {
    uint32_t words[WORDS];
    dd_rng_words(words, seed, stream, index * WORDS, WORDS);
    if (settings->diffusion.noise == DD_NOISE_MIXTURE) {
        double share = settings->diffusion.mixture_share, ratio = settings->diffusion.mixture_ratio;
        double narrow = 1 / (1 - share + share * ratio * ratio);
        return uniform(words[0]) < share ? narrow * ratio * ratio : narrow;
    }
    if (settings->diffusion.noise == DD_NOISE_GAUSSIAN)
        return 1;
    /* nu / chi^2, of mean nu / (nu - 2); chi^2 is twice a gamma draw of shape nu / 2 */
    double freedom = settings->diffusion.freedom;
    return (freedom - 2) / (2 * gamma_draw(freedom / 2, words));
}

void dd_noise_scale_apply(const dd_settings *settings, uint64_t seed, uint64_t stream,
                          uint64_t first, size_t count, size_t width, float *noise) {
    for (size_t i = 0; dd_has_noise_scale(settings) && i < count; i++) {
        float scale = (float)sqrt(dd_noise_scale_draw(settings, seed, stream, first + i));
        for (size_t j = 0; j < width; j++)
            noise[i * width + j] *= scale;
    }
}

/* ---- Densities. ---- */

/* log N(x; 0, variance I) */
static dd_node log_normal(dd_graph *graph, dd_node x, double variance) {
    return dd_gaussian_log_density(graph, x, dd_scalar(graph, 0), dd_scalar(graph, log(variance)));
}

/* Student's density of nu degrees of freedom and variance 1 in every direction. */
static dd_node log_student(dd_graph *graph, dd_node x, double freedom) {
    dd_shape shape = dd_shape_a_sample(graph, x);
    double width =
        (double)dd_shape_elements(dd_graph_shape(graph, x)) / (double)dd_samples(graph, x);
    dd_node squares = dd_sum(graph, dd_multiply(graph, x, x), shape);
    dd_node logarithm = dd_log(graph, dd_affine(graph, squares, 1 / (freedom - 2), 1));
    double constant = lgamma((freedom + width) / 2) - lgamma(freedom / 2) -
                      width / 2 * log(3.14159265358979323846 * (freedom - 2));
    return dd_affine(graph, logarithm, -(freedom + width) / 2, constant);
}

dd_node dd_noise_log_density(dd_graph *graph, const dd_settings *settings, dd_node x) {
    if (settings->diffusion.noise == DD_NOISE_GAUSSIAN)
        return dd_gaussian_log_density(graph, x, dd_scalar(graph, 0), dd_scalar(graph, 0));
    if (settings->diffusion.noise == DD_NOISE_STUDENT)
        return log_student(graph, x, settings->diffusion.freedom);

    double share = settings->diffusion.mixture_share, ratio = settings->diffusion.mixture_ratio;
    double narrow = 1 / (1 - share + share * ratio * ratio);
    dd_node inner = dd_affine(graph, log_normal(graph, x, narrow), 1, log(1 - share));
    dd_node outer = dd_affine(graph, log_normal(graph, x, narrow * ratio * ratio), 1, log(share));
    return dd_add(graph, inner, dd_softplus(graph, dd_subtract(graph, outer, inner)));
}
