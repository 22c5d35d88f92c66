#include "objective/objective.h"

#include "base/context.h"
#include "base/error.h"
#include "diffusion/noise_scale.h"
#include "objective/losses.h"
#include "objective/step_builder.h"

#include <math.h>
#include <string.h>

dd_step_slots dd_step_slots_of(const dd_parameters *parameters) {
    dd_slot count = (dd_slot)parameters->count;
    dd_step_slots slots = {.losses = DD_SLOT_INPUTS, .parameters = DD_SLOT_INPUTS + DD_LOSSES};
    slots.gradients = slots.parameters + count;
    slots.statistics = slots.gradients + count;
    slots.observed = slots.statistics + count;
    slots.samples = slots.observed + DD_MOST_OBSERVED;
    slots.sample_gradients = slots.samples + 1;
    slots.hardness = slots.samples + 2;
    return slots;
}

void dd_step_differentiate(dd_step_builder *s, dd_gradients *g, dd_node y, dd_node seed) {
    dd_gradient_add(s->out->graph, y, seed, g->wrt, g->count, g->sum);
}

void dd_step_observe(dd_step_builder *s, const char *name, dd_node node, int phase) {
    s->out->observed[s->out->observed_count++] =
        (dd_observed){name, node, dd_graph_shape(s->out->graph, node), phase};
}

/* Builds x_t and x_{t+1} of the data, and the generator's draws x0_pred and x_pos. */
static void build_samples(dd_step_builder *s, size_t batch) {
    dd_graph *graph = s->out->graph;
    dd_shape data = dd_network_data_shape(s->settings, batch);
    dd_shape latent = dd_shape_rows(batch, dd_settings_latent_width(s->settings));

    s->timestep = s->process.timestep =
        dd_input(graph, DD_SLOT_TIMESTEP, dd_shape_rows(batch, 1), 0);
    s->z = dd_input(graph, DD_SLOT_LATENT, latent, 0);
    s->noise_encoder = dd_input(graph, DD_SLOT_NOISE_ENCODER, latent, 0);
    s->process.scaled = dd_has_noise_scale(s->settings);
    if (s->process.scaled)
        s->process.log_variances = dd_input(graph, DD_SLOT_NOISE_SCALE, dd_shape_rows(batch, 1), 0);
    s->noise_t = dd_input(graph, DD_SLOT_NOISE_T, data, 0);
    s->x0 = dd_input(graph, DD_SLOT_X0, data, 0);
    s->x_t = dd_process_diffuse(&s->process, s->x0, s->noise_t);
    s->x_next = dd_process_next(&s->process, s->x_t, dd_input(graph, DD_SLOT_NOISE_NEXT, data, 0));
    s->x_t = dd_detach(graph, s->x_t); /* no gradient flows from x_next to x_t */
    s->x_next = dd_detach(graph, s->x_next);
    s->x0_pred = dd_network_generator(&s->builder, s->x_next, s->timestep, s->z);
    s->x_pos = dd_posterior_draw(&s->process, s->x0_pred, s->x_next,
                                 dd_input(graph, DD_SLOT_NOISE_POSTERIOR, data, 0));
    s->leaves[DD_LEAF_X0] = dd_detach(graph, s->x0_pred);
    s->leaves[DD_LEAF_X_POS] = dd_detach(graph, s->x_pos);
    dd_step_observe(s, "x_t", s->x_t, 0);
    dd_step_observe(s, "x_next", s->x_next, 0);
    dd_step_observe(s, "x0_pred", s->x0_pred, 0);
    dd_step_observe(s, "x_pos", s->x_pos, 0);
}

static void ask_for_losses(dd_step_builder *s) {
    for (int i = 0; i < DD_LOSSES; i++)
        dd_output(s->out->graph, s->losses[i], s->slots.losses + i, i < DD_LOSS_GENERATOR ? 0 : 1);
}

static void ask_for_gradients(dd_step_builder *s, const dd_gradients *g, int phase) {
    for (size_t i = 0; i < g->weights; i++) {
        s->out->used[g->index[i]] = g->sum[i] != DD_NONE;
        if (g->sum[i] != DD_NONE)
            dd_output(s->out->graph, g->sum[i], s->slots.gradients + (dd_slot)g->index[i], phase);
    }
}

static void ask_for_statistics(dd_step_builder *s) {
    for (size_t i = 0; i < s->builder.parameters->count; i++) {
        s->out->moved[i] = s->builder.moved[i] != DD_NONE;
        if (s->out->moved[i])
            dd_output(s->out->graph, s->builder.moved[i], s->slots.statistics + (dd_slot)i, 1);
    }
}

static void ask_for_observed(dd_step_builder *s) {
    for (size_t i = 0; i < s->out->observed_count; i++)
        dd_output(s->out->graph, s->out->observed[i].node, s->slots.observed + (dd_slot)i,
                  s->out->observed[i].phase);
}

/* Asks for what timesteps are moved by. */
static void ask_for_hardness(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    if (s->settings->diffusion.adapt == DD_ADAPT_NONE)
        return;
    bool gap = s->settings->diffusion.adapt == DD_ADAPT_ENERGY_GAP;
    dd_node miss =
        gap ? dd_subtract(graph, s->f_real, s->f_fake) : dd_subtract(graph, s->x0, s->x0_pred);
    dd_node hardness =
        gap ? miss : dd_sum(graph, dd_multiply(graph, miss, miss), dd_shape_a_sample(graph, miss));
    dd_output(graph, hardness, s->slots.hardness, 0);
}

/* Lists the weights that a loss is differentiated by. The energy's are those of phase 0. */
static ddaebm_status prepare_gradients(dd_step_builder *s, dd_gradients *g, bool of_energy) {
    const dd_parameters *parameters = s->builder.parameters;
    ddaebm_context *context = s->out->context;
    size_t room = parameters->count + DD_LEAVES;
    g->wrt = dd_alloc_zero(context, room, sizeof *g->wrt);
    g->sum = dd_alloc_zero(context, room, sizeof *g->sum);
    g->index = dd_alloc_zero(context, room, sizeof *g->index);
    if (!g->wrt || !g->sum || !g->index)
        return DDAEBM_OUT_OF_MEMORY;

    memset(g->sum, 0xFF, room * sizeof *g->sum); /* DD_NONE */
    for (size_t i = 0; i < parameters->count; i++) {
        const dd_parameter *p = &parameters->items[i];
        if (p->role != DD_ROLE_WEIGHT || (p->network == DDAEBM_NETWORK_ENERGY) != of_energy)
            continue;
        dd_shape shape = {{1, 1, 1, 1}};
        memcpy(shape.size + DD_AXES - p->rank, p->shape, p->rank * sizeof *p->shape);
        g->wrt[g->weights] = dd_input(s->out->graph, s->slots.parameters + (dd_slot)i, shape, 0);
        g->index[g->weights++] = i;
    }
    g->count = g->weights;
    for (int i = 0; i < DD_LEAVES && !of_energy; i++)
        g->wrt[g->count++] = s->leaves[i];
    return DDAEBM_OK;
}

static void free_gradients(const dd_step_builder *s, dd_gradients *g) {
    dd_free(s->out->context, g->wrt);
    dd_free(s->out->context, g->sum);
    dd_free(s->out->context, g->index);
}

static ddaebm_status allocate(dd_step_builder *s, ddaebm_context *context, size_t parameters) {
    dd_step_graph *out = s->out;
    out->used = dd_alloc_zero(context, parameters, sizeof *out->used);
    out->moved = dd_alloc_zero(context, parameters, sizeof *out->moved);
    out->calls = dd_alloc_zero(context, parameters, sizeof *out->calls);
    s->builder.calls = out->calls;
    s->builder.moved = dd_alloc_zero(context, parameters, sizeof *s->builder.moved);
    if (!out->used || !out->moved || !out->calls || !s->builder.moved)
        return DDAEBM_OUT_OF_MEMORY;
    memset(s->builder.moved, 0xFF, parameters * sizeof *s->builder.moved); /* DD_NONE */
    return dd_graph_create(&out->graph, context);
}

/* Asks for all outputs of a step. */
static void ask_for_all(dd_step_builder *s, dd_step_extras extras) {
    ask_for_losses(s);
    ask_for_gradients(s, &s->of_energy, 0);
    ask_for_gradients(s, &s->of_generator, 1);
    ask_for_statistics(s);
    ask_for_hardness(s);
    if (extras == DD_STEP_OBSERVED)
        ask_for_observed(s);
    if (s->custom_loss)
        dd_output(s->out->graph, s->x0_pred, s->slots.samples, 0);
}

ddaebm_status dd_step_graph_build(dd_step_graph *out, ddaebm_context *context,
                                  const dd_settings *settings, dd_parameters *parameters,
                                  size_t batch, dd_step_extras extras) {
    dd_noise_schedule schedule = {0};
    dd_step_graph result = {.context = context};
    dd_step_builder s = {.out = &result,
                         .settings = settings,
                         .slots = dd_step_slots_of(parameters),
                         .custom_loss = extras == DD_STEP_CUSTOM_LOSS};
    ddaebm_status status = dd_noise_schedule_make(&schedule, context, settings);
    if (status != DDAEBM_OK)
        return status;

    DD_TRY(allocate(&s, context, parameters->count));
    s.builder = (dd_builder){
        .graph = result.graph,
        .settings = settings,
        .parameters = parameters,
        .training = true,
        .first_slot = s.slots.parameters,
        .moved = s.builder.moved,
        .dropout_seed = dd_input(result.graph, DD_SLOT_DROPOUT_SEED, dd_shape_rows(1, 4), 0),
        .calls = result.calls};
    s.process = (dd_process){.graph = result.graph, .schedule = &schedule};
    build_samples(&s, batch);
    DD_TRY(dd_graph_status(result.graph));
    DD_TRY(prepare_gradients(&s, &s.of_energy, true));
    DD_TRY(prepare_gradients(&s, &s.of_generator, false));
    dd_step_energy_loss(&s);
    dd_step_generator_loss(&s);
    ask_for_all(&s, extras);
    DD_TRY(dd_graph_status(result.graph));
    *out = result;
cleanup:
    free_gradients(&s, &s.of_energy);
    free_gradients(&s, &s.of_generator);
    dd_free(context, s.builder.moved);
    dd_noise_schedule_free(&schedule);
    if (status != DDAEBM_OK) {
        dd_graph_free(result.graph);
        dd_step_graph_free(&result);
    }
    return status;
}

void dd_step_graph_free(dd_step_graph *graph) {
    if (!graph->context)
        return;
    dd_free(graph->context, graph->used);
    dd_free(graph->context, graph->moved);
    dd_free(graph->context, graph->calls);
    *graph = (dd_step_graph){0};
}
