#include "base/ieee.h"
#include "objective/losses.h"
#include "objective/step_builder.h"

/* The generator's non-saturating loss: mean softplus(-D(x_pos, x_{t+1}, t)) with the updated
 * discriminator. */
static void build_logistic_term(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    s->builder.phase = 1;
    dd_node d_pos =
        dd_network_discriminator(&s->builder, s->leaves[DD_LEAF_X_POS], s->x_next, s->timestep);
    s->builder.phase = 0;
    s->losses[DD_LOSS_ADVERSARIAL] =
        dd_batch_mean(graph, dd_softplus(graph, dd_affine(graph, d_pos, -1, 0)));
    dd_step_differentiate(s, &s->of_generator, s->losses[DD_LOSS_ADVERSARIAL], DD_NONE);
    dd_step_observe(s, "f_pos", d_pos, 1);
}

/* Builds KL(q(z | x_t, x_{t+1}) || N(0, I)), and gives the generator's x_0 with z from q. */
static dd_node build_posterior(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    bool prior = s->settings->objective.reconstruction == DD_RECONSTRUCTION_MSE_PRIOR;
    dd_latent q = dd_network_encoder(&s->builder, s->x_t, s->x_next, s->timestep);
    dd_node deviation = dd_exp(graph, dd_affine(graph, q.log_variance, 0.5, 0)),
            x0 = s->leaves[DD_LEAF_X0];
    dd_node z = dd_add(graph, q.mean, dd_multiply(graph, deviation, s->noise_encoder));

    dd_step_observe(s, "enc_mean", q.mean, 1);
    dd_step_observe(s, "enc_logvar", q.log_variance, 1);
    dd_step_observe(s, "z_enc", z, 1);
    if (!prior) {
        x0 = dd_network_generator(&s->builder, s->x_next, s->timestep, z);
        dd_step_observe(s, "x0_enc", x0, 1);
    }
    s->losses[DD_LOSS_DIVERGENCE] = dd_latent_divergence(graph, q);
    return x0;
}

/* Builds the forward part of Jeffrey's divergence, which fits q and G to data: KL and
 * reconstruction. Without z there is no posterior, and one x_0. */
static void build_forward_terms(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node x0 = s->settings->network.latent ? build_posterior(s) : s->leaves[DD_LEAF_X0];
    s->losses[DD_LOSS_RECONSTRUCTION] =
        dd_reconstruction_loss(&s->process, s->settings, s->x_t, s->x_next, x0);
    dd_node both = dd_add(graph, s->losses[DD_LOSS_DIVERGENCE], s->losses[DD_LOSS_RECONSTRUCTION]);
    dd_step_differentiate(s, &s->of_generator, both, DD_NONE);
}

/* -mean[f(x_pos) + log q(x_{t+1} | x_pos)] with the updated energy, and w mean[-log q(z | x_pos,
 * x_{t+1})] */
static void build_reverse_terms(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node x_pos = s->leaves[DD_LEAF_X_POS];
    const double reverse = s->settings->objective.reverse_weight,
                 weight = s->settings->objective.latent_weight;

    s->builder.phase = 1;
    dd_node f_pos = dd_network_energy(&s->builder, x_pos, s->timestep);
    s->builder.phase = 0;
    dd_node log_q = dd_process_log_next(&s->process, x_pos, s->x_next);
    dd_node seen = dd_affine(graph, f_pos, 1 / s->settings->objective.temperature, 0);
    s->losses[DD_LOSS_ADVERSARIAL] =
        dd_affine(graph, dd_batch_mean(graph, dd_add(graph, seen, log_q)), -reverse, 0);
    dd_step_differentiate(s, &s->of_generator, s->losses[DD_LOSS_ADVERSARIAL], DD_NONE);
    dd_step_observe(s, "f_pos", f_pos, 1);
    dd_step_observe(s, "log_q_pos", log_q, 1);
    if (weight == 0 || !s->settings->network.latent)
        return;
    dd_latent q = dd_network_encoder(&s->builder, x_pos, s->x_next, s->timestep);
    s->losses[DD_LOSS_LATENT] =
        dd_affine(graph, dd_latent_loss(graph, s->z, q), weight * reverse, 0);
    dd_step_differentiate(s, &s->of_generator, s->losses[DD_LOSS_LATENT], DD_NONE);
    dd_step_observe(s, "latent_mean", q.mean, 1);
    dd_step_observe(s, "latent_logvar", q.log_variance, 1);
}

/* Builds the energy score, which fits the generator's draws to the distribution of x_0 given
 * x_{t+1}, however far apart its modes are. */
static dd_node build_energy_score(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    dd_node z = dd_input(graph, DD_SLOT_LATENT_SCORE, dd_graph_shape(graph, s->z), 0);
    dd_node second = dd_network_generator(&s->builder, s->x_next, s->timestep, z);
    dd_node score = dd_affine(graph, dd_energy_score(graph, s->x0, s->leaves[DD_LEAF_X0], second),
                              s->settings->objective.energy_score, 0);
    dd_step_differentiate(s, &s->of_generator, score, DD_NONE);
    return score;
}

/* a + b, where either may be nothing. */
static dd_node sum_of(dd_graph *graph, dd_node a, dd_node b) {
    if (a == DD_NONE || b == DD_NONE)
        return a == DD_NONE ? b : a;
    return dd_add(graph, a, b);
}

/* Propagates the gradients of x0_pred and x_pos through the generator. */
static void differentiate_generator(dd_step_builder *s) {
    dd_graph *graph = s->out->graph;
    const dd_node *wanted = s->of_generator.sum + s->of_generator.weights;
    dd_node cotangent = DD_NONE;
    if (wanted[DD_LEAF_X_POS] != DD_NONE)
        dd_gradient(graph, s->x_pos, wanted[DD_LEAF_X_POS], &s->x0_pred, 1, &cotangent);
    cotangent = sum_of(graph, cotangent, wanted[DD_LEAF_X0]);
    if (s->custom_loss)
        cotangent = sum_of(
            graph, cotangent,
            dd_input(graph, s->slots.sample_gradients, dd_graph_shape(graph, s->x0_pred), 1));
    if (cotangent != DD_NONE)
        dd_step_differentiate(s, &s->of_generator, s->x0_pred, cotangent);
}

/* Terms of weight 0 are not built, so they do not update batch statistics; those are updated in the
 * order of building. */
static void build_divergence(dd_step_builder *s) {
    const int64_t divergence = s->settings->objective.divergence;
    if (s->settings->objective.kind == DD_OBJECTIVE_LOGISTIC) {
        build_logistic_term(s);
        return;
    }
    if (divergence == DD_DIVERGENCE_JEFFREY || divergence == DD_DIVERGENCE_FORWARD_KL)
        build_forward_terms(s);
    if (divergence == DD_DIVERGENCE_JEFFREY || divergence == DD_DIVERGENCE_REVERSE_KL)
        build_reverse_terms(s);
}

void dd_step_generator_loss(dd_step_builder *s) {
    static const char *const names[] = {"loss_adversarial", "loss_latent", "loss_kl", "loss_recon"};
    dd_graph *graph = s->out->graph;
    dd_node *losses = s->losses;

    for (int i = DD_LOSS_ADVERSARIAL; i <= DD_LOSS_RECONSTRUCTION; i++)
        losses[i] = dd_scalar(graph, 0);
    build_divergence(s);
    losses[DD_LOSS_GENERATOR] =
        dd_add(graph, dd_add(graph, losses[DD_LOSS_ADVERSARIAL], losses[DD_LOSS_LATENT]),
               dd_add(graph, losses[DD_LOSS_DIVERGENCE], losses[DD_LOSS_RECONSTRUCTION]));
    if (s->settings->objective.energy_score > 0)
        losses[DD_LOSS_GENERATOR] = dd_add(graph, losses[DD_LOSS_GENERATOR], build_energy_score(s));
    differentiate_generator(s);
    for (int i = 0; i < 4; i++)
        dd_step_observe(s, names[i], losses[DD_LOSS_ADVERSARIAL + i], 1);
    dd_step_observe(s, "loss_generator", losses[DD_LOSS_GENERATOR], 1);
}
