/* What a network says, put in terms of the noise of its timestep: form.energy, form.residual and
 * form.proposal. */
#ifndef DD_FORM_H
#define DD_FORM_H

#include "layers/builder.h"

/* -||x - point||^2 / (2 h_t^2), h_t^2 = sigma_cum_t^2 + 1/100, one number a sample: falls off
 * wherever data is not, at the timestep's own scale. */
dd_node dd_distance_energy(dd_builder *builder, dd_node x, dd_node timestep, dd_node point);

/* a_cum[t+1] x_{t+1}, the best linear guess of x_0 from data of variance 1, plus sigma_cum[t+1]
 * out. Where the data is standard normal and so is out, that is a draw of x_0 given x_{t+1}. */
dd_node dd_with_residual(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out);

/* out plus a linear guess of atanh(x_0), for tanh to follow: x_{t+1} a / (s^2 + a^2 V), a =
 * a_cum[t+1], s = sigma_cum[t+1], V = 1/2 the variance of the data. */
dd_node dd_with_logits(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out);

#endif
