/* A graph with numbers for its slots, run by a plan and compared with the plain-loop twin; and an
 * allocator that counts, and fails when asked to. Values may differ by NEAR times the larger of a
 * tensor's largest entry and 1. For the tests of lib/tensor/graph and lib/tensor/plan. */
#ifndef TEST_PLAN_BENCH_H
#define TEST_PLAN_BENCH_H

#include "base/context.h"
#include "base/rng.h"
#include "support/extremes.h"
#include "support/plain.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"
#include "tensor/plan/program.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 2e-5

/* Slots below RESULTS are inputs, the others outputs. */
enum { RESULTS = 16, MOST_RESULTS = 48, MOST_PHASES = 2 };

/* --- An allocator that counts, and fails when asked to. --- */

typedef struct counter {
    size_t calls, live, bytes;
    size_t allowed; /* calls that succeed */
} counter;

static inline void *counted_allocate(void *user, size_t size) {
    counter *count = user;
    if (count->calls++ >= count->allowed)
        return NULL;
    count->live++;
    count->bytes += size;
    return malloc(size);
}

static inline void counted_release(void *user, void *pointer) {
    ((counter *)user)->live--;
    free(pointer);
}

static inline ddaebm_context *counted_context(counter *count, int threads) {
    *count = (counter){.allowed = SIZE_MAX};
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    allocator.allocate = counted_allocate;
    allocator.release = counted_release;
    allocator.user = count;
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_context_set_threads(context, threads), DDAEBM_OK);
    return context;
}

/* --- A graph with numbers for its slots, compared with the twin. --- */

typedef struct bench {
    counter count;
    ddaebm_context *context;
    dd_graph *graph;
    dd_plan *plan;
    int phases, results;
    dd_node result[MOST_RESULTS];
    size_t sizes[MOST_RESULTS];
    size_t inputs[RESULTS];              /* elements of the input slots */
    double *wide[MOST_PHASES][RESULTS];  /* their numbers in each phase, for the twin */
    float *narrow[MOST_PHASES][RESULTS]; /* and for the plan */
    double *expected[MOST_RESULTS];
    float *found[MOST_RESULTS];
    dd_plan_options options; /* phases, prepare and parts are set for each plan */
} bench;

static inline void *zeroed(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    ck_assert_ptr_nonnull(block);
    return block;
}

static inline void open_bench(bench *b, int threads, int phases) {
    *b = (bench){.phases = phases};
    b->context = counted_context(&b->count, threads);
    ck_assert_int_eq(dd_graph_create(&b->graph, b->context), DDAEBM_OK);
}

static inline void close_bench(bench *b) {
    dd_plan_free(b->plan);
    if (!b->plan)
        dd_graph_free(b->graph);
    ddaebm_context_free(b->context);
    ck_assert_uint_eq(b->count.live, 0);
    for (int phase = 0; phase < MOST_PHASES; phase++)
        for (int slot = 0; slot < RESULTS; slot++) {
            free(b->wide[phase][slot]);
            free(b->narrow[phase][slot]);
        }
    for (int i = 0; i < b->results; i++) {
        free(b->expected[i]);
        free(b->found[i]);
    }
}

/* Adds an input slot whose numbers, between low and high, differ from phase to phase. */
static inline dd_node add_input(bench *b, int slot, dd_shape shape, int phase, double low,
                                double high) {
    size_t count = dd_shape_elements(shape);
    b->inputs[slot] = count;
    for (int p = 0; p < b->phases; p++) {
        if (b->wide[p][slot])
            continue;
        b->wide[p][slot] = zeroed(count, sizeof(double));
        b->narrow[p][slot] = zeroed(count, sizeof(float));
        dd_rng_uniforms(b->narrow[p][slot], 3, (uint64_t)(slot * MOST_PHASES + p), 0, count);
        for (size_t i = 0; i < count; i++) {
            b->narrow[p][slot][i] = (float)(low + (high - low) * (double)b->narrow[p][slot][i]);
            b->wide[p][slot][i] = (double)b->narrow[p][slot][i];
        }
    }
    return dd_input(b->graph, slot, shape, phase);
}

static inline void ask(bench *b, dd_node node, int phase) {
    if (node == DD_NONE)
        return;
    int i = b->results++;
    b->result[i] = node;
    b->sizes[i] = dd_shape_elements(dd_graph_shape(b->graph, node));
    b->expected[i] = zeroed(b->sizes[i], sizeof(double));
    b->found[i] = zeroed(b->sizes[i], sizeof(float));
    dd_output(b->graph, node, RESULTS + i, phase);
}

static inline void make_plan(bench *b, bool prepare, int parts) {
    test_plain *twin = test_plain_create(b->graph);
    test_plain_input inputs[MOST_PHASES * RESULTS];
    size_t count = 0;
    for (int phase = 0; phase < b->phases; phase++)
        for (int slot = 0; slot < RESULTS; slot++)
            if (b->wide[phase][slot])
                inputs[count++] = (test_plain_input){slot, phase, b->wide[phase][slot]};
    test_plain_run(twin, inputs, count);
    for (int i = 0; i < b->results; i++)
        memcpy(b->expected[i], test_plain_value(twin, b->result[i]), b->sizes[i] * sizeof(double));
    test_plain_free(twin);
    dd_plan_options options = b->options;
    options.phases = b->phases;
    options.prepare = prepare;
    options.parts = parts;
    ck_assert_int_eq(dd_plan_create(&b->plan, b->graph, options), DDAEBM_OK);
}

static inline dd_workspace *make_workspace(bench *b) {
    dd_workspace *workspace = NULL;
    ck_assert_int_eq(dd_workspace_create(&workspace, b->plan), DDAEBM_OK);
    for (int i = 0; i < b->results; i++)
        dd_workspace_bind(workspace, RESULTS + i, b->found[i]);
    return workspace;
}

static inline void forget_results(bench *b) {
    for (int i = 0; i < b->results; i++)
        for (size_t j = 0; j < b->sizes[i]; j++)
            b->found[i][j] = NAN;
}

static inline void run_phase(bench *b, dd_workspace *workspace, int phase, bool alone) {
    for (int slot = 0; slot < RESULTS; slot++)
        if (b->narrow[phase][slot])
            dd_workspace_bind(workspace, slot, b->narrow[phase][slot]);
    dd_workspace_run(workspace, phase, dd_context_pool(b->context), alone);
}

/* Compares the results from `first` on with the twin. */
static inline void check_results(const bench *b, int first, const char *what) {
    for (int i = first; i < b->results; i++) {
        double largest = 1, worst = 0;
        for (size_t j = 0; j < b->sizes[i]; j++) {
            double error = fabs((double)b->found[i][j] - b->expected[i][j]);
            largest = larger(largest, fabs(b->expected[i][j]));
            worst = error <= worst ? worst : error; /* NaN is the worst */
        }
        ck_assert_msg(worst <= NEAR * largest, "%s: result %d (%s) is off by %g of %g", what, i,
                      dd_op_describe(dd_graph_node(b->graph, b->result[i])->op)->name, worst,
                      largest);
    }
}

static inline uint64_t hash_results(const bench *b) {
    uint64_t hash = 1469598103934665603u;
    for (int i = 0; i < b->results; i++)
        for (size_t j = 0; j < b->sizes[i] * sizeof(float); j++)
            hash = (hash ^ ((const unsigned char *)b->found[i])[j]) * 1099511628211u;
    return hash;
}

/* --- Whether the arena holds each tensor from when it is made until it is last read. --- */

typedef struct life {
    size_t first, last; /* tasks */
} life;

static inline void lengthen(const dd_plan *plan, life *lives, dd_node node, size_t task) {
    node = dd_graph_base(plan->graph, node);
    bool later =
        lives[node].first < task && plan->tasks[lives[node].first].phase < plan->tasks[task].phase;
    if (plan->options.prepare && later)
        lives[node].last = SIZE_MAX;
    if (lives[node].last < task)
        lives[node].last = task;
}

static inline void find_lives(const dd_plan *plan, life *lives) {
    for (size_t i = 0; i < plan->task_count; i++) {
        const dd_task *task = &plan->tasks[i];
        const dd_node_data *data = dd_graph_node(plan->graph, task->node);
        if (!task->loop) {
            lives[task->node] = (life){i, i};
            for (int j = 0; j < dd_op_describe(data->op)->arity; j++)
                lengthen(plan, lives, data->inputs[j], i);
            continue;
        }
        for (int j = 0; j < task->loop->instructions; j++)
            lives[task->loop->value[task->loop->instruction[j].out].node] = (life){i, i};
        for (int v = 0; v < task->loop->values; v++)
            if (task->loop->value[v].kind != DD_VALUE_SCRATCH)
                lengthen(plan, lives, task->loop->value[v].node, i);
    }
}

static inline bool in_arena(const dd_plan *plan, dd_node node) {
    return plan->locations[node].place == DD_PLACE_ARENA &&
           dd_graph_base(plan->graph, node) == node;
}

static inline void check_memory(const dd_plan *plan) {
    size_t nodes = dd_graph_nodes(plan->graph);
    life *lives = zeroed(nodes, sizeof *lives);
    find_lives(plan, lives);
    for (dd_node a = 0; a < (dd_node)nodes; a++) {
        if (!in_arena(plan, a))
            continue;
        size_t from = plan->locations[a].offset,
               to = from + dd_shape_elements(dd_graph_shape(plan->graph, a));
        ck_assert_uint_le(to, plan->arena);
        ck_assert_uint_eq(from % 16, 0);
        for (dd_node c = 0; c < a; c++) {
            if (!in_arena(plan, c) || lives[a].first > lives[c].last ||
                lives[c].first > lives[a].last)
                continue;
            size_t begin = plan->locations[c].offset,
                   end = begin + dd_shape_elements(dd_graph_shape(plan->graph, c));
            ck_assert_msg(end <= from || to <= begin, "nodes %d and %d live together in one place",
                          c, a);
        }
    }
    free(lives);
}

/* Runs the tests of a case while the BLAS keeps to one thread: returns main's result. */
static inline int run_tests(const char *name, void (*add_tests)(TCase *tests)) {
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, dd_computation_begin, dd_computation_end);
    add_tests(tests);
    suite_add_tcase(suite, tests);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
