/* Every kernel of every table against libm in double, from the smallest to the largest floats.
 * Errors are in units in the last place (ulp) of the float nearest the truth; the bounds asserted
 * are what was measured, rounded up. */
#include "support/extremes.h"
#include "support/instruction_sets.h"
#include "support/runner.h"

#include "base/rng.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL = 70, BLOCK = 4096 };

static const dd_kernels *tables[MOST_SETS];
static int table_count;

static void find_tables(void) {
    const dd_instructions *sets[MOST_SETS];
    table_count = (int)find_sets(sets);
    for (int t = 0; t < table_count; t++)
        tables[t] = sets[t]->vector;
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* |found - truth| in units of the last place of the truth; 0 where both are the same infinity or
 * both NaN. */
static double ulps(float found, double truth) {
    if (isnan(truth) || isnan(found))
        return isnan(truth) && isnan(found) ? 0 : INFINITY;
    double largest =
        (double)FLT_MAX + ldexp(1, 127 - 24); /* from here on the nearest float is infinite */
    if (fabs(truth) >= largest || isinf(found))
        return (double)found == (truth > 0 ? (double)INFINITY : -(double)INFINITY) &&
                       fabs(truth) > (double)FLT_MAX * (1 - 1e-6)
                   ? 0
                   : INFINITY;
    int exponent = 0;
    (void)frexp(truth, &exponent);
    double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
    return fabs((double)found - truth) / unit;
}

/* --- Operations of one input. --- */

typedef struct one_input {
    dd_op op;
    double (*truth)(double x, double factor, double shift);
    float low, high; /* where the bound is meant; beyond it see the special values */
    float factor, shift;
    double bound; /* ulp */
} one_input;

static double true_exp(double x, double f, double s) {
    (void)f;
    (void)s;
    return exp(x);
}

static double true_log(double x, double f, double s) {
    (void)f;
    (void)s;
    return log(x);
}

static double true_tanh(double x, double f, double s) {
    (void)f;
    (void)s;
    return tanh(x);
}

static double true_sigmoid(double x, double f, double s) {
    (void)f;
    (void)s;
    return 1 / (1 + exp(-x));
}

static double true_softplus(double x, double f, double s) {
    (void)f;
    (void)s;
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double true_sin(double x, double f, double s) {
    (void)f;
    (void)s;
    return sin(x);
}

static double true_cos(double x, double f, double s) {
    (void)f;
    (void)s;
    return cos(x);
}

static double true_step(double x, double f, double s) {
    (void)f;
    (void)s;
    return x > 0;
}

static double true_copy(double x, double f, double s) {
    (void)f;
    (void)s;
    return x;
}

static double true_power(double x, double f, double s) {
    (void)s;
    return pow(x, f);
}

static double true_affine(double x, double f, double s) {
    return x * f + s;
}

static double true_silu(double x, double order, double s) {
    (void)s;
    double y = 1 / (1 + exp(-x)), z = 1 / (1 + exp(x)); /* z = 1 - y, without its rounding */
    return order == 0 ? x * y : order == 1 ? y * (1 + x * z) : y * z * (2 + x * (z - y));
}

static const one_input one_inputs[] = {
    {DD_OP_EXP, true_exp, -110, 95, 0, 0, 2},
    {DD_OP_LOG, true_log, 0, FLT_MAX, 0, 0, 2},
    {DD_OP_TANH, true_tanh, -50, 50, 0, 0, 5},
    {DD_OP_TANH, true_tanh, -FLT_MAX, FLT_MAX, 0, 0, 5},
    {DD_OP_SIGMOID, true_sigmoid, -87, 50, 0, 0, 2.5},
    {DD_OP_SOFTPLUS, true_softplus, -80, 80, 0, 0, 4},
    {DD_OP_SIN, true_sin, -1000, 1000, 0, 0, 2},
    {DD_OP_COS, true_cos, -1000, 1000, 0, 0, 2},
    {DD_OP_STEP, true_step, -FLT_MAX, FLT_MAX, 0, 0, 0},
    {DD_OP_EXPAND, true_copy, -FLT_MAX, FLT_MAX, 0, 0, 0},
    {DD_OP_OUTPUT, true_copy, -FLT_MAX, FLT_MAX, 0, 0, 0},
    {DD_OP_POWER, true_power, -FLT_MAX, FLT_MAX, 2, 0, 0.5},
    {DD_OP_POWER, true_power, -FLT_MAX, FLT_MAX, 3, 0, 1},
    {DD_OP_POWER, true_power, -FLT_MAX, FLT_MAX, -1, 0, 0.5},
    {DD_OP_POWER, true_power, -FLT_MAX, FLT_MAX, -3, 0, 1},
    {DD_OP_POWER, true_power, 0, FLT_MAX, 0.5f, 0, 0.5},
    {DD_OP_POWER, true_power, 0, FLT_MAX, -0.5f, 0, 1.5},
    {DD_OP_POWER, true_power, 0, FLT_MAX, -1.5f, 0, 1},
    {DD_OP_AFFINE, true_affine, 0, FLT_MAX, 1.7f, 0.3f, 1},
    {DD_OP_AFFINE, true_affine, -FLT_MAX, FLT_MAX, -1.7f, 0, 0.5},
    {DD_OP_SILU, true_silu, -80, 80, 0, 0, 4},
    {DD_OP_SILU, true_silu, -80, FLT_MAX, 0, 0, 4},
};

enum { ONE_INPUTS = sizeof one_inputs / sizeof *one_inputs };

/* Numbers over the whole of a range: evenly spread over values for half of them, over the bits of
 * floats for the others. */
static void spread(float *x, size_t count, size_t block, float low, float high) {
    uint32_t words[BLOCK];
    dd_rng_words(words, 5, 0, block * BLOCK, count);
    for (size_t i = 0; i < count; i++) {
        double u = ((double)words[i] + 0.5) * 0x1p-32;
        x[i] = i % 2 ? (float)((double)low * (1 - u) + (double)high * u) : from_bits(words[i]);
        if (!(x[i] >= low && x[i] <= high))
            x[i] = (float)((double)low * (1 - u) + (double)high * u);
    }
}

START_TEST(functions_are_near_libm) {
    const one_input *f = &one_inputs[_i];
    static float x[BLOCK], y[BLOCK];
    for (int t = 0; t < table_count; t++) {
        double worst = 0;
        float worst_at = 0;
        for (size_t block = 0; block < 64; block++) {
            spread(x, BLOCK, block, f->low, f->high);
            tables[t]->elementwise[f->op](y, x, NULL, BLOCK, f->factor, f->shift);
            for (size_t i = 0; i < BLOCK; i++) {
                double error =
                    ulps(y[i], f->truth((double)x[i], (double)f->factor, (double)f->shift));
                worst_at = error > worst ? x[i] : worst_at;
                worst = larger(worst, error);
            }
        }
        if (getenv("SHOW_ULPS"))
            printf("%s %s(%g): %.3f ulp at %.9g\n", tables[t]->name, dd_op_describe(f->op)->name,
                   (double)f->factor, worst, (double)worst_at);
        ck_assert_msg(worst <= f->bound, "%s %s(%g): %.3f ulp at %.9g", tables[t]->name,
                      dd_op_describe(f->op)->name, (double)f->factor, worst, (double)worst_at);
    }
}
END_TEST

/* Every count from 0 to TAIL gives what a long run gives, and nothing is written beyond. */
START_TEST(tails_are_as_the_rest) {
    const one_input *f = &one_inputs[_i];
    float x[TAIL + 1], whole[TAIL + 1], part[TAIL + 1];
    spread(x, TAIL + 1, 0, fmaxf(f->low, -20), fminf(f->high, 20));
    for (int t = 0; t < table_count; t++) {
        dd_elementwise kernel = tables[t]->elementwise[f->op];
        kernel(whole, x, NULL, TAIL + 1, f->factor, f->shift);
        for (size_t count = 0; count <= TAIL; count++) {
            part[count] = 12345;
            kernel(part, x, NULL, count, f->factor, f->shift);
            ck_assert_float_eq(part[count], 12345);
            for (size_t i = 0; i < count; i++)
                ck_assert_msg(
                    part[i] == whole[i] || fabsf(part[i] - whole[i]) <= 1e-6f * fabsf(whole[i]),
                    "%s %s: %zu of %zu: %.9g, in a long run %.9g", tables[t]->name,
                    dd_op_describe(f->op)->name, i, count, (double)part[i], (double)whole[i]);
        }
    }
}
END_TEST

typedef struct special {
    dd_op op;
    float factor, x, y;
} special;

static const special specials[] = {
    {DD_OP_EXP, 0, 0.0f, 1.0f},
    {DD_OP_EXP, 0, -0.0f, 1.0f},
    {DD_OP_EXP, 0, INFINITY, INFINITY},
    {DD_OP_EXP, 0, -INFINITY, 0.0f},
    {DD_OP_EXP, 0, FLT_MAX, INFINITY},
    {DD_OP_EXP, 0, -FLT_MAX, 0.0f},
    {DD_OP_EXP, 0, 88.73f, INFINITY},
    {DD_OP_EXP, 0, -103.9f, 0x1p-149f}, /* 0.56 of the smallest subnormal */
    {DD_OP_EXP, 0, -105.0f, 0.0f},
    {DD_OP_EXP, 0, 1e-40f, 1.0f},
    {DD_OP_EXP, 0, NAN, NAN},
    {DD_OP_LOG, 0, 0.0f, -INFINITY},
    {DD_OP_LOG, 0, -0.0f, -INFINITY},
    {DD_OP_LOG, 0, 1.0f, 0.0f},
    {DD_OP_LOG, 0, INFINITY, INFINITY},
    {DD_OP_LOG, 0, -INFINITY, NAN},
    {DD_OP_LOG, 0, -1.0f, NAN},
    {DD_OP_LOG, 0, -1e-40f, NAN},
    {DD_OP_LOG, 0, NAN, NAN},
    {DD_OP_TANH, 0, 0.0f, 0.0f},
    {DD_OP_TANH, 0, 0x1p-149f, 0x1p-149f},
    {DD_OP_TANH, 0, 20.0f, 1.0f},
    {DD_OP_TANH, 0, INFINITY, 1.0f},
    {DD_OP_TANH, 0, -INFINITY, -1.0f},
    {DD_OP_TANH, 0, -FLT_MAX, -1.0f},
    {DD_OP_TANH, 0, NAN, NAN},
    {DD_OP_SIGMOID, 0, 0.0f, 0.5f},
    {DD_OP_SIGMOID, 0, INFINITY, 1.0f},
    {DD_OP_SIGMOID, 0, -INFINITY, 0.0f},
    {DD_OP_SIGMOID, 0, -104.0f, 0.0f},
    {DD_OP_SIGMOID, 0, -89.0f, 0.0f}, /* 2e-39, below the normal floats: given up */
    {DD_OP_SIGMOID, 0, NAN, NAN},
    {DD_OP_SOFTPLUS, 0, INFINITY, INFINITY},
    {DD_OP_SOFTPLUS, 0, -INFINITY, 0.0f},
    {DD_OP_SOFTPLUS, 0, NAN, NAN},
    {DD_OP_STEP, 0, 0.0f, 0.0f},
    {DD_OP_STEP, 0, -0.0f, 0.0f},
    {DD_OP_STEP, 0, 0x1p-149f, 1.0f},
    {DD_OP_STEP, 0, -0x1p-149f, 0.0f},
    {DD_OP_STEP, 0, INFINITY, 1.0f},
    {DD_OP_STEP, 0, NAN, 0.0f},
    {DD_OP_SIN, 0, INFINITY, NAN},
    {DD_OP_COS, 0, -INFINITY, NAN},
    {DD_OP_SIN, 0, NAN, NAN},
    {DD_OP_SILU, 0, 0.0f, 0.0f},
    {DD_OP_SILU, 0, INFINITY, INFINITY},
    {DD_OP_SILU, 0, -1e30f, 0.0f},
    {DD_OP_SILU, 0, NAN, NAN},
    {DD_OP_SILU, 1, 0.0f, 0.5f},
    {DD_OP_SILU, 1, FLT_MAX, 1.0f},
    {DD_OP_SILU, 1, -FLT_MAX, 0.0f},
    {DD_OP_SILU, 1, NAN, NAN},
    {DD_OP_SILU, 2, 0.0f, 0.5f},
    {DD_OP_SILU, 2, FLT_MAX, 0.0f},
    {DD_OP_SILU, 2, -FLT_MAX, 0.0f},
    {DD_OP_SILU, 2, NAN, NAN},
    {DD_OP_POWER, -1, 0.0f, INFINITY},
    {DD_OP_POWER, -1, INFINITY, 0.0f},
    {DD_OP_POWER, 0.5f, -1.0f, NAN},
    {DD_OP_POWER, 0.5f, INFINITY, INFINITY},
    {DD_OP_POWER, -0.5f, 0.0f, INFINITY},
    {DD_OP_POWER, 2, -INFINITY, INFINITY},
    {DD_OP_POWER, 3, -INFINITY, -INFINITY},
    {DD_OP_POWER, 2, NAN, NAN},
    {DD_OP_AFFINE, 2, INFINITY, INFINITY},
    {DD_OP_AFFINE, 0, 5.0f, 0.0f},
    {DD_OP_AFFINE, 0, NAN, NAN},
};

/* Derivatives pass through 0, so that errors there are of the size of what cancels: absolute ones,
 * where values reach 1. */
START_TEST(derivatives_of_silu_are_near_libm) {
    static float x[BLOCK], y[BLOCK];
    for (int t = 0; t < table_count; t++)
        for (int order = 1; order <= 2; order++)
            for (size_t block = 0; block < 64; block++) {
                float reach = block % 2 ? 20 : FLT_MAX;
                spread(x, BLOCK, block, -reach, reach);
                tables[t]->elementwise[DD_OP_SILU](y, x, NULL, BLOCK, (float)order, 0);
                for (size_t i = 0; i < BLOCK; i++) {
                    double error = fabs((double)y[i] - true_silu((double)x[i], order, 0));
                    ck_assert_msg(error <= 4e-7, "%s silu(%d) of %g: %g", tables[t]->name, order,
                                  (double)x[i], (double)y[i]);
                }
            }
}
END_TEST

START_TEST(leaky_is_exact) {
    static float x[BLOCK], slope[BLOCK], y[BLOCK];
    for (int t = 0; t < table_count; t++)
        for (size_t count = 0; count <= BLOCK; count += count < TAIL ? 1 : BLOCK - TAIL) {
            spread(x, BLOCK, 1, -FLT_MAX, FLT_MAX);
            spread(slope, BLOCK, 2, -2, 2);
            x[0] = 0;
            y[count < BLOCK ? count : 0] = 777;
            tables[t]->elementwise[DD_OP_LEAKY](y, x, slope, count, 0, 0);
            for (size_t i = 0; i < count; i++) {
                float truth = x[i] > 0 ? x[i] : x[i] * slope[i];
                ck_assert_msg(y[i] == truth, "%s: %g by %g is %g", tables[t]->name, (double)x[i],
                              (double)slope[i], (double)y[i]);
            }
            if (count < BLOCK)
                ck_assert_float_eq(y[count], 777);
        }
}
END_TEST

/* In rows of any width, with numbers far apart and far from 0; and what is no number stays in its
 * row. */
START_TEST(softmax_is_near_libm) {
    float x[3 * TAIL], y[3 * TAIL + 1];
    for (int t = 0; t < table_count; t++)
        for (size_t width = 1; width <= TAIL; width++) {
            for (size_t i = 0; i < 3 * width; i++)
                x[i] = (i < width ? 1e4f : -1e4f) +
                       (float)(i * 37 % 101) * (i < 2 * width ? 0.01f : 10.0f);
            y[3 * width] = 777;
            tables[t]->softmax(y, x, 3, width);
            ck_assert_float_eq(y[3 * width], 777);
            for (size_t row = 0; row < 3; row++) {
                double total = 0, most = -INFINITY;
                for (size_t i = 0; i < width; i++)
                    most = larger(most, (double)x[row * width + i]);
                for (size_t i = 0; i < width; i++)
                    total += exp((double)x[row * width + i] - most);
                for (size_t i = 0; i < width; i++)
                    ck_assert_double_le(fabs((double)y[row * width + i] -
                                             exp((double)x[row * width + i] - most) / total),
                                        3e-7);
            }
            x[width + width / 2] = NAN;
            tables[t]->softmax(y, x, 3, width);
            for (size_t i = 0; i < 3 * width; i++)
                ck_assert(isnan(y[i]) == (i >= width && i < 2 * width));
        }
}
END_TEST

/* In every position of a run, as vectors and tails may differ. */
START_TEST(special_values) {
    const special *s = &specials[_i];
    float x[TAIL], y[TAIL];
    for (int t = 0; t < table_count; t++)
        for (size_t count = 1; count <= TAIL; count += 23) {
            for (size_t i = 0; i < count; i++)
                x[i] = s->x;
            tables[t]->elementwise[s->op](y, x, NULL, count, s->factor, 0);
            for (size_t i = 0; i < count; i++)
                ck_assert_msg(isnan(s->y) ? isnan(y[i]) : y[i] == s->y, "%s %s(%g) of %g is %g",
                              tables[t]->name, dd_op_describe(s->op)->name, (double)s->factor,
                              (double)s->x, (double)y[i]);
        }
}
END_TEST

/* --- Operations of two inputs. --- */

START_TEST(arithmetic_is_exact) {
    static float a[BLOCK], b[BLOCK], c[BLOCK];
    const dd_op ops[] = {DD_OP_ADD, DD_OP_SUBTRACT, DD_OP_MULTIPLY};
    for (int t = 0; t < table_count; t++)
        for (size_t o = 0; o < 3; o++)
            for (size_t count = 0; count <= BLOCK; count += count < TAIL ? 1 : BLOCK - TAIL) {
                spread(a, BLOCK, 1, -FLT_MAX, FLT_MAX);
                spread(b, BLOCK, 2, -FLT_MAX, FLT_MAX);
                c[count < BLOCK ? count : 0] = 777;
                tables[t]->elementwise[ops[o]](c, a, b, count, 0, 0);
                for (size_t i = 0; i < count; i++) {
                    volatile float truth = o == 0   ? a[i] + b[i]
                                           : o == 1 ? a[i] - b[i]
                                                    : a[i] * b[i];
                    ck_assert_msg(memcmp(&c[i], (const void *)&truth, sizeof truth) == 0 ||
                                      (isnan(c[i]) && isnan(truth)),
                                  "%s %s of %g and %g", tables[t]->name,
                                  dd_op_describe(ops[o])->name, (double)a[i], (double)b[i]);
                }
                if (count < BLOCK)
                    ck_assert_float_eq(c[count], 777);
            }
}
END_TEST

/* --- Sums. --- */

static void check_sum(const dd_kernels *table, const float *x, size_t count) {
    long double truth = 0, sizes = 0; /* the sum itself is in double */
    for (size_t i = 0; i < count; i++) {
        truth += (long double)x[i];
        sizes += fabsl((long double)x[i]);
    }
    double error = (double)fabsl((long double)table->sum(x, count) - truth);
    ck_assert_msg(error <= 1e-12 * (double)sizes, "%s: a sum of %zu is off by %g of %Lg",
                  table->name, count, error, sizes);
}

START_TEST(sums_lose_little) {
    enum { MANY = 1000003 };
    float *x = calloc(MANY, sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (int t = 0; t < table_count; t++) {
        dd_rng_normals(x, 1, 2, 0, MANY);
        for (size_t count = 0; count <= TAIL; count++)
            check_sum(tables[t], x, count);
        for (size_t count = 1000; count < 1100; count++)
            check_sum(tables[t], x + count % 3, count);
        check_sum(tables[t], x, MANY);
        for (size_t i = 0; i < MANY; i++) /* where sums in float alone stall or drift */
            x[i] = 0.1f;
        check_sum(tables[t], x, MANY);
        double total = tables[t]->sum(x, MANY);
        ck_assert_double_le(fabs(total - MANY * (double)0.1f), 1e-11 * total);
        x[MANY / 2] = NAN;
        ck_assert(isnan(tables[t]->sum(x, MANY)));
        ck_assert_double_eq(tables[t]->sum(x, 0), 0);
    }
    free(x);
}
END_TEST

static void check_columns(const dd_kernels *table, const float *x, size_t rows, size_t width,
                          size_t stride) {
    float *totals = calloc(width + 1, sizeof *totals);
    ck_assert_ptr_nonnull(totals);
    for (size_t j = 0; j <= width; j++)
        totals[j] = 4711; /* overwritten, but for the last */
    table->sum_columns(totals, x, rows, width, stride);
    ck_assert_float_eq(totals[width], 4711);
    double *added = calloc(width + 1, sizeof *added);
    ck_assert_ptr_nonnull(added);
    for (size_t j = 0; j <= width; j++)
        added[j] = 3;
    table->add_columns(added, x, rows, width, stride);
    ck_assert_double_eq(added[width], 3);
    for (size_t j = 0; j < width; j++) {
        double truth = 0, sizes = 0;
        for (size_t i = 0; i < rows; i++) {
            truth += (double)x[i * stride + j];
            sizes += fabs((double)x[i * stride + j]);
        }
        ck_assert_msg(fabs((double)totals[j] - truth) <= 0x1p-24 * fabs(truth) + 1e-12 * sizes,
                      "%s: column %zu of %zu x %zu: %.9g, not %.9g", table->name, j, rows, width,
                      (double)totals[j], truth);
        ck_assert_double_le(fabs(added[j] - 3 - truth), 1e-12 * (sizes + 3));
    }
    free(added);
    free(totals);
}

START_TEST(columns_lose_little) {
    enum { MANY = 300000 };
    float *x = calloc(MANY, sizeof *x);
    ck_assert_ptr_nonnull(x);
    dd_rng_normals(x, 1, 3, 0, MANY);
    for (size_t i = 0; i < MANY; i += 2)
        x[i] += 1;
    for (int t = 0; t < table_count; t++) {
        for (size_t width = 0; width <= TAIL; width++)
            check_columns(tables[t], x, 5, width, width + 3);
        const size_t shapes[][2] = {{1, 1000},  {0, 10},    {63, 127}, {64, 128},   {65, 129},
                                    {129, 300}, {1001, 16}, {701, 7},  {100000, 3}, {3, 1}};
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            check_columns(tables[t], x, shapes[s][0], shapes[s][1], shapes[s][1]);
    }
    free(x);
}
END_TEST

/* --- Training. --- */

START_TEST(adam_is_as_published) {
    enum { COUNT = TAIL };
    const double beta1 = 0.5, beta2 = 0.9, rate = 1e-2, epsilon = 1e-8;
    for (int t = 0; t < table_count; t++)
        for (size_t count = 0; count <= COUNT; count++) {
            float w[COUNT + 1], g[COUNT + 1], m[COUNT + 1] = {0}, v[COUNT + 1] = {0};
            double tw[COUNT + 1], tm[COUNT + 1] = {0}, tv[COUNT + 1] = {0};
            dd_rng_normals(w, 8, 0, 0, COUNT + 1);
            for (size_t i = 0; i <= COUNT; i++)
                tw[i] = (double)w[i];
            for (int step = 1; step <= 20; step++) {
                double corrected = rate / (1 - pow(beta1, step)),
                       root = 1 / sqrt(1 - pow(beta2, step));
                dd_adam_factors f = {0.5f, 0.5f, 0.9f, 0.1f, (float)corrected, (float)root, 1e-8f};
                dd_rng_normals(g, 8, 1, (uint64_t)step * COUNT, COUNT + 1);
                tables[t]->adam(w, g, m, v, count, f);
                for (size_t i = 0; i < count; i++) {
                    tm[i] = beta1 * tm[i] + (1 - beta1) * (double)g[i];
                    tv[i] = beta2 * tv[i] + (1 - beta2) * (double)g[i] * (double)g[i];
                    tw[i] -= corrected * tm[i] / (sqrt(tv[i]) * root + epsilon);
                }
            }
            for (size_t i = 0; i <= COUNT; i++) {
                ck_assert_double_le(fabs((double)w[i] - tw[i]), 3e-6);
                ck_assert_double_le(fabs((double)m[i] - tm[i]), 1e-6);
                ck_assert_double_le(fabs((double)v[i] - tv[i]), 2e-6);
            }
        }
}
END_TEST

/* With a first moment that forgets at once, and with none. */
START_TEST(adam_without_a_first_moment_is_the_same) {
    enum { COUNT = TAIL };
    for (int t = 0; t < table_count; t++)
        for (size_t count = 0; count <= COUNT; count++) {
            float g[COUNT + 1], m[COUNT + 1] = {0}, w[2][COUNT + 1], v[2][COUNT + 1] = {{0}};
            dd_rng_normals(w[0], 8, 0, 0, COUNT + 1);
            memcpy(w[1], w[0], sizeof w[0]);
            for (int step = 1; step <= 5; step++) {
                dd_adam_factors f = {
                    0.0f, 1.0f, 0.9f, 0.1f, 1e-2f, (float)(1 / sqrt(1 - pow(0.9, step))), 1e-8f};
                dd_rng_normals(g, 8, 1, (uint64_t)step * COUNT, COUNT + 1);
                tables[t]->adam(w[0], g, m, v[0], count, f);
                tables[t]->adam(w[1], g, NULL, v[1], count, f);
            }
            ck_assert_mem_eq(w[0], w[1], sizeof w[0]);
            ck_assert_mem_eq(v[0], v[1], sizeof v[0]);
        }
}
END_TEST

/* A gradient of 0 from the first step on moves nothing: 0 / (0 + epsilon). */
START_TEST(adam_stays_where_there_is_no_slope) {
    for (int t = 0; t < table_count; t++) {
        float w[20], g[20] = {0}, m[20] = {0}, v[20] = {0};
        for (size_t i = 0; i < 20; i++)
            w[i] = (float)i;
        tables[t]->adam(w, g, m, v, 20,
                        (dd_adam_factors){0.0f, 1.0f, 0.9f, 0.1f, 1.0f, 1.0f, 1e-8f});
        for (size_t i = 0; i < 20; i++)
            ck_assert_float_eq(w[i], (float)i);
    }
}
END_TEST

START_TEST(averages) {
    for (int t = 0; t < table_count; t++)
        for (size_t count = 0; count <= TAIL; count++) {
            float mean[TAIL + 1], values[TAIL + 1], before[TAIL + 1];
            dd_rng_normals(before, 9, 0, 0, TAIL + 1);
            dd_rng_normals(values, 9, 1, 0, TAIL + 1);
            memcpy(mean, before, sizeof mean);
            tables[t]->average(mean, values, count, 0.999f, 0.001f);
            for (size_t i = 0; i < count; i++)
                ck_assert_double_le(
                    fabs((double)mean[i] - 0.999 * (double)before[i] - 0.001 * (double)values[i]),
                    3e-7);
            for (size_t i = count; i <= TAIL; i++)
                ck_assert_float_eq(mean[i], before[i]);
        }
}
END_TEST

START_TEST(what_is_not_finite_is_found) {
    const float bad[] = {INFINITY, -INFINITY, NAN, -NAN, 0};
    for (int t = 0; t < table_count; t++)
        for (size_t count = 0; count <= TAIL; count++) {
            float x[TAIL + 1];
            for (size_t i = 0; i <= TAIL; i++)
                x[i] = i % 4 == 0   ? FLT_MAX
                       : i % 4 == 1 ? -FLT_MAX
                       : i % 4 == 2 ? 0x1p-149f
                                    : -0.0f;
            x[count] = NAN; /* not looked at */
            ck_assert(tables[t]->all_within(x, count, FLT_MAX));
            for (size_t i = 0; i < count; i++) {
                float kept = x[i];
                x[i] = bad[i % 4];
                ck_assert_msg(!tables[t]->all_within(x, count, FLT_MAX), "%s: %zu of %zu",
                              tables[t]->name, i, count);
                x[i] = kept;
            }
        }
}
END_TEST

/* --- The tables. --- */

START_TEST(tables_are_whole) {
    for (int t = 0; t < table_count; t++) {
        ck_assert(tables[t]->sum && tables[t]->sum_columns && tables[t]->add_columns &&
                  tables[t]->softmax && tables[t]->adam && tables[t]->average &&
                  tables[t]->all_within);
        for (int op = 0; op < DD_OP_COUNT; op++) {
            bool tried = op == DD_OP_ADD || op == DD_OP_SUBTRACT || op == DD_OP_MULTIPLY ||
                         op == DD_OP_LEAKY;
            for (int i = 0; i < ONE_INPUTS; i++)
                tried = tried || (int)one_inputs[i].op == op;
            ck_assert_msg(tried == (tables[t]->elementwise[op] != NULL),
                          "%s: a kernel without a test, or none: %s", tables[t]->name,
                          dd_op_describe((dd_op)op)->name);
        }
    }
}
END_TEST

int main(void) {
    find_tables();
    Suite *suite = suite_create("vector");
    TCase *tests = tcase_create("kernels");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, tables_are_whole);
    tcase_add_loop_test(tests, functions_are_near_libm, 0, ONE_INPUTS);
    tcase_add_loop_test(tests, tails_are_as_the_rest, 0, ONE_INPUTS);
    tcase_add_loop_test(tests, special_values, 0, (int)(sizeof specials / sizeof *specials));
    tcase_add_test(tests, derivatives_of_silu_are_near_libm);
    tcase_add_test(tests, leaky_is_exact);
    tcase_add_test(tests, softmax_is_near_libm);
    tcase_add_test(tests, arithmetic_is_exact);
    tcase_add_test(tests, sums_lose_little);
    tcase_add_test(tests, columns_lose_little);
    tcase_add_test(tests, adam_is_as_published);
    tcase_add_test(tests, adam_without_a_first_moment_is_the_same);
    tcase_add_test(tests, adam_stays_where_there_is_no_slope);
    tcase_add_test(tests, averages);
    tcase_add_test(tests, what_is_not_finite_is_found);
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    printf("skipped: %d\n", report_missing_sets());
    return failed;
}
