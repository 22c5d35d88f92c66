#define _GNU_SOURCE
#include "io/synthetic.h"
#include "support/harness.h"

#include <math.h>
#include <stdint.h>

enum { ROWS = 200000 };
static float rows[ROWS][2];

static void draw(const char *name, uint64_t seed) {
    const dd_synthetic *set = dd_synthetic_find(name);
    ck_assert_ptr_nonnull(set);
    dd_synthetic_read(set, seed, 0, ROWS, rows[0]);
}

/* The mean of f over the rows lies within five standard errors of what it should be: one false
 * alarm in two million. */
static void assert_mean(const char *what, double (*f)(const float *), double expected) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double value = f(rows[i]);
        sum += value;
        squares += value * value;
    }
    double mean = sum / ROWS, error = sqrt((squares / ROWS - mean * mean) / ROWS);
    ck_assert_msg(fabs(mean - expected) <= 5 * error, "%s: %g, not %g within %g", what, mean,
                  expected, 5 * error);
}

static double first(const float *row) {
    return (double)row[0];
}
static double second(const float *row) {
    return (double)row[1];
}
static double first_squared(const float *row) {
    return first(row) * first(row);
}
static double second_squared(const float *row) {
    return second(row) * second(row);
}
static double squared(const float *row) {
    return first_squared(row) + second_squared(row);
}
static double product(const float *row) {
    return first(row) * second(row);
}

/* count of `total` draws, each a hit with chance p, is within five standard deviations. */
static void assert_share(const char *what, size_t count, double total, double p) {
    ck_assert_msg(fabs((double)count - total * p) <= 5 * sqrt(total * p * (1 - p)),
                  "%s: %zu of %g, not %g", what, count, total, p);
}

START_TEST(moments_are_those_of_the_formulas) {
    const double pi = acos(-1);
    static const char *const centred[] = {"25gaussians", "8gaussians", "pinwheel",    "circles",
                                          "rings",       "2spirals",   "checkerboard"};
    const double power[] = {
        2 * (8 + 0.01) / (2.828 * 2.828), 2 * (8 + 0.25) / (1.414 * 1.414), 4 * (1 + 0.09 + 0.01),
        9 * (0.625 + 2 * 0.0064), 0.5625 * 30 / 4 + 2 * 0.0064,
        /* E of (u/2 - a cos a)^2 + (v/2 + a sin a)^2 over 9, with density 2a/(9 pi^2) of a on [0, 3
           pi], and the noise */
        (1.0 / 6 + 4.5 * pi * pi + 0.5 * (2 - 8 / (9 * pi * pi) + 4 / (3 * pi))) / 9 + 0.02,
        2 * 16.0 / 3};
    for (size_t i = 0; i < sizeof centred / sizeof *centred; i++) {
        draw(centred[i], 100 + i);
        assert_mean(centred[i], first, 0);
        assert_mean(centred[i], second, 0);
        assert_mean(centred[i], squared, power[i]);
    }
    draw("swissroll", 1);
    assert_mean("swissroll", first, 0.4);
    assert_mean("swissroll", second, 2 / (3 * pi) / 5);
    assert_mean("swissroll", squared, (9.75 * pi * pi + 2) / 25);
    draw("moons", 1);
    assert_mean("moons", first, 0);
    assert_mean("moons", second, 0.3);
    assert_mean("moons", first_squared, 3.04);
    assert_mean("moons", second_squared, 2 * (0.5 + 0.75 - 2 / pi) - 4 * 0.2 * 0.25 + 0.04 + 0.04);
}
END_TEST

START_TEST(axes_are_uncorrelated_where_they_should_be) {
    static const char *const names[] = {"25gaussians", "8gaussians", "pinwheel", "circles",
                                        "rings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        draw(names[i], 7);
        assert_mean(names[i], product, 0);
    }
}
END_TEST

/* Every mode gets its share, and has its width and its shape: 1 - exp(-9/2) within three standard
 * deviations. */
static void assert_modes(const char *name, size_t modes, const double (*centres)[2],
                         double deviation) {
    size_t counts[25] = {0}, near = 0;
    double spread = 0;
    draw(name, 3);
    for (size_t i = 0; i < ROWS; i++) {
        size_t best = 0;
        double least = INFINITY;
        for (size_t k = 0; k < modes; k++) {
            double x = first(rows[i]) - centres[k][0], y = second(rows[i]) - centres[k][1],
                   distance = x * x + y * y;
            if (distance < least) {
                least = distance;
                best = k;
            }
        }
        counts[best]++;
        near += least < 9 * deviation * deviation;
        spread += least / 2;
    }
    for (size_t k = 0; k < modes; k++)
        assert_share(name, counts[k], ROWS, 1 / (double)modes);
    assert_share(name, near, ROWS, 1 - exp(-4.5));
    ck_assert_double_eq_tol(sqrt(spread / ROWS) / deviation, 1, 0.01);
}

START_TEST(gaussians_have_their_modes) {
    double grid[25][2], circle[8][2];
    for (int i = 0; i < 25; i++) {
        grid[i][0] = 2 * (i / 5 - 2) / 2.828;
        grid[i][1] = 2 * (i % 5 - 2) / 2.828;
    }
    for (int i = 0; i < 8; i++) {
        circle[i][0] = 4 * cos(i * acos(-1) / 4) / 1.414;
        circle[i][1] = 4 * sin(i * acos(-1) / 4) / 1.414;
    }
    assert_modes("25gaussians", 25, (const double(*)[2])grid, 0.1 / 2.828);
    assert_modes("8gaussians", 8, (const double(*)[2])circle, 0.5 / 1.414);
}
END_TEST

START_TEST(rings_have_their_radii) {
    static const struct {
        const char *name;
        size_t count;
        double radii[4], deviation;
    } sets[] = {{"circles", 2, {1.5, 3}, 0.24}, {"rings", 4, {0.75, 1.5, 2.25, 3}, 0.08}};
    for (size_t s = 0; s < 2; s++) {
        size_t counts[4] = {0};
        draw(sets[s].name, 5);
        for (size_t i = 0; i < ROWS; i++) {
            double radius = sqrt(squared(rows[i]));
            for (size_t k = 0; k < sets[s].count; k++)
                counts[k] += fabs(radius - sets[s].radii[k]) < 3 * sets[s].deviation;
        }
        for (size_t k = 0; k < sets[s].count; k++) /* the curvature moves the 0.27 % a little */
            ck_assert_double_eq_tol((double)counts[k] / ROWS * (double)sets[s].count, 0.997, 0.012);
    }
}
END_TEST

START_TEST(the_checkerboard_has_eight_squares) {
    size_t counts[4][4] = {{0}};
    draw("checkerboard", 9);
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert(fabsf(rows[i][0]) <= 4 && fabsf(rows[i][1]) <= 4);
        int column = (int)fmin(floor((first(rows[i]) + 4) / 2), 3),
            row = (int)fmin(floor((second(rows[i]) + 4) / 2), 3);
        counts[row][column]++;
    }
    for (int row = 0; row < 4; row++)
        for (int column = 0; column < 4; column++)
            if ((row + column) % 2 == 0)
                assert_share("checkerboard", counts[row][column], ROWS, 0.125);
            else
                ck_assert_uint_eq(counts[row][column], 0);
}
END_TEST

START_TEST(blades_turn_the_published_way) {
    size_t counts[5] = {0};
    const double pi = acos(-1);
    draw("pinwheel", 2);
    for (size_t i = 0; i < ROWS; i++) {
        /* x = 2 r cos a, y = -2 r sin a along the blade's middle, a = 2 pi k/5 + e^r/4 */
        double radius = sqrt(squared(rows[i])) / 2,
               angle = atan2(-second(rows[i]), first(rows[i])) - 0.25 * exp(radius);
        double turn = angle / (2 * pi / 5), nearest = floor(turn + 0.5);
        counts[(int)fmod(nearest + 10, 5)] += fabs(turn - nearest) < 0.25;
    }
    for (size_t k = 0; k < 5; k++)
        ck_assert_msg((double)counts[k] > 0.19 * ROWS && (double)counts[k] < 0.21 * ROWS, "%zu",
                      counts[k]);
}
END_TEST

/* Rows do not depend on how they are asked for, and seeds and sets differ. */
START_TEST(a_row_is_fixed_by_seed_and_number) {
    for (size_t i = 0; dd_synthetic_name(i); i++) {
        const dd_synthetic *set = dd_synthetic_find(dd_synthetic_name(i));
        float one[2], other[2];
        dd_synthetic_read(set, 42, 0, 1000, rows[0]);
        for (size_t k = 0; k < 1000; k += 37) {
            dd_synthetic_read(set, 42, k, 1, one);
            ck_assert_int_eq(memcmp(one, rows[k], sizeof one), 0);
            dd_synthetic_read(set, 43, k, 1, other);
            ck_assert_int_ne(memcmp(one, other, sizeof one), 0);
        }
        dd_synthetic_read(set, 42, DD_SYNTHETIC_ROWS - 1, 1, one);
        ck_assert(isfinite(one[0]) && isfinite(one[1]));
    }
}
END_TEST

START_TEST(neighbouring_rows_are_independent) {
    draw("25gaussians", 11);
    double sum[2] = {0, 0};
    for (size_t i = 1; i < ROWS; i++)
        for (size_t k = 0; k < 2; k++)
            sum[k] += (double)rows[i][k] * (double)rows[i - 1][k];
    for (size_t k = 0; k < 2; k++)
        ck_assert_double_le(fabs(sum[k] / ROWS), 5 / sqrt(ROWS));
}
END_TEST

START_TEST(names_are_listed) {
    static const char *const names[] = {"25gaussians", "8gaussians", "pinwheel",
                                        "swissroll",   "moons",      "circles",
                                        "rings",       "2spirals",   "checkerboard"};
    for (size_t i = 0; i < 9; i++)
        ck_assert_str_eq(dd_synthetic_name(i), names[i]);
    ck_assert_ptr_null(dd_synthetic_name(9));
    ck_assert_ptr_null(dd_synthetic_find("25Gaussians"));
    ck_assert_ptr_null(dd_synthetic_find(""));
}
END_TEST

int main(void) {
    return RUN_TESTS("synthetic", moments_are_those_of_the_formulas,
                     axes_are_uncorrelated_where_they_should_be, gaussians_have_their_modes,
                     rings_have_their_radii, the_checkerboard_has_eight_squares,
                     blades_turn_the_published_way, a_row_is_fixed_by_seed_and_number,
                     neighbouring_rows_are_independent, names_are_listed);
}
