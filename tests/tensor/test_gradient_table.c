/* The gradient table: a row for each operation and for each way of using it. Each row is checked
 *
 * - in double, through the plain-loop twin: first gradients against central differences of the
 * value, second gradients (those of a random linear functional of the first) against central
 * differences of that functional, within DOUBLE of the largest entry or of 1;
 * - in float, through plans of 1, 2 and 3 parts: the value and both gradients against the twin,
 * within FLOAT of the largest entry or of 1, at widths around and far from that of a tile; and
 * one thread against several, bit for bit. Convolutions are run by every backend. */
#define _GNU_SOURCE
#include "base/context.h"
#include "base/rng.h"
#include "support/extremes.h"
#include "support/harness.h"
#include "support/plain.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"
#include "tensor/gradient_rows.h"
#include "tensor/kernels/blas_matmul.h"
#include "tensor/ops/execution.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE 1e-8
#define FLOAT 2e-6
#define CONVOLUTIONS_FLOAT                                                                         \
    1e-5 /* oneDNN adds up to 12,000 terms in one register, one after the other */

/* --- The rows. --- */

static const row_family *const families[] = {&rows_elementwise, &rows_reduce, &rows_matmul,
                                             &rows_move, &rows_images};

enum { FAMILIES = sizeof families / sizeof *families };

static int row_count(void) {
    int count = 0;
    for (int f = 0; f < FAMILIES; f++)
        count += families[f]->count;
    return count;
}

/* Returns row i of all families together. */
static const row *row_at(int i) {
    int f = 0;
    while (i >= families[f]->count)
        i -= families[f++]->count;
    return &families[f]->rows[i];
}

/* --- One row at one size: the graph with both gradients, and numbers for its slots. --- */

/* Slots: operands, the seed of the first gradient, the functional's weights, and results from
 * RESULTS on. */
enum { SEED = 2, WEIGHTS = 3, SLOTS = 5, RESULTS = 8, MOST_RESULTS = 2 + 2 * MOST_OPERANDS };

typedef struct bench {
    const row *row;
    ddaebm_context *context;
    dd_graph *graph;
    int operands;
    dd_node inputs[SLOTS]; /* by slot; DD_NONE for those unused */
    dd_node value, energy, functional;
    dd_node first[MOST_OPERANDS];      /* by operand */
    dd_node second[MOST_OPERANDS + 1]; /* by the seed and the operands */
    double *numbers[SLOTS];
} bench;

static size_t elements(const bench *b, dd_node node) {
    return dd_shape_elements(dd_graph_shape(b->graph, node));
}

static dd_shape sized(dd_shape shape, size_t many, size_t wide) {
    for (int i = 0; i < DD_AXES; i++)
        shape.size[i] = shape.size[i] == MANY ? many : shape.size[i] == WIDE ? wide : shape.size[i];
    return shape;
}

/* Random numbers, rounded to float. */
static void fill(const bench *b, int slot, double low, double high) {
    size_t count = elements(b, b->inputs[slot]);
    float *uniforms = calloc(count, sizeof *uniforms);
    ck_assert_ptr_nonnull(uniforms);
    dd_rng_uniforms(uniforms, 7, (uint64_t)slot, 0, count);
    for (size_t i = 0; i < count; i++)
        b->numbers[slot][i] = (double)(float)(low + (high - low) * (double)uniforms[i]);
    free(uniforms);
}

static void fill_index(const bench *b, int slot) {
    uint32_t word;
    for (size_t i = 0; i < elements(b, b->inputs[slot]); i++) {
        dd_rng_words(&word, 11, 0, i, 1);
        b->numbers[slot][i] = word % TABLE;
    }
}

static void add_input(bench *b, int slot, dd_shape shape, double low, double high) {
    b->inputs[slot] = dd_input(b->graph, slot, shape, 0);
    b->numbers[slot] = calloc(dd_shape_elements(shape), sizeof *b->numbers[slot]);
    ck_assert_ptr_nonnull(b->numbers[slot]);
    fill(b, slot, low, high);
}

static dd_node total(dd_graph *graph, dd_node x) {
    return dd_sum(graph, x, (dd_shape){{1, 1, 1, 1}});
}

static void add_operands(bench *b, size_t many, size_t wide) {
    for (int slot = 0; slot < SLOTS; slot++)
        b->inputs[slot] = DD_NONE;
    for (int i = 0; i < MOST_OPERANDS && (b->row->shapes[i].size[0] || b->row->shapes[i].size[1]);
         i++, b->operands++) {
        add_input(b, i, sized(b->row->shapes[i], many, wide), b->row->low, b->row->high);
        if (i == 1 && b->row->index)
            fill_index(b, i);
    }
}

/* Builds the functional of the first gradients: sum over operands of sum(gradient * weights), or
 * DD_NONE. */
static void add_functional(bench *b) {
    for (int i = 0; i < b->operands; i++) {
        if (b->first[i] == DD_NONE)
            continue;
        ck_assert(dd_shape_equal(dd_graph_shape(b->graph, b->first[i]),
                                 dd_graph_shape(b->graph, b->inputs[i])));
        add_input(b, WEIGHTS + i, dd_graph_shape(b->graph, b->inputs[i]), -1, 1);
        dd_node term = total(b->graph, dd_multiply(b->graph, b->first[i], b->inputs[WEIGHTS + i]));
        b->functional = b->functional == DD_NONE ? term : dd_add(b->graph, b->functional, term);
    }
}

static void open_bench(bench *b, const row *r, size_t many, size_t wide, int threads) {
    *b = (bench){.row = r, .value = DD_NONE, .energy = DD_NONE, .functional = DD_NONE};
    ck_assert_int_eq(ddaebm_context_create(&b->context, NULL), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(b->context, threads), DDAEBM_OK);
    ck_assert_int_eq(dd_graph_create(&b->graph, b->context), DDAEBM_OK);
    add_operands(b, many, wide);
    b->value = r->build(b->graph, b->inputs, r);
    add_input(b, SEED, dd_graph_shape(b->graph, b->value), -1, 1);
    b->energy = total(b->graph, dd_multiply(b->graph, b->value, b->inputs[SEED]));
    dd_gradient(b->graph, b->value, b->inputs[SEED], b->inputs, (size_t)b->operands, b->first);
    add_functional(b);
    dd_node wrt[MOST_OPERANDS + 1] = {b->inputs[SEED], b->inputs[0], b->inputs[1]};
    dd_gradient(b->graph, b->functional, DD_NONE, wrt, (size_t)b->operands + 1, b->second);
    ck_assert_int_eq(dd_graph_status(b->graph), DDAEBM_OK);
}

static void close_bench(bench *b) {
    dd_graph_free(b->graph);
    ddaebm_context_free(b->context);
    for (int slot = 0; slot < SLOTS; slot++)
        free(b->numbers[slot]);
}

/* --- In double, against central differences. --- */

static void run_twin(const bench *b, test_plain *twin) {
    test_plain_input inputs[SLOTS];
    for (int slot = 0; slot < SLOTS; slot++)
        inputs[slot] = (test_plain_input){slot, -1, b->numbers[slot]};
    test_plain_run(twin, inputs, SLOTS);
}

/* The derivative of a node of one number in an entry of a slot, by the central difference of fourth
 * order. */
static double slope(const bench *b, test_plain *twin, dd_node node, int slot, size_t entry) {
    const double step = 1e-3, weights[4] = {1, -8, 8, -1};
    double *x = &b->numbers[slot][entry], at = *x, difference = 0;
    for (int i = 0; i < 4; i++) {
        *x = at + step * (i < 2 ? i - 2 : i - 1);
        run_twin(b, twin);
        difference += weights[i] * test_plain_value(twin, node)[0];
    }
    *x = at;
    return difference / (12 * step);
}

/* Whether `gradient` (zeros for DD_NONE) is that of `node` in a slot. */
static void check_slopes(const bench *b, dd_node node, int slot, dd_node gradient) {
    test_plain *twin = test_plain_create(b->graph);
    size_t count = elements(b, b->inputs[slot]);
    double *expected = calloc(count, sizeof *expected), largest = 1;
    ck_assert_ptr_nonnull(expected);
    run_twin(b, twin);
    if (gradient != DD_NONE)
        memcpy(expected, test_plain_value(twin, gradient), count * sizeof *expected);
    for (size_t i = 0; i < count; i++)
        largest = larger(largest, fabs(expected[i]));
    for (size_t i = 0; i < count; i++) {
        double difference = slope(b, twin, node, slot, i);
        ck_assert_msg(fabs(difference - expected[i]) <= DOUBLE * largest,
                      "%s: slot %d, entry %zu: %.12g, by differences %.12g", b->row->name, slot, i,
                      expected[i], difference);
    }
    free(expected);
    test_plain_free(twin);
}

static void check_vanishing(const bench *b) {
    for (int i = 0; i < b->operands; i++)
        ck_assert_msg(b->first[i] == DD_NONE, "%s has a gradient", b->row->name);
}

START_TEST(gradients_are_those_of_differences) {
    const size_t sizes[][2] = {{3, 2}, {2, 3}, {1, 4}, {1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s += sweep_step(2)) {
        bench b;
        open_bench(&b, row_at(_i), sizes[s][0], sizes[s][1], 1);
        if (b.row->index)
            ck_assert_int_eq(b.first[1], DD_NONE);
        if (b.row->flat)
            check_vanishing(&b);
        for (int i = 0; i < b.operands && !b.row->flat && !(i == 1 && b.row->index); i++) {
            check_slopes(&b, b.energy, i, b.first[i]);
            check_slopes(&b, b.functional, i, b.second[1 + i]);
        }
        if (!b.row->flat)
            check_slopes(&b, b.functional, SEED, b.second[0]);
        close_bench(&b);
    }
}
END_TEST

/* --- In float, through plans. --- */

typedef struct results {
    int count;
    dd_node nodes[MOST_RESULTS];
    size_t sizes[MOST_RESULTS];
    double *expected[MOST_RESULTS];
    float *found[MOST_RESULTS], *alone[MOST_RESULTS];
} results;

static void add_result(const bench *b, results *all, dd_node node) {
    if (node == DD_NONE)
        return;
    int i = all->count++;
    all->nodes[i] = node;
    all->sizes[i] = elements(b, node);
    all->expected[i] = calloc(all->sizes[i], sizeof *all->expected[i]);
    all->found[i] = calloc(all->sizes[i], sizeof *all->found[i]);
    all->alone[i] = calloc(all->sizes[i], sizeof *all->alone[i]);
    ck_assert(all->expected[i] && all->found[i] && all->alone[i]);
}

static void expect_results(const bench *b, results *all) {
    *all = (results){0};
    add_result(b, all, b->value);
    for (int i = 0; i < b->operands; i++)
        add_result(b, all, b->first[i]);
    for (int i = 0; i <= b->operands; i++)
        add_result(b, all, b->second[i]);
    test_plain *twin = test_plain_create(b->graph);
    run_twin(b, twin);
    for (int i = 0; i < all->count; i++)
        memcpy(all->expected[i], test_plain_value(twin, all->nodes[i]),
               all->sizes[i] * sizeof *all->expected[i]);
    test_plain_free(twin);
}

static void free_results(results *all) {
    for (int i = 0; i < all->count; i++) {
        free(all->expected[i]);
        free(all->found[i]);
        free(all->alone[i]);
    }
}

/* Runs once on NaN, so that numbers left over from another run are seen, and once on the row's
 * numbers. */
static void run_plan(const bench *b, const dd_plan *plan, const results *all, float *const *into,
                     bool alone) {
    dd_workspace *workspace = NULL;
    float *numbers[SLOTS] = {NULL};
    ck_assert_int_eq(dd_workspace_create(&workspace, plan), DDAEBM_OK);
    for (int i = 0; i < all->count; i++)
        dd_workspace_bind(workspace, RESULTS + i, into[i]);
    for (int slot = 0; slot < SLOTS; slot++) {
        if (b->inputs[slot] == DD_NONE)
            continue;
        numbers[slot] = calloc(elements(b, b->inputs[slot]), sizeof *numbers[slot]);
        ck_assert_ptr_nonnull(numbers[slot]);
        dd_workspace_bind(workspace, slot, numbers[slot]);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int slot = 0; slot < SLOTS; slot++)
            for (size_t i = 0, count = numbers[slot] ? elements(b, b->inputs[slot]) : 0; i < count;
                 i++)
                numbers[slot][i] = pass == 0 ? NAN : (float)b->numbers[slot][i];
        dd_workspace_run(workspace, 0, dd_context_pool(b->context), alone);
    }
    for (int slot = 0; slot < SLOTS; slot++)
        free(numbers[slot]);
    dd_workspace_free(workspace);
}

static void compare(const row *r, const results *all, int parts, size_t many, size_t wide) {
    const char *name = r->name;
    double near = r->stride > 0 ? CONVOLUTIONS_FLOAT : FLOAT;
    for (int i = 0; i < all->count; i++) {
        double largest = 1, worst = 0;
        for (size_t j = 0; j < all->sizes[i]; j++) {
            double error = fabs((double)all->found[i][j] - all->expected[i][j]);
            largest = larger(largest, fabs(all->expected[i][j]));
            worst = error <= worst ? worst : error; /* NaN is the worst */
        }
        ck_assert_msg(worst <= near * largest,
                      "%s, %zu x %zu, %d parts: result %d is off by %g of %g", name, many, wide,
                      parts, i, worst, largest);
        ck_assert_msg(memcmp(all->found[i], all->alone[i], all->sizes[i] * sizeof(float)) == 0,
                      "%s, %zu x %zu, %d parts: result %d differs when run alone", name, many, wide,
                      parts, i);
    }
}

static void check_plans(const row *r, size_t many, size_t wide, int most_parts,
                        const dd_convolution_backend *convolutions) {
    results all;
    for (int parts = 1; parts <= most_parts; parts++) {
        bench b;
        dd_plan *plan = NULL;
        open_bench(&b, r, many, wide, parts < 2 ? 1 : 2); /* three parts by two threads */
        if (parts == 1)
            expect_results(&b, &all);
        for (int i = 0; i < all.count; i++)
            dd_output(b.graph, all.nodes[i], RESULTS + i, 0);
        ck_assert_int_eq(
            dd_plan_create(
                &plan, b.graph,
                (dd_plan_options){.phases = 1, .parts = parts, .convolutions = convolutions}),
            DDAEBM_OK);
        run_plan(&b, plan, &all, all.alone, true);
        run_plan(&b, plan, &all, all.found, false);
        compare(r, &all, parts, many, wide);
        dd_plan_free(plan);
        b.graph = NULL;
        close_bench(&b);
    }
    free_results(&all);
}

/* A tile holds 512 numbers. Tasks are cut from 8192 on, so the smallest sizes need no parts.
 * Sampled: 1 x 1, 1 x 300 and 2 x 512. */
START_TEST(plans_compute_what_plain_loops_do) {
    const size_t sizes[][2] = {{1, 1},   {5, 1},   {1, 2},   {3, 3},   {7, 17},  {1, 300}, {5, 2},
                               {600, 3}, {3, 300}, {3, 511}, {2, 512}, {3, 513}, {7, 1200}};
    if (row_at(_i)->no_plan)
        return;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s += sweep_step(5)) {
        check_plans(row_at(_i), sizes[s][0], sizes[s][1], s < 6 ? 1 : 3,
                    dd_convolution_choose_direct());
        if (row_at(_i)->stride > 0 && dd_convolution_choose_direct() != &dd_convolution_blas)
            check_plans(row_at(_i), sizes[s][0], sizes[s][1], s < 6 ? 1 : 3, &dd_convolution_blas);
    }
}
END_TEST

START_TEST(every_operation_has_its_row) {
    for (int op = 0; op < DD_OP_COUNT; op++) {
        const dd_op_info *info = dd_op_describe((dd_op)op);
        bool found = info->arity == 0;
        for (int i = 0; i < row_count(); i++) {
            const row *r = row_at(i);
            if ((int)r->op != op)
                continue;
            found = true;
            ck_assert_msg(r->flat == !info->gradient,
                          "%s: a gradient, or none, where the table says otherwise", r->name);
        }
        ck_assert_msg(found, "%s has no row", info->name);
        const dd_execution *execution = info->execution;
        ck_assert_msg(info->arity > 0 || (!info->gradient && !execution), "%s is a source",
                      info->name);
        ck_assert_msg(!info->elementwise || dd_kernels_portable.elementwise[execution->kernel],
                      "%s: loops without a kernel", info->name);
        ck_assert_msg((info->arity > 0 && !info->renames && !info->elementwise) ==
                          (execution && execution->run),
                      "%s: nothing runs it, or it needs no running", info->name);
    }
}
END_TEST

/* A row's graph must hold the row's operation, or the row shows nothing. */
START_TEST(every_row_uses_its_operation) {
    bench b;
    bool used = false;
    open_bench(&b, row_at(_i), 5, 4, 1);
    for (size_t n = 0; n < dd_graph_nodes(b.graph); n++)
        used = used || dd_graph_node(b.graph, (dd_node)n)->op == row_at(_i)->op;
    ck_assert_msg(used, "%s does not use its operation", row_at(_i)->name);
    close_bench(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gradient table");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, dd_computation_begin, dd_computation_end);
    tcase_add_test(tests, every_operation_has_its_row);
    tcase_add_loop_test(tests, every_row_uses_its_operation, 0, row_count());
    tcase_add_loop_test(tests, gradients_are_those_of_differences, 0, row_count());
    tcase_add_loop_test(tests, plans_compute_what_plain_loops_do, 0, row_count());
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    printf("rows: %d\n", row_count());
    return failed;
}
