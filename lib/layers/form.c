#include "layers/form.h"

dd_node dd_with_form(dd_builder *builder, dd_output_form form, dd_node x, dd_node timestep,
                     dd_node out) {
    dd_noise_schedule schedule;
    if (dd_noise_schedule_make(&schedule, dd_graph_context(builder->graph), builder->settings) !=
        DDAEBM_OK)
        return dd_graph_fail(builder->graph, DDAEBM_OUT_OF_MEMORY, NULL);
    dd_process process = {.graph = builder->graph, .schedule = &schedule, .timestep = timestep};
    dd_node result = form(&process, x, out);
    dd_noise_schedule_free(&schedule);
    return result;
}

static dd_node distance_energy(const dd_process *process, dd_node x, dd_node point) {
    dd_graph *graph = process->graph;
    const dd_noise_schedule *schedule = process->schedule;
    double factors[DD_MOST_TIMESTEPS];
    for (size_t t = 0; t < schedule->steps; t++)
        factors[t] = -0.5 / (schedule->sigma_cum[t] * schedule->sigma_cum[t] + 0.01);
    dd_node away = dd_subtract(graph, x, point);
    dd_node squares = dd_sum(graph, dd_multiply(graph, away, away), dd_shape_a_sample(graph, x));
    return dd_multiply(graph, squares, dd_process_at(process, factors, 0, x));
}

dd_node dd_distance_energy(dd_builder *builder, dd_node x, dd_node timestep, dd_node point) {
    return dd_with_form(builder, distance_energy, x, timestep, point);
}

dd_node dd_normal_energy(dd_graph *graph, dd_node x, dd_node point) {
    dd_node away = dd_subtract(graph, x, point);
    return dd_affine(
        graph, dd_sum(graph, dd_multiply(graph, away, away), dd_shape_a_sample(graph, x)), -0.5, 0);
}

static dd_node add_residual(const dd_process *process, dd_node x_next, dd_node out) {
    dd_graph *graph = process->graph;
    dd_node kept =
        dd_multiply(graph, x_next, dd_process_at(process, process->schedule->a_cum, 1, x_next));
    return dd_add(
        graph, kept,
        dd_multiply(graph, out, dd_process_at(process, process->schedule->sigma_cum, 1, out)));
}

dd_node dd_with_residual(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out) {
    return dd_with_form(builder, add_residual, x_next, timestep, out);
}

/* For data of -1 and 1 alone, atanh of the mean of x_0 given x_{t+1} = a x_0 + s noise is x_{t+1} a
 * / s^2. That grows without bound as s falls; for data of variance V the coefficient is bounded by
 * 1/V. */
static dd_node add_logits(const dd_process *process, dd_node x_next, dd_node out) {
    enum { VARIANCE_INVERSE = 2 };
    const dd_noise_schedule *schedule = process->schedule;
    double gains[DD_MOST_TIMESTEPS + 1];
    for (size_t t = 0; t <= schedule->steps; t++) {
        double a = schedule->a_cum[t], s = schedule->sigma_cum[t];
        gains[t] = a / (s * s + a * a / VARIANCE_INVERSE);
    }
    return dd_add(process->graph, out,
                  dd_multiply(process->graph, x_next, dd_process_at(process, gains, 1, x_next)));
}

dd_node dd_with_logits(dd_builder *builder, dd_node x_next, dd_node timestep, dd_node out) {
    return dd_with_form(builder, add_logits, x_next, timestep, out);
}
