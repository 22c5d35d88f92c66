/* The forward process and its posterior, as nodes of a graph. Samples may stand at different
 * timesteps: `timestep` is [1, 1, N, 1], from 0 to T-1, and data is [1, 1, N, D] or, for images,
 * [N, H, W, C]. */
#ifndef DD_PROCESS_H
#define DD_PROCESS_H

#include "diffusion/noise_schedule.h"
#include "tensor/graph/operations.h"

typedef struct dd_process {
    dd_graph *graph;
    const dd_noise_schedule *schedule;
    dd_node timestep;
    bool scaled;           /* the noise has a scale (noise_scale.h); noise comes multiplied by it */
    dd_node log_variances; /* of the scales: 2 log s, one number a sample, shaped like timestep */
} dd_process;

/* Number of samples, and the shape of one number a sample, which broadcasts against data. */
size_t dd_samples(const dd_graph *graph, dd_node x);
dd_shape dd_shape_a_sample(const dd_graph *graph, dd_node x);

/* table[timestep + shift], one number a sample, shaped like dd_shape_a_sample of x. */
dd_node dd_process_at(const dd_process *process, const double *table, int shift, dd_node x);

/* x_t = a_cum[t] x_0 + sigma_cum[t] noise */
dd_node dd_process_diffuse(const dd_process *process, dd_node x0, dd_node noise);

/* x_{t+1} = a_cum[t+1] x_0 + sigma_cum[t+1] noise, without x_t */
dd_node dd_process_diffuse_next(const dd_process *process, dd_node x0, dd_node noise);

/* x_{t+1} = a[t+1] x_t + sigma[t+1] noise */
dd_node dd_process_next(const dd_process *process, dd_node x_t, dd_node noise);

/* log N(x; mean, exp(log_variance)) summed over a sample: one number a sample. */
dd_node dd_gaussian_log_density(dd_graph *graph, dd_node x, dd_node mean, dd_node log_variance);

/* Logarithms of variances [1] or one a sample, for the noise with its scale. */
dd_node dd_process_scaled(const dd_process *process, dd_node log_variance, dd_node x);

/* log q(x_{t+1} | x_t) = log N(x_{t+1}; a[t+1] x_t, sigma[t+1]^2) */
dd_node dd_process_log_next(const dd_process *process, dd_node x_t, dd_node x_next);

/* Mean of q(x_t | x_{t+1}, x_0), and a draw from it; at timestep 0 the draw is the mean. */
dd_node dd_posterior_mean(const dd_process *process, dd_node x0, dd_node x_next);
dd_node dd_posterior_draw(const dd_process *process, dd_node x0, dd_node x_next, dd_node noise);

#endif
