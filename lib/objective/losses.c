#include "objective/losses.h"

#include <math.h>

static const dd_shape scalar = {{1, 1, 1, 1}};

dd_node dd_batch_mean(dd_graph *graph, dd_node x) {
    return dd_mean(graph, x, scalar);
}

static dd_node square(dd_graph *graph, dd_node x) {
    return dd_multiply(graph, x, x);
}

/* factor times the sum of all elements, divided by the number of samples */
static dd_node mean_of_sums(dd_graph *graph, dd_node x, double factor) {
    return dd_affine(graph, dd_sum(graph, x, scalar), factor / (double)dd_samples(graph, x), 0);
}

dd_node dd_gradient_penalty(dd_graph *graph, dd_node gradient, double gamma) {
    return mean_of_sums(graph, square(graph, gradient), gamma / 2);
}

dd_node dd_score_penalty(const dd_process *process, dd_node gradient, dd_node noise, double weight,
                         double gamma) {
    dd_graph *graph = process->graph;
    if (process->scaled) /* the score is -noise / s^2 */
        noise = dd_multiply(
            graph, noise,
            dd_exp(graph, dd_affine(graph, dd_process_scaled(process, dd_scalar(graph, 0), noise),
                                    -1, 0)));
    dd_node scaled = dd_multiply(graph, gradient,
                                 dd_process_at(process, process->schedule->sigma_cum, 0, gradient));
    return mean_of_sums(
        graph, square(graph, dd_add(graph, scaled, dd_affine(graph, noise, weight, 0))), gamma / 2);
}

dd_node dd_fake_penalty(const dd_process *process, dd_node gradient, double gamma) {
    dd_graph *graph = process->graph;
    double scales[DD_MOST_TIMESTEPS];
    for (size_t i = 0; i < process->schedule->steps; i++)
        scales[i] = sqrt(process->schedule->sigma_cum[i] * process->schedule->sigma_cum[i] + 0.01);
    return mean_of_sums(
        graph,
        square(graph, dd_multiply(graph, gradient, dd_process_at(process, scales, 0, gradient))),
        gamma / 2);
}

dd_node dd_contrast_loss(dd_graph *graph, const dd_settings *settings, dd_node f_real,
                         dd_node f_fake) {
    dd_node difference = dd_subtract(graph, f_fake, f_real);
    if (settings->objective.contrast == DD_CONTRAST_SOFTPLUS)
        difference =
            dd_softplus(graph, dd_affine(graph, difference, 1, settings->objective.margin));
    return dd_affine(graph, dd_batch_mean(graph, difference), settings->objective.contrast_weight,
                     0);
}

dd_node dd_latent_loss(dd_graph *graph, dd_node z, dd_latent q) {
    dd_node precision =
        dd_power(graph, dd_affine(graph, dd_exp(graph, q.log_variance), 1, 1e-6), -1);
    dd_node distance = dd_multiply(graph, square(graph, dd_subtract(graph, z, q.mean)), precision);
    return mean_of_sums(graph, dd_add(graph, q.log_variance, distance), 0.5);
}

dd_node dd_latent_divergence(dd_graph *graph, dd_latent q) {
    dd_node spread =
        dd_subtract(graph, dd_affine(graph, q.log_variance, 1, 1), dd_exp(graph, q.log_variance));
    return mean_of_sums(graph, dd_subtract(graph, spread, square(graph, q.mean)), -0.5);
}

/* max(post_logvar[t], floor), one number a sample */
static dd_node floored_log_variance(const dd_process *process, double floor, dd_node x) {
    double values[DD_MOST_TIMESTEPS];
    for (size_t i = 0; i < process->schedule->steps; i++)
        values[i] = fmax(process->schedule->post_logvar[i], floor);
    return dd_process_scaled(process, dd_process_at(process, values, 0, x), x);
}

dd_node dd_reconstruction_loss(const dd_process *process, const dd_settings *settings, dd_node x_t,
                               dd_node x_next, dd_node x0) {
    dd_graph *graph = process->graph;
    dd_node mean = dd_posterior_mean(process, x0, x_next);
    int64_t kind = settings->objective.reconstruction;
    if (kind == DD_RECONSTRUCTION_MSE_PRIOR || kind == DD_RECONSTRUCTION_MSE_POSTERIOR)
        return mean_of_sums(graph, square(graph, dd_subtract(graph, x_t, mean)), 1);

    bool weighted = kind == DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL;
    double floor = weighted ? process->schedule->post_logvar[1] : log(1e-2);
    dd_node nll = dd_affine(
        graph, dd_gaussian_log_density(graph, x_t, mean, floored_log_variance(process, floor, x_t)),
        -1, 0);
    if (weighted)
        nll = dd_multiply(graph, nll, dd_process_at(process, process->schedule->weight, 1, x_t));
    return dd_batch_mean(graph, nll);
}

dd_node dd_log_density(dd_graph *graph, const dd_settings *settings, dd_node f) {
    return dd_affine(graph, f, 1 / dd_settings_density_weight(settings), 0);
}

dd_node dd_ratio_contrast_loss(dd_graph *graph, dd_node r_x, dd_node r_y) {
    dd_node of_x = dd_softplus(graph, dd_affine(graph, r_x, -1, 0));
    return dd_batch_mean(graph, dd_add(graph, of_x, dd_softplus(graph, r_y)));
}

dd_node dd_transform_contrast_loss(dd_graph *graph, const dd_settings *settings, dd_node f_x,
                                   dd_node f_y) {
    return dd_batch_mean(
        graph, dd_softplus(graph, dd_log_density(graph, settings, dd_subtract(graph, f_y, f_x))));
}

/* ||x - y||, one number a sample, smoothed at 0 */
static dd_node distance(dd_graph *graph, dd_node x, dd_node y) {
    dd_node squares =
        dd_sum(graph, square(graph, dd_subtract(graph, x, y)), dd_shape_a_sample(graph, x));
    return dd_power(graph, dd_affine(graph, squares, 1, 1e-6), 0.5);
}

dd_node dd_energy_score(dd_graph *graph, dd_node x, dd_node a, dd_node b) {
    dd_node to_x = dd_add(graph, distance(graph, x, a), distance(graph, x, b));
    dd_node score = dd_subtract(graph, to_x, distance(graph, a, b));
    return dd_affine(graph, dd_batch_mean(graph, score), 0.5, 0);
}
