#include "objective/contrasts.h"

#include "diffusion/noise_scale.h"
#include "objective/losses.h"
#include "objective/objective.h"
#include "objective/spectrum.h"

#include <math.h>

static dd_node log_density_at(const dd_contrasts *c, dd_node x, dd_node timestep) {
    return dd_log_density(c->graph, c->settings, dd_network_energy(c->builder, x, timestep));
}

/* Replaces noise by the data on the margin of padded images. */
static dd_node on_margin_of(const dd_contrasts *c, dd_node noise, dd_node x, dd_node *on_margin) {
    dd_graph *graph = c->graph;
    dd_shape shape = dd_graph_shape(graph, x);
    size_t margin = (size_t)c->settings->data.padding, side = shape.size[1] - 2 * margin;
    dd_node inside = dd_expand(graph, dd_scalar(graph, 1), (dd_shape){{1, side, side, 1}});
    inside =
        dd_pad(graph, dd_pad(graph, inside, 1, margin, shape.size[1]), 2, margin, shape.size[2]);
    *on_margin = dd_affine(graph, inside, -1, 1);
    return dd_add(graph, noise, dd_multiply(graph, x, *on_margin));
}

/* log N(x; -a_cum[t], sigma_cum[t]^2) on the margin, which is black before it is diffused. */
static dd_node log_density_of_margin(const dd_contrasts *c, dd_node x, dd_node on_margin) {
    dd_graph *graph = c->graph;
    const dd_noise_schedule *schedule = c->process->schedule;
    dd_shape shape = dd_graph_shape(graph, x);
    double precisions[DD_MOST_TIMESTEPS], constants[DD_MOST_TIMESTEPS],
        outer = (double)dd_settings_outer_side(c->settings);
    double numbers =
        (double)shape.size[3] * ((double)shape.size[1] * (double)shape.size[2] - outer * outer);

    for (size_t t = 0; t < schedule->steps; t++) {
        double variance = schedule->sigma_cum[t] * schedule->sigma_cum[t];
        precisions[t] = -0.5 / variance;
        constants[t] = -0.5 * numbers * log(6.28318530717958647692 * variance);
    }
    dd_node away = dd_add(graph, x, dd_process_at(c->process, schedule->a_cum, 0, x));
    dd_node squares = dd_sum(graph, dd_multiply(graph, dd_multiply(graph, away, away), on_margin),
                             dd_shape_a_sample(graph, x));
    return dd_add(graph, dd_multiply(graph, squares, dd_process_at(c->process, precisions, 0, x)),
                  dd_process_at(c->process, constants, 0, x));
}

/* Contrasts data of every timestep with noise of known density. The adversarial terms only compare
 * f where there are samples; this relates its values across regions that no sample connects. */
static dd_node build_noise_contrast(const dd_contrasts *c, dd_node log_p) {
    dd_graph *graph = c->graph;
    dd_spectrum spectrum = dd_spectrum_of(c->settings);
    size_t samples = dd_samples(graph, c->x_t);
    dd_node noise = dd_input(graph, DD_SLOT_NOISE_CONTRAST, dd_graph_shape(graph, c->x_t), 0),
            on_margin = DD_NONE;
    dd_node density = dd_input(graph, DD_SLOT_NOISE_DENSITY,
                               dd_shape_rows(samples, dd_spectrum_numbers(&spectrum)), 0);
    if (spectrum.margin > 0)
        noise = on_margin_of(c, noise, c->x_t, &on_margin);

    dd_node of_data =
        dd_subtract(graph, log_p, dd_spectrum_log_density(graph, &spectrum, c->x_t, density));
    dd_node of_noise = dd_subtract(graph, log_density_at(c, noise, c->timestep),
                                   dd_spectrum_log_density(graph, &spectrum, noise, density));
    if (spectrum.margin > 0) { /* the margin, and so its density, is the same for both */
        dd_node of_margin = log_density_of_margin(c, c->x_t, on_margin);
        of_data = dd_subtract(graph, of_data, of_margin);
        of_noise = dd_subtract(graph, of_noise, of_margin);
    }
    return dd_ratio_contrast_loss(graph, of_data, of_noise);
}

/* Log-density at timestep t+1; that of pure noise after the last. */
static dd_node log_density_next(const dd_contrasts *c, dd_node x) {
    dd_graph *graph = c->graph;
    double last[DD_MOST_TIMESTEPS] = {0}, others[DD_MOST_TIMESTEPS], next[DD_MOST_TIMESTEPS];
    size_t steps = c->process->schedule->steps;

    for (size_t t = 0; t < steps; t++) {
        others[t] = t + 1 < steps;
        last[t] = 1 - others[t];
        next[t] = (double)(t + 1 < steps ? t + 1 : t);
    }
    dd_node timestep = dd_reshape(graph, dd_process_at(c->process, next, 0, x),
                                  dd_graph_shape(graph, c->timestep));
    dd_node known = dd_multiply(graph, dd_noise_log_density(graph, c->settings, x),
                                dd_process_at(c->process, last, 0, x));
    return dd_add(graph, known,
                  dd_multiply(graph, log_density_at(c, x, timestep),
                              dd_process_at(c->process, others, 0, x)));
}

/* Contrasts data of timestep t with data of t+1 by the difference of f at both: the log-ratios of
 * neighbouring densities, from N(0, I) down, sum to the normalised log-density (telescoping density
 * ratios; Rhodes, Xu and Gutmann, 2020). */
static dd_node build_timestep_contrast(const dd_contrasts *c, dd_node log_p) {
    dd_graph *graph = c->graph;
    dd_node of_t = dd_subtract(graph, log_p, log_density_next(c, c->x_t));
    dd_node of_next = dd_subtract(graph, log_density_at(c, c->x_next, c->timestep),
                                  log_density_next(c, c->x_next));
    return dd_ratio_contrast_loss(graph, of_t, of_next);
}

static dd_node build_transform_contrast(const dd_contrasts *c, dd_node f_real) {
    dd_graph *graph = c->graph;
    dd_shape shape = dd_graph_shape(graph, c->x_t);
    dd_node x0 = dd_input(graph, DD_SLOT_TRANSFORMED_X0, shape, 0),
            noise = dd_input(graph, DD_SLOT_TRANSFORMED_T, shape, 0);
    dd_node f =
        dd_network_energy(c->builder, dd_process_diffuse(c->process, x0, noise), c->timestep);
    return dd_transform_contrast_loss(graph, c->settings, f_real, f);
}

dd_node dd_contrasts_add(const dd_contrasts *c, dd_node contrast, dd_node f_real) {
    dd_graph *graph = c->graph;
    const double noise = c->settings->objective.noise_contrast,
                 timestep = c->settings->objective.timestep_contrast;
    const double transform = c->settings->objective.transform_contrast;
    dd_node log_p = dd_log_density(graph, c->settings, f_real);

    if (noise > 0)
        contrast =
            dd_add(graph, contrast, dd_affine(graph, build_noise_contrast(c, log_p), noise, 0));
    if (timestep > 0)
        contrast = dd_add(graph, contrast,
                          dd_affine(graph, build_timestep_contrast(c, log_p), timestep, 0));
    if (transform > 0)
        contrast = dd_add(graph, contrast,
                          dd_affine(graph, build_transform_contrast(c, f_real), transform, 0));
    return contrast;
}
