/* What the gradient table does not reach of the operations of run_maps.c: masks as random numbers,
 * normalisations of many channels and of numbers far from zero, permutations and filters of larger
 * images; in plans of 1 to 3 parts against the plain loops. */
#include "base/context.h"
#include "base/rng.h"
#include "support/extremes.h"
#include "support/instruction_sets.h"
#include "support/plain.h"
#include "support/runner.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/kernels/maps.h"
#include "tensor/plan.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT = 4, MOST_PARTS = 3 };

static void *zeroed(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    ck_assert_ptr_nonnull(block);
    return block;
}

/* --- A graph of one or two inputs and one result. --- */

typedef struct bench {
    ddaebm_context *context;
    dd_graph *graph;
    dd_node inputs[2], result;
    float *numbers[2];
    size_t elements;
} bench;

static void open_bench(bench *b) {
    *b = (bench){.inputs = {DD_NONE, DD_NONE}};
    ck_assert_int_eq(ddaebm_context_create(&b->context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(b->context, 2), DDAEBM_OK);
    ck_assert_int_eq(dd_graph_create(&b->graph, b->context), DDAEBM_OK);
}

static dd_node add_input(bench *b, int slot, dd_shape shape, float mean, float deviation) {
    size_t count = dd_shape_elements(shape);
    b->inputs[slot] = dd_input(b->graph, slot, shape, 0);
    b->numbers[slot] = zeroed(count, sizeof(float));
    dd_rng_normals(b->numbers[slot], 17, (uint64_t)slot, 0, count);
    for (size_t i = 0; i < count; i++)
        b->numbers[slot][i] = mean + deviation * b->numbers[slot][i];
    return b->inputs[slot];
}

static void set_result(bench *b, dd_node node) {
    b->result = node;
    b->elements = dd_shape_elements(dd_graph_shape(b->graph, node));
    ck_assert_int_eq(dd_graph_status(b->graph), DDAEBM_OK);
}

static void close_bench(bench *b) {
    dd_graph_free(b->graph);
    ddaebm_context_free(b->context);
    free(b->numbers[0]);
    free(b->numbers[1]);
}

/* The result by the plain loops. */
static double *expect(bench *b) {
    test_plain_input inputs[2];
    size_t count = 0;
    double *wide[2] = {NULL}, *expected = zeroed(b->elements, sizeof *expected);
    for (int slot = 0; slot < 2 && b->inputs[slot] != DD_NONE; slot++) {
        size_t elements = dd_shape_elements(dd_graph_shape(b->graph, b->inputs[slot]));
        wide[slot] = zeroed(elements, sizeof(double));
        for (size_t i = 0; i < elements; i++)
            wide[slot][i] = (double)b->numbers[slot][i];
        inputs[count++] = (test_plain_input){slot, -1, wide[slot]};
    }
    test_plain *twin = test_plain_create(b->graph);
    test_plain_run(twin, inputs, count);
    memcpy(expected, test_plain_value(twin, b->result), b->elements * sizeof *expected);
    test_plain_free(twin);
    free(wide[0]);
    free(wide[1]);
    return expected;
}

/* The result by a plan, which ends the bench's use of the graph. */
static float *run(bench *b, int parts) {
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    float *found = zeroed(b->elements, sizeof *found);
    dd_output(b->graph, b->result, RESULT, 0);
    ck_assert_int_eq(
        dd_plan_create(&plan, b->graph, (dd_plan_options){.phases = 1, .parts = parts}), DDAEBM_OK);
    b->graph = NULL;
    ck_assert_int_eq(dd_workspace_create(&workspace, plan), DDAEBM_OK);
    for (int slot = 0; slot < 2; slot++)
        if (b->numbers[slot])
            dd_workspace_bind(workspace, slot, b->numbers[slot]);
    dd_workspace_bind(workspace, RESULT, found);
    dd_workspace_run(workspace, 0, dd_context_pool(b->context), false);
    dd_workspace_free(workspace);
    dd_plan_free(plan);
    return found;
}

/* Within `bound` of the largest entry or of 1. */
static void check(const char *name, const float *found, const double *expected, size_t count,
                  double bound) {
    double largest = 1, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)found[i] - expected[i]);
        largest = larger(largest, fabs(expected[i]));
        worst = error <= worst ? worst : error; /* NaN is the worst */
    }
    ck_assert_msg(worst <= bound * largest, "%s is off by %g of %g", name, worst, largest);
}

typedef void (*builder)(bench *b, int which);

static void check_all(const char *name, builder build, int which, double bound) {
    for (int parts = 1; parts <= MOST_PARTS; parts++) {
        bench b;
        open_bench(&b);
        build(&b, which);
        double *expected = expect(&b);
        float *found = run(&b, parts);
        check(name, found, expected, b.elements, bound);
        free(expected);
        free(found);
        close_bench(&b);
    }
}

/* --- Normalisations. --- */

typedef struct normalization {
    dd_shape shape;
    size_t groups;
    float mean, deviation;
    double bound;
} normalization;

/* More and fewer images than parts, rows that hold several pixels, and means of up to 10^4
 * deviations. */
static const normalization normalizations[] = {
    {{{5, 7, 9, 40}}, 10, 0, 1, 2e-6},   {{{2, 16, 16, 51}}, 3, 3, 1, 2e-6},
    {{{1, 13, 11, 96}}, 8, -2, 1, 2e-6}, {{{3, 31, 9, 5}}, 1, 1, 2, 2e-6},
    {{{4, 32, 32, 4}}, 1, 100, 1, 4e-6}, {{{4, 32, 32, 32}}, 8, 1e4f, 1, 4e-6},
    {{{1, 32, 32, 1}}, 1, -50, 1, 4e-6},
};

enum { NORMALIZATIONS = sizeof normalizations / sizeof *normalizations };

static void build_normalize(bench *b, int which) {
    const normalization *n = &normalizations[which];
    dd_node x = add_input(b, 0, n->shape, n->mean, n->deviation);
    set_result(b, dd_normalize(b->graph, x, n->groups, 1e-5));
}

static void build_normalize_gradient(bench *b, int which) {
    const normalization *n = &normalizations[which];
    dd_node x = add_input(b, 0, n->shape, n->mean, n->deviation), gradient = DD_NONE;
    dd_gradient(b->graph, dd_normalize(b->graph, x, n->groups, 1e-5),
                add_input(b, 1, n->shape, 2, 1), &x, 1, &gradient);
    set_result(b, gradient);
}

START_TEST(normalisations_keep_their_digits) {
    check_all("normalize", build_normalize, _i, normalizations[_i].bound);
    check_all("normalize_gradient", build_normalize_gradient, _i, normalizations[_i].bound);
}
END_TEST

/* --- Permutations: all orders of a tensor of several blocks, bit for bit. --- */

static void build_permute(bench *b, int which) {
    const dd_shape shapes[] = {{{18, 5, 7, 33}}, {{35, 1, 17, 19}}};
    int order[DD_AXES], code = which / 2, left[DD_AXES] = {0, 1, 2, 3};
    for (int i = 0; i < DD_AXES; i++) {
        int pick = code % (DD_AXES - i);
        code /= DD_AXES - i;
        order[i] = left[pick];
        memmove(left + pick, left + pick + 1, (size_t)(DD_AXES - 1 - pick) * sizeof *left);
    }
    set_result(b, dd_permute(b->graph, add_input(b, 0, shapes[which % 2], 0, 1), order));
}

START_TEST(permutations_only_move) {
    check_all("permute", build_permute, _i, 0);
}
END_TEST

/* --- Filters. --- */

static void build_filter(bench *b, int which) {
    static const float taps[] = {0.125f, 0.375f, 0.25f, 0.5f};
    const size_t channels[] = {1, 2, 3, 4, 5, 32}, size = 14 + (size_t)which % 3;
    dd_node x = add_input(b, 0, (dd_shape){{2, size, size, channels[which / 3]}}, 0, 1);
    dd_node t = dd_constant(b->graph, taps, (dd_shape){{1, 1, 1, 4}});
    set_result(b, dd_filter(b->graph, x, t, which % 3 == 1 ? 2 : 1, which % 3 == 2 ? 2 : 1, 2, 1));
}

START_TEST(filters_of_few_and_many_channels) {
    check_all("filter", build_filter, _i, 1e-6);
}
END_TEST

START_TEST(filters_of_too_many_taps_are_a_status) {
    float taps[DD_MOST_TAPS + 1] = {0};
    bench b;
    open_bench(&b);
    dd_node x = add_input(&b, 0, (dd_shape){{1, 100, 100, 1}}, 0, 1);
    dd_node fits = dd_constant(b.graph, taps, (dd_shape){{1, 1, 1, DD_MOST_TAPS}});
    dd_node too_many = dd_constant(b.graph, taps, (dd_shape){{1, 1, 1, DD_MOST_TAPS + 1}});
    ck_assert_int_ne(dd_filter(b.graph, x, fits, 1, 1, 0, 0), DD_NONE);
    ck_assert_int_eq(dd_filter(b.graph, x, too_many, 1, 1, 0, 0), DD_NONE);
    ck_assert_int_eq(dd_graph_status(b.graph), DDAEBM_INTERNAL);
    close_bench(&b);
}
END_TEST

/* --- Masks. --- */

enum { MASK = 100003 };

static float *run_mask(const float seed[4], uint32_t stream, double keep, int parts) {
    bench b;
    open_bench(&b);
    dd_node x = add_input(&b, 0, (dd_shape){{1, 1, 1, 4}}, 0, 1);
    memcpy(b.numbers[0], seed, 4 * sizeof *seed);
    set_result(&b, dd_mask(b.graph, x, stream, keep, (dd_shape){{1, 1, MASK, 1}}));
    float *found = run(&b, parts);
    close_bench(&b);
    return found;
}

static double share_kept(const float *mask, double keep) {
    size_t kept = 0;
    for (size_t i = 0; i < MASK; i++) {
        ck_assert(mask[i] == 0 || mask[i] == (float)(1 / keep));
        kept += mask[i] != 0;
    }
    return (double)kept / MASK;
}

START_TEST(masks_keep_their_share) {
    const double keeps[] = {0.1, 0.5, 0.9, 1};
    const float seed[4] = {1, 2, 3, 65535};
    float *mask = run_mask(seed, 5, keeps[_i], 1);
    double share = share_kept(mask, keeps[_i]),
           deviation = sqrt(keeps[_i] * (1 - keeps[_i]) / MASK);
    ck_assert_msg(fabs(share - keeps[_i]) <= 4 * deviation, "%g kept of %g", share, keeps[_i]);
    free(mask);
}
END_TEST

/* The share of elements in which two masks of one half differ. */
static double difference(const float *a, const float *b) {
    size_t unlike = 0;
    for (size_t i = 0; i < MASK; i++)
        unlike += a[i] != b[i];
    return (double)unlike / MASK;
}

START_TEST(masks_are_fixed_by_seed_and_stream) {
    const float seed[4] = {7, 0, 0, 0};
    float *first = run_mask(seed, 1, 0.5, 1);
    for (int parts = 1; parts <= MOST_PARTS; parts++) {
        float *again = run_mask(seed, 1, 0.5, parts);
        ck_assert_int_eq(memcmp(first, again, MASK * sizeof *first), 0);
        free(again);
    }
    for (int part = 0; part < 5; part++) { /* each number of the seed counts, and the stream */
        float other[4] = {7, 0, 0, 0};
        if (part < 4)
            other[part] += 1;
        float *another = run_mask(other, part < 4 ? 1 : 2, 0.5, 1);
        ck_assert_double_le(fabs(difference(first, another) - 0.5), 0.01);
        free(another);
    }
    free(first);
}
END_TEST

/* --- The kernels of all tables. --- */

/* Whether two runs of numbers are near each other. */
static void check_near(const char *table, const char *what, const float *found,
                       const float *expected, size_t count, float near) {
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(found[i] - expected[i]) <= near, "%s %s: number %zu is %g, not %g",
                      table, what, i, (double)found[i], (double)expected[i]);
}

enum { COUNT = 500, MOST_WIDTH = 40 };

static void check_mix(const dd_map_kernels *table, const float *x) {
    const dd_map_kernels *plain = &dd_map_kernels_portable;
    float a[COUNT], b[COUNT];
    const float *rows[9], weights[9] = {1, -2, 3, 0.5f, 0.25f, -1, 2, 4, 1};
    for (size_t k = 0; k < 9; k++)
        rows[k] = x + 7 * k;
    for (size_t taps = 1; taps <= 9; taps++)
        for (size_t channels = 1; channels <= 20; channels++)
            for (size_t stride = channels; stride <= 2 * channels; stride += channels) {
                memset(a, 0, sizeof a);
                memset(b, 0, sizeof b);
                plain->mix(a, stride, rows, weights, taps, channels, 10, channels);
                table->mix(b, stride, rows, weights, taps, channels, 10, channels);
                check_near(table->name, "mix", b, a, COUNT, 1e-5f);
                for (size_t i = 0; i < 10; i++) {
                    double total = 0;
                    for (size_t k = 0; k < taps; k++)
                        total += (double)weights[k] * (double)rows[k][i * channels];
                    ck_assert_double_le(fabs(total - (double)b[i * stride]), 1e-5);
                }
            }
}

/* Sums are added to what is there. */
static void check_moments(const dd_map_kernels *table, const float *x, const float *g,
                          dd_matrix_size size) {
    double found[2][4][MOST_WIDTH];
    for (int along = 0; along < 2; along++) {
        dd_moments totals = {found[along][0], found[along][1], found[along][2], found[along][3]};
        for (size_t j = 0; j < 4 * size.width; j++)
            found[along][j / size.width][j % size.width] = 1;
        if (along)
            table->moments_along(totals, x, g, size);
        else
            table->moments(totals, x, size);
    }
    for (size_t j = 0; j < size.width; j++) {
        double truth[4] = {1, 1, 1, 1};
        for (size_t row = 0; row < size.rows; row++) {
            double here = (double)x[row * size.stride + j],
                   slope = (double)g[row * size.stride + j];
            const double terms[4] = {here, here * here, slope, slope * here};
            for (int i = 0; i < 4; i++)
                truth[i] += terms[i];
        }
        for (int i = 0; i < 4; i++)
            ck_assert_msg(fabs(found[1][i][j] - truth[i]) <= 1e-12 &&
                              fabs(found[0][i][j] - (i < 2 ? truth[i] : 1)) <= 1e-12,
                          "%s: moment %d of column %zu of %zu x %zu", table->name, i, j, size.rows,
                          size.width);
    }
}

static void check_standardized(const dd_map_kernels *table, const float *x, const float *g,
                               dd_matrix_size size) {
    const dd_map_kernels *plain = &dd_map_kernels_portable;
    float by[6][MOST_WIDTH], a[COUNT] = {0}, b[COUNT] = {0};
    dd_rng_normals(by[0], 5, 0, 0, sizeof by / sizeof **by);
    dd_standard standard = {by[0], by[1], by[2], by[3], by[4], by[5]};
    plain->standardize(a, x, standard, size);
    table->standardize(b, x, standard, size);
    check_near(table->name, "standardize", b, a, COUNT, 1e-5f);
    plain->standardize_gradient(a, x, g, standard, size);
    table->standardize_gradient(b, x, g, standard, size);
    check_near(table->name, "standardize_gradient", b, a, COUNT, 1e-4f);
}

START_TEST(tables_agree) {
    const dd_instructions *sets[MOST_SETS];
    float x[COUNT], g[COUNT];
    dd_rng_normals(x, 3, 0, 0, COUNT);
    dd_rng_normals(g, 4, 0, 0, COUNT);
    for (size_t set = find_sets(sets); set-- > 0;) {
        check_mix(sets[set]->maps, x);
        for (size_t width = 1; width <= MOST_WIDTH; width++)
            for (size_t rows = 1; rows <= 7; rows++) {
                dd_matrix_size size = {rows, width, width + rows % 3};
                check_moments(sets[set]->maps, x, g, size);
                check_standardized(sets[set]->maps, x, g, size);
            }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("maps");
    TCase *tests = tcase_create("maps");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, dd_blas_enter, dd_blas_leave);
    tcase_add_loop_test(tests, normalisations_keep_their_digits, 0, NORMALIZATIONS);
    tcase_add_loop_test(tests, permutations_only_move, 0, 48);
    tcase_add_loop_test(tests, filters_of_few_and_many_channels, 0, 18);
    tcase_add_test(tests, filters_of_too_many_taps_are_a_status);
    tcase_add_loop_test(tests, masks_keep_their_share, 0, 4);
    tcase_add_test(tests, masks_are_fixed_by_seed_and_stream);
    tcase_add_test(tests, tables_agree);
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    printf("skipped: %d\n", report_missing_sets());
    return failed;
}
