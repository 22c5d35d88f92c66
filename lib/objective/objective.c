#include "objective/objective.h"

#include "base/context.h"
#include "base/error.h"
#include "objective/contrasts.h"
#include "objective/losses.h"

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
    return slots;
}

/* Gradients, summed loss by loss: with respect to a network's weights, and to the generator's
 * outputs as constants (`leaves`). A loss is differentiated as soon as it is built, so that the
 * activations of its networks are free before the next ones are computed. */
enum { LEAF_X0, LEAF_X_POS, LEAVES };

typedef struct gradients {
    dd_node *wrt, *sum; /* weights, then leaves */
    size_t *index;      /* index of each weight among the parameters */
    size_t weights, count;
} gradients;

/* State of building a step. */
typedef struct step {
    dd_step_graph *out;
    const dd_settings *settings;
    dd_builder builder;
    dd_process process;
    dd_step_slots slots;
    dd_node timestep, z, noise_t, noise_encoder;
    dd_node x0, x_t, x_next, x0_pred, x_pos;
    dd_node leaves[LEAVES]; /* x0_pred and x_pos, as constants */
    dd_node losses[DD_LOSSES];
    gradients of_energy, of_generator; /* with the encoder's */
    bool custom_loss;                  /* a custom loss on x0_pred */
} step;

/* Adds the gradients of sum(y seed). */
static void differentiate(step *s, gradients *g, dd_node y, dd_node seed) {
    dd_gradient_add(s->out->graph, y, seed, g->wrt, g->count, g->sum);
}

static void observe(step *s, const char *name, dd_node node, int phase) {
    s->out->observed[s->out->observed_count++] =
        (dd_observed){name, node, dd_graph_shape(s->out->graph, node), phase};
}

/* Builds x_t and x_{t+1} of the data, and the generator's draws x0_pred and x_pos. */
static void build_samples(step *s, size_t batch) {
    dd_graph *graph = s->out->graph;
    dd_shape data = dd_network_data_shape(s->settings, batch);
    dd_shape latent = dd_shape_rows(batch, dd_settings_latent_width(s->settings));

    s->timestep = s->process.timestep =
        dd_input(graph, DD_SLOT_TIMESTEP, dd_shape_rows(batch, 1), 0);
    s->z = dd_input(graph, DD_SLOT_LATENT, latent, 0);
    s->noise_encoder = dd_input(graph, DD_SLOT_NOISE_ENCODER, latent, 0);
    s->noise_t = dd_input(graph, DD_SLOT_NOISE_T, data, 0);
    s->x0 = dd_input(graph, DD_SLOT_X0, data, 0);
    s->x_t = dd_process_diffuse(&s->process, s->x0, s->noise_t);
    s->x_next = dd_process_next(&s->process, s->x_t, dd_input(graph, DD_SLOT_NOISE_NEXT, data, 0));
    s->x_t = dd_detach(graph, s->x_t); /* no gradient flows from x_next to x_t */
    s->x_next = dd_detach(graph, s->x_next);
    s->x0_pred = dd_network_generator(&s->builder, s->x_next, s->timestep, s->z);
    s->x_pos = dd_posterior_draw(&s->process, s->x0_pred, s->x_next,
                                 dd_input(graph, DD_SLOT_NOISE_POSTERIOR, data, 0));
    s->leaves[LEAF_X0] = dd_detach(graph, s->x0_pred);
    s->leaves[LEAF_X_POS] = dd_detach(graph, s->x_pos);
    observe(s, "x_t", s->x_t, 0);
    observe(s, "x_next", s->x_next, 0);
    observe(s, "x0_pred", s->x0_pred, 0);
    observe(s, "x_pos", s->x_pos, 0);
}

/* Builds the penalty on d/dx_t [f(x_t) + log q(x_{t+1} | x_t)], or the one that compares d/dx_t
 * f(x_t) with the score. */
static dd_node build_penalty(step *s, dd_node f_real) {
    dd_graph *graph = s->out->graph;
    dd_node log_q = dd_process_log_next(&s->process, s->x_t, s->x_next), gradient = DD_NONE;
    bool score = s->settings->objective.penalty == DD_PENALTY_SCORE;
    dd_gradient(graph, score ? f_real : dd_add(graph, f_real, log_q), DD_NONE, &s->x_t, 1,
                &gradient);
    observe(s, "log_q_real", log_q, 0);
    observe(s, "grad_real", gradient, 0);
    const double gamma = s->settings->objective.gamma;
    if (!score)
        return dd_gradient_penalty(graph, gradient, gamma);
    return dd_score_penalty(&s->process, gradient, s->noise_t, s->settings->objective.latent_weight,
                            gamma);
}

/* Builds f(x_pos). A linear contrast is differentiated at once, and the rest of the loss sees a
 * constant. */
static dd_node build_f_fake(step *s) {
    dd_graph *graph = s->out->graph;
    dd_node f_fake = dd_network_energy(&s->builder, s->leaves[LEAF_X_POS], s->timestep);
    observe(s, "f_fake", f_fake, 0);
    if (s->settings->objective.contrast != DD_CONTRAST_LINEAR ||
        s->settings->objective.fake_gamma > 0)
        return f_fake;
    double share = s->settings->objective.contrast_weight / (double)dd_samples(graph, f_fake);
    differentiate(s, &s->of_energy, f_fake,
                  dd_expand(graph, dd_scalar(graph, share), dd_graph_shape(graph, f_fake)));
    return dd_detach(graph, f_fake);
}

/* loss = contrast of f(x_pos) with f(x_t), plus penalties; as published mean[f(x_pos) - f(x_t)] +
 * gamma/2 mean ||d/dx_t [f + log q]||^2 */
static void build_energy_loss(step *s) {
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses, fake = s->leaves[LEAF_X_POS], gradient = DD_NONE;
    dd_node f_fake = build_f_fake(s), f_real = dd_network_energy(&s->builder, s->x_t, s->timestep);

    losses[DD_LOSS_ENERGY_REAL] = dd_batch_mean(graph, f_real);
    losses[DD_LOSS_ENERGY_FAKE] = dd_batch_mean(graph, f_fake);
    losses[DD_LOSS_PENALTY] = build_penalty(s, f_real);
    if (s->settings->objective.fake_gamma > 0) {
        dd_gradient(graph, f_fake, DD_NONE, &fake, 1, &gradient);
        dd_node penalty = dd_fake_penalty(&s->process, gradient, s->settings->objective.fake_gamma);
        losses[DD_LOSS_PENALTY] = dd_add(graph, losses[DD_LOSS_PENALTY], penalty);
    }
    const dd_contrasts contrasts = {.graph = graph,
                                    .settings = s->settings,
                                    .builder = &s->builder,
                                    .process = &s->process,
                                    .timestep = s->timestep,
                                    .x_t = s->x_t,
                                    .x_next = s->x_next};
    dd_node contrast =
        dd_contrasts_add(&contrasts, dd_contrast_loss(graph, s->settings, f_real, f_fake), f_real);
    losses[DD_LOSS_ENERGY] = dd_add(graph, contrast, losses[DD_LOSS_PENALTY]);
    differentiate(s, &s->of_energy, losses[DD_LOSS_ENERGY], DD_NONE);
    observe(s, "f_real", f_real, 0);
    observe(s, "penalty", losses[DD_LOSS_PENALTY], 0);
    observe(s, "loss_energy", losses[DD_LOSS_ENERGY], 0);
}

/* Builds the forward part of Jeffrey's divergence, which fits q and G to data: KL and
 * reconstruction. */
static void build_forward_terms(step *s) {
    dd_graph *graph = s->out->graph;
    bool prior = s->settings->objective.reconstruction == DD_RECONSTRUCTION_MSE_PRIOR;
    dd_latent q = dd_network_encoder(&s->builder, s->x_t, s->x_next, s->timestep);
    dd_node deviation = dd_exp(graph, dd_affine(graph, q.log_variance, 0.5, 0)),
            x0 = s->leaves[LEAF_X0];
    dd_node z = dd_add(graph, q.mean, dd_multiply(graph, deviation, s->noise_encoder));

    observe(s, "enc_mean", q.mean, 1);
    observe(s, "enc_logvar", q.log_variance, 1);
    observe(s, "z_enc", z, 1);
    if (!prior) {
        x0 = dd_network_generator(&s->builder, s->x_next, s->timestep, z);
        observe(s, "x0_enc", x0, 1);
    }
    s->losses[DD_LOSS_DIVERGENCE] = dd_latent_divergence(graph, q);
    s->losses[DD_LOSS_RECONSTRUCTION] =
        dd_reconstruction_loss(&s->process, s->settings, s->x_t, s->x_next, x0);
    dd_node both = dd_add(graph, s->losses[DD_LOSS_DIVERGENCE], s->losses[DD_LOSS_RECONSTRUCTION]);
    differentiate(s, &s->of_generator, both, DD_NONE);
}

/* -mean[f(x_pos) + log q(x_{t+1} | x_pos)] with the updated energy, and w mean[-log q(z | x_pos,
 * x_{t+1})] */
static void build_reverse_terms(step *s) {
    dd_graph *graph = s->out->graph;
    dd_node x_pos = s->leaves[LEAF_X_POS];
    const double reverse = s->settings->objective.reverse_weight,
                 weight = s->settings->objective.latent_weight;

    s->builder.phase = 1;
    dd_node f_pos = dd_network_energy(&s->builder, x_pos, s->timestep);
    s->builder.phase = 0;
    dd_node log_q = dd_process_log_next(&s->process, x_pos, s->x_next);
    dd_node seen = dd_affine(graph, f_pos, 1 / s->settings->objective.temperature, 0);
    s->losses[DD_LOSS_ADVERSARIAL] =
        dd_affine(graph, dd_batch_mean(graph, dd_add(graph, seen, log_q)), -reverse, 0);
    differentiate(s, &s->of_generator, s->losses[DD_LOSS_ADVERSARIAL], DD_NONE);
    observe(s, "f_pos", f_pos, 1);
    observe(s, "log_q_pos", log_q, 1);
    if (weight == 0)
        return;
    dd_latent q = dd_network_encoder(&s->builder, x_pos, s->x_next, s->timestep);
    s->losses[DD_LOSS_LATENT] =
        dd_affine(graph, dd_latent_loss(graph, s->z, q), weight * reverse, 0);
    differentiate(s, &s->of_generator, s->losses[DD_LOSS_LATENT], DD_NONE);
    observe(s, "latent_mean", q.mean, 1);
    observe(s, "latent_logvar", q.log_variance, 1);
}

/* Builds the energy score, which fits the generator's draws to the distribution of x_0 given
 * x_{t+1}, however far apart its modes are. */
static dd_node build_energy_score(step *s) {
    dd_graph *graph = s->out->graph;
    dd_node z = dd_input(graph, DD_SLOT_LATENT_SCORE, dd_graph_shape(graph, s->z), 0);
    dd_node second = dd_network_generator(&s->builder, s->x_next, s->timestep, z);
    dd_node score = dd_affine(graph, dd_energy_score(graph, s->x0, s->leaves[LEAF_X0], second),
                              s->settings->objective.energy_score, 0);
    differentiate(s, &s->of_generator, score, DD_NONE);
    return score;
}

/* Propagates the gradients of x0_pred and x_pos through the generator. */
static void differentiate_generator(step *s) {
    dd_graph *graph = s->out->graph;
    const dd_node *wanted = s->of_generator.sum + s->of_generator.weights;
    dd_node cotangent = DD_NONE;
    dd_gradient(graph, s->x_pos, wanted[LEAF_X_POS], &s->x0_pred, 1, &cotangent);
    if (wanted[LEAF_X0] != DD_NONE)
        cotangent = dd_add(graph, cotangent, wanted[LEAF_X0]);
    if (s->custom_loss)
        cotangent = dd_add(
            graph, cotangent,
            dd_input(graph, s->slots.sample_gradients, dd_graph_shape(graph, s->x0_pred), 1));
    differentiate(s, &s->of_generator, s->x0_pred, cotangent);
}

/* Terms of weight 0 are not built, so they do not update batch statistics; those are updated in the
 * order of building. */
static void build_generator_loss(step *s) {
    static const char *const names[] = {"loss_adversarial", "loss_latent", "loss_kl", "loss_recon"};
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses;

    for (int i = DD_LOSS_LATENT; i <= DD_LOSS_RECONSTRUCTION; i++)
        losses[i] = dd_scalar(graph, 0);
    if (s->settings->objective.divergence == DD_DIVERGENCE_JEFFREY)
        build_forward_terms(s);
    build_reverse_terms(s);
    losses[DD_LOSS_GENERATOR] =
        dd_add(graph, dd_add(graph, losses[DD_LOSS_ADVERSARIAL], losses[DD_LOSS_LATENT]),
               dd_add(graph, losses[DD_LOSS_DIVERGENCE], losses[DD_LOSS_RECONSTRUCTION]));
    if (s->settings->objective.energy_score > 0)
        losses[DD_LOSS_GENERATOR] = dd_add(graph, losses[DD_LOSS_GENERATOR], build_energy_score(s));
    differentiate_generator(s);
    for (int i = 0; i < 4; i++)
        observe(s, names[i], losses[DD_LOSS_ADVERSARIAL + i], 1);
    observe(s, "loss_generator", losses[DD_LOSS_GENERATOR], 1);
}

static void ask_for_losses(step *s) {
    for (int i = 0; i < DD_LOSSES; i++)
        dd_output(s->out->graph, s->losses[i], s->slots.losses + i, i < DD_LOSS_GENERATOR ? 0 : 1);
}

static void ask_for_gradients(step *s, const gradients *g, int phase) {
    for (size_t i = 0; i < g->weights; i++) {
        s->out->used[g->index[i]] = g->sum[i] != DD_NONE;
        if (g->sum[i] != DD_NONE)
            dd_output(s->out->graph, g->sum[i], s->slots.gradients + (dd_slot)g->index[i], phase);
    }
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
        dd_output(s->out->graph, s->out->observed[i].node, s->slots.observed + (dd_slot)i,
                  s->out->observed[i].phase);
}

/* Lists the weights that a loss is differentiated by. The energy's are those of phase 0. */
static ddaebm_status prepare_gradients(step *s, gradients *g, bool of_energy) {
    const dd_parameters *parameters = s->builder.parameters;
    ddaebm_context *context = s->out->context;
    size_t room = parameters->count + LEAVES;
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
    for (int i = 0; i < LEAVES && !of_energy; i++)
        g->wrt[g->count++] = s->leaves[i];
    return DDAEBM_OK;
}

static void free_gradients(const step *s, gradients *g) {
    dd_free(s->out->context, g->wrt);
    dd_free(s->out->context, g->sum);
    dd_free(s->out->context, g->index);
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

/* Asks for all outputs of a step. */
static void ask_for_all(step *s, dd_step_extras extras) {
    ask_for_losses(s);
    ask_for_gradients(s, &s->of_energy, 0);
    ask_for_gradients(s, &s->of_generator, 1);
    ask_for_statistics(s);
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
    step s = {.out = &result,
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
    build_energy_loss(&s);
    build_generator_loss(&s);
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
