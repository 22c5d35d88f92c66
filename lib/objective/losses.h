/* The terms of the losses, each a scalar, as functions of the networks' outputs. */
#ifndef DD_LOSSES_H
#define DD_LOSSES_H

#include "diffusion/process.h"
#include "layers/network.h"

/* Mean over the samples of one number a sample. */
dd_node dd_batch_mean(dd_graph *graph, dd_node x);

/* gamma/2 mean ||gradient||^2, with gradient shaped like data: the exact gradient penalty once
 * `gradient` is d/dx_t [f + log q]. */
dd_node dd_gradient_penalty(dd_graph *graph, dd_node gradient, double gamma);

/* gamma/2 mean ||sigma_cum[t] gradient + weight noise||^2: minimal when the gradient of f is
 * `weight` times the score of the diffused data, which denoising score matching (Vincent, 2011)
 * estimates from the noise of x_t. */
dd_node dd_score_penalty(const dd_process *process, dd_node gradient, dd_node noise, double weight,
                         double gamma);

/* gamma/2 mean (sigma_cum[t]^2 + 1/100) ||gradient||^2 */
dd_node dd_fake_penalty(const dd_process *process, dd_node gradient, double gamma);

/* Logistic loss of classifying draws x of one density against draws y of another (Gutmann and
 * Hyvarinen, 2010): mean of softplus(-r(x)) + softplus(r(y)), one number a sample each; minimal
 * when r is the log-ratio of the two densities. */
dd_node dd_ratio_contrast_loss(dd_graph *graph, dd_node r_x, dd_node r_y);

/* mean softplus(f_y/w - f_x/w), y the image of x under a random volume-preserving map that is as
 * probable as its inverse. Which of the two is the data then depends on their densities alone, so
 * the loss is minimal when f/w is the log-density of x up to its normaliser (conditional
 * noise-contrastive estimation; Ceylan and Gutmann, 2018). */
dd_node dd_transform_contrast_loss(dd_graph *graph, const dd_settings *settings, dd_node f_x,
                                   dd_node f_y);

/* f/w, by the losses above the log-density of the diffused data; a w of 0 is replaced by 1. */
dd_node dd_log_density(dd_graph *graph, const dd_settings *settings, dd_node f);

/* mean of f_fake - f_real, or of softplus(f_fake - f_real + margin), sample by sample */
dd_node dd_contrast_loss(dd_graph *graph, const dd_settings *settings, dd_node f_real,
                         dd_node f_fake);

/* mean of 1/2 sum_j [v_j + (z_j - m_j)^2 / (1e-6 + exp v_j)]: -log q(z | ...), up to a constant. */
dd_node dd_latent_loss(dd_graph *graph, dd_node z, dd_latent q);

/* mean KL(q || N(0, I)) = mean of -1/2 sum_j (1 + v_j - m_j^2 - exp v_j) */
dd_node dd_latent_divergence(dd_graph *graph, dd_latent q);

/* Loss of x_t under the posterior of a predicted x_0, with mean m, by objective.reconstruction:
 *   gaussian_nll              batch mean of -log N(x_t; m, v), log v = max(post_logvar[t], log
 * 1e-2) weighted_gaussian_nll     the same with log v = max(post_logvar[t], post_logvar[1]), times
 *                             weight[t+1]
 *   mse_prior, mse_posterior  sum (x_t - m)^2 / N */
dd_node dd_reconstruction_loss(const dd_process *process, const dd_settings *settings, dd_node x_t,
                               dd_node x_next, dd_node x0);

/* Energy score (Gneiting and Raftery, 2007) of two independent draws a and b that predict x: mean
 * of
 * (||x - a|| + ||x - b|| - ||a - b||)/2. Its expectation is minimal when a has the distribution of
 * x given what both were drawn from. ||v|| stands for sqrt(v^2 + 1e-6), smooth at 0. */
dd_node dd_energy_score(dd_graph *graph, dd_node x, dd_node a, dd_node b);

#endif
