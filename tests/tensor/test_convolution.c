#define _POSIX_C_SOURCE 200809L /* mkdtemp */
/* What the gradient table does not see of convolutions: who runs them, when weights are packed, and that no thread is started
 * behind the library's back. The backend built in is held against the one by matrix products, within NEAR of the largest entry. */
#include "base/context.h"
#include "base/rng.h"
#include "support/harness.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/matmul.h"
#include "tensor/plan.h"

#include <math.h>
#include <pthread.h>

#define NEAR 1e-5

enum { PICTURES = 4, SIDE = 8, WIDTH = 32, PICTURE = SIDE * SIDE * WIDTH, TAPS = 9, THREADS = 2 };

/* Slots: pictures of both phases, weights, results. */
enum { FIRST, SECOND, WEIGHTS, RESULT, LATER, GRADIENT, SLOTS };

static const size_t sizes[SLOTS] = {PICTURES * PICTURE, PICTURES *PICTURE, WIDTH *TAPS *WIDTH,
                                    PICTURES *PICTURE,  PICTURES *PICTURE, PICTURES *PICTURE};

typedef struct bench {
    ddaebm_context *context;
    dd_plan *plan;
    dd_workspace *workspace;
    float *numbers[SLOTS];
} bench;

static void fill(bench *b, int slot, uint64_t seed) {
    dd_rng_normals(b->numbers[slot], seed, 0, 0, sizes[slot]);
}

/* Phase 0 convolves twice with the same weights and asks for the gradient in between; phase 1 once more with others' pictures. */
static void open_bench(bench *b, const dd_convolution_backend *backend, bool prepare) {
    dd_graph *graph = NULL;
    const dd_shape pictures = {{PICTURES, SIDE, SIDE, WIDTH}};
    *b = (bench){.context = NULL};
    ASSERT_OK(ddaebm_context_create(&b->context, NULL));
    ASSERT_OK(ddaebm_context_set_threads(b->context, THREADS));
    ASSERT_OK(dd_graph_create(&graph, b->context));
    dd_node weights = dd_input(graph, WEIGHTS, (dd_shape){{WIDTH, 3, 3, WIDTH}}, 0);
    dd_node inner = dd_convolve(graph, dd_input(graph, FIRST, pictures, 0), weights, 1, 1, 1), gradient = DD_NONE;
    dd_node outer = dd_convolve(graph, inner, weights, 1, 1, 1);
    dd_gradient(graph, outer, outer, &inner, 1, &gradient);
    dd_output(graph, outer, RESULT, 0);
    dd_output(graph, gradient, GRADIENT, 0);
    dd_output(graph, dd_convolve(graph, dd_input(graph, SECOND, pictures, 1), weights, 1, 1, 1), LATER, 1);
    dd_plan_options options = {.phases = 2, .prepare = prepare, .parts = THREADS, .convolutions = backend};
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
    ck_assert_msg((double)worst <= NEAR * (double)largest, "slot %d is off by %g of %g", slot, (double)worst, (double)largest);
}

START_TEST(the_backend_built_in_is_the_one_that_runs) {
    ddaebm_context *context = NULL;
    dd_convolution *made = NULL;
    const dd_convolution_shape shape = {PICTURES, SIDE, SIDE, WIDTH, SIDE, SIDE, WIDTH, 3, 3, 1, 1};
    ASSERT_OK(ddaebm_context_create(&context, NULL));
    for (int kind = DD_CONVOLUTION_FORWARD; kind <= DD_CONVOLUTION_WEIGHT; kind++) {
        ASSERT_OK(dd_convolution_choose()->create(&made, context, (dd_convolution_kind)kind, &shape, THREADS));
        ck_assert_str_eq(made->backend->name, dd_convolution_choose()->name);
        made->backend->destroy(made);
    }
    ddaebm_context_free(context);
}
END_TEST

/* The weights change between the phases, as the energy's do: nothing packed before may be used then. */
START_TEST(weights_are_packed_once_a_phase) {
    bench best, plain;
    open_bench(&best, dd_convolution_choose(), false);
    open_bench(&plain, &dd_convolution_blas, false);
    bool packs = dd_convolution_choose() != &dd_convolution_blas;
    ck_assert_uint_eq(dd_plan_steps(best.plan), dd_plan_steps(plain.plan) + (packs ? 3 : 0));
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
END_TEST

/* Phase 1 is run again and again, on what phase 0 packed. */
START_TEST(prepared_weights_stay_packed) {
    bench best, plain;
    open_bench(&best, dd_convolution_choose(), true);
    open_bench(&plain, &dd_convolution_blas, true);
    bool packs = dd_convolution_choose() != &dd_convolution_blas;
    ck_assert_uint_eq(dd_plan_steps(best.plan), dd_plan_steps(plain.plan) + (packs ? 2 : 0));
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
    bench b;
    if (omp_set_num_threads)
        omp_set_num_threads(3);
    size_t before = threads_of_process();
    open_bench(&b, dd_convolution_choose(), false);
    run(&b, 0);
    run(&b, 1);
    ck_assert_uint_le(threads_of_process(), before + THREADS - 1);
    if (omp_get_max_threads)
        ck_assert_int_eq(omp_get_max_threads(), 3);
    close_bench(&b);
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

/* A plan is read-only: two workspaces at once give what one gives. */
START_TEST(a_plan_serves_several_threads) {
    bench b;
    runner runners[2];
    pthread_t threads[2];
    open_bench(&b, dd_convolution_choose(), false);
    run(&b, 0);
    run(&b, 1);
    for (int i = 0; i < 2; i++) {
        runners[i] = (runner){.b = &b};
        ASSERT_OK(dd_workspace_create(&runners[i].workspace, b.plan));
        for (int slot = 0; slot < SLOTS; slot++) {
            runners[i].results[slot] = slot >= RESULT ? dd_alloc_zero(b.context, sizes[slot], sizeof(float)) : NULL;
            dd_workspace_bind(runners[i].workspace, slot, slot >= RESULT ? runners[i].results[slot] : b.numbers[slot]);
        }
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_often, &runners[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        for (int slot = RESULT; slot < SLOTS; slot++) {
            ck_assert_mem_eq(runners[i].results[slot], b.numbers[slot], sizes[slot] * sizeof(float));
            dd_free(b.context, runners[i].results[slot]);
        }
        dd_workspace_free(runners[i].workspace);
    }
    close_bench(&b);
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
    ASSERT_FAILS(dd_plan_create(&plan, graph, (dd_plan_options){.phases = 1, .parts = 1}), DDAEBM_OUT_OF_RANGE, "too large");
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
    dd_node x = dd_input(graph, 0, (dd_shape){{PICTURES, SIDE, SIDE, WIDTH}}, 0), gradients[2];
    dd_node w = dd_input(graph, 1, (dd_shape){{WIDTH, 3, 3, WIDTH}}, 0), y = dd_convolve(graph, x, w, 1, 1, 1);
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
    const TTest *const tests[] = {the_backend_built_in_is_the_one_that_runs,
                                  weights_are_packed_once_a_phase,
                                  prepared_weights_stay_packed,
                                  no_thread_is_started_but_the_pool_s,
                                  a_plan_serves_several_threads,
                                  matrices_larger_than_an_int_are_refused,
                                  plans_fail_cleanly};
    dd_blas_enter();
    int failed = run_tests("convolution", tests, sizeof tests / sizeof *tests);
    dd_blas_leave();
    return failed;
}
