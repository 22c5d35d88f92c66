/* Plans of whole graphs: what they compute against the plain loops, how they fuse, when they
 * compute (phases), where they put it (memory), and what happens when memory runs out. Values are
 * held within NEAR of a tensor's largest entry or of 1; runs of one plan are equal bit for bit. */
#include "base/context.h"
#include "base/rng.h"
#include "support/extremes.h"
#include "support/plain.h"
#include "support/runner.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/kernels/matmul.h"
#include "tensor/plan_internal.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 2e-5

/* Slots below RESULTS are inputs, the others outputs. */
enum { RESULTS = 16, MOST_RESULTS = 48, GRAPHS = 200, MOST_PHASES = 2 };

/* --- Memory that is counted, and that runs out when told to. --- */

typedef struct counter {
    size_t calls, live, bytes;
    size_t allowed; /* calls that succeed */
} counter;

static void *counted_allocate(void *user, size_t size) {
    counter *count = user;
    if (count->calls++ >= count->allowed)
        return NULL;
    count->live++;
    count->bytes += size;
    return malloc(size);
}

static void counted_release(void *user, void *pointer) {
    ((counter *)user)->live--;
    free(pointer);
}

static ddaebm_context *counted_context(counter *count, int threads) {
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

/* --- A graph with numbers for its slots, held against the twin. --- */

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

static void *zeroed(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    ck_assert_ptr_nonnull(block);
    return block;
}

static void open_bench(bench *b, int threads, int phases) {
    *b = (bench){.phases = phases};
    b->context = counted_context(&b->count, threads);
    ck_assert_int_eq(dd_graph_create(&b->graph, b->context), DDAEBM_OK);
}

static void close_bench(bench *b) {
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

/* A slot whose numbers differ from phase to phase, all between low and high. */
static dd_node add_input(bench *b, int slot, dd_shape shape, int phase, double low, double high) {
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

static void ask(bench *b, dd_node node, int phase) {
    if (node == DD_NONE)
        return;
    int i = b->results++;
    b->result[i] = node;
    b->sizes[i] = dd_shape_elements(dd_graph_shape(b->graph, node));
    b->expected[i] = zeroed(b->sizes[i], sizeof(double));
    b->found[i] = zeroed(b->sizes[i], sizeof(float));
    dd_output(b->graph, node, RESULTS + i, phase);
}

static void make_plan(bench *b, bool prepare, int parts) {
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

static dd_workspace *make_workspace(bench *b) {
    dd_workspace *workspace = NULL;
    ck_assert_int_eq(dd_workspace_create(&workspace, b->plan), DDAEBM_OK);
    for (int i = 0; i < b->results; i++)
        dd_workspace_bind(workspace, RESULTS + i, b->found[i]);
    return workspace;
}

static void forget_results(bench *b) {
    for (int i = 0; i < b->results; i++)
        for (size_t j = 0; j < b->sizes[i]; j++)
            b->found[i][j] = NAN;
}

static void run_phase(bench *b, dd_workspace *workspace, int phase, bool alone) {
    for (int slot = 0; slot < RESULTS; slot++)
        if (b->narrow[phase][slot])
            dd_workspace_bind(workspace, slot, b->narrow[phase][slot]);
    dd_workspace_run(workspace, phase, dd_context_pool(b->context), alone);
}

/* Results from `first` on. */
static void check_results(const bench *b, int first, const char *what) {
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

static uint64_t hash_results(const bench *b) {
    uint64_t hash = 1469598103934665603u;
    for (int i = 0; i < b->results; i++)
        for (size_t j = 0; j < b->sizes[i] * sizeof(float); j++)
            hash = (hash ^ ((const unsigned char *)b->found[i])[j]) * 1099511628211u;
    return hash;
}

/* --- Whether the arena holds each tensor from when it is made until it is last read. --- */

typedef struct life {
    size_t first, last; /* steps */
} life;

static void lengthen(const dd_plan *plan, life *lives, dd_node node, size_t step) {
    node = dd_plan_base(plan->graph, node);
    bool later =
        lives[node].first < step && plan->steps[lives[node].first].phase < plan->steps[step].phase;
    if (plan->options.prepare && later)
        lives[node].last = SIZE_MAX;
    if (lives[node].last < step)
        lives[node].last = step;
}

static void find_lives(const dd_plan *plan, life *lives) {
    for (size_t i = 0; i < plan->step_count; i++) {
        const dd_step_data *step = &plan->steps[i];
        const dd_node_data *data = dd_graph_node(plan->graph, step->node);
        if (!step->loop) {
            lives[step->node] = (life){i, i};
            for (int j = 0; j < dd_op_describe(data->op)->arity; j++)
                lengthen(plan, lives, data->inputs[j], i);
            continue;
        }
        for (int j = 0; j < step->loop->instructions; j++)
            lives[step->loop->value[step->loop->instruction[j].out].node] = (life){i, i};
        for (int v = 0; v < step->loop->values; v++)
            if (step->loop->value[v].kind != DD_VALUE_SCRATCH)
                lengthen(plan, lives, step->loop->value[v].node, i);
    }
}

static bool in_arena(const dd_plan *plan, dd_node node) {
    return plan->locations[node].place == DD_PLACE_ARENA && dd_plan_base(plan->graph, node) == node;
}

static void check_memory(const dd_plan *plan) {
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

/* --- Random graphs. Their slots hold the same in all phases: a source is read whenever it is used.
 * --- */

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

/* One of the nodes, the later the likelier. */
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
        return dd_multiply(g, x, dd_step(g, dd_affine(g, x, 1, 0.125)));
    }
}

/* Sums and moves; all give a shape that meets the others. */
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
    case 2: /* there and back by way of another shape */
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

/* --- A loss as those the library trains with: a network, its gradient's square, the gradient of it
 * all. --- */

enum { BATCH = 37, WIDTH = 5, HIDDEN = 70, LAYERS = 3 };

static dd_node swish(dd_graph *g, dd_node x) {
    return dd_multiply(g, x, dd_sigmoid(g, x));
}

/* Weights in slots 1, 2, ...; gives the energies. */
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

/* The loss first, then its gradients. */
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

/* --- Fusion, and nodes made once. --- */

START_TEST(a_chain_is_one_step) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(9, 70), 0, -1, 1), y = x;
    dd_node bias = add_input(&b, 1, dd_shape_rows(1, 70), 0, -1, 1),
            column = add_input(&b, 2, dd_shape_rows(9, 1), 0, -1, 1);
    for (int i = 0; i < 5; i++)
        y = dd_multiply(
            b.graph, column,
            dd_tanh(b.graph, dd_add(b.graph, dd_sin(b.graph, dd_add(b.graph, y, bias)), x)));
    ask(&b, y, 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_steps(b.plan), 1);
    ck_assert_uint_eq(b.plan->arena, 0);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "chain");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* Parts that begin in the middle of a row, or of a run of rows that read the same: what a tile
 * holds from the one before must do for it. */
START_TEST(repeated_operands_in_any_tile) {
    const dd_shape shapes[] = {{{3, 5, 1, 513}}, {{3, 7, 9, 100}}, {{5, 7, 11, 3}},
                               {{3, 1, 700, 1}}, {{1, 3, 5, 300}}, {{2, 1, 1, 1500}}};
    for (int parts = 1; parts <= 7; parts++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            bench b;
            open_bench(&b, 2, 1);
            dd_shape shape = shapes[s];
            dd_node y = add_input(&b, 0, shape, 0, -1, 1);
            for (int axes = 1; axes < 16; axes++) { /* those that are there, as bits */
                dd_shape part = shape;
                for (int i = 0; i < DD_AXES; i++)
                    part.size[i] = axes >> i & 1 ? shape.size[i] : 1;
                y = dd_tanh(b.graph, dd_add(b.graph, y, add_input(&b, axes, part, 0, -1, 1)));
            }
            ask(&b, y, 0);
            make_plan(&b, false, parts);
            dd_workspace *workspace = make_workspace(&b);
            run_phase(&b, workspace, 0, false);
            check_results(&b, 0, "repeated operands");
            dd_workspace_free(workspace);
            close_bench(&b);
        }
}
END_TEST

/* A loop holds DD_MOST_MEMBERS; what is longer becomes several, what has another shape stands
 * apart. */
START_TEST(long_chains_are_cut) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node y = add_input(&b, 0, dd_shape_rows(3, 600), 0, -1, 1),
            small = add_input(&b, 1, dd_shape_rows(3, 1), 0, -1, 1);
    for (int i = 0; i < 3; i++)
        small = dd_cos(b.graph, small);
    for (int i = 0; i < 2 * DD_MOST_MEMBERS + 1; i++)
        y = dd_sin(b.graph, y);
    ask(&b, dd_add(b.graph, y, small), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_steps(b.plan), 3 + 1);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "long chain");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

START_TEST(equal_nodes_are_made_once) {
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_shape shape = dd_shape_rows(2, 3);
    const float numbers[6] = {1, 2, 3, 4, 5, 6}, others[6] = {1, 2, 3, 4, 5, 7};
    dd_node x = dd_input(g, 0, shape, 0), y = dd_input(g, 1, shape, 0);
    ck_assert_int_eq(dd_input(g, 0, shape, 0), x);
    ck_assert_int_ne(dd_input(g, 0, shape, 1), x);
    ck_assert_int_eq(dd_add(g, x, y), dd_add(g, y, x));
    ck_assert_int_eq(dd_multiply(g, x, y), dd_multiply(g, y, x));
    ck_assert_int_ne(dd_subtract(g, x, y), dd_subtract(g, y, x));
    ck_assert_int_eq(dd_scalar(g, 0.25), dd_scalar(g, 0.25));
    ck_assert_int_eq(dd_constant(g, numbers, shape), dd_constant(g, numbers, shape));
    ck_assert_int_ne(dd_constant(g, numbers, shape), dd_constant(g, others, shape));
    ck_assert_int_ne(dd_constant(g, numbers, shape), dd_constant(g, numbers, dd_shape_rows(3, 2)));
    ck_assert_int_eq(dd_affine(g, dd_affine(g, x, 2, 1), 3, -1), dd_affine(g, x, 6, 2));
    ck_assert_int_eq(dd_affine(g, x, 1, 0), x);
    ck_assert_int_eq(dd_power(g, x, 1), x);
    ck_assert_int_ne(dd_power(g, x, 2), dd_power(g, x, 3));
    ck_assert_int_eq(dd_sum(g, x, shape), x);
    ck_assert_int_eq(dd_expand(g, x, shape), x);
    ck_assert_int_eq(dd_reshape(g, x, shape), x);
    ck_assert_int_eq(dd_slice(g, x, 3, 0, 3), x);
    ck_assert_int_ne(dd_slice(g, x, 3, 0, 2), dd_slice(g, x, 3, 1, 2));
    ck_assert_int_ne(dd_matmul(g, x, false, y, true), dd_matmul(g, y, false, x, true));
    size_t nodes = dd_graph_nodes(g);
    dd_node first, again;
    dd_gradient(g, dd_tanh(g, dd_add(g, x, y)), DD_NONE, &x, 1, &first);
    ck_assert_uint_gt(dd_graph_nodes(g), nodes);
    nodes = dd_graph_nodes(g);
    dd_gradient(g, dd_tanh(g, dd_add(g, x, y)), DD_NONE, &x, 1, &again);
    ck_assert_int_eq(first, again);
    ck_assert_uint_eq(dd_graph_nodes(g), nodes);
    ck_assert_int_eq(dd_graph_status(g), DDAEBM_OK);
    close_bench(&b);
}
END_TEST

START_TEST(what_no_output_needs_is_left_out) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(4, 4), 0, -1, 1);
    (void)dd_matmul(b.graph, x, false, x, true);
    ask(&b, dd_sum(b.graph, x, dd_shape_rows(4, 1)), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_steps(b.plan), 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    close_bench(&b);
}
END_TEST

/* --- Phases. --- */

/* Weights in slot 0 and rows in slot 1: phase 0 could prepare what the weights fix. */
static void build_prepared(bench *b) {
    dd_node w = add_input(b, 0, dd_shape_rows(6, 6), 0, -1, 1),
            x = add_input(b, 1, dd_shape_rows(3, 6), 1, -1, 1);
    dd_node folded = dd_tanh(b->graph, dd_matmul(b->graph, w, false, w, true));
    dd_node again =
        dd_reshape(b->graph, dd_sum(b->graph, folded, dd_shape_rows(1, 6)), dd_shape_rows(6, 1));
    dd_node y =
        dd_matmul(b->graph, dd_matmul(b->graph, x, false, folded, false), false, again, false);
    ask(b, dd_add(b->graph, y, dd_scalar(b->graph, 1)), 1);
}

START_TEST(prepared_values_are_kept) {
    bench b;
    open_bench(&b, 1, 2);
    build_prepared(&b);
    make_plan(&b, true, 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 6 * 6 * 6);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 1), 3 * 6 * 6 + 3 * 6);
    check_memory(b.plan);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    for (size_t i = 0; i < b.inputs[0];
         i++) /* whoever looked at the weights again would see these */
        b.narrow[0][0][i] = b.narrow[1][0][i] = NAN;
    for (int run = 0; run < 3; run++) {
        forget_results(&b);
        run_phase(&b, workspace, 1, true);
        check_results(&b, 0, "prepared");
    }
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* The first rows alone, in a workspace that prepared nothing itself. */
START_TEST(some_rows_are_run_where_another_prepared) {
    bench b;
    dd_workspace *beside = NULL;
    open_bench(&b, 1, 2);
    b.options = (dd_plan_options){.rows = 3};
    build_prepared(&b);
    make_plan(&b, true, 1);
    ck_assert_uint_eq(dd_plan_rows(b.plan), 3);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    ck_assert_int_eq(dd_workspace_create_beside(&beside, b.plan, workspace), DDAEBM_OK);
    dd_workspace_bind(beside, RESULTS, b.found[0]);
    dd_workspace_bind(beside, 1, b.narrow[1][1]);
    for (size_t rows = 1; rows <= 3; rows++) {
        forget_results(&b);
        dd_workspace_run_rows(beside, rows, dd_context_pool(b.context), true);
        for (size_t i = 0; i < 3; i++)
            if (i < rows)
                ck_assert_double_eq_tol((double)b.found[0][i], b.expected[0][i],
                                        1e-5 * (1 + fabs(b.expected[0][i])));
            else
                ck_assert(isnan(b.found[0][i]));
    }
    dd_workspace_free(beside);
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* _i: what mixes rows, or is another number of them. */
START_TEST(rows_that_are_mixed_are_run_together) {
    bench b;
    open_bench(&b, 1, 2);
    b.options = (dd_plan_options){.rows = 3};
    dd_node w = add_input(&b, 0, dd_shape_rows(3, 6), 0, -1, 1),
            x = add_input(&b, 1, dd_shape_rows(3, 6), 1, -1, 1);
    dd_node y = dd_multiply(b.graph, x, w);
    switch (_i) {
    case 0:
        y = dd_add(b.graph, y, dd_sum(b.graph, x, dd_shape_rows(1, 6)));
        break;
    case 1:
        y = dd_matmul(b.graph, dd_matmul(b.graph, y, false, x, true), false, w, false);
        break;
    case 2:
        y = dd_slice(b.graph, dd_concat(b.graph, w, y, 2), 2, 1, 3);
        break;
    default:
        y = dd_matmul(b.graph, w, false, dd_matmul(b.graph, x, true, w, false), false);
        break;
    }
    ask(&b, dd_tanh(b.graph, y), 1);
    make_plan(&b, true, 1);
    ck_assert_uint_eq(dd_plan_rows(b.plan), 0);
    close_bench(&b);
}
END_TEST

START_TEST(unprepared_values_wait_until_they_are_needed) {
    bench b;
    open_bench(&b, 1, 2);
    build_prepared(&b);
    make_plan(&b, false, 1);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 0), 0);
    ck_assert_double_eq(dd_plan_multiply_adds(b.plan, 1), 6 * 6 * 6 + 3 * 6 * 6 + 3 * 6);
    close_bench(&b);
}
END_TEST

/* As the trainer does: slot 0 holds other numbers after phase 0; what phase 0 computed and phase 1
 * reads again is not computed again. */
START_TEST(a_slot_may_change_between_phases) {
    for (int prepare = 0; prepare < 2; prepare++) {
        bench b;
        open_bench(&b, 2, 2);
        dd_shape shape = dd_shape_rows(40, 300);
        dd_node before = add_input(&b, 0, shape, 0, -1, 1),
                after = add_input(&b, 0, shape, 1, -1, 1);
        dd_node x = add_input(&b, 1, shape, 0, -1, 1);
        for (size_t i = 0; i < b.inputs[1]; i++)
            b.wide[1][1][i] = (double)(b.narrow[1][1][i] = NAN); /* not read in phase 1 */
        dd_node kept = dd_sin(b.graph, dd_multiply(b.graph, before, x)),
                sum = dd_sum(b.graph, kept, dd_shape_rows(40, 1));
        ask(&b, kept, 0); /* and read again in phase 1, so that it is a copy */
        ask(&b, sum, 0);
        ask(&b, dd_add(b.graph, dd_multiply(b.graph, kept, after), sum), 1);
        ask(&b, kept, 1);
        ask(&b, sum, 1);
        make_plan(&b, prepare, 2);
        check_memory(b.plan);
        dd_workspace *workspace = make_workspace(&b);
        for (int run = 0; run < 3; run++) {
            forget_results(&b);
            run_phase(&b, workspace, 0, false);
            for (int i = 2; i < b.results; i++)
                for (size_t j = 0; j < b.sizes[i]; j++)
                    ck_assert(isnan(b.found[i][j])); /* written in their phase alone */
            for (int i = 0; i < 2; i++)
                for (size_t j = 0; j < b.sizes[i]; j++)
                    b.found[3 + i][j] = b.found[i][j]; /* the caller's own from here on */
            run_phase(&b, workspace, 1, false);
            check_results(&b, 0, "two phases");
        }
        dd_workspace_free(workspace);
        close_bench(&b);
    }
}
END_TEST

/* --- Outputs. --- */

START_TEST(outputs_are_computed_in_place) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(8, 8), 0, -1, 1);
    dd_node product = dd_matmul(b.graph, x, false, x, true), curved = dd_tanh(b.graph, product);
    ask(&b, product, 0); /* read again in the same phase */
    ask(&b, curved, 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(dd_plan_steps(b.plan), 2);
    ck_assert_uint_eq(b.plan->arena, 0);
    ck_assert_int_eq(b.plan->locations[product].place, DD_PLACE_SLOT);
    ck_assert_int_eq(b.plan->locations[curved].place, DD_PLACE_SLOT);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "in place");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

START_TEST(anything_can_be_an_output) {
    const float numbers[6] = {1, -2, 3, -4, 5, -6};
    for (int prepare = 0; prepare < 2; prepare++) {
        bench b;
        open_bench(&b, 2, 2);
        dd_graph *g = b.graph;
        dd_node x = add_input(&b, 0, dd_shape_rows(2, 3), 0, -1, 1),
                one = add_input(&b, 1, dd_shape_rows(1, 1), 0, -1, 1);
        dd_node sine = dd_sin(g, x), constant = dd_constant(g, numbers, dd_shape_rows(2, 3)),
                scalar = dd_scalar(g, 0.375);
        dd_node turned = dd_reshape(g, sine, dd_shape_rows(3, 2));
        const dd_node asked[] = {
            x,
            one,
            constant,
            scalar,
            dd_reshape(g, x, dd_shape_rows(6, 1)),
            dd_reshape(g, constant, dd_shape_rows(1, 6)),
            dd_detach(g, scalar),
            dd_detach(g, x),
            sine,
            turned,
            dd_reshape(g, turned, dd_shape_rows(2, 3)),
            dd_detach(g, turned),
            dd_add(g, dd_detach(g, scalar), one),
            dd_add(g, dd_detach(g, scalar), x),
            dd_add(g, dd_reshape(g, turned, dd_shape_rows(2, 3)), sine),
            dd_pad(g, scalar, 3, 1, 4),
            dd_concat(g, scalar, one, 2),
            dd_matmul(g, scalar, false, dd_reshape(g, x, dd_shape_rows(1, 6)), false)};
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            ask(&b, asked[i], 0);
            ask(&b, asked[i], 1);
        }
        ask(&b, sine, 0); /* the same twice */
        make_plan(&b, prepare, 2);
        check_memory(b.plan);
        dd_workspace *workspace = make_workspace(&b);
        forget_results(&b);
        for (size_t i = 0; i < 6; i++) /* sources that a later phase gives out are read then */
            b.narrow[1][0][i] = b.narrow[0][0][i];
        b.narrow[1][1][0] = b.narrow[0][1][0];
        run_phase(&b, workspace, 0, false);
        run_phase(&b, workspace, 1, false);
        check_results(&b, 0, "outputs");
        dd_workspace_free(workspace);
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

/* A chain of products needs two places, however long it is. */
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

/* Builds and plans the loss with numbers of its own, and makes a workspace. */
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

/* --- What cannot be built or planned. --- */

START_TEST(shapes_that_do_not_fit_are_a_status) {
    for (int i = 0; i < 13; i++) {
        bench b;
        open_bench(&b, 1, 1);
        dd_graph *g = b.graph;
        dd_node x = dd_input(g, 0, dd_shape_rows(2, 3), 0),
                y = dd_input(g, 1, dd_shape_rows(2, 4), 0),
                found[] = {i == 0    ? dd_add(g, x, y)
                           : i == 1  ? dd_matmul(g, x, false, y, false)
                           : i == 2  ? dd_reshape(g, x, dd_shape_rows(2, 4))
                           : i == 3  ? dd_slice(g, x, 3, 2, 2)
                           : i == 4  ? dd_slice(g, x, 3, 4, 1)
                           : i == 5  ? dd_slice(g, x, 3, 1, 0)
                           : i == 6  ? dd_pad(g, x, 3, 2, 4)
                           : i == 7  ? dd_pad(g, x, 3, 5, 4)
                           : i == 8  ? dd_concat(g, x, y, 2)
                           : i == 9  ? dd_sum(g, x, dd_shape_rows(2, 2))
                           : i == 10 ? dd_expand(g, x, dd_shape_rows(2, 6))
                           : i == 11 ? dd_add_rows(g, x, dd_input(g, 2, dd_shape_rows(3, 1), 0), 5)
                                     : dd_tanh(g, DD_NONE)};
        ck_assert_msg(found[0] == DD_NONE && dd_graph_status(g) == DDAEBM_INTERNAL,
                      "case %d went through", i);
        ck_assert_int_eq(dd_add(g, x, x), DD_NONE); /* nothing more is built */
        dd_node gradient = 5;
        dd_gradient(g, x, DD_NONE, &x, 1, &gradient);
        ck_assert_int_eq(gradient, DD_NONE);
        dd_plan *plan = NULL;
        ck_assert_int_eq(dd_plan_create(&plan, g, (dd_plan_options){.phases = 1, .parts = 1}),
                         DDAEBM_INTERNAL);
        close_bench(&b);
    }
}
END_TEST

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

/* Gradients that vanish by structure are no nodes. */
START_TEST(gradients_of_what_does_not_depend) {
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_node x = dd_input(g, 0, dd_shape_rows(2, 3), 0), y = dd_input(g, 1, dd_shape_rows(2, 3), 0);
    dd_node z = dd_add(g, dd_sin(g, x), dd_multiply(g, dd_detach(g, x), dd_step(g, y)));
    dd_node wrt[] = {x, y, z, dd_tanh(g, z)},
            gradients[4]; /* the last is later than what is differentiated */
    dd_gradient(g, z, DD_NONE, wrt, 4, gradients);
    ck_assert_int_ne(gradients[0], DD_NONE);
    ck_assert_int_eq(gradients[1], DD_NONE);
    ck_assert_int_ne(gradients[2], DD_NONE);
    ck_assert_int_eq(gradients[3], DD_NONE);
    close_bench(&b);
}
END_TEST

/* A tensor and its axes in another order, both asked for. */
START_TEST(gradients_of_a_tensor_and_of_its_permutation) {
    enum { ROWS = 2, COLUMNS = 3 };
    bench b;
    open_bench(&b, 1, 1);
    dd_graph *g = b.graph;
    dd_node x = add_input(&b, 0, dd_shape_rows(ROWS, COLUMNS), 0, -1, 1);
    dd_node turned = dd_permute(g, x, (const int[]){0, 1, 3, 2}), wrt[] = {x, turned}, gradients[2];
    dd_gradient(g, dd_multiply(g, turned, turned), DD_NONE, wrt, 2, gradients);
    ask(&b, gradients[0], 0);
    ask(&b, gradients[1], 0);
    make_plan(&b, false, 1);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "permutation");
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        float slope = 2 * b.narrow[0][0][i];
        ck_assert_float_eq(b.found[0][i], slope);
        ck_assert_float_eq(b.found[1][i % COLUMNS * ROWS + i / COLUMNS], slope);
    }
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

/* Of three products that are summed, two need places. */
START_TEST(terms_of_a_sum_wait_in_the_output) {
    bench b;
    open_bench(&b, 1, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(32, 32), 0, -1, 1), terms[3];
    for (int i = 0; i < 3; i++)
        terms[i] = dd_matmul(b.graph, x, i == 1, x, i == 2);
    ask(&b, dd_add(b.graph, dd_add(b.graph, terms[0], terms[1]), terms[2]), 0);
    make_plan(&b, false, 1);
    ck_assert_uint_eq(b.plan->arena, 2 * 32 * 32);
    ck_assert_int_eq(b.plan->locations[terms[0]].place, DD_PLACE_SLOT);
    dd_workspace *workspace = make_workspace(&b);
    run_phase(&b, workspace, 0, true);
    check_results(&b, 0, "sum");
    dd_workspace_free(workspace);
    close_bench(&b);
}
END_TEST

static int steps_that_wake(size_t side) {
    bench b;
    open_bench(&b, 4, 1);
    dd_node x = add_input(&b, 0, dd_shape_rows(side, side), 0, -1, 1);
    ask(&b, dd_matmul(b.graph, dd_matmul(b.graph, x, false, x, false), false, x, true), 0);
    make_plan(&b, false, 4);
    int cut = 0, waking = 0;
    for (size_t i = 0; i < b.plan->step_count; i++) {
        bool packs = b.plan->steps[i].stage == DD_STEP_PACK; /* as the second product may want */
        cut += b.plan->steps[i].parallel && !packs;
        waking += b.plan->steps[i].wakes && !packs;
    }
    ck_assert_int_eq(cut, 2);
    close_bench(&b);
    return waking;
}

/* Those awake may share either. */
START_TEST(small_steps_wake_nobody) {
    ck_assert_int_eq(steps_that_wake(64), 0);
    ck_assert_int_eq(steps_that_wake(512), 2);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, small_steps_wake_nobody);
    tcase_add_loop_test(tests, random_graphs_compute_what_plain_loops_do, 0, 4);
    tcase_add_test(tests, a_loss_with_its_gradient_inside);
    tcase_add_test(tests, a_chain_is_one_step);
    tcase_add_test(tests, repeated_operands_in_any_tile);
    tcase_add_test(tests, long_chains_are_cut);
    tcase_add_test(tests, equal_nodes_are_made_once);
    tcase_add_test(tests, what_no_output_needs_is_left_out);
    tcase_add_test(tests, prepared_values_are_kept);
    tcase_add_test(tests, some_rows_are_run_where_another_prepared);
    tcase_add_loop_test(tests, rows_that_are_mixed_are_run_together, 0, 4);
    tcase_add_test(tests, unprepared_values_wait_until_they_are_needed);
    tcase_add_test(tests, a_slot_may_change_between_phases);
    tcase_add_test(tests, outputs_are_computed_in_place);
    tcase_add_test(tests, anything_can_be_an_output);
    tcase_add_test(tests, memory_is_known_and_runs_take_none);
    tcase_add_test(tests, places_are_used_again);
    tcase_add_test(tests, memory_that_runs_out_is_a_status);
    tcase_add_test(tests, shapes_that_do_not_fit_are_a_status);
    tcase_add_test(tests, what_is_too_large_is_a_status);
    tcase_add_test(tests, gradients_of_what_does_not_depend);
    tcase_add_test(tests, gradients_of_a_tensor_and_of_its_permutation);
    tcase_add_test(tests, terms_of_a_sum_wait_in_the_output);
}

int main(void) {
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, dd_blas_enter, dd_blas_leave);
    add_tests(tests);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
