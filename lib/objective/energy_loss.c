#include "base/ieee.h"
#include "objective/contrasts.h"
#include "objective/losses.h"
#include "objective/step_builder.h"

/* Builds the penalty on d/dx_t [f(x_t) + log q(x_{t+1} | x_t)], or the one that compares d/dx_t
 * f(x_t) with the score. */
static dd_node build_penalty(dd_step_builder *s, dd_node f_real) {
    dd_graph *graph = s->out->graph;
    dd_node log_q = dd_process_log_next(&s->process, s->x_t, s->x_next), gradient = DD_NONE;
    bool score = s->settings->objective.penalty == DD_PENALTY_SCORE;
    dd_gradient(graph, score ? f_real : dd_add(graph, f_real, log_q), DD_NONE, &s->x_t, 1,
                &gradient);
    dd_step_observe(s, "log_q_real", log_q, 0);
    dd_step_observe(s, "grad_real", gradient, 0);
    const double gamma = s->settings->objective.gamma;
    if (!score)
        return dd_gradient_penalty(graph, gradient, gamma);
    return dd_score_penalty(&s->process, gradient, s->noise_t, s->settings->objective.latent_weight,
                            gamma);
}

/* Builds f(x_pos). A linear contrast is differentiated at once, and the rest of the loss sees a
 * constant. */
static dd_node build_f_fake(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node f_fake = dd_network_energy(&s->builder, s->leaves[DD_LEAF_X_POS], s->timestep);
    dd_step_observe(s, "f_fake", f_fake, 0);
    if (s->settings->objective.contrast != DD_CONTRAST_LINEAR ||
        s->settings->objective.fake_gamma > 0)
        return f_fake;
    double share = s->settings->objective.contrast_weight / (double)dd_samples(graph, f_fake);
    dd_step_differentiate(s, &s->of_energy, f_fake,
                          dd_expand(graph, dd_scalar(graph, share), dd_graph_shape(graph, f_fake)));
    return dd_detach(graph, f_fake);
}

/* loss = contrast of f(x_pos) with f(x_t), plus penalties; as published mean[f(x_pos) - f(x_t)] +
 * gamma/2 mean ||d/dx_t [f + log q]||^2 */
static void build_energy_loss(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses, fake = s->leaves[DD_LEAF_X_POS], gradient = DD_NONE;
    dd_node f_fake = build_f_fake(s), f_real = dd_network_energy(&s->builder, s->x_t, s->timestep);

    s->f_real = f_real;
    s->f_fake = f_fake;
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
    dd_step_differentiate(s, &s->of_energy, losses[DD_LOSS_ENERGY], DD_NONE);
    dd_step_observe(s, "f_real", f_real, 0);
    dd_step_observe(s, "penalty", losses[DD_LOSS_PENALTY], 0);
    dd_step_observe(s, "loss_energy", losses[DD_LOSS_ENERGY], 0);
}

/* The loss of the discriminator: logistic, with the penalty R1 on d/dx_t D(x_t, x_{t+1}, t) (Xiao
 * et al., 2022). */
static void build_discriminator_loss(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses, gradient = DD_NONE;
    dd_node d_fake =
        dd_network_discriminator(&s->builder, s->leaves[DD_LEAF_X_POS], s->x_next, s->timestep);
    dd_node d_real = dd_network_discriminator(&s->builder, s->x_t, s->x_next, s->timestep);

    losses[DD_LOSS_ENERGY_REAL] = dd_batch_mean(graph, d_real);
    losses[DD_LOSS_ENERGY_FAKE] = dd_batch_mean(graph, d_fake);
    dd_gradient(graph, d_real, DD_NONE, &s->x_t, 1, &gradient);
    losses[DD_LOSS_PENALTY] = dd_gradient_penalty(graph, gradient, s->settings->objective.gamma);
    losses[DD_LOSS_ENERGY] =
        dd_add(graph, dd_ratio_contrast_loss(graph, d_real, d_fake), losses[DD_LOSS_PENALTY]);
    dd_step_differentiate(s, &s->of_energy, losses[DD_LOSS_ENERGY], DD_NONE);
    dd_step_observe(s, "f_fake", d_fake, 0);
    dd_step_observe(s, "grad_real", gradient, 0);
    dd_step_observe(s, "f_real", d_real, 0);
    dd_step_observe(s, "penalty", losses[DD_LOSS_PENALTY], 0);
    dd_step_observe(s, "loss_energy", losses[DD_LOSS_ENERGY], 0);
}

void dd_step_energy_loss(dd_step_builder *s) {
    if (s->settings->objective.kind == DD_OBJECTIVE_LOGISTIC)
        build_discriminator_loss(s);
    else
        build_energy_loss(s);
}
