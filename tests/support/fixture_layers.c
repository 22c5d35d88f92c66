/* Single layers from a fixture's inputs and weights, each through the library's own function, with
 * the gradients of sum(cotangent * out). */
#include "base/context.h"
#include "config/key_parse.h"
#include "config/presets.h"
#include "layers/dense.h"
#include "layers/image_encoder.h"
#include "layers/image_layers.h"
#include "layers/residual.h"
#include "objective/losses.h"
#include "support/fixture.h"
#include "tensor/exec/computation.h"
#include "tensor/exec/workspace.h"

#include <string.h>

enum { MOST_INPUTS = 3, MOST_WEIGHTS = 128 };

/* Slots: inputs, the cotangent, the result, the inputs' gradients, weights, and their gradients. */
enum {
    SLOT_COTANGENT = MOST_INPUTS,
    SLOT_OUT,
    SLOT_INPUT_GRADIENT,
    SLOT_WEIGHT = SLOT_INPUT_GRADIENT + MOST_INPUTS,
    SLOT_WEIGHT_GRADIENT = SLOT_WEIGHT + MOST_WEIGHTS,
    SLOTS = SLOT_WEIGHT_GRADIENT + MOST_WEIGHTS
};

typedef struct layer {
    test_fixture *fixture;
    const char *name;
    dd_settings settings;
    dd_parameters weights;
    dd_builder builder;
    const char *inputs[MOST_INPUTS];
    dd_node in[MOST_INPUTS];
    size_t input_count;
    float *numbers[SLOTS];
} layer;

/* Valid until the next call. */
static const char *name_of(const layer *l, const char *kind, const char *leaf) {
    static char name[256];
    (void)snprintf(name, sizeof name, "%s.%s%s", l->name, kind, leaf);
    return name;
}

static dd_node bind_input(dd_graph *graph, layer *l, dd_slot slot, const char *name,
                          dd_shape shape) {
    size_t count = dd_shape_elements(shape);
    l->numbers[slot] = dd_alloc_zero(l->fixture->context, count, sizeof(float));
    test_fixture_floats(l->fixture, name, l->numbers[slot], count);
    return dd_input(graph, slot, shape, 0);
}

/* Rank 4 is images, channels first; rank 2 rows; rank 1 one number a row. */
static dd_node input(layer *l, const char *leaf) {
    const dd_tensor_entry *entry = test_fixture_tensor(l->fixture, name_of(l, "in.", leaf));
    if (!entry)
        return DD_NONE;
    const size_t *sizes = entry->shape;
    dd_shape shape = dd_shape_rows(sizes[0], entry->rank > 1 ? sizes[1] : 1);
    if (entry->rank == 4)
        shape = (dd_shape){{sizes[0], sizes[2], sizes[3], sizes[1]}};
    size_t i = l->input_count++;
    l->inputs[i] = leaf;
    return l->in[i] = bind_input(l->builder.graph, l, (dd_slot)i, entry->name, shape);
}

/* Outputs of a layer, from the shape of its weights. */
static size_t channels_of(layer *l, const char *weight) {
    const dd_tensor_entry *entry = test_fixture_tensor(l->fixture, name_of(l, "param.", weight));
    return entry ? entry->shape[0] : 0;
}

static dd_scope scope_of(void) {
    return dd_scope_of("layer");
}

/* --- The layers. --- */

static dd_node build_embedding(layer *l) {
    const dd_tensor_entry *out = test_fixture_tensor(l->fixture, name_of(l, "out", ""));
    dd_node timestep = input(l, "t");
    return out ? dd_take_rows(l->builder.graph,
                              dd_timestep_embedding(&l->builder, out->shape[0], out->shape[1]),
                              timestep)
               : DD_NONE;
}

static dd_node build_fir_up(layer *l) {
    return dd_fir_up(l->builder.graph, input(l, "x"), &l->settings.image.fir_kernel);
}

static dd_node build_fir_down(layer *l) {
    return dd_fir_down(l->builder.graph, input(l, "x"), &l->settings.image.fir_kernel);
}

static dd_node build_group_norm(layer *l) {
    dd_scope scope = scope_of();
    return dd_group_norm(&l->builder, &scope, input(l, "x"));
}

static dd_node build_adaptive_norm(layer *l) {
    dd_scope scope = scope_of();
    dd_node x = input(l, "x");
    return dd_adaptive_norm(&l->builder, &scope, x, input(l, "zemb"));
}

static dd_node build_pixel_norm(layer *l) {
    return dd_pixel_norm(l->builder.graph, input(l, "z"));
}

static dd_node build_attention(layer *l) {
    dd_scope scope = scope_of();
    return dd_attention(&l->builder, &scope, input(l, "x"));
}

static dd_node build_pyramid_down(layer *l) {
    dd_scope scope = scope_of();
    size_t channels = channels_of(l, l->settings.image.fir ? "Conv2d_0.weight" : "Conv_0.weight");
    return dd_pyramid_down(&l->builder, &scope, input(l, "x"), channels);
}

/* Each image has features of its own: they are given as those of a timestep each. */
static dd_node build_residual_block(layer *l) {
    dd_scope scope = scope_of();
    dd_node x = input(l, "x"), features = input(l, "temb");
    float timesteps[8];
    size_t images = dd_samples(l->builder.graph, x);
    for (size_t i = 0; i < images && i < 8; i++)
        timesteps[i] = (float)i;
    dd_condition condition = {
        .time = dd_silu(l->builder.graph, features),
        .timestep = dd_constant(l->builder.graph, timesteps, dd_shape_rows(images, 1)),
        .style = strstr(l->name, "adagn") ? input(l, "zemb") : DD_NONE};
    dd_resample way = strstr(l->name, "_up")     ? DD_RESAMPLE_UP
                      : strstr(l->name, "_down") ? DD_RESAMPLE_DOWN
                                                 : DD_RESAMPLE_NONE;
    return dd_residual_block(&l->builder, &scope, x, &condition, channels_of(l, "Conv_0.weight"),
                             way);
}

static dd_node build_spread(layer *l) {
    dd_graph *graph = l->builder.graph;
    dd_node x = input(l, "h");
    dd_node channel =
        dd_slice(graph, dd_minibatch_deviation(graph, x), 3, dd_graph_shape(graph, x).size[3], 1);
    return dd_slice(graph, dd_slice(graph, channel, 1, 0, 1), 2, 0, 1);
}

static dd_node build_large_encoder(layer *l) {
    l->builder.network = DDAEBM_NETWORK_ENCODER;
    l->settings.encoder.kind = DD_ENCODER_LARGE;
    dd_node x = input(l, "x"), x_next = input(l, "x_next"), timestep = input(l, "t");
    l->settings.data.image_size = (int64_t)dd_graph_shape(l->builder.graph, x).size[1];
    dd_latent latent = dd_image_encoder(&l->builder, x, x_next, timestep);
    return dd_concat(l->builder.graph, latent.mean, latent.log_variance, 3);
}

/* Losses are means over a batch: of one row, that row's. */
static dd_node build_row_by_row(layer *l, dd_node z, dd_node mean, dd_node log_variance) {
    dd_graph *graph = l->builder.graph;
    dd_node all = DD_NONE;
    for (size_t i = 0; i < dd_samples(graph, mean); i++) {
        dd_latent q = {dd_slice(graph, mean, 2, i, 1), dd_slice(graph, log_variance, 2, i, 1)};
        dd_node one = z == DD_NONE ? dd_latent_divergence(graph, q)
                                   : dd_latent_loss(graph, dd_slice(graph, z, 2, i, 1), q);
        all = all == DD_NONE ? one : dd_concat(graph, all, one, 2);
    }
    return all;
}

static dd_node build_latent_loss(layer *l) {
    dd_node z = input(l, "z"), mean = input(l, "mean");
    return build_row_by_row(l, z, mean, input(l, "logvar"));
}

static dd_node build_divergence(layer *l) {
    dd_node mean = input(l, "mean");
    return build_row_by_row(l, DD_NONE, mean, input(l, "logvar"));
}

/* By the beginning of a case's name. */
static const struct {
    const char *prefix;
    dd_node (*build)(layer *l);
} layers[] = {{"timestep_embedding", build_embedding},
              {"fir_up", build_fir_up},
              {"fir_down", build_fir_down},
              {"group_norm", build_group_norm},
              {"adagn", build_adaptive_norm},
              {"pixel_norm", build_pixel_norm},
              {"attention", build_attention},
              {"pyramid_down", build_pyramid_down},
              {"resblock", build_residual_block},
              {"stddev_channel", build_spread},
              {"encoder_large", build_large_encoder},
              {"latent_nll", build_latent_loss},
              {"kl", build_divergence}};

/* --- One case. --- */

static void set_settings(layer *l, const json_t *settings) {
    static const char *const keys[][2] = {
        {"fir", "image.fir"},           {"fir_kernel", "image.fir_kernel"},
        {"dropout", "image.dropout"},   {"skip_rescale", "image.skip_rescale"},
        {"channels", "data.channels"},  {"ngf", "encoder.channels"},
        {"nz", "network.latent_width"}, {"t_emb_dim", "network.time_width"}};
    if (dd_preset_settings(&l->settings, "toy") != DDAEBM_OK)
        test_fixture_problem(l->fixture, "%s", ddaebm_error_message());
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(settings, keys[i][0]);
        if (value && dd_key_set_json(dd_key_find(keys[i][1]), &l->settings, value) != DDAEBM_OK)
            test_fixture_problem(l->fixture, "%s: %s", l->name, ddaebm_error_message());
    }
}

/* "energy.layer.Conv_0.weight", or "encoder.t_embed.main.0.weight" where a network is the layer, to
 * "Conv_0.weight". */
static const char *leaf_of(const dd_parameter *p) {
    const char *after_network = strchr(p->name, '.') + 1;
    return strncmp(after_network, "layer.", 6) == 0 ? after_network + 6 : after_network;
}

static void ask_for_gradients(layer *l, dd_node out) {
    dd_graph *graph = l->builder.graph;
    dd_node wrt[MOST_INPUTS + MOST_WEIGHTS], gradients[MOST_INPUTS + MOST_WEIGHTS];
    dd_slot slots[MOST_INPUTS + MOST_WEIGHTS];
    size_t count = 0;
    dd_node cotangent = bind_input(graph, l, SLOT_COTANGENT, name_of(l, "cotangent", ""),
                                   dd_graph_shape(graph, out));
    for (size_t i = 0; i < l->input_count; i++) {
        wrt[count] = l->in[i];
        slots[count++] = SLOT_INPUT_GRADIENT + (dd_slot)i;
    }
    for (size_t i = 0; i < l->weights.count; i++) {
        const dd_parameter *p = &l->weights.items[i];
        dd_shape shape = {{1, 1, 1, 1}};
        memcpy(shape.size + DD_AXES - p->rank, p->shape, p->rank * sizeof *p->shape);
        wrt[count] =
            bind_input(graph, l, SLOT_WEIGHT + (dd_slot)i, name_of(l, "param.", leaf_of(p)), shape);
        slots[count++] = SLOT_WEIGHT_GRADIENT + (dd_slot)i;
    }
    dd_gradient(graph, out, cotangent, wrt, count, gradients);
    for (size_t i = 0; i < count; i++) {
        if (gradients[i] == DD_NONE)
            continue;
        l->numbers[slots[i]] = dd_alloc_zero(
            l->fixture->context, dd_shape_elements(dd_graph_shape(graph, wrt[i])), sizeof(float));
        dd_output(graph, gradients[i], slots[i], 0);
    }
}

static void run_graph(layer *l) {
    dd_plan *plan = NULL;
    dd_workspace *workspace = NULL;
    dd_plan_options options = {.phases = 1,
                               .parts = dd_pool_threads(dd_context_pool(l->fixture->context))};
    if (dd_plan_create(&plan, l->builder.graph, options) != DDAEBM_OK ||
        dd_workspace_create(&workspace, plan) != DDAEBM_OK)
        test_fixture_problem(l->fixture, "%s: %s", l->name, ddaebm_error_message());
    for (int slot = 0; workspace && slot < SLOTS; slot++)
        if (l->numbers[slot])
            dd_workspace_bind(workspace, slot, l->numbers[slot]);
    dd_computation_begin();
    if (workspace)
        dd_workspace_run(workspace, 0, dd_context_pool(l->fixture->context), false);
    dd_computation_end();
    dd_workspace_free(workspace);
    if (plan)
        l->builder.graph = NULL; /* the plan's */
    dd_plan_free(plan);
}

static void compare(layer *l, size_t out_elements) {
    test_fixture *fixture = l->fixture;
    test_fixture_compare(fixture, TEST_FORWARD, name_of(l, "out", ""), l->numbers[SLOT_OUT],
                         out_elements);
    for (size_t i = 0; i < l->input_count; i++) {
        const float *numbers = l->numbers[SLOT_INPUT_GRADIENT + i];
        size_t elements =
            dd_safetensors_find(fixture->file, name_of(l, "in.", l->inputs[i]))->elements;
        if (numbers)
            test_fixture_compare(fixture, TEST_GRADIENTS, name_of(l, "grad.in.", l->inputs[i]),
                                 numbers, elements);
    }
    for (size_t i = 0; i < l->weights.count; i++)
        if (l->numbers[SLOT_WEIGHT_GRADIENT + i])
            test_fixture_compare(
                fixture, TEST_GRADIENTS, name_of(l, "grad.param.", leaf_of(&l->weights.items[i])),
                l->numbers[SLOT_WEIGHT_GRADIENT + i], l->weights.items[i].elements);
}

static void build_and_compare(layer *l, dd_node (*build)(layer *l)) {
    dd_graph *graph = l->builder.graph;
    dd_node out = build(l);
    if (dd_graph_status(graph) != DDAEBM_OK || l->weights.count > MOST_WEIGHTS ||
        l->fixture->problem[0]) {
        test_fixture_problem(l->fixture, "%s: its graph cannot be built", l->name);
        return;
    }
    size_t elements = dd_shape_elements(dd_graph_shape(graph, out));
    l->numbers[SLOT_OUT] = dd_alloc_zero(l->fixture->context, elements, sizeof(float));
    dd_output(graph, out, SLOT_OUT, 0);
    if (dd_safetensors_find(l->fixture->file, name_of(l, "cotangent", "")))
        ask_for_gradients(l, out);
    run_graph(l);
    if (!l->fixture->problem[0])
        compare(l, elements);
}

static void check_layer(test_fixture *fixture, const char *name, const json_t *settings) {
    layer l = {.fixture = fixture, .name = name, .weights = {.context = fixture->context}};
    set_settings(&l, settings);
    l.builder = (dd_builder){.settings = &l.settings,
                             .parameters = &l.weights,
                             .declaring = true,
                             .first_slot = SLOT_WEIGHT};
    if (dd_graph_create(&l.builder.graph, fixture->context) != DDAEBM_OK) {
        test_fixture_problem(fixture, "%s: %s", name, ddaebm_error_message());
        return;
    }
    size_t i = 0;
    while (i < sizeof layers / sizeof *layers &&
           strncmp(layers[i].prefix, name, strlen(layers[i].prefix)) != 0)
        i++;
    if (i < sizeof layers / sizeof *layers)
        build_and_compare(&l, layers[i].build);
    else
        test_fixture_problem(fixture, "layer %s is not known here", name);
    dd_graph_free(l.builder.graph);
    dd_parameters_free(&l.weights);
    for (int slot = 0; slot < SLOTS; slot++)
        dd_free(fixture->context, l.numbers[slot]);
}

void test_check_layers(test_fixture *fixture) {
    const char *name = NULL;
    json_t *settings = NULL;
    json_object_foreach(json_object_get(fixture->config, "settings"), name, settings) {
        if (!fixture->problem[0])
            check_layer(fixture, name, settings);
    }
}
