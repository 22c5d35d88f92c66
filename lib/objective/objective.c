#include "objective/objective.h"

#include "base/context.h"
#include "base/error.h"
#include "objective/losses.h"

#include <string.h>

dd_step_slots dd_step_slots_of(const dd_parameters *parameters) {
    dd_slot count = (dd_slot)parameters->count;
    dd_step_slots slots = {.losses = DD_SLOT_INPUTS, .parameters = DD_SLOT_INPUTS + DD_LOSSES};
    slots.gradients = slots.parameters + count;
    slots.statistics = slots.gradients + count;
    slots.observed = slots.statistics + count;
    return slots;
}

/* What the pieces of a step are built from and leave behind. */
typedef struct step {
    dd_step_graph *out;
    const dd_settings *settings;
    dd_builder builder;
    dd_process process;
    dd_step_slots slots;
    dd_node level, z, noise_t, noise_encoder;
    dd_node x_t, x_next, x0_pred, x_pos;
    dd_node losses[DD_LOSSES];
} step;

static void observe(step *s, const char *name, dd_node node, int phase) {
    s->out->observed[s->out->observed_count++] = (dd_observed){name, node, phase};
}

static void build_samples(step *s, size_t batch) {
    dd_graph *graph = s->out->graph;
    dd_shape data = dd_network_data_shape(s->settings, batch);
    dd_shape latent = dd_shape_rows(batch, (size_t)s->settings->network.latent_width);
    s->level = s->process.level = dd_input(graph, DD_SLOT_LEVEL, dd_shape_rows(batch, 1), 0);
    s->z = dd_input(graph, DD_SLOT_LATENT, latent, 0);
    s->noise_encoder = dd_input(graph, DD_SLOT_NOISE_ENCODER, latent, 0);
    s->noise_t = dd_input(graph, DD_SLOT_NOISE_T, data, 0);
    s->x_t = dd_process_diffuse(&s->process, dd_input(graph, DD_SLOT_X0, data, 0), s->noise_t);
    s->x_next = dd_process_next(&s->process, s->x_t, dd_input(graph, DD_SLOT_NOISE_NEXT, data, 0));
    s->x_t = dd_detach(graph, s->x_t); /* x_next does not follow x_t in any gradient */
    s->x_next = dd_detach(graph, s->x_next);
    s->x0_pred = dd_network_generator(&s->builder, s->x_next, s->level, s->z);
    s->x_pos = dd_posterior_draw(&s->process, s->x0_pred, s->x_next, dd_input(graph, DD_SLOT_NOISE_POSTERIOR, data, 0));
    observe(s, "x_t", s->x_t, 0);
    observe(s, "x_next", s->x_next, 0);
    observe(s, "x0_pred", s->x0_pred, 0);
    observe(s, "x_pos", s->x_pos, 0);
}

/* The penalty on d/dx_t [f(x_t) + log q(x_{t+1} | x_t)], or the one that compares d/dx_t f(x_t) with the score. */
static dd_node build_penalty(step *s, dd_node f_real) {
    dd_graph *graph = s->out->graph;
    dd_node log_q = dd_process_log_next(&s->process, s->x_t, s->x_next), gradient = DD_NONE;
    bool score = s->settings->objective.penalty == DD_PENALTY_SCORE;
    dd_gradient(graph, score ? f_real : dd_add(graph, f_real, log_q), DD_NONE, &s->x_t, 1, &gradient);
    observe(s, "log_q_real", log_q, 0);
    observe(s, "grad_real", gradient, 0);
    const double gamma = s->settings->objective.gamma;
    if (!score)
        return dd_gradient_penalty(graph, gradient, gamma);
    return dd_score_penalty(&s->process, gradient, s->noise_t, s->settings->objective.latent_weight, gamma);
}

/* Data of every level against draws of N(0, DD_NOISE_DEVIATION^2 I), whose density is known: where the adversarial terms only compare, this ties the
 * heights of f over regions that no generated sample connects. */
static dd_node build_noise_contrast(step *s, dd_node f_real) {
    dd_graph *graph = s->out->graph;
    dd_node noise = dd_input(graph, DD_SLOT_NOISE_CONTRAST, dd_graph_shape(graph, s->x_t), 0);
    dd_node wide = dd_affine(graph, noise, DD_NOISE_DEVIATION, 0);
    dd_node f_noise = dd_network_energy(&s->builder, wide, s->level);
    return dd_noise_contrast_loss(graph, s->settings, s->x_t, f_real, wide, f_noise);
}

/* loss = contrast of f(x_pos) with f(x_t), plus penalties; as published mean[f(x_pos) - f(x_t)] + gamma/2 mean ||d/dx_t
 * [f + log q]||^2 */
static void build_energy_loss(step *s) {
    dd_graph *graph = s->out->graph;
    dd_node fake = dd_detach(graph, s->x_pos), *losses = s->losses, gradient = DD_NONE;
    dd_node f_real = dd_network_energy(&s->builder, s->x_t, s->level);
    dd_node f_fake = dd_network_energy(&s->builder, fake, s->level);
    losses[DD_LOSS_ENERGY_REAL] = dd_batch_mean(graph, f_real);
    losses[DD_LOSS_ENERGY_FAKE] = dd_batch_mean(graph, f_fake);
    losses[DD_LOSS_PENALTY] = build_penalty(s, f_real);
    if (s->settings->objective.fake_gamma > 0) {
        dd_gradient(graph, f_fake, DD_NONE, &fake, 1, &gradient);
        dd_node penalty = dd_fake_penalty(&s->process, gradient, s->settings->objective.fake_gamma);
        losses[DD_LOSS_PENALTY] = dd_add(graph, losses[DD_LOSS_PENALTY], penalty);
    }
    dd_node contrast = dd_contrast_loss(graph, s->settings, f_real, f_fake);
    if (s->settings->objective.noise_contrast > 0)
        contrast = dd_add(graph, contrast, build_noise_contrast(s, f_real));
    losses[DD_LOSS_ENERGY] = dd_add(graph, contrast, losses[DD_LOSS_PENALTY]);
    observe(s, "f_real", f_real, 0);
    observe(s, "f_fake", f_fake, 0);
    observe(s, "penalty", losses[DD_LOSS_PENALTY], 0);
    observe(s, "loss_energy", losses[DD_LOSS_ENERGY], 0);
}

/* The half of Jeffrey's divergence that fits q and G to data: KL and reconstruction. */
static void build_forward_terms(step *s) {
    dd_graph *graph = s->out->graph;
    bool prior = s->settings->objective.reconstruction == DD_RECONSTRUCTION_MSE_PRIOR;
    dd_latent q = dd_network_encoder(&s->builder, s->x_t, s->x_next, s->level);
    dd_node deviation = dd_exp(graph, dd_affine(graph, q.log_variance, 0.5, 0)), x0 = s->x0_pred;
    dd_node z = dd_add(graph, q.mean, dd_multiply(graph, deviation, s->noise_encoder));
    observe(s, "enc_mean", q.mean, 1);
    observe(s, "enc_logvar", q.log_variance, 1);
    observe(s, "z_enc", z, 1);
    if (!prior) {
        x0 = dd_network_generator(&s->builder, s->x_next, s->level, z);
        observe(s, "x0_enc", x0, 1);
    }
    s->losses[DD_LOSS_DIVERGENCE] = dd_latent_divergence(graph, q);
    s->losses[DD_LOSS_RECONSTRUCTION] = dd_reconstruction_loss(&s->process, s->settings, s->x_t, s->x_next, x0);
}

/* -mean[f(x_pos) + log q(x_{t+1} | x_pos)] with the updated energy, and w mean[-log q(z | x_pos, x_{t+1})] */
static void build_reverse_terms(step *s) {
    dd_graph *graph = s->out->graph;
    s->builder.phase = 1;
    dd_node f_pos = dd_network_energy(&s->builder, s->x_pos, s->level);
    s->builder.phase = 0;
    dd_node log_q = dd_process_log_next(&s->process, s->x_pos, s->x_next);
    const double reverse = s->settings->objective.reverse_weight;
    dd_node seen = dd_affine(graph, f_pos, 1 / s->settings->objective.temperature, 0);
    s->losses[DD_LOSS_ADVERSARIAL] = dd_affine(graph, dd_batch_mean(graph, dd_add(graph, seen, log_q)), -reverse, 0);
    observe(s, "f_pos", f_pos, 1);
    observe(s, "log_q_pos", log_q, 1);
    double weight = s->settings->objective.latent_weight;
    if (weight == 0)
        return;
    dd_latent q = dd_network_encoder(&s->builder, s->x_pos, s->x_next, s->level);
    s->losses[DD_LOSS_LATENT] = dd_affine(graph, dd_latent_loss(graph, s->z, q), weight * reverse, 0);
    observe(s, "latent_mean", q.mean, 1);
    observe(s, "latent_logvar", q.log_variance, 1);
}

/* What is dropped is not built, so it leaves batch statistics alone; the order of building is the order of their moves. */
static void build_generator_loss(step *s) {
    static const char *const names[] = {"loss_adversarial", "loss_latent", "loss_kl", "loss_recon"};
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses;
    for (int i = DD_LOSS_LATENT; i <= DD_LOSS_RECONSTRUCTION; i++)
        losses[i] = dd_scalar(graph, 0);
    if (s->settings->objective.divergence == DD_DIVERGENCE_JEFFREY)
        build_forward_terms(s);
    build_reverse_terms(s);
    losses[DD_LOSS_GENERATOR] = dd_add(graph, dd_add(graph, losses[DD_LOSS_ADVERSARIAL], losses[DD_LOSS_LATENT]),
                                       dd_add(graph, losses[DD_LOSS_DIVERGENCE], losses[DD_LOSS_RECONSTRUCTION]));
    for (int i = 0; i < 4; i++)
        observe(s, names[i], losses[DD_LOSS_ADVERSARIAL + i], 1);
    observe(s, "loss_generator", losses[DD_LOSS_GENERATOR], 1);
}

static void ask_for_losses(step *s) {
    for (int i = 0; i < DD_LOSSES; i++)
        dd_output(s->out->graph, s->losses[i], s->slots.losses + i, i < DD_LOSS_GENERATOR ? 0 : 1);
}

/* Gradients of a loss for the weights that `of_energy` says. The energy's parameters enter its loss as they are in phase 0. */
static ddaebm_status ask_for_gradients(step *s, bool of_energy) {
    dd_parameters *parameters = s->builder.parameters;
    ddaebm_context *context = s->out->context;
    dd_node *wrt = dd_alloc_zero(context, parameters->count, sizeof *wrt);
    dd_node *gradients = dd_alloc_zero(context, parameters->count, sizeof *gradients);
    size_t *index = dd_alloc_zero(context, parameters->count, sizeof *index), count = 0;
    if (wrt && gradients && index) {
        for (size_t i = 0; i < parameters->count; i++) {
            const dd_parameter *p = &parameters->items[i];
            if (p->role != DD_ROLE_WEIGHT || (p->network == DDAEBM_NETWORK_ENERGY) != of_energy)
                continue;
            dd_shape shape = {{1, 1, 1, 1}};
            memcpy(shape.size + DD_AXES - p->rank, p->shape, p->rank * sizeof *p->shape);
            wrt[count] = dd_input(s->out->graph, s->slots.parameters + (dd_slot)i, shape, 0);
            index[count++] = i;
        }
        dd_gradient(s->out->graph, s->losses[of_energy ? DD_LOSS_ENERGY : DD_LOSS_GENERATOR], DD_NONE, wrt, count, gradients);
        for (size_t i = 0; i < count; i++) {
            s->out->used[index[i]] = gradients[i] != DD_NONE;
            if (gradients[i] != DD_NONE)
                dd_output(s->out->graph, gradients[i], s->slots.gradients + (dd_slot)index[i], of_energy ? 0 : 1);
        }
    }
    ddaebm_status status = wrt && gradients && index ? dd_graph_status(s->out->graph) : DDAEBM_OUT_OF_MEMORY;
    dd_free(context, wrt);
    dd_free(context, gradients);
    dd_free(context, index);
    return status;
}

static void ask_for_statistics(step *s) {
    for (size_t i = 0; i < s->builder.parameters->count; i++) {
        s->out->moved[i] = s->builder.moved[i] != DD_NONE;
        if (s->out->moved[i])
            dd_output(s->out->graph, s->builder.moved[i], s->slots.statistics + (dd_slot)i, 1);
    }
}

static void ask_for_observed(step *s) {
    for (size_t i = 0; i < s->out->observed_count; i++)
        dd_output(s->out->graph, s->out->observed[i].node, s->slots.observed + (dd_slot)i, s->out->observed[i].phase);
}

static ddaebm_status allocate(step *s, ddaebm_context *context, size_t parameters) {
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

ddaebm_status dd_step_graph_build(dd_step_graph *out, ddaebm_context *context, const dd_settings *settings,
                                  dd_parameters *parameters, size_t batch, bool observe) {
    dd_noise_schedule schedule = {0};
    dd_step_graph result = {.context = context};
    step s = {.out = &result, .settings = settings, .slots = dd_step_slots_of(parameters)};
    ddaebm_status status = dd_noise_schedule_make(&schedule, context, settings);
    if (status != DDAEBM_OK)
        return status;
    DD_TRY(allocate(&s, context, parameters->count));
    s.builder = (dd_builder){.graph = result.graph,
                             .settings = settings,
                             .parameters = parameters,
                             .training = true,
                             .first_slot = s.slots.parameters,
                             .moved = s.builder.moved,
                             .calls = result.calls};
    s.process = (dd_process){.graph = result.graph, .schedule = &schedule};
    build_samples(&s, batch);
    build_energy_loss(&s);
    build_generator_loss(&s);
    ask_for_losses(&s);
    DD_TRY(ask_for_gradients(&s, true));
    DD_TRY(ask_for_gradients(&s, false));
    ask_for_statistics(&s);
    if (observe)
        ask_for_observed(&s);
    DD_TRY(dd_graph_status(result.graph));
    *out = result;
cleanup:
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
