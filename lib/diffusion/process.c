#include "diffusion/process.h"

#include <math.h>

#include <math.h>

/* Rows have their samples on the third axis, images on the first. */
static bool is_rows(const dd_shape *shape) {
    return shape->size[0] == 1 && shape->size[1] == 1;
}

size_t dd_samples(const dd_graph *graph, dd_node x) {
    dd_shape shape = dd_graph_shape(graph, x);
    return is_rows(&shape) ? shape.size[2] : shape.size[0];
}

dd_shape dd_shape_a_sample(const dd_graph *graph, dd_node x) {
    dd_shape shape = dd_graph_shape(graph, x);
    size_t samples = dd_samples(graph, x);
    return is_rows(&shape) ? dd_shape_rows(samples, 1) : (dd_shape){{samples, 1, 1, 1}};
}

dd_node dd_process_at(const dd_process *process, const double *table, int shift, dd_node x) {
    size_t steps = process->schedule->steps;
    float values[DD_MOST_TIMESTEPS];
    for (size_t i = 0; i < steps; i++)
        values[i] = (float)table[i + (size_t)shift];
    dd_node constants = dd_constant(process->graph, values, dd_shape_rows(steps, 1));
    return dd_reshape(process->graph, dd_take_rows(process->graph, constants, process->timestep),
                      dd_shape_a_sample(process->graph, x));
}

/* table_a[timestep + shift] a + table_b[timestep + shift] b */
static dd_node combine(const dd_process *process, const double *table_a, dd_node a,
                       const double *table_b, dd_node b, int shift) {
    dd_graph *graph = process->graph;
    return dd_add(graph, dd_multiply(graph, a, dd_process_at(process, table_a, shift, a)),
                  dd_multiply(graph, b, dd_process_at(process, table_b, shift, b)));
}

dd_node dd_process_diffuse(const dd_process *process, dd_node x0, dd_node noise) {
    return combine(process, process->schedule->a_cum, x0, process->schedule->sigma_cum, noise, 0);
}

dd_node dd_process_diffuse_next(const dd_process *process, dd_node x0, dd_node noise) {
    return combine(process, process->schedule->a_cum, x0, process->schedule->sigma_cum, noise, 1);
}

dd_node dd_process_next(const dd_process *process, dd_node x_t, dd_node noise) {
    return combine(process, process->schedule->a, x_t, process->schedule->sigma, noise, 1);
}

dd_node dd_gaussian_log_density(dd_graph *graph, dd_node x, dd_node mean, dd_node log_variance) {
    dd_node inverse_deviation = dd_exp(graph, dd_affine(graph, log_variance, -0.5, 0));
    dd_node standard = dd_multiply(graph, dd_subtract(graph, x, mean), inverse_deviation);
    dd_shape shape = dd_shape_a_sample(graph, x);
    double width =
        (double)dd_shape_elements(dd_graph_shape(graph, x)) / (double)dd_samples(graph, x);
    dd_node squares = dd_sum(graph, dd_multiply(graph, standard, standard), shape);
    const double log_two_pi = 1.83787706640934548356;
    return dd_subtract(graph, dd_affine(graph, squares, -0.5, -0.5 * width * log_two_pi),
                       dd_affine(graph, log_variance, 0.5 * width, 0));
}

dd_node dd_process_scaled(const dd_process *process, dd_node log_variance, dd_node x) {
    if (!process->scaled)
        return log_variance;
    dd_graph *graph = process->graph;
    return dd_add(graph, log_variance,
                  dd_reshape(graph, process->log_variances, dd_shape_a_sample(graph, x)));
}

dd_node dd_process_log_next(const dd_process *process, dd_node x_t, dd_node x_next) {
    dd_graph *graph = process->graph;
    double log_variances[DD_MOST_TIMESTEPS];
    for (size_t i = 0; i < process->schedule->steps; i++)
        log_variances[i] = 2 * log(process->schedule->sigma[i + 1]);
    dd_node mean = dd_multiply(graph, x_t, dd_process_at(process, process->schedule->a, 1, x_t));
    dd_node log_variance =
        dd_process_scaled(process, dd_process_at(process, log_variances, 0, x_t), x_t);
    return dd_gaussian_log_density(graph, x_next, mean, log_variance);
}

dd_node dd_posterior_mean(const dd_process *process, dd_node x0, dd_node x_next) {
    return combine(process, process->schedule->post_coef_x0, x0, process->schedule->post_coef_next,
                   x_next, 0);
}

dd_node dd_posterior_draw(const dd_process *process, dd_node x0, dd_node x_next, dd_node noise) {
    dd_graph *graph = process->graph;
    double deviations[DD_MOST_TIMESTEPS];
    for (size_t i = 0; i < process->schedule->steps; i++)
        deviations[i] = i > 0 ? exp(0.5 * process->schedule->post_logvar[i]) : 0;
    dd_node spread = dd_multiply(graph, noise, dd_process_at(process, deviations, 0, noise));
    return dd_add(graph, dd_posterior_mean(process, x0, x_next), spread);
}
