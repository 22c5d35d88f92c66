/* The step of networks on images: how many convolutions it takes, and what it drops out. */
#define _GNU_SOURCE
#include "base/context.h"
#include "base/rng.h"
#include "config/config.h"
#include "layers/network.h"
#include "objective/objective.h"
#include "support/counted.h"
#include "tensor/kernels/blas_threads.h"
#include "tensor/plan_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct built {
    ddaebm_config *config;
    dd_parameters parameters;
    dd_step_graph step;
    dd_plan *plan;
} built;

static built build(const char *preset, const char *changes) {
    built b = {0};
    ASSERT_OK(ddaebm_config_create(&b.config, context, preset));
    ASSERT_OK(ddaebm_config_parse(b.config, changes, strlen(changes)));
    const dd_settings *settings = dd_config_settings(b.config);
    ASSERT_OK(dd_settings_check(settings));
    ASSERT_OK(dd_network_declare(&b.parameters, context, settings));
    ASSERT_OK(dd_step_graph_build(&b.step, context, settings, &b.parameters,
                                  (size_t)settings->training.batch, DD_STEP_PLAIN));
    ASSERT_OK(dd_plan_create(&b.plan, b.step.graph, (dd_plan_options){.phases = 2, .parts = 1}));
    return b;
}

static void destroy(built *b) {
    dd_plan_free(b->plan);
    dd_step_graph_free(&b->step);
    dd_parameters_free(&b->parameters);
    ddaebm_config_free(b->config);
}

static bool is_convolution(dd_op op) {
    return op == DD_OP_CONVOLVE || op == DD_OP_CONVOLVE_INPUT || op == DD_OP_CONVOLVE_WEIGHT;
}

static int convolutions_in(const built *b, int phase) {
    int count = 0;
    for (size_t i = 0; i < b->plan->step_count; i++) {
        const dd_step_data *step = &b->plan->steps[i];
        bool run = step->stage == DD_STEP_RUN && !step->loop && step->phase == phase;
        count += run && is_convolution(dd_graph_node(b->plan->graph, step->node)->op);
    }
    return count;
}

/* Energy and generator of "fashion" have U = 34 convolutions each (two in each of 15 residual
 * blocks, the first, the last, and two of the input pyramid), of which F = 2 see nothing but the
 * input; the encoder has Q = 4, of which one sees only its input. Products at single pixels and
 * over whole images are none.
 *
 * Energy: the generator runs forward, U. For data, each convolution of the energy runs six times:
 * forward; its gradient in the input, which makes df/dx; the penalty's way back through that, a
 * convolution of the cotangent, and a gradient in the weights; and then, for f and penalty
 * together, once more the gradients in input and weights. For generated samples it runs three
 * times. Where weights stand before, no gradient in the input is wanted, in the last sweep: U + 6U
 * - F + 3U - F = 336.
 *
 * Generator: the encoder runs on data and on the sample, 2Q, and back, 2Q - 1 and, for the sample
 * is the generator's, 2Q. The energy runs forward and back to its input, 2U. The generator runs
 * once more, for the encoder's z, but not where it sees its input alone, U - F; and back from both,
 * 2U - F each: 6Q - 1 + 2U + U - F + 4U - 2F = 255. */
START_TEST(a_step_takes_no_more_convolutions_than_it_needs) {
    enum { U = 34, F = 2, Q = 4 };
    built b = build("fashion", "{\"training.batch\": 2}");
    ck_assert_int_eq(convolutions_in(&b, 0), U + 6 * U - F + 3 * U - F);
    ck_assert_int_eq(convolutions_in(&b, 1), 7 * U - 3 * F + 6 * Q - 1);
    destroy(&b);
}
END_TEST

/* One mask a residual block and call: the energy is called for data, for samples, and once more for
 * samples after its update, the generator for z and for the encoder's z. No two share a stream, all
 * share the step's seed. */
START_TEST(each_call_drops_out_on_its_own) {
    enum { BLOCKS = 15, CALLS = 5 };
    static const char small[] = "{\"training.batch\": 2, \"image.dropout\": 0.25, "
                                "\"energy.channels\": 4, \"generator.channels\": 4}";
    built b = build("fashion", small);
    const dd_graph *graph = b.plan->graph;
    bool seen[BLOCKS * CALLS] = {false};
    size_t masks = 0;
    for (size_t n = 0; n < dd_graph_nodes(graph); n++) {
        const dd_node_data *data = dd_graph_node(graph, (dd_node)n);
        if (data->op != DD_OP_MASK)
            continue;
        masks++;
        ck_assert_uint_lt(data->start, BLOCKS * CALLS);
        ck_assert(!seen[data->start]);
        seen[data->start] = true;
        ck_assert_double_eq(data->factor, 0.75);
        ck_assert_int_eq(dd_graph_node(graph, data->inputs[0])->slot, DD_SLOT_DROPOUT_SEED);
    }
    ck_assert_uint_eq(masks, BLOCKS * CALLS);
    destroy(&b);
}
END_TEST

/* --- What is made again is the same, and less is kept. --- */

typedef struct run {
    built b;
    dd_workspace *workspace;
    float **slots; /* all that is bound */
    size_t count, *sizes;
} run;

static void bind_all(run *r) {
    const dd_graph *graph = r->b.plan->graph;
    r->count = (size_t)r->b.plan->slots;
    r->slots = calloc(r->count, sizeof *r->slots);
    r->sizes = calloc(r->count, sizeof *r->sizes);
    for (size_t n = 0; n < dd_graph_nodes(graph); n++) {
        const dd_node_data *data = dd_graph_node(graph, (dd_node)n);
        if ((data->op != DD_OP_INPUT && data->op != DD_OP_OUTPUT) || r->slots[data->slot])
            continue;
        size_t count = r->sizes[data->slot] = dd_shape_elements(data->shape);
        float *values = r->slots[data->slot] = calloc(count, sizeof *values);
        if (data->op == DD_OP_INPUT && data->slot != DD_SLOT_LEVEL &&
            data->slot != DD_SLOT_DROPOUT_SEED)
            dd_rng_normals(values, 3, dd_stream(DD_STREAM_DATA, (uint64_t)data->slot), 0, count);
        for (size_t i = 0; data->op == DD_OP_INPUT && data->slot > DD_SLOT_INPUTS && i < count; i++)
            values[i] *= 0.1f; /* weights */
        dd_workspace_bind(r->workspace, data->slot, values);
    }
}

static run run_step(const char *changes, bool again) {
    run r = {.b = build("fashion", changes)};
    if (again) {
        dd_plan_free(r.b.plan);
        dd_step_graph_free(&r.b.step);
        const dd_settings *settings = dd_config_settings(r.b.config);
        ASSERT_OK(dd_step_graph_build(&r.b.step, context, settings, &r.b.parameters,
                                      (size_t)settings->training.batch, DD_STEP_PLAIN));
        ASSERT_OK(dd_graph_recompute(&r.b.step.graph));
        ASSERT_OK(
            dd_plan_create(&r.b.plan, r.b.step.graph, (dd_plan_options){.phases = 2, .parts = 1}));
    }
    ASSERT_OK(dd_workspace_create(&r.workspace, r.b.plan));
    bind_all(&r);
    dd_blas_enter();
    for (int phase = 0; phase < 2; phase++)
        dd_workspace_run(r.workspace, phase, dd_context_pool(context), true);
    dd_blas_leave();
    return r;
}

static void free_run(run *r) {
    for (size_t i = 0; i < r->count; i++)
        free(r->slots[i]);
    free(r->slots);
    free(r->sizes);
    dd_workspace_free(r->workspace);
    destroy(&r->b);
}

/* Takes less than `share` of the room. */
static void check_again(const char *changes, double share) {
    run kept = run_step(changes, false), again = run_step(changes, true);
    ck_assert_uint_eq(kept.count, again.count);
    size_t compared = 0;
    for (size_t i = 0; i < kept.count; i++) {
        if (i == DD_SLOT_DROPOUT_SEED || kept.sizes[i] == 0) /* no output depends on it */
            continue;
        ck_assert_uint_eq(kept.sizes[i], again.sizes[i]);
        ck_assert_msg(memcmp(kept.slots[i], again.slots[i], kept.sizes[i] * sizeof(float)) == 0,
                      "slot %zu", i);
        compared++;
    }
    ck_assert_uint_gt(compared, 300);
    for (int phase = 0; phase < 2; phase++)
        ck_assert_double_eq(dd_plan_multiply_adds(kept.b.plan, phase),
                            dd_plan_multiply_adds(again.b.plan, phase));
    ck_assert_double_lt((double)dd_plan_memory(again.b.plan),
                        share * (double)dd_plan_memory(kept.b.plan));
    free_run(&kept);
    free_run(&again);
}

START_TEST(what_is_made_again_is_the_same_and_takes_less_room) {
    check_again("{\"training.batch\": 16, \"energy.channels\": 8, \"generator.channels\": 8, "
                "\"encoder.channels\": 4}",
                0.75);
    /* small images and large weights, which are put in the kernels' order again */
    check_again("{\"training.batch\": 2, \"data.image_size\": 8, \"data.padding\": 0, "
                "\"energy.channels\": 128, "
                "\"generator.channels\": 128, \"energy.multipliers\": [1, 1], "
                "\"generator.multipliers\": [1, 1]}",
                0.72);
}
END_TEST

START_TEST(memory_may_run_out_while_a_graph_is_rewritten) {
    dd_graph *graph = NULL, *before = NULL;
    ASSERT_OK(dd_graph_create(&graph, context));
    dd_node x = dd_input(graph, 0, (dd_shape){{8, 32, 32, 32}}, 0), y = dd_silu(graph, x), z = y;
    for (int i = 0; i < 300; i++)
        z = dd_exp(graph, dd_affine(graph, z, 0.5, 0));
    dd_output(graph, dd_add(graph, dd_add(graph, y, z), x), 1, 0);
    size_t nodes = dd_graph_nodes(graph), live = counted.live;
    for (size_t nth = 1; graph != before; nth++) {
        before = graph;
        counted.fail_at = counted.calls + nth;
        ddaebm_status status = dd_graph_recompute(&graph);
        counted.fail_at = 0;
        if (status == DDAEBM_OK)
            break;
        ck_assert_int_eq(status, DDAEBM_OUT_OF_MEMORY);
        ck_assert_ptr_eq(graph, before);
        ck_assert_uint_eq(counted.live, live);
        before = NULL;
    }
    ck_assert_uint_eq(dd_graph_nodes(graph), nodes + 1); /* silu, once more */
    dd_graph_free(graph);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("image step", a_step_takes_no_more_convolutions_than_it_needs,
                     each_call_drops_out_on_its_own,
                     what_is_made_again_is_the_same_and_takes_less_room,
                     memory_may_run_out_while_a_graph_is_rewritten);
}
