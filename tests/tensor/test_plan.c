/* Plans of whole graphs, random ones and a loss like those the library trains with: results
 * compared with the plain loops, places in memory, and what happens when memory runs out. Runs of
 * one plan are equal bit for bit. */
#include "support/plan_bench.h"

#include <stdio.h>

enum { GRAPHS = 200 };

/* --- Random graphs. Their slots hold the same numbers in all phases, as a source is read whenever
 * it is used. --- */

typedef struct dice {
    uint64_t seed, at;
} dice;

static size_t roll(dice *d, size_t sides) {
    uint32_t word;
    dd_rng_words(&word, d->seed, 0, d->at++, 1);
    return word % sides;
}

typedef struct random_graph {
    bench *bench;
    dice dice;
    dd_shape full; /* each axis of each node has this size, or 1 */
    dd_node nodes[64];
    size_t count;
} random_graph;

/* Picks a node, later ones more often. */
static dd_node pick(random_graph *r) {
    size_t a = roll(&r->dice, r->count), b = roll(&r->dice, r->count);
    return r->nodes[a > b ? a : b];
}

static dd_shape pick_shape(random_graph *r) {
    dd_shape shape = r->full;
    size_t bits = roll(&r->dice, 3) == 0 ? 15 : roll(&r->dice, 16);
    for (int i = 0; i < DD_AXES; i++)
        if (!(bits >> i & 1))
            shape.size[i] = 1;
    return shape;
}

static dd_node random_unary(random_graph *r, dd_node x) {
    dd_graph *g = r->bench->graph;
    switch (roll(&r->dice, 11)) {
    case 0:
        return dd_tanh(g, x);
    case 1:
        return dd_sigmoid(g, x);
    case 2:
        return dd_sin(g, dd_tanh(g, x));
    case 3:
        return dd_cos(g, dd_tanh(g, x));
    case 4:
        return dd_exp(g, dd_tanh(g, x));
    case 5:
        return dd_log(g, dd_affine(g, dd_power(g, dd_tanh(g, x), 2), 1, 0.5));
    case 6:
        return dd_power(g, dd_affine(g, dd_sigmoid(g, x), 1, 0.5), roll(&r->dice, 2) ? -0.5 : -1);
    case 7:
        return dd_affine(g, x, -0.75, 0.25);
    case 8:
        return dd_expand(g, x, r->full);
    case 9:
        return dd_detach(g, x);
    default:
        return dd_multiply(g, x, dd_heaviside(g, dd_affine(g, x, 1, 0.125)));
    }
}

/* Makes a sum or a move whose shape can be broadcast with the others. */
static dd_node random_move(random_graph *r, dd_node x) {
    dd_graph *g = r->bench->graph;
    dd_shape shape = dd_graph_shape(g, x), to = pick_shape(r);
    size_t size = shape.size[3];
    for (int i = 0; i < DD_AXES; i++)
        to.size[i] = shape.size[i] == 1 ? 1 : to.size[i];
    switch (roll(&r->dice, 6)) {
    case 0:
        return dd_pad(g, dd_slice(g, x, 3, size / 2, size - size / 2), 3, 0, size);
    case 1:
        return dd_slice(g, dd_concat(g, x, dd_tanh(g, x), 3), 3, size / 2, size);
    case 2: /* to another shape and back */
        return dd_reshape(g,
                          dd_sin(g, dd_reshape(g, dd_tanh(g, x),
                                               (dd_shape){{1, 1, 1, dd_shape_elements(shape)}})),
                          shape);
    case 3:
        return dd_affine(g,
                         dd_matmul(g, dd_matmul(g, dd_tanh(g, x), false, dd_tanh(g, x), true),
                                   false, dd_sin(g, dd_tanh(g, x)), false),
                         1 / (double)(shape.size[2] * size), 0);
    default:
        return dd_mean(g, x, to);
    }
}

static dd_node random_node(random_graph *r) {
    dd_graph *g = r->bench->graph;
    dd_node a = pick(r), b = pick(r);
    switch (roll(&r->dice, 8)) {
    case 0:
        return dd_add(g, a, b);
    case 1:
        return dd_subtract(g, a, b);
    case 2:
        return dd_multiply(g, a, dd_tanh(g, b));
    case 3:
        return dd_add(g, a, dd_scalar(g, 0.5));
    case 4:
        return random_move(r, a);
    default:
        return random_unary(r, a);
    }
}

static void grow_randomly(random_graph *r, bench *b, int seed) {
    static const size_t widths[] = {1, 2, 17, 130, 511, 513, 600}, heights[] = {1, 2, 5, 30};
    *r = (random_graph){.bench = b, .dice = {(uint64_t)seed, 0}};
    r->full = (dd_shape){{1 + roll(&r->dice, 2), 1 + roll(&r->dice, 3), heights[roll(&r->dice, 4)],
                          widths[roll(&r->dice, 7)]}};
    for (int slot = 0; slot < 6; slot++)
        r->nodes[r->count++] = add_input(b, slot, slot == 0 ? r->full : pick_shape(r),
                                         b->phases > 1 && slot > 2, -1.5, 1.5);
    if (b->phases > 1) /* the same slot again */
        r->nodes[r->count++] = dd_input(b->graph, 1, dd_graph_shape(b->graph, r->nodes[1]), 1);
    for (int slot = 0; slot < 6 && b->phases > 1; slot++) {
        memcpy(b->wide[1][slot], b->wide[0][slot], b->inputs[slot] * sizeof(double));
        memcpy(b->narrow[1][slot], b->narrow[0][slot], b->inputs[slot] * sizeof(float));
    }
    size_t wanted = r->count + 8 + roll(&r->dice, 40);
    while (r->count < wanted)
        r->nodes[r->count++] = random_node(r);
    for (int i = 0; i < 5; i++)
        ask(b, pick(r), b->phases > 1 && roll(&r->dice, 2));
    ask(b, b->result[0], b->phases - 1);
    if (roll(&r->dice, 2)) {
        dd_node gradients[3];
        dd_gradient(b->graph, dd_mean(b->graph, r->nodes[r->count - 1], (dd_shape){{1, 1, 1, 1}}),
                    DD_NONE, r->nodes, 3, gradients);
        for (int i = 0; i < 3; i++)
            ask(b, gradients[i], b->phases - 1);
    }
    ck_assert_int_eq(dd_graph_status(b->graph), DDAEBM_OK);
}

START_TEST(random_graphs_compute_what_plain_loops_do) {
    for (int seed = _i; seed < GRAPHS; seed += 4) {
        bench b;
        random_graph r;
        char name[64];
        bool prepare = seed / 8 % 2;
        (void)snprintf(name, sizeof name, "graph of seed %d%s", seed, prepare ? ", prepared" : "");
        open_bench(&b, 2, 1 + seed / 4 % 2);
        grow_randomly(&r, &b, seed);
        make_plan(&b, prepare, 1 + seed % 3);
        check_memory(b.plan);
        uint64_t hash = 0;
        for (int run = 0; run < 3; run++) {
            dd_workspace *workspace = make_workspace(&b);
            forget_results(&b);
            for (int phase = 0; phase < b.phases; phase++)
                run_phase(&b, workspace, phase, run == 1);
            check_results(&b, 0, name);
            ck_assert_msg(run == 0 || hash == hash_results(&b), "%s: runs differ", name);
            hash = hash_results(&b);
            dd_workspace_free(workspace);
        }
        close_bench(&b);
    }
}
END_TEST

/* --- A loss like those the library trains with: a network, the square of its gradient, and the
 * gradient of both. --- */

enum { BATCH = 37, WIDTH = 5, HIDDEN = 70, LAYERS = 3 };

static dd_node swish(dd_graph *g, dd_node x) {
    return dd_multiply(g, x, dd_sigmoid(g, x));
}

/* Builds the network, with weights in slots 1, 2, ...; returns the energies. */
static dd_node network(dd_graph *g, dd_node x, const dd_node *weights) {
    for (int layer = 0; layer < LAYERS; layer++) {
        x = dd_add(g, dd_matmul(g, x, false, weights[2 * layer], true), weights[2 * layer + 1]);
        x = layer + 1 < LAYERS ? swish(g, x) : x;
    }
    return x;
}

static dd_shape weight_shape(int i) {
    size_t out = i / 2 + 1 < LAYERS ? HIDDEN : 1, in = i / 2 == 0 ? WIDTH : HIDDEN;
    return i % 2 ? dd_shape_rows(1, out) : dd_shape_rows(out, in);
}

/* Asks for the loss, then its gradients. */
static void build_loss(dd_graph *g, dd_node x, const dd_node *weights,
                       dd_node results[1 + 2 * LAYERS]) {
    dd_node slope, energy = network(g, x, weights);
    dd_gradient(g, energy, DD_NONE, &x, 1, &slope);
    dd_node penalty = dd_sum(g, dd_power(g, slope, 2), dd_shape_rows(BATCH, 1));
    results[0] = dd_mean(g, dd_add(g, energy, dd_affine(g, penalty, 0.5, 0)), dd_shape_rows(1, 1));
    dd_gradient(g, results[0], DD_NONE, weights, (size_t)2 * LAYERS, results + 1);
}

static void build_training(bench *b) {
    dd_node weights[2 * LAYERS], results[1 + 2 * LAYERS];
    dd_node x = add_input(b, 0, dd_shape_rows(BATCH, WIDTH), 0, -2, 2);
    for (int i = 0; i < 2 * LAYERS; i++)
        weights[i] = add_input(b, 1 + i, weight_shape(i), 0, -0.2, 0.2);
    build_loss(b->graph, x, weights, results);
    for (int i = 0; i < 1 + 2 * LAYERS; i++)
        ask(b, results[i], 0);
    ck_assert_int_eq(b->results, 1 + 2 * LAYERS);
}

START_TEST(a_loss_with_its_gradient_inside) {
    for (int parts = 1; parts <= 3; parts++) {
        bench b;
        open_bench(&b, parts, 1);
        build_training(&b);
        make_plan(&b, false, parts);
        check_memory(b.plan);
        uint64_t hash = 0;
        dd_workspace *workspace = make_workspace(&b), *other = make_workspace(&b);
        for (int run = 0; run < 8; run++) { /* two workspaces in turns, together and alone */
            forget_results(&b);
            run_phase(&b, run % 2 ? workspace : other, 0, run / 2 % 2);
            check_results(&b, 0, "training");
            ck_assert(run == 0 || hash == hash_results(&b));
            hash = hash_results(&b);
        }
        dd_workspace_free(workspace);
        dd_workspace_free(other);
        close_bench(&b);
    }
}
END_TEST

/* --- Memory. --- */

START_TEST(memory_is_known_and_runs_take_none) {
    bench b;
    open_bench(&b, 2, 1);
    build_training(&b);
    make_plan(&b, false, 2);
    size_t before = b.count.bytes, calls = b.count.calls, live = b.count.live;
    dd_workspace *workspace = make_workspace(&b);
    size_t bytes = b.count.bytes - before, blocks = b.count.calls - calls;
    ck_assert_uint_ge(bytes, dd_plan_memory(b.plan));
    ck_assert_uint_le(bytes, dd_plan_memory(b.plan) + blocks * (64 + sizeof(void *)) + 64);
    calls = b.count.calls;
    for (int run = 0; run < 4; run++)
        run_phase(&b, workspace, 0, run % 2);
    ck_assert_uint_eq(b.count.calls, calls);
    dd_workspace_free(workspace);
    ck_assert_uint_eq(b.count.live, live);
    close_bench(&b);
}
END_TEST

/* A chain of products needs two places in memory, however long it is. */
START_TEST(places_are_used_again) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node w = add_input(&b, 0, dd_shape_rows(32, 32), 0, -0.3, 0.3), x = w;
    for (int i = 0; i < 10; i++)
        x = dd_matmul(b.graph, x, false, w, false);
    ask(&b, x, 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(b.plan->arena, 2 * 32 * 32);
    check_memory(b.plan);
    close_bench(&b);
}
END_TEST

/* Builds and plans the loss on inputs of its own, and makes a workspace. */
static ddaebm_status build_plan_and_workspace(ddaebm_context *context) {
    const float numbers[3] = {1, 2, 3};
    dd_graph *g = NULL;
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    ddaebm_status status = dd_graph_create(&g, context);
    if (status != DDAEBM_OK)
        return status;
    dd_node weights[2 * LAYERS], results[1 + 2 * LAYERS];
    dd_node x = dd_input(g, 0, dd_shape_rows(BATCH, WIDTH), 0);
    for (int i = 0; i < 2 * LAYERS; i++)
        weights[i] = dd_input(g, 1 + i, weight_shape(i), 0);
    build_loss(g, x, weights, results);
    results[0] = dd_multiply(g, results[0], dd_constant(g, numbers, dd_shape_rows(1, 3)));
    for (int i = 0; i < 1 + 2 * LAYERS; i++)
        dd_output(g, results[i], RESULTS + i, 0);
    status = dd_plan_create(&plan, g, (dd_plan_options){.phases = 1, .parts = 2});
    if (status != DDAEBM_OK) {
        ck_assert_ptr_null(plan);
        dd_graph_free(g);
        return status;
    }
    status = dd_workspace_create(&workspace, plan);
    dd_workspace_free(workspace);
    dd_plan_free(plan);
    return status;
}

START_TEST(memory_that_runs_out_is_a_status) {
    counter count;
    ddaebm_context *context = counted_context(&count, 2);
    size_t live = count.live, failures = 0;
    ddaebm_status status;
    do {
        count.calls = 0;
        count.allowed = failures++;
        status = build_plan_and_workspace(context);
        ck_assert_uint_eq(count.live, live);
        ck_assert(status == DDAEBM_OK ||
                  (status == DDAEBM_OUT_OF_MEMORY && *ddaebm_error_message()));
        ck_assert_uint_lt(failures, 10000);
    } while (status != DDAEBM_OK);
    ck_assert_uint_gt(failures, 30);
    count.allowed = SIZE_MAX;
    ddaebm_context_free(context);
    ck_assert_uint_eq(count.live, 0);
}
END_TEST

/* --- Limits. --- */

START_TEST(what_is_too_large_is_a_status) {
    const dd_shape shapes[] = {{{1, 1, 1, (size_t)1 << 31}},
                               {{1 << 30, 1 << 30, 1, 1}},
                               {{1 << 30, 1 << 30, 1 << 30, 1 << 30}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        bench b;
        dd_plan *plan = NULL;
        open_bench(&b, 1, 1);
        dd_output(b.graph, dd_tanh(b.graph, dd_input(b.graph, 0, shapes[i], 0)), 1, 0);
        ck_assert_int_eq(dd_plan_create(&plan, b.graph, (dd_plan_options){.phases = 1, .parts = 1}),
                         DDAEBM_OUT_OF_RANGE);
        close_bench(&b);
    }
}
END_TEST

/* --- Parts. --- */

static int tasks_that_wake(size_t side) {
    bench b;
    open_bench(&b, 4, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(side, side), 0, -1, 1);
    ask(&b, dd_matmul(b.graph, dd_matmul(b.graph, x, false, x, false), false, x, true), 0);
    make_plan(&b, false, 4);
    int cut = 0, waking = 0;
    for (size_t i = 0; i < b.plan->task_count; i++) {
        bool packs = b.plan->tasks[i].stage == DD_TASK_PACK; /* as the second product may want */
        cut += b.plan->tasks[i].parallel && !packs;
        waking += b.plan->tasks[i].wakes && !packs;
    }
    ck_assert_int_eq(cut, 2);
    close_bench(&b);
    return waking;
}

/* Threads that are awake may take part in any task. */
START_TEST(small_tasks_wake_nobody) {
    ck_assert_int_eq(tasks_that_wake(64), 0);
    ck_assert_int_eq(tasks_that_wake(512), 2);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, random_graphs_compute_what_plain_loops_do, 0, 4);
    tcase_add_test(tests, a_loss_with_its_gradient_inside);
    tcase_add_test(tests, memory_is_known_and_runs_take_none);
    tcase_add_test(tests, places_are_used_again);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    tcase_add_test(tests, what_is_too_large_is_a_status);
    tcase_add_test(tests, small_tasks_wake_nobody);
}

int main(void) {
    return run_tests("plan", add_tests);
}
