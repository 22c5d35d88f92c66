/* Output forms that depend on the noise of the timestep: form.energy, form.residual and
 * form.proposal. */
#ifndef DD_FORM_H
#define DD_FORM_H

#include "diffusion/process.h"
#include "layers/builder.h"

/* A formula of a network's output or parameters that reads the tables of the noise schedule. x has
 * the samples, of which the process has the timesteps. */
typedef dd_node (*dd_output_form)(const dd_process *process, dd_node x, dd_node out);

/* Applies a formula with the builder's noise schedule. */
dd_node dd_with_form(dd_builder *builder, dd_output_form form, dd_node x, dd_node timestep,
                     dd_node out);

/* -||x - point||^2 / (2 h_t^2), h_t^2 = sigma_cum_t^2 + 1/100, one number a sample. It decreases
 * away from the data on the scale of the timestep's noise. */
dd_node dd_distance_energy(dd_builder *builder, dd_node x, dd_node timestep, dd_node point);

/* -||x - point||^2 / 2, one number a sample: with points of zero the log-density of N(0, I). */
dd_node dd_normal_energy(dd_graph *graph, dd_node x, dd_node point);

/* a_cum[t+1] x_{t+1} + sigma_cum[t+1] out. The first term is the best linear estimate of x_0 for
 * data of variance 1; if the data is standard normal, a standard normal `out` gives a draw of x_0
 * given x_{t+1}. */
dd_node dd_with_residual(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out);

/* out plus a linear estimate of atanh(x_0), to be followed by tanh: x_{t+1} a / (s^2 + a^2 V), a =
 * a_cum[t+1], s = sigma_cum[t+1], V = 1/2 the variance of the data. */
dd_node dd_with_logits(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out);

#endif
