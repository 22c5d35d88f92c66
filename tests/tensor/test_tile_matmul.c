#define _POSIX_C_SOURCE 200809L /* mkdtemp */
/* Products by the library's own kernel: against sums in double, in any number of parts, and in
 * plans whose weights are packed once a phase, or once for all. */
#include "base/context.h"
#include "base/rng.h"
#include "support/harness.h"
#include "support/instruction_sets.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"
#include "tensor/plan/program.h"

#include <math.h>

enum { MOST_M = 90, MOST_N = 100, MOST_K = 1500, MOST_PARTS = 5, PAD = 3 };

static float a[(MOST_M + PAD) * (MOST_K + PAD)], b[(MOST_N + PAD) * (MOST_K + PAD)], start[MOST_N],
    packed[(MOST_N + 16) * MOST_K];
static float once[MOST_M * (MOST_N + PAD)], cut[MOST_M * (MOST_N + PAD)];

static void multiply(const dd_tile_kernels *kernels, dd_matmul_call call, float *c, size_t parts) {
    call.c = c;
    for (size_t i = 0; i < MOST_M * (MOST_N + PAD); i++)
        c[i] = 99;
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        packed[i] = NAN; /* so that only what was written is read */
    ck_assert_uint_le(dd_tile_matmul_packed(&call), sizeof packed / sizeof *packed);
    for (size_t part = 0; part < parts && call.transpose_b; part++)
        dd_tile_matmul_pack(&call, packed, part, parts);
    for (size_t part = 0; part < parts; part++)
        dd_tile_matmul_run_part(kernels, &call, call.transpose_b ? packed : NULL, part, parts);
}

static void check_product(const dd_instructions *set, const dd_matmul_call *call) {
    multiply(set->tiles, *call, once, 1);
    for (size_t i = 0; i < call->m; i++)
        for (size_t j = 0; j < call->c_stride; j++) {
            double truth = call->start ? (double)call->start[j % MOST_N] : 0, size = fabs(truth);
            for (size_t l = 0; l < call->k && j < call->n; l++) {
                double left =
                    (double)a[call->transpose_a ? l * call->a_stride + i : i * call->a_stride + l];
                double term =
                    left *
                    (double)b[call->transpose_b ? j * call->b_stride + l : l * call->b_stride + j];
                truth += term;
                size += fabs(term);
            }
            if (fabs((double)once[i * call->c_stride + j] - (j < call->n ? truth : 99)) >
                (j < call->n ? 2e-6 * size : 0))
                ck_abort_msg("%s: %zu x %zu x %zu at %zu, %zu: %g, not %g", set->name, call->m,
                             call->n, call->k, i, j, (double)once[i * call->c_stride + j], truth);
        }
    for (size_t parts = 2; parts <= MOST_PARTS; parts++) {
        multiply(set->tiles, *call, cut, parts);
        ck_assert_mem_eq(cut, once, sizeof once);
    }
}

/* _i: which are transposed, and whether there is a bias. */
START_TEST(products_are_sums_in_any_number_of_parts) {
    static const size_t sizes[][3] = {{16, 16, 1},          {17, 31, 5},     {64, 32, 64},
                                      {MOST_M, MOST_N, 70}, {20, MOST_N, 2}, {33, 17, MOST_K},
                                      {MOST_M, 16, 40},     {21, 48, 1024}};
    const dd_instructions *sets[MOST_SETS];
    dd_rng_normals(a, 1, 0, 0, sizeof a / sizeof *a);
    dd_rng_normals(b, 2, 0, 0, sizeof b / sizeof *b);
    dd_rng_normals(start, 3, 0, 0, MOST_N);
    for (size_t s = find_sets(sets); s-- > 0;)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
            dd_matmul_call call = {.m = m, .n = n, .k = k, .a = a, .b = b, .c_stride = n + PAD};
            call.transpose_a = _i & 1;
            call.transpose_b = _i & 2;
            call.start = _i & 4 ? start : NULL;
            call.a_stride = (call.transpose_a ? m : k) + PAD;
            call.b_stride = (call.transpose_b ? k : n) + PAD;
            check_product(sets[s], &call);
        }
}
END_TEST

START_TEST(what_pays) {
    const dd_tile_kernels *kernels = dd_tile_matmul_choose();
    dd_matmul_call call = {.m = 200, .n = 300, .k = 300, .transpose_b = true};
    ck_assert(!dd_tile_matmul_pays(NULL, &call, true));
    if (!kernels) {
        printf("SKIPPED: what_pays: this processor or environment leaves products to CBLAS\n");
        return;
    }
    ck_assert(dd_tile_matmul_pays(kernels, &call, true) &&
              dd_tile_matmul_pays(kernels, &call, false));
    call.m = 32; /* packing takes a large part of the time */
    ck_assert(dd_tile_matmul_pays(kernels, &call, true) &&
              !dd_tile_matmul_pays(kernels, &call, false));
    call.transpose_b = false;
    ck_assert(dd_tile_matmul_pays(kernels, &call, false));
    call.m = 6;
    ck_assert(!dd_tile_matmul_pays(kernels, &call, true));
    call.m = call.k = 1024;
    ck_assert(!dd_tile_matmul_pays(kernels, &call, true));
    call.k = 300;
    call.n = 15;
    ck_assert(!dd_tile_matmul_pays(kernels, &call, true));
}
END_TEST

/* --- In plans. --- */

enum { ROWS = 70, WIDTH = 40 };
enum { X, WEIGHTS, BIAS, TWICE, LATER, SLOTS };

static float numbers[SLOTS][ROWS * WIDTH];

/* rows w^T + bias, in double. */
static void layer(double *out, const double *rows) {
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDTH; j++) {
            double sum = (double)numbers[BIAS][j];
            for (size_t l = 0; l < WIDTH; l++)
                sum += rows[i * WIDTH + l] * (double)numbers[WEIGHTS][j * WIDTH + l];
            out[i * WIDTH + j] = sum;
        }
}

static void check_layers(int slot, int layers) {
    static double now[ROWS * WIDTH], next[ROWS * WIDTH];
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        now[i] = (double)numbers[X][i];
    for (int i = 0; i < layers; i++) {
        layer(next, now);
        memcpy(now, next, sizeof now);
    }
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        ck_assert_msg(fabs((double)numbers[slot][i] - now[i]) <= 1e-3,
                      "slot %d, number %zu: %g, not %g", slot, i, (double)numbers[slot][i], now[i]);
}

static int packings(const dd_plan *plan, int phase) {
    int count = 0;
    for (size_t i = 0; i < plan->task_count; i++)
        count += plan->tasks[i].stage == DD_TASK_PACK && plan->tasks[i].phase == phase;
    return count;
}

/* Two layers in phase 0, another in phase 1, all of the same weights. _i & 1: prepared; _i & 2: in
 * two parts. Without `prepare` the weights may change between the phases; with it phase 1 runs
 * again and again. */
START_TEST(weights_are_packed_once) {
    bool prepare = _i & 1;
    ddaebm_context *context = NULL;
    dd_graph *graph = NULL;
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node w = dd_input(graph, WEIGHTS, dd_shape_rows(WIDTH, WIDTH), 0),
            bias = dd_input(graph, BIAS, dd_shape_rows(1, WIDTH), 0);
    dd_node x = dd_input(graph, X, dd_shape_rows(ROWS, WIDTH), 0),
            again = dd_input(graph, X, dd_shape_rows(ROWS, WIDTH), 1);
    dd_output(graph, dd_linear_map(graph, dd_linear_map(graph, x, w, bias), w, bias), TWICE, 0);
    dd_output(graph, dd_linear_map(graph, again, w, bias), LATER, 1);
    ASSERT_OK(dd_plan_create(
        &plan, graph, (dd_plan_options){.phases = 2, .prepare = prepare, .parts = _i & 2 ? 2 : 1}));
    ASSERT_OK(dd_workspace_create(&workspace, plan));
    for (int slot = 0; slot < SLOTS; slot++) {
        dd_rng_normals(numbers[slot], (uint64_t)slot, 0, 0, ROWS * WIDTH);
        dd_workspace_bind(workspace, slot, numbers[slot]);
    }
    if (dd_tile_matmul_choose()) {
        ck_assert_int_eq(packings(plan, 0), 1);
        ck_assert_int_eq(packings(plan, 1), prepare ? 0 : 1);
    } else {
        ck_assert_int_eq(packings(plan, 0) + packings(plan, 1), 0);
    }
    dd_workspace_run(workspace, 0, dd_context_pool(context), false);
    check_layers(TWICE, 2);
    for (uint64_t seed = 50; seed < 53; seed++) {
        dd_rng_normals(numbers[prepare ? X : WEIGHTS], seed, 0, 0, ROWS * WIDTH);
        dd_workspace_run(workspace, 1, dd_context_pool(context), false);
        check_layers(LATER, 1);
    }
    dd_workspace_free(workspace);
    dd_plan_free(plan);
    ddaebm_context_free(context);
}
END_TEST

/* Two layers of the same weights on `rows` rows, in phase 1. */
static dd_plan *plan_rows(ddaebm_context *context, size_t rows, const dd_plan *beside) {
    dd_graph *graph = NULL;
    dd_plan *plan = NULL;
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node w = dd_input(graph, WEIGHTS, dd_shape_rows(WIDTH, WIDTH), 0),
            bias = dd_input(graph, BIAS, dd_shape_rows(1, WIDTH), 0);
    dd_node x = dd_input(graph, X, dd_shape_rows(rows, WIDTH), 1);
    dd_output(graph, dd_linear_map(graph, dd_linear_map(graph, x, w, bias), w, bias), TWICE, 1);
    dd_plan_options options = {
        .phases = 2, .prepare = true, .parts = 1, .rows = rows, .beside = beside};
    ASSERT_OK(dd_plan_create(&plan, graph, options));
    return plan;
}

/* Packed without a run, by one workspace for all, the weights are read by another's, and by a plan
 * for other rows; and a row has the same bits whichever plan computes it and with how many others.
 */
START_TEST(packed_weights_are_shared) {
    enum { FEWER = 50 };
    static float whole[ROWS * WIDTH];
    ddaebm_context *context = NULL;
    dd_workspace *first = NULL, *second = NULL, *third = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    dd_plan *plan = plan_rows(context, ROWS, NULL), *fewer = plan_rows(context, FEWER, plan),
            *single = plan_rows(context, 1, plan);
    bool own = dd_tile_matmul_choose() != NULL;
    ck_assert(dd_plan_packs(plan, WEIGHTS) == own && !dd_plan_packs(fewer, WEIGHTS) &&
              !dd_plan_packs(single, WEIGHTS));
    ck_assert(dd_plan_reads(plan, WEIGHTS) == !own && dd_plan_reads(fewer, WEIGHTS) == !own &&
              dd_plan_reads(single, WEIGHTS));
    ck_assert_uint_eq(dd_plan_rows(plan), ROWS);
    ASSERT_OK(dd_workspace_create(&first, fewer)); /* of what was made last: it has room for both */
    ASSERT_OK(dd_workspace_create_beside(&second, plan, first));
    ASSERT_OK(dd_workspace_create_beside(&third, fewer, first));
    dd_workspace *const all[] = {first, second, third};
    for (int slot = 0; slot < SLOTS; slot++) {
        dd_rng_normals(numbers[slot], (uint64_t)slot, 0, 0, ROWS * WIDTH);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            dd_workspace_bind(all[i], slot, slot == WEIGHTS && own ? NULL : numbers[slot]);
    }
    dd_workspace_pack(second, WEIGHTS, numbers[WEIGHTS]);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        dd_workspace_run(all[i], 0, dd_context_pool(context), true);

    dd_workspace_run(second, 1, dd_context_pool(context), true);
    check_layers(TWICE, 2);
    memcpy(whole, numbers[TWICE], sizeof whole);
    for (size_t rows = 1; rows <= ROWS && own; rows++) {
        numbers[TWICE][rows * WIDTH - 1] = NAN;
        if (rows < ROWS)
            numbers[TWICE][rows * WIDTH] = NAN;
        dd_workspace_run_rows(rows <= FEWER ? third : second, rows, dd_context_pool(context), true);
        ck_assert_mem_eq(numbers[TWICE], whole, rows * WIDTH * sizeof(float));
        ck_assert(rows == ROWS || isnan(numbers[TWICE][rows * WIDTH]));
    }
    for (size_t i = sizeof all / sizeof *all; i-- > 0;)
        dd_workspace_free(all[i]);
    dd_plan_free(single);
    dd_plan_free(fewer);
    dd_plan_free(plan);
    ddaebm_context_free(context);
}
END_TEST

int main(void) {
    const TTest *const products[] = {products_are_sums_in_any_number_of_parts},
                       *const plans[] = {weights_are_packed_once},
                       *const single[] = {what_pays, packed_weights_are_shared};
    dd_computation_begin();
    int failed = run_loop_tests("products", products, 1, 8) | run_loop_tests("plans", plans, 1, 4) |
                 run_tests("choice", single, 2);
    dd_computation_end();
    printf("skipped: %d\n", report_missing_sets());
    return failed;
}
