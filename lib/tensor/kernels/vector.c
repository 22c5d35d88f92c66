/* Plain loops that compilers turn into vector code. Compiled once for each instruction set, with
 * DD_KERNELS as the name of its table. */
#include "tensor/kernels/vector.h"

#include <math.h>
#include <string.h>

#ifndef DD_KERNELS
#define DD_KERNELS dd_kernels_portable
#define DD_KERNELS_NAME "portable"
#endif

/* --- Functions without branches, so that loops over them vectorise. --- */

static inline float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* e^x = 2^k e^r with |r| <= ln 2 / 2; 2^k is the product of two powers, so that results reach the
 * subnormals; e^r by Taylor's polynomial of degree 7 (error below 1 in 2^24). Overflows to
 * infinity; NaN stays NaN. */
static inline float exponential(float x) {
    float clamped =
        x >= -104.0f ? x < 89.0f ? x : 89.0f : -104.0f; /* NaN too: it has no whole part */
    float k = nearbyintf(clamped * 1.44269504088896341f);
    float r = clamped - k * 0.693145751953125f; /* ln 2 in two parts: k times the first is exact */

    r -= k * 1.42860682030941723e-6f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r * r + r;
    int32_t whole = (int32_t)k, first = whole / 2;
    float low = from_bits((uint32_t)(first + 127) << 23),
          high = from_bits((uint32_t)(whole - first + 127) << 23);
    return x != x ? x : (p * low + low) * high;
}

/* ln x for x >= 0: x = 2^k m with m near 1, ln m by the series of 2 artanh((m-1)/(m+1)). ln 0 is
 * -infinity; below 0 NaN. */
static inline float logarithm(float x) {
    float scaled = x < 1.17549435e-38f ? x * 0x1p24f : x;
    float shift = x < 1.17549435e-38f ? -24.0f : 0.0f;
    uint32_t bits = to_bits(scaled);
    int32_t k = (int32_t)(bits - 0x3F3504F3u) >> 23; /* m in [sqrt(1/2), sqrt 2) */
    float m = from_bits(bits - ((uint32_t)k << 23));
    float s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
    float p = 2.0f / 9.0f;

    p = p * s2 + 2.0f / 7.0f;
    p = p * s2 + 2.0f / 5.0f;
    p = p * s2 + 2.0f / 3.0f;
    float e = (float)k + shift;
    float result = e * 1.42860682030941723e-6f + p * s2 * s + 2.0f * s + e * 0.693145751953125f;
    result = x == 0.0f ? -INFINITY : result;
    result = x == INFINITY ? x : result;
    return x >= 0.0f ? result : NAN;
}

/* 1 / (1 + e^-x) */
static inline float logistic(float x) {
    return 1.0f / (1.0f + exponential(-x));
}

/* log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|; the factor e / ((1 + e) - 1) corrects for the
 * rounding of 1 + e. */
static inline float soft_plus(float x) {
    float e = exponential(-fabsf(x)), sum = 1.0f + e;
    float rest = sum > 1.0f ? logarithm(sum) * (e / (sum - 1.0f)) : e;
    return (x > 0.0f ? x : 0.0f) + rest;
}

/* tanh x: its series where |x| is small, 1 - 2 / (e^2x + 1) elsewhere. */
static inline float hyperbolic_tangent(float x) {
    float x2 = x * x;
    float p = -17.0f / 315.0f + x2 * (62.0f / 2835.0f - x2 * (1382.0f / 155925.0f));
    float near_zero = x + x * x2 * (-1.0f / 3.0f + x2 * (2.0f / 15.0f + x2 * p));
    float elsewhere = 1.0f - 2.0f / (exponential(2.0f * x) + 1.0f);
    return fabsf(x) < 0.3f ? near_zero : elsewhere;
}

/* sin x for |x| <= most_angle, or cos x with quarters_ahead = 1: x minus a multiple of pi/2, which
 * is the sum of three floats, then one of two polynomials (minimax on +- pi/4). */
static inline float wave(float x, int32_t quarters_ahead) {
    float k = nearbyintf(x * 0.636619772367581343f);
    float r = x - k * 1.5703125f;
    r -= k * 4.837512969970703125e-4f;
    r -= k * 7.54978995489188216e-8f;
    float r2 = r * r;
    float odd = r + r * r2 * (-1.6666654611e-1f + r2 * (8.3321608736e-3f - r2 * 1.9515295891e-4f));
    float even =
        1.0f - 0.5f * r2 +
        r2 * r2 *
            (4.166664568298827e-2f + r2 * (-1.388731625493765e-3f + r2 * 2.443315711809948e-5f));
    int32_t quarter = (int32_t)k + quarters_ahead;
    float value = quarter & 1 ? even : odd;
    return quarter & 2 ? -value : value;
}

/* --- The operations. --- */

#define ELEMENTWISE(name, expression)                                                              \
    static void name(float *restrict out, const float *a, const float *b, size_t count,            \
                     float factor, float shift) {                                                  \
        (void)b;                                                                                   \
        (void)factor;                                                                              \
        (void)shift;                                                                               \
        for (size_t i = 0; i < count; i++)                                                         \
            out[i] = (expression);                                                                 \
    }

ELEMENTWISE(add, a[i] + b[i])
ELEMENTWISE(subtract, a[i] - b[i])
ELEMENTWISE(multiply, a[i] * b[i])
ELEMENTWISE(affine, a[i] * factor + shift)
ELEMENTWISE(scale, a[i] * factor)
ELEMENTWISE(square, a[i] * a[i])
ELEMENTWISE(reciprocal, 1.0f / a[i])
ELEMENTWISE(root, sqrtf(a[i]))
ELEMENTWISE(inverse_root, 1.0f / sqrtf(a[i]))
ELEMENTWISE(any_power, powf(a[i], factor))
ELEMENTWISE(natural_exponential, exponential(a[i]))
ELEMENTWISE(natural_logarithm, logarithm(a[i]))
ELEMENTWISE(tangent, hyperbolic_tangent(a[i]))
ELEMENTWISE(sigmoid, logistic(a[i]))
ELEMENTWISE(softplus, soft_plus(a[i]))
ELEMENTWISE(small_sine, wave(a[i], 0))
ELEMENTWISE(small_cosine, wave(a[i], 1))
ELEMENTWISE(any_sine, sinf(a[i]))
ELEMENTWISE(any_cosine, cosf(a[i]))
ELEMENTWISE(heaviside, a[i] > 0.0f ? 1.0f : 0.0f)

ELEMENTWISE(leaky, a[i] * (a[i] > 0.0f ? 1.0f : b[i]))

/* Derivatives of x s, s = sigmoid(x): s (1 + x z) and s z (2 + x (z - s)), with z = 1 - s computed
 * without the rounding of s. */
static inline float swish_slope(float x) {
    float e = exponential(-fabsf(x)), large = 1.0f / (1.0f + e), small = e * large;
    float s = x > 0.0f ? large : small, z = x > 0.0f ? small : large;
    return s * (1.0f + x * z);
}

static inline float swish_bend(float x) {
    float e = exponential(-fabsf(x)), large = 1.0f / (1.0f + e), small = e * large;
    float s = x > 0.0f ? large : small, z = x > 0.0f ? small : large;
    return s * z * (2.0f + x * (z - s));
}

ELEMENTWISE(swish, a[i] * logistic(a[i]))
ELEMENTWISE(swish_first, swish_slope(a[i]))
ELEMENTWISE(swish_second, swish_bend(a[i]))

static void silu(float *restrict out, const float *a, const float *b, size_t count, float factor,
                 float shift) {
    (factor == 0.0f   ? swish
     : factor == 1.0f ? swish_first
                      : swish_second)(out, a, b, count, factor, shift);
}

/* Beyond this angle a pi/2 of three floats is not exact enough. */
static const float most_angle = 4096;

static bool all_small(const float *x, size_t count) {
    uint32_t large = 0;
    for (size_t i = 0; i < count; i++)
        large |= fabsf(x[i]) <= most_angle ? 0u : 1u;
    return large == 0;
}

static void sine(float *restrict out, const float *a, const float *b, size_t count, float factor,
                 float shift) {
    (all_small(a, count) ? small_sine : any_sine)(out, a, b, count, factor, shift);
}

static void cosine(float *restrict out, const float *a, const float *b, size_t count, float factor,
                   float shift) {
    (all_small(a, count) ? small_cosine : any_cosine)(out, a, b, count, factor, shift);
}

static void affine_or_scale(float *restrict out, const float *a, const float *b, size_t count,
                            float factor, float shift) {
    (shift == 0.0f ? scale : affine)(out, a, b, count, factor, shift);
}

static void copy(float *restrict out, const float *a, const float *b, size_t count, float factor,
                 float shift) {
    (void)b;
    (void)factor;
    (void)shift;
    memcpy(out, a, count * sizeof *out);
}

static void power(float *restrict out, const float *a, const float *b, size_t count, float factor,
                  float shift) {
    dd_elementwise chosen = factor == 2.0f    ? square
                            : factor == -1.0f ? reciprocal
                            : factor == 0.5f  ? root
                            : factor == -0.5f ? inverse_root
                                              : any_power;
    chosen(out, a, b, count, factor, shift);
}

/* --- Sums, in double: terms of a gradient that cancel exactly do so whatever their order. --- */

enum { LANES = 8, SUM_COLUMNS = 64 };

static double sum(const float *x, size_t count) {
    double lanes[LANES] = {0}, total = 0;
    size_t whole = count / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lanes[j] += (double)x[i + j];
    for (size_t i = whole; i < count; i++)
        total += (double)x[i];
    for (size_t j = 0; j < LANES; j++)
        total += lanes[j];
    return total;
}

/* Adds four rows at once, because totals are read and written each time. */
static inline void add_rows(double *restrict totals, const float *x, size_t rows, size_t width,
                            size_t stride) {
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        const float *a = x + row * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        for (size_t j = 0; j < width; j++)
            totals[j] += ((double)a[j] + (double)b[j]) + ((double)c[j] + (double)d[j]);
    }
    for (; row < rows; row++)
        for (size_t j = 0; j < width; j++)
            totals[j] += (double)x[row * stride + j];
}

/* Adds the rows to the totals. Many short rows are summed as fewer rows of several each. */
static void add_columns(double *restrict totals, const float *x, size_t rows, size_t width,
                        size_t stride) {
    size_t together =
               width > 0 && width <= SUM_COLUMNS / 4 && stride == width ? SUM_COLUMNS / width : 1,
           whole = rows / together;
    if (together > 1 && whole > 4) {
        double wide[SUM_COLUMNS] = {0};
        add_rows(wide, x, whole, together * width, together * width);
        for (size_t i = 0; i < together; i++)
            for (size_t j = 0; j < width; j++)
                totals[j] += wide[i * width + j];
        x += whole * together * width;
        rows -= whole * together;
    }
    add_rows(totals, x, rows, width, stride);
}

static void sum_columns(float *restrict totals, const float *x, size_t rows, size_t width,
                        size_t stride) {
    for (size_t column = 0; column < width; column += SUM_COLUMNS) {
        size_t columns = width - column < SUM_COLUMNS ? width - column : SUM_COLUMNS;
        double wide[SUM_COLUMNS] = {0};
        add_columns(wide, x + column, rows, columns, stride);
        for (size_t j = 0; j < columns; j++)
            totals[column + j] = (float)wide[j];
    }
}

/* --- Softmax. --- */

static float largest(const float *x, size_t count) {
    float lanes[LANES], most = x[0];
    size_t whole = count / LANES * LANES;
    for (size_t j = 0; j < LANES; j++)
        lanes[j] = x[0];
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    for (size_t i = whole; i < count; i++)
        most = x[i] > most ? x[i] : most;
    for (size_t j = 0; j < LANES; j++)
        most = lanes[j] > most ? lanes[j] : most;
    return most;
}

static void softmax(float *restrict out, const float *x, size_t rows, size_t width) {
    for (size_t row = 0; row < rows; row++, out += width, x += width) {
        float most = largest(x, width);
        for (size_t i = 0; i < width; i++)
            out[i] = exponential(x[i] - most);
        float factor = (float)(1 / sum(out, width));
        for (size_t i = 0; i < width; i++)
            out[i] *= factor;
    }
}

/* --- Training. --- */

/* Updates the second moment and returns what the weight moves by. */
static inline float adam_move(float first_moment, float gradient, float *v, dd_adam_factors f) {
    *v = f.beta2 * *v + f.rest2 * (gradient * gradient);
    return f.rate * first_moment / (sqrtf(*v) * f.root + f.epsilon);
}

static void adam(float *restrict weights, const float *restrict gradients, float *restrict m,
                 float *restrict v, size_t count, dd_adam_factors f) {
    if (!m)
        for (size_t i = 0; i < count; i++)
            weights[i] -= adam_move(gradients[i], gradients[i], &v[i], f);
    else
        for (size_t i = 0; i < count; i++) {
            m[i] = f.beta1 * m[i] + f.rest1 * gradients[i];
            weights[i] -= adam_move(m[i], gradients[i], &v[i], f);
        }
}

static void average(float *restrict mean, const float *restrict values, size_t count, float decay,
                    float rest) {
    for (size_t i = 0; i < count; i++)
        mean[i] = decay * mean[i] + rest * values[i];
}

/* Compares bits: without their signs, those of floats are in the order of the floats, infinities
 * after them, and NaN last. */
static bool all_within(const float *x, size_t count, float bound) {
    uint32_t any = 0, most = to_bits(bound);
    for (size_t i = 0; i < count; i++)
        any |= (to_bits(x[i]) & 0x7FFFFFFFu) > most;
    return any == 0;
}

const dd_kernels DD_KERNELS = {
    .name = DD_KERNELS_NAME,
    .elementwise =
        {
            [DD_ELEMENTWISE_ADD] = add,
            [DD_ELEMENTWISE_SUBTRACT] = subtract,
            [DD_ELEMENTWISE_MULTIPLY] = multiply,
            [DD_ELEMENTWISE_AFFINE] = affine_or_scale,
            [DD_ELEMENTWISE_POWER] = power,
            [DD_ELEMENTWISE_EXP] = natural_exponential,
            [DD_ELEMENTWISE_LOG] = natural_logarithm,
            [DD_ELEMENTWISE_TANH] = tangent,
            [DD_ELEMENTWISE_SIGMOID] = sigmoid,
            [DD_ELEMENTWISE_SOFTPLUS] = softplus,
            [DD_ELEMENTWISE_SIN] = sine,
            [DD_ELEMENTWISE_COS] = cosine,
            [DD_ELEMENTWISE_HEAVISIDE] = heaviside,
            [DD_ELEMENTWISE_LEAKY] = leaky,
            [DD_ELEMENTWISE_SILU] = silu,
            [DD_ELEMENTWISE_COPY] = copy,
        },
    .sum = sum,
    .sum_columns = sum_columns,
    .add_columns = add_columns,
    .softmax = softmax,
    .adam = adam,
    .average = average,
    .all_within = all_within,
};
