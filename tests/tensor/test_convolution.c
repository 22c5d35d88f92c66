#define _POSIX_C_SOURCE 200809L /* mkdtemp */
/* What the gradient table does not test of convolutions: which backend runs them, when weights are
 * packed, and that no backend starts threads. The faster backends are compared with the one by
 * matrix products, within NEAR of the largest entry. */
#include "base/context.h"
#include "base/rng.h"
#include "support/harness.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"
#include "tensor/graph/operations.h"
#include "tensor/kernels/convolution.h"

#include <math.h>
#include <pthread.h>

#define NEAR 1e-5

enum { IMAGES = 4, SIDE = 8, WIDTH = 32, IMAGE = SIDE * SIDE * WIDTH, TAPS = 9, THREADS = 2 };

/* Slots: images of both phases, weights, results. */
enum { FIRST, SECOND, WEIGHTS, RESULT, LATER, GRADIENT, SLOTS };

static const size_t sizes[SLOTS] = {IMAGES * IMAGE, IMAGES *IMAGE, WIDTH *TAPS *WIDTH,
                                    IMAGES *IMAGE,  IMAGES *IMAGE, IMAGES *IMAGE};

typedef struct bench {
    ddaebm_context *context;
    dd_plan *plan;
    dd_workspace *workspace;
    float *numbers[SLOTS];
} bench;

static void fill(bench *b, int slot, uint64_t seed) {
    dd_rng_normals(b->numbers[slot], seed, 0, 0, sizes[slot]);
}

/* Phase 0 convolves twice with the same weights and asks for the gradient in between; phase 1
 * convolves once more, with other images. */
static void open_bench(bench *b, const dd_convolution_backend *backend, bool prepare) {
    dd_graph *graph = NULL;
    const dd_shape images = {{IMAGES, SIDE, SIDE, WIDTH}};
    *b = (bench){.context = NULL};
    ASSERT_OK(ddaebm_context_create(&b->context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(b->context, THREADS));
    ASSERT_OK(dd_graph_create(&graph, b->context));
    dd_node weights = dd_input(graph, WEIGHTS, (dd_shape){{WIDTH, 3, 3, WIDTH}}, 0);
    dd_node inner = dd_convolve(graph, dd_input(graph, FIRST, images, 0), weights, 1, 1, 1),
            gradient = DD_NONE;
    dd_node outer = dd_convolve(graph, inner, weights, 1, 1, 1);
    dd_gradient(graph, outer, outer, &inner, 1, &gradient);
    dd_output(graph, outer, RESULT, 0);
    dd_output(graph, gradient, GRADIENT, 0);
    dd_output(graph, dd_convolve(graph, dd_input(graph, SECOND, images, 1), weights, 1, 1, 1),
              LATER, 1);
    dd_plan_options options = {
        .phases = 2, .prepare = prepare, .parts = THREADS, .convolutions = backend};
    ASSERT_OK(dd_plan_create(&b->plan, graph, options));
    ASSERT_OK(dd_workspace_create(&b->workspace, b->plan));
    for (int slot = 0; slot < SLOTS; slot++) {
        b->numbers[slot] = dd_alloc_zero(b->context, sizes[slot], sizeof(float));
        ck_assert_ptr_nonnull(b->numbers[slot]);
        fill(b, slot, (uint64_t)slot);
        dd_workspace_bind(b->workspace, slot, b->numbers[slot]);
    }
}

static void close_bench(bench *b) {
    for (int slot = 0; slot < SLOTS; slot++)
        dd_free(b->context, b->numbers[slot]);
    dd_workspace_free(b->workspace);
    dd_plan_free(b->plan);
    ddaebm_context_free(b->context);
}

static void run(const bench *b, int phase) {
    dd_workspace_run(b->workspace, phase, dd_context_pool(b->context), false);
}

static void check_slot(const bench *b, const bench *expected, int slot) {
    float largest = 0, worst = 0;
    for (size_t i = 0; i < sizes[slot]; i++) {
        float error = fabsf(b->numbers[slot][i] - expected->numbers[slot][i]);
        largest = fmaxf(largest, fabsf(expected->numbers[slot][i]));
        worst = error <= worst ? worst : error;
    }
    ck_assert_msg((double)worst <= NEAR * (double)largest, "slot %d is off by %g of %g", slot,
                  (double)worst, (double)largest);
}

/* The backends that run 3 x 3 taps on images of WIDTH channels themselves: all but matrix products.
 */
static const dd_convolution_backend *faster(int i) {
    const dd_convolution_backend *all[] = {dd_convolution_choose(), dd_convolution_choose_direct()};
    return all[i];
}

static int faster_count(void) {
    return dd_convolution_choose_direct() == &dd_convolution_blas ? 1 : 2;
}

START_TEST(the_backends_built_in_are_those_that_run) {
    ddaebm_context *context = NULL;
    dd_convolution *made = NULL;
    const dd_convolution_shape shape = {IMAGES, SIDE, SIDE, WIDTH, SIDE, SIDE,
                                        WIDTH,  3,    3,    1,     1,    false};
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    for (int i = 0; i < faster_count(); i++)
        for (int kind = DD_CONVOLUTION_FORWARD; kind <= DD_CONVOLUTION_WEIGHT; kind++) {
            ASSERT_OK(
                faster(i)->create(&made, context, (dd_convolution_kind)kind, &shape, THREADS));
            ck_assert_str_eq(made->backend->name, faster(i)->name);
            made->backend->destroy(made);
        }
    ddaebm_context_free(context);
}
END_TEST

/* The weights change between the phases, as the energy's do: what was packed before is stale then.
 */
static void check_packing(const dd_convolution_backend *backend) {
    bench best, plain;
    open_bench(&best, backend, false);
    open_bench(&plain, &dd_convolution_blas, false);
    ck_assert_uint_eq(dd_plan_tasks(best.plan), dd_plan_tasks(plain.plan) + 4);
    bench *both[] = {&best, &plain};
    for (int i = 0; i < 2; i++) {
        run(both[i], 0);
        fill(both[i], WEIGHTS, 99);
        run(both[i], 1);
    }
    check_slot(&best, &plain, RESULT);
    check_slot(&best, &plain, GRADIENT);
    check_slot(&best, &plain, LATER);
    close_bench(&best);
    close_bench(&plain);
}

START_TEST(weights_are_packed_for_each_use) {
    for (int i = 0; i < faster_count(); i++)
        check_packing(faster(i));
}
END_TEST

/* Phase 1 is run again and again, on what phase 0 packed. */
static void check_prepared(const dd_convolution_backend *backend) {
    bench best, plain;
    open_bench(&best, backend, true);
    open_bench(&plain, &dd_convolution_blas, true);
    ck_assert_uint_eq(dd_plan_tasks(best.plan), dd_plan_tasks(plain.plan) + 2);
    run(&best, 0);
    run(&plain, 0);
    for (uint64_t seed = 50; seed < 53; seed++) {
        fill(&best, SECOND, seed);
        fill(&plain, SECOND, seed);
        run(&best, 1);
        run(&plain, 1);
        check_slot(&best, &plain, LATER);
    }
    check_slot(&best, &plain, RESULT);
    close_bench(&best);
    close_bench(&plain);
}

/* Filters are packed one by one, and freed before the plan is run. */
START_TEST(weights_may_be_packed_beforehand) {
    for (int i = 0; i < faster_count(); i++) {
        bench best, plain;
        open_bench(&best, faster(i), true);
        open_bench(&plain, &dd_convolution_blas, true);
        ck_assert(dd_plan_packs(best.plan, WEIGHTS) && !dd_plan_reads(best.plan, WEIGHTS));
        ck_assert(dd_plan_reads(plain.plan, WEIGHTS) && !dd_plan_packs(plain.plan, WEIGHTS));
        ck_assert(dd_plan_reads(best.plan, FIRST) && !dd_plan_packs(best.plan, FIRST));
        dd_workspace_bind(best.workspace, WEIGHTS, NULL);
        dd_workspace_pack(best.workspace, WEIGHTS, best.numbers[WEIGHTS]);
        for (int phase = 0; phase < 2; phase++) {
            run(&best, phase);
            run(&plain, phase);
        }
        check_slot(&best, &plain, RESULT);
        check_slot(&best, &plain, GRADIENT);
        check_slot(&best, &plain, LATER);
        close_bench(&best);
        close_bench(&plain);
    }
}
END_TEST

START_TEST(prepared_weights_stay_packed) {
    for (int i = 0; i < faster_count(); i++)
        check_prepared(faster(i));
}
END_TEST

/* --- Threads. --- */

extern void omp_set_num_threads(int) __attribute__((weak));
extern int omp_get_max_threads(void) __attribute__((weak));

static size_t threads_of_process(void) {
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks && (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return count;
}

START_TEST(no_thread_is_started_but_the_pool_s) {
    if (omp_set_num_threads)
        omp_set_num_threads(3);
    for (int i = 0; i < faster_count(); i++) {
        bench b;
        size_t before = threads_of_process();
        open_bench(&b, faster(i), false);
        run(&b, 0);
        run(&b, 1);
        ck_assert_uint_le(threads_of_process(), before + THREADS - 1);
        if (omp_get_max_threads)
            ck_assert_int_eq(omp_get_max_threads(), 3);
        close_bench(&b);
    }
}
END_TEST

typedef struct runner {
    const bench *b;
    dd_workspace *workspace;
    float *results[SLOTS];
} runner;

static void *run_often(void *argument) {
    const runner *r = argument;
    for (int i = 0; i < 20; i++)
        for (int phase = 0; phase < 2; phase++)
            dd_workspace_run(r->workspace, phase, dd_context_pool(r->b->context), true);
    return NULL;
}

/* A plan is read-only: two workspaces run at once give what one gives. */
static void check_sharing(const dd_convolution_backend *backend) {
    bench b;
    runner runners[2];
    pthread_t threads[2];
    open_bench(&b, backend, false);
    run(&b, 0);
    run(&b, 1);
    for (int i = 0; i < 2; i++) {
        runners[i] = (runner){.b = &b};
        ASSERT_OK(dd_workspace_create(&runners[i].workspace, b.plan));
        for (int slot = 0; slot < SLOTS; slot++) {
            runners[i].results[slot] =
                slot >= RESULT ? dd_alloc_zero(b.context, sizes[slot], sizeof(float)) : NULL;
            dd_workspace_bind(runners[i].workspace, slot,
                              slot >= RESULT ? runners[i].results[slot] : b.numbers[slot]);
        }
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_often, &runners[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        for (int slot = RESULT; slot < SLOTS; slot++) {
            ck_assert_mem_eq(runners[i].results[slot], b.numbers[slot],
                             sizes[slot] * sizeof(float));
            dd_free(b.context, runners[i].results[slot]);
        }
        dd_workspace_free(runners[i].workspace);
    }
    close_bench(&b);
}

START_TEST(a_plan_serves_several_threads) {
    for (int i = 0; i < faster_count(); i++)
        check_sharing(faster(i));
}
END_TEST

/* --- Minimal filtering, on margins and sizes that tiles do not fit. --- */

enum {
    MOST_SIDE = 19,
    MOST_WIDTH = 40,
    MOST_IMAGES = 12,
    MOST_NUMBERS = MOST_IMAGES * MOST_SIDE * MOST_SIDE * MOST_WIDTH
};

/* Runs a convolution, its parts one after the other. */
static void convolve(const dd_convolution_backend *backend, ddaebm_context *context,
                     dd_convolution_kind kind, const dd_convolution_shape *shape, size_t parts,
                     const float *a, const float *b, float *out, size_t count) {
    dd_convolution *made = NULL;
    ASSERT_OK(backend->create(&made, context, kind, shape, parts));
    ck_assert_ptr_eq(made->backend, backend);
    float *packed = dd_alloc_zero(context, made->packed + 1, sizeof *packed);
    float *scratch = dd_alloc_zero(context, made->scratch + 1, sizeof *scratch);
    float *own = dd_alloc_zero(context, count, sizeof *own);
    for (size_t part = 0; part < parts && made->packed; part++)
        backend->pack(made, part, b, packed);
    for (size_t part = 0; part < parts; part++) {
        bool adds = made->sums && part > 0;
        memset(scratch, 0xFF,
               made->scratch * sizeof *scratch); /* NaN: a part may read only what it has written */
        backend->run(made, &(dd_convolution_call){.part = part,
                                                  .a = a,
                                                  .b = made->packed ? packed : b,
                                                  .out = adds ? own : out,
                                                  .scratch = scratch});
        for (size_t i = 0; i < count && adds; i++)
            out[i] += own[i];
    }
    dd_free(context, own);
    dd_free(context, scratch);
    dd_free(context, packed);
    backend->destroy(made);
}

static void check_filtering(ddaebm_context *context, const dd_convolution_shape *s, size_t parts,
                            float *const numbers[4]) {
    size_t x = s->images * s->height * s->width * s->channels,
           y = s->images * s->rows * s->columns * s->filters;
    size_t weights = s->filters * TAPS * s->channels;
    const size_t counts[] = {y, x, weights};
    for (int kind = DD_CONVOLUTION_FORWARD; kind <= DD_CONVOLUTION_WEIGHT; kind++) {
        float *found = numbers[2], *expected = numbers[3], largest = 0, worst = 0;
        convolve(&dd_convolution_winograd, context, (dd_convolution_kind)kind, s, parts, numbers[0],
                 numbers[1], found, counts[kind]);
        convolve(&dd_convolution_blas, context, (dd_convolution_kind)kind, s, 1, numbers[0],
                 numbers[1], expected, counts[kind]);
        for (size_t i = 0; i < counts[kind]; i++) {
            float error = fabsf(found[i] - expected[i]);
            largest = fmaxf(largest, fabsf(expected[i]));
            worst = error <= worst ? worst : error;
        }
        ck_assert_msg((double)worst <= NEAR * (double)largest,
                      "kind %d, %zu x %zu, %zu to %zu, %zu parts: off by %g of %g", kind, s->height,
                      s->width, s->channels, s->filters, parts, (double)worst, (double)largest);
    }
}

START_TEST(minimal_filtering_fits_any_size) {
    const size_t widths[] = {16, 24, MOST_WIDTH},
                 sides[][2] = {{8, 8}, {7, 5}, {5, 8}, {16, 16}, {13, 18}};
    ddaebm_context *context = NULL;
    float *numbers[4]; /* both operands, and two results */
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    for (int i = 0; i < 4; i++) {
        numbers[i] = dd_alloc_zero(context, MOST_NUMBERS, sizeof(float));
        ck_assert_ptr_nonnull(numbers[i]);
        dd_rng_normals(numbers[i], (uint64_t)i, 0, 0, MOST_NUMBERS);
    }
    for (size_t parts = 1; parts <= 3; parts++)
        for (size_t side = 0; side < sizeof sides / sizeof *sides; side++)
            for (size_t w = 0; w < 9; w++)
                for (size_t margins = 0; margins < 3;
                     margins++) { /* zeros before and after: 1 and 1, 0 and 1, 2 and 1 */
                    size_t before = margins == 0   ? 1
                                    : margins == 1 ? 0
                                                   : 2,
                           height = sides[side][0], width = sides[side][1];
                    const dd_convolution_shape shape = {.images = height < 10 ? MOST_IMAGES : 3,
                                                        .height = height,
                                                        .width = width,
                                                        .channels = widths[w % 3],
                                                        .rows = height + before - 1,
                                                        .columns = width + before - 1,
                                                        .filters = widths[w / 3],
                                                        .down = 3,
                                                        .across = 3,
                                                        .stride = 1,
                                                        .before = (ptrdiff_t)before};
                    check_filtering(context, &shape, parts, numbers);
                }
    for (int i = 0; i < 4; i++)
        dd_free(context, numbers[i]);
    ddaebm_context_free(context);
}
END_TEST

/* --- Limits. --- */

START_TEST(matrices_larger_than_an_int_are_refused) {
    ddaebm_context *context = NULL;
    dd_graph *graph = NULL;
    dd_plan *plan = NULL;
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node x = dd_input(graph, 0, (dd_shape){{1 << 16, 1 << 8, 1 << 8, 1}}, 0);
    dd_node y = dd_convolve(graph, x, dd_input(graph, 1, (dd_shape){{1, 3, 3, 1}}, 0), 1, 1, 1);
    dd_output(graph, y, 2, 0);
    ASSERT_FAILS(dd_plan_create(&plan, graph, (dd_plan_options){.phases = 1, .parts = 1}),
                 DDAEBM_OUT_OF_RANGE, "too large");
    ck_assert_ptr_null(plan);
    dd_graph_free(graph);
    ddaebm_context_free(context);
}
END_TEST

/* Every allocation fails in turn. */
START_TEST(plans_fail_cleanly) {
    fussy self;
    ddaebm_context *context = fussy_context(&self);
    dd_plan *plan = NULL;
    dd_graph *graph = NULL;
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node x = dd_input(graph, 0, (dd_shape){{IMAGES, SIDE, SIDE, WIDTH}}, 0), gradients[2];
    dd_node w = dd_input(graph, 1, (dd_shape){{WIDTH, 3, 3, WIDTH}}, 0),
            y = dd_convolve(graph, x, w, 1, 1, 1);
    dd_gradient(graph, y, y, (dd_node[]){x, w}, 2, gradients);
    dd_output(graph, gradients[0], 2, 0);
    dd_output(graph, gradients[1], 3, 0);
    dd_plan_options options = {.phases = 1, .parts = THREADS};
    SWEEP_ALLOCATIONS(self, plan, dd_plan_create(&plan, graph, options));
    dd_plan_free(plan);
    ddaebm_context_free(context);
    ck_assert_uint_eq(self.live, 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {the_backends_built_in_are_those_that_run,
                                  weights_are_packed_for_each_use,
                                  prepared_weights_stay_packed,
                                  weights_may_be_packed_beforehand,
                                  no_thread_is_started_but_the_pool_s,
                                  a_plan_serves_several_threads,
                                  minimal_filtering_fits_any_size,
                                  matrices_larger_than_an_int_are_refused,
                                  plans_fail_cleanly};
    dd_computation_begin();
    int failed = run_tests("convolution", tests, sizeof tests / sizeof *tests);
    dd_computation_end();
    return failed;
}
