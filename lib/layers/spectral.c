#include "layers/spectral.h"

#include "base/context.h"
#include "layers/form.h"

#include <math.h>

void dd_cosine_matrix(float *matrix, size_t n) {
    const double pi = 3.14159265358979323846, size = (double)n;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++)
            matrix[k * n + i] = (float)(sqrt((k > 0 ? 2 : 1) / size) *
                                        cos(pi * (2 * (double)i + 1) * (double)k / (2 * size)));
}

static dd_node matrix_node(dd_graph *graph, size_t n) {
    ddaebm_context *context = dd_graph_context(graph);
    float *matrix = dd_alloc_zero(context, n * n, sizeof *matrix);
    if (!matrix)
        return dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);
    dd_cosine_matrix(matrix, n);
    dd_node node = dd_constant(graph, matrix, (dd_shape){{1, 1, n, n}});
    dd_free(context, matrix);
    return node;
}

/* Transforms the last axis. */
static dd_node along_rows(dd_graph *graph, dd_node x, dd_node matrix, bool inverse) {
    dd_shape shape = dd_graph_shape(graph, x);
    dd_node rows = dd_reshape(
        graph, x, (dd_shape){{1, 1, shape.size[0] * shape.size[1] * shape.size[2], shape.size[3]}});
    return dd_reshape(graph, dd_matmul(graph, rows, false, matrix, !inverse), shape);
}

/* Transforms the last two axes, and swaps them. */
static dd_node along_both(dd_graph *graph, dd_node x, dd_node matrix, bool inverse) {
    static const int swap[] = {0, 1, 3, 2};
    x = dd_permute(graph, along_rows(graph, x, matrix, inverse), swap);
    return along_rows(graph, x, matrix, inverse);
}

/* x - a_cum[t] mean */
static dd_node without_mean(const dd_process *process, dd_node x, dd_node mean) {
    dd_node a = dd_process_at(process, process->schedule->a_cum, 0, x);
    return dd_subtract(process->graph, x, dd_multiply(process->graph, mean, a));
}

/* a_cum[t]^2 v + sigma_cum[t]^2 */
static dd_node diffused_variance(const dd_process *process, dd_node x, dd_node variance) {
    double kept[DD_MOST_TIMESTEPS], added[DD_MOST_TIMESTEPS];
    const dd_noise_schedule *schedule = process->schedule;
    for (size_t t = 0; t < schedule->steps; t++) {
        kept[t] = schedule->a_cum[t] * schedule->a_cum[t];
        added[t] = schedule->sigma_cum[t] * schedule->sigma_cum[t];
    }
    return dd_add(process->graph,
                  dd_multiply(process->graph, variance, dd_process_at(process, kept, 0, x)),
                  dd_process_at(process, added, 0, x));
}

dd_node dd_whiten_images(dd_builder *builder, dd_node x, dd_node timestep, dd_node *log_density) {
    static const int channels_first[] = {0, 3, 1, 2}, channels_last[] = {0, 2, 3, 1};
    dd_graph *graph = builder->graph;
    const dd_shape shape = dd_graph_shape(graph, x);
    const size_t side = shape.size[1], channels = shape.size[3];
    const dd_scope scope = dd_scope_of("normal");
    dd_node mean = dd_parameter_node(builder, &scope, "mean", DD_ROLE_STATISTIC,
                                     (dd_shape){{1, side, side, channels}}, 3, (dd_initial){0}),
            variance = dd_parameter_node(builder, &scope, "variance", DD_ROLE_STATISTIC,
                                         (dd_shape){{1, channels, side, side}}, 3,
                                         (dd_initial){.middle = 1});

    dd_node centred = dd_with_form(builder, without_mean, x, timestep, mean);
    dd_node diffused = dd_with_form(builder, diffused_variance, x, timestep, variance);
    dd_node matrix = matrix_node(graph, side);
    dd_node spectrum = along_both(graph, dd_permute(graph, centred, channels_first), matrix, false);
    dd_node white = dd_multiply(graph, spectrum, dd_power(graph, diffused, -0.5));

    const double numbers = (double)(side * side * channels);
    *log_density =
        dd_affine(graph, dd_sum(graph, dd_log(graph, diffused), dd_shape_a_sample(graph, x)), -0.5,
                  -0.5 * numbers * log(6.28318530717958647692));
    return dd_permute(graph, along_both(graph, white, matrix, true), channels_last);
}
