#include "layers/resample.h"

/* Taps divided by their sum, times gain; reversed, because the reference convolves where dd_filter
 * correlates. */
static dd_node taps_node(dd_graph *graph, const dd_integers *taps, double gain) {
    float values[DD_MOST_INTEGERS];
    double sum = 0;
    for (size_t i = 0; i < taps->count; i++)
        sum += (double)taps->values[i];
    for (size_t i = 0; i < taps->count; i++)
        values[i] = (float)(gain * (double)taps->values[taps->count - 1 - i] / sum);
    return dd_constant(graph, values, dd_shape_rows(1, taps->count));
}

dd_node dd_fir_up(dd_graph *graph, dd_node x, const dd_integers *taps) {
    int spare = (int)taps->count -
                2; /* twice the gain on each axis makes up for the zeros between the pixels */
    return dd_filter(graph, x, taps_node(graph, taps, 2), 2, 1, (spare + 1) / 2 + 1, spare / 2);
}

dd_node dd_fir_down(dd_graph *graph, dd_node x, const dd_integers *taps) {
    int spare = (int)taps->count - 2;
    return dd_filter(graph, x, taps_node(graph, taps, 1), 1, 2, (spare + 1) / 2, spare / 2);
}

dd_node dd_fir_before_stride(dd_graph *graph, dd_node x, const dd_integers *taps, int size) {
    int spare = (int)taps->count - 2 + size - 1;
    return dd_filter(graph, x, taps_node(graph, taps, 1), 1, 1, (spare + 1) / 2, spare / 2);
}

dd_node dd_resampled(dd_builder *builder, dd_node x, dd_resample way) {
    static const dd_integers square = {.count = 2, .values = {1, 1}};
    const dd_integers *taps =
        builder->settings->image.fir ? &builder->settings->image.fir_kernel : &square;
    if (way == DD_RESAMPLE_NONE)
        return x;
    return (way == DD_RESAMPLE_UP ? dd_fir_up : dd_fir_down)(builder->graph, x, taps);
}

/* Exchanges two axes of a row of squares. */
static dd_node exchange(dd_graph *graph, dd_node x, dd_shape cut, dd_shape result) {
    static const int order[DD_AXES] = {0, 2, 1, 3};
    return dd_reshape(graph, dd_permute(graph, dd_reshape(graph, x, cut), order), result);
}

dd_node dd_fold(dd_graph *graph, dd_node x, size_t patch) {
    dd_shape s = dd_graph_shape(graph, x);
    size_t rows = s.size[1] / patch, columns = s.size[2] / patch, run = patch * s.size[3];
    if (patch == 1)
        return x;
    return exchange(graph, x, (dd_shape){{s.size[0] * rows, patch, columns, run}},
                    (dd_shape){{s.size[0], rows, columns, patch * run}});
}

dd_node dd_unfold(dd_graph *graph, dd_node x, size_t patch) {
    dd_shape s = dd_graph_shape(graph, x);
    size_t run = s.size[3] / patch;
    if (patch == 1)
        return x;
    return exchange(graph, x, (dd_shape){{s.size[0] * s.size[1], s.size[2], patch, run}},
                    (dd_shape){{s.size[0], s.size[1] * patch, s.size[2] * patch, run / patch}});
}
