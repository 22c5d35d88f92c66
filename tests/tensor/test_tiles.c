#define _POSIX_C_SOURCE 200809L /* mkdtemp */
/* The kernels of tiles.c of every instruction set: products against sums in double, transforms of
 * tiles against their matrices. */
#include "base/rng.h"
#include "support/harness.h"
#include "support/instruction_sets.h"

#include <math.h>

enum { MOST_ROWS = 31, MOST_COLUMNS = 72, MOST_INNER = 9, MOST_COUNT = 40, GAP = 5 };

static const dd_instructions *sets[MOST_SETS];
static size_t set_count;

/* --- Products. --- */

enum { WIDE = MOST_COLUMNS + DD_TILE_COLUMNS };

static float a[(MOST_ROWS + GAP) * (MOST_INNER + GAP)], b[MOST_INNER * WIDE],
    found[(MOST_ROWS + 1) * (MOST_COLUMNS + GAP)];
static float before[(MOST_ROWS + 1) * (MOST_COLUMNS + GAP)];

static void check_product(const dd_instructions *set, const dd_tile_product *like) {
    dd_tile_product p = *like;
    p.a = a;
    p.b = b;
    p.c = found;
    memcpy(found, before, sizeof found);
    set->tiles->multiply(&p);
    for (size_t i = 0; i <= p.m; i++)
        for (size_t j = 0; j < p.c_row; j++) {
            double truth = (double)before[i * p.c_row + j];
            bool inside = i < p.m && j < p.n;
            if (inside && !p.add)
                truth = p.start ? (double)p.start[j] : 0;
            for (size_t l = 0; l < p.k && inside; l++)
                truth +=
                    (double)a[i * p.a_row + l * p.a_step] *
                    (double)b[j / DD_TILE_COLUMNS * p.b_block + l * p.b_step + j % DD_TILE_COLUMNS];
            if (fabs((double)found[i * p.c_row + j] - truth) >
                (inside ? 3e-6 : 0)) /* an assertion for each would take long */
                ck_abort_msg("%s: %zu x %zu x %zu at %zu, %zu: %g, not %g", set->name, p.m, p.n,
                             p.k, i, j, (double)found[i * p.c_row + j], truth);
        }
}

/* _i: whether b's columns lie in blocks, whether a lies by columns, whether to add, whether to
 * start from a row. */
START_TEST(products_are_sums) {
    dd_rng_normals(a, 1, 0, 0, sizeof a / sizeof *a);
    dd_rng_normals(b, 2, 0, 0, sizeof b / sizeof *b);
    dd_rng_normals(before, 3, 0, 0, sizeof before / sizeof *before);
    for (size_t s = 0; s < set_count; s++)
        for (size_t m = 1; m <= MOST_ROWS; m++)
            for (size_t n = DD_TILE_UNIT; n <= MOST_COLUMNS; n += DD_TILE_UNIT)
                for (size_t k = 0; k <= MOST_INNER; k += 3) {
                    dd_tile_product p = {.m = m, .n = n, .k = k, .c_row = n + GAP, .add = _i & 4};
                    p.start = _i & 8 ? before + 1 : NULL;
                    p.b_block = _i & 1 ? DD_TILE_COLUMNS * k : DD_TILE_COLUMNS;
                    p.b_step = _i & 1 ? DD_TILE_COLUMNS : WIDE;
                    p.a_row = _i & 2 ? 1 : k + GAP;
                    p.a_step = _i & 2 ? m + GAP : 1;
                    check_product(sets[s], &p);
                }
}
END_TEST

/* Wherever an element is in the matrix, it has the same bits. */
START_TEST(bits_do_not_depend_on_the_place) {
    static float again[(MOST_ROWS + 1) * (MOST_COLUMNS + GAP)];
    dd_rng_normals(a, 1, 0, 0, sizeof a / sizeof *a);
    dd_rng_normals(b, 2, 0, 0, sizeof b / sizeof *b);
    for (size_t s = 0; s < set_count; s++) {
        dd_tile_product p = {
            .m = MOST_ROWS, .n = MOST_COLUMNS, .k = MOST_INNER, .a = a, .b = b, .c = found};
        p.a_row = MOST_INNER;
        p.a_step = 1;
        p.b_block = DD_TILE_COLUMNS;
        p.b_step = WIDE;
        p.c_row = MOST_COLUMNS;
        sets[s]->tiles->multiply(&p);
        for (size_t first = 1; first + DD_TILE_UNIT <= MOST_COLUMNS; first += 7) {
            dd_tile_product some = p;
            size_t row = first % MOST_ROWS;
            some.m = MOST_ROWS - row;
            some.n = (MOST_COLUMNS - first) / DD_TILE_UNIT * DD_TILE_UNIT;
            some.a += row * p.a_row;
            some.b += first;
            some.c = again;
            sets[s]->tiles->multiply(&some);
            for (size_t i = 0; i < some.m; i++)
                ck_assert_mem_eq(again + i * p.c_row, found + (row + i) * p.c_row + first,
                                 some.n * sizeof *found);
        }
    }
}
END_TEST

/* --- Transforms. --- */

/* to = M from M' for each of `count` numbers, M rows x columns. */
static void transform(double to[DD_TILE_MOST_POINTS], const double *from, const double *matrix,
                      int rows, int columns) {
    double half[DD_TILE_MOST_POINTS] = {0};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            for (int k = 0; k < columns; k++)
                half[i * columns + j] += matrix[i * columns + k] * from[k * columns + j];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            to[i * rows + j] = 0;
            for (int k = 0; k < columns; k++)
                to[i * rows + j] += matrix[j * columns + k] * half[i * columns + k];
        }
}

typedef struct sums {
    const char *name;
    int rows, columns;
    double matrix[DD_TILE_MOST_POINTS];
} sums;

/* 1 / N of the points 0, 3/4 and 3/2 (tiles.c). */
#define N0 (64.0 / 81)
#define N1 (-128.0 / 243)
#define N2 (32.0 / 243)

/* The first three powers of a point, times a number; and the fourth. */
#define THREE(a, n) (n), (a) * (n), (a) * (a) * (n)
#define FOUR(a, n) THREE(a, n), (a) * (a) * (a) * (n)

/* By Lavin and Gray, 2016, for tiles of 2 x 2 and taps of 3 x 3, and the other way round; then for
 * tiles of 4 x 4. */
static const sums all_sums[] = {
    {"input_to_points", 4, 4, {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1}},
    {"points_to_output", 2, 4, {1, 1, 1, 0, 0, 1, -1, -1}},
    {"output_to_points", 4, 2, {1, 0, 0.5, 0.5, 0.5, -0.5, 0, 1}},
    {"taps_to_points", 4, 3, {1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1}},
    {"points_to_taps", 3, 4, {1, 1, 1, 0, 0, 1, -1, 0, 0, 1, 1, -1}},
    {"input_to_points",
     6,
     6,
     {81.0 / 64, 0,         -45.0 / 16, 0,     1, 0, 0, -27.0 / 16, -9.0 / 4,  0.75,       1, 0,
      0,         27.0 / 16, -9.0 / 4,   -0.75, 1, 0, 0, -27.0 / 32, -9.0 / 16, 1.5,        1, 0,
      0,         27.0 / 32, -9.0 / 16,  -1.5,  1, 0, 0, 81.0 / 64,  0,         -45.0 / 16, 0, 1}},
    {"points_to_output", 4, 6, {1, 1,         1,          1,        1,         0,
                                0, 0.75,      -0.75,      1.5,      -1.5,      0,
                                0, 9.0 / 16,  9.0 / 16,   9.0 / 4,  9.0 / 4,   0,
                                0, 27.0 / 64, -27.0 / 64, 27.0 / 8, -27.0 / 8, 1}},
    {"output_to_points",
     6,
     4,
     {FOUR(0, N0), FOUR(0.75, N1), FOUR(-0.75, N1), FOUR(1.5, N2), FOUR(-1.5, N2), 0, 0, 0, 1}},
    {"taps_to_points",
     6,
     3,
     {THREE(0, N0), THREE(0.75, N1), THREE(-0.75, N1), THREE(1.5, N2), THREE(-1.5, N2), 0, 0, 1}},
    {"points_to_taps",
     3,
     6,
     {1, 1, 1, 1, 1, 0, 0, 0.75, -0.75, 1.5, -1.5, 0, 0, 9.0 / 16, 9.0 / 16, 9.0 / 4, 9.0 / 4, 1}},
};

enum {
    KINDS = 5,
    SUMS = sizeof all_sums / sizeof *all_sums,
    PLANE = MOST_COUNT + GAP,
    POINTS = DD_TILE_MOST_POINTS
};

static float from[POINTS * PLANE], to[POINTS * PLANE];

static void run_sums(const dd_tile_kernels *kernels, int which, size_t count) {
    const dd_tile_transforms *transforms = which < KINDS ? &kernels->small : &kernels->large;
    const float *in[POINTS];
    float *out[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        in[i] = from + i * PLANE;
        out[i] = to + i * PLANE;
    }
    switch (which % KINDS) {
    case 0:
        transforms->input_to_points(to, PLANE, in, count);
        break;
    case 1:
        out[2] = NULL; /* which is left out */
        transforms->points_to_output(out, from, PLANE, count);
        break;
    case 2:
        transforms->output_to_points(to, PLANE, in, count);
        break;
    case 3:
        transforms->taps_to_points(to, PLANE, in, count);
        break;
    default:
        transforms->points_to_taps(out, from, PLANE, count);
        break;
    }
}

/* _i: which transform. Numbers after the last, and what is left out, stay. */
START_TEST(transforms_are_their_matrices) {
    const sums *s = &all_sums[_i];
    for (size_t t = 0; t < set_count; t++)
        for (size_t count = DD_TILE_UNIT; count <= MOST_COUNT; count += DD_TILE_UNIT) {
            dd_rng_normals(from, count, 0, 0, sizeof from / sizeof *from);
            for (size_t i = 0; i < POINTS * PLANE; i++)
                to[i] = 99;
            run_sums(sets[t]->tiles, _i, count);
            for (size_t c = 0; c < PLANE; c++) {
                double numbers[POINTS], truth[POINTS];
                for (int i = 0; i < s->columns * s->columns; i++)
                    numbers[i] = (double)from[(size_t)i * PLANE + c];
                transform(truth, numbers, s->matrix, s->rows, s->columns);
                for (int i = 0; i < s->rows * s->rows; i++) {
                    bool written = c < count && !(_i % KINDS == 1 && i == 2);
                    double error =
                        fabs((double)to[(size_t)i * PLANE + c] - (written ? truth[i] : 99));
                    ck_assert_msg(error <= (written ? 1e-5 : 0),
                                  "%s %s: %d of number %zu of %zu: %g", sets[t]->name, s->name, i,
                                  c, count, error);
                }
            }
        }
}
END_TEST

int main(void) {
    set_count = find_sets(sets);
    const TTest *const products[] = {products_are_sums},
                       *const places[] = {bits_do_not_depend_on_the_place},
                       *const tiles[] = {transforms_are_their_matrices};
    int failed = run_loop_tests("products", products, 1, 16) |
                 run_loop_tests("places", places, 1, 1) | run_loop_tests("sums", tiles, 1, SUMS);
    printf("skipped: %d\n", report_missing_sets());
    return failed;
}
