/* Resampling filters: separable, the same for all channels. The transpose of one is another. */
#include "tensor/ops/execution.h"
#include "tensor/ops/window.h"

#include <string.h>

/* Builds a filter node, once the window fits the image. */
static dd_node filter(dd_graph *graph, dd_node x, dd_node taps, dd_window window) {
    dd_shape from = dd_graph_shape(graph, x), shape = from;
    if (x == DD_NONE || taps == DD_NONE)
        return DD_NONE;

    size_t count = dd_graph_shape(graph, taps).size[3];
    shape.size[1] = dd_window_places(from.size[1], count, window);
    shape.size[2] = dd_window_places(from.size[2], count, window);
    bool known = dd_graph_node(graph, taps)->op == DD_OP_CONSTANT && count <= DD_MOST_TAPS;
    if (shape.size[1] == 0 || shape.size[2] == 0 || !known)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a filter that does not fit its image");
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_FILTER,
                                               .inputs = {x, taps},
                                               .shape = shape,
                                               .constants.window = window});
}

dd_node dd_filter(dd_graph *graph, dd_node x, dd_node taps, int up, int down, int before,
                  int after) {
    return filter(graph, x, taps,
                  (dd_window){(int16_t)up, (int16_t)down, (int16_t)before, (int16_t)after});
}

/* The transpose: stride and up change places, and the taps are flipped. Both axes need the same
 * margin, so images are square or the stride is 1. */
static void filter_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_shape from = dd_graph_shape(graph, data.inputs[0]),
             taps_shape = dd_graph_shape(graph, data.inputs[1]);
    int taps = (int)taps_shape.size[3];
    const float *values =
        dd_graph_constant(graph, dd_graph_node(graph, data.inputs[1])->constants.constant);
    float turned[DD_MOST_TAPS];
    if (!wanted[0])
        return;

    for (int i = 0; i < taps; i++)
        turned[i] = values[taps - 1 - i];

    dd_window back = {.up = data.constants.window.stride,
                      .stride = data.constants.window.up,
                      .before = (int16_t)(taps - 1 - data.constants.window.before)};
    int64_t room = (int64_t)(from.size[1] - 1) * back.stride + taps;
    back.after = (int16_t)(room - (int64_t)data.shape.size[1] * back.up - back.before);

    dd_node result = filter(graph, cotangent, dd_constant(graph, turned, taps_shape), back);
    if (result != DD_NONE && !dd_shape_equal(dd_graph_shape(graph, result), from))
        result = dd_graph_fail(graph, DDAEBM_INTERNAL, "a filter over an image that is not square");
    gradients[0] = result;
}

/* --- Execution: for each row of the result, the rows that it mixes make one row with margins of
 * zeros, and then that row's pixels are mixed. --- */

static int64_t divide_down(int64_t a, int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* How many pixels beyond a row a filter reads. */
typedef struct margins {
    size_t before, after;
} margins;

static margins margins_of(const dd_node_data *data, size_t taps, size_t width) {
    dd_window w = data->constants.window;
    int64_t first = divide_down(-w.before, w.up);
    int64_t last = divide_down(
        (int64_t)(data->shape.size[2] - 1) * w.stride + (int64_t)taps - 1 - w.before, w.up);
    return (margins){first < 0 ? (size_t)-first : 0,
                     last >= (int64_t)width ? (size_t)(last - (int64_t)width + 1) : 0};
}

static ddaebm_status choose_filter(dd_method *out, const dd_method_request *request) {
    const dd_node_data *data = dd_graph_node(request->graph, request->node);
    dd_shape from = dd_graph_shape(request->graph, data->inputs[0]);
    size_t taps = dd_graph_shape(request->graph, data->inputs[1]).size[3];
    margins around = margins_of(data, taps, from.size[2]);
    out->scratch = (around.before + from.size[2] + around.after) * from.size[3];
    return DDAEBM_OK;
}

/* The rows, or pixels, of which one place of the result is the weighted sum. */
typedef struct mixture {
    size_t taps;
    const float *in[DD_MOST_TAPS];
    float weights[DD_MOST_TAPS];
} mixture;

/* The taps that fall on pixels at place `i`, and not on the zeros between them: pixel first .. last
 * - 1 of `x`, `stride` apart. */
static void mixture_at(mixture *m, const dd_call *call, size_t i, const float *x, size_t stride,
                       int64_t first, int64_t last) {
    dd_window w = call->data->constants.window;
    int64_t place = (int64_t)i * w.stride - w.before,
            pixel = -divide_down(-place, w.up); /* the first pixel from there on */
    size_t taps = call->in_shape[1].size[3];
    m->taps = 0;
    for (size_t k = (size_t)(pixel * w.up - place); k < taps; k += (size_t)w.up, pixel++) {
        if (pixel < first || pixel >= last)
            continue;
        m->in[m->taps] = x + pixel * (int64_t)stride;
        m->weights[m->taps++] = call->in[1][k];
    }
}

static int common_divisor(int a, int b) {
    return b == 0 ? a : common_divisor(b, a % b);
}

/* Filters a row with margins, whose first pixel is at `row`. Places a period apart read pixels
 * `advance` apart. */
static void filter_along(const dd_call *call, float *out, const float *row, margins around) {
    dd_window w = call->data->constants.window;
    size_t width = call->data->shape.size[2], channels = call->data->shape.size[3];
    size_t period = (size_t)(w.up / common_divisor(w.up, w.stride)),
           advance = period * (size_t)w.stride / (size_t)w.up;

    for (size_t i = 0; i < period && i < width; i++) {
        mixture m;
        mixture_at(&m, call, i, row, channels, -(int64_t)around.before,
                   (int64_t)(call->in_shape[0].size[2] + around.after));
        size_t pixels = (width - i + period - 1) / period;
        if (m.taps > 0)
            call->kernels->maps->mix(out + i * channels, period * channels, m.in, m.weights, m.taps,
                                     advance * channels, pixels, channels);
        for (size_t p = 0; p < pixels && m.taps == 0; p++)
            memset(out + (i + p * period) * channels, 0, channels * sizeof *out);
    }
}

/* Parts are cut by rows of the result. */
static void run_filter(const dd_call *call) {
    dd_shape from = call->in_shape[0], to = call->data->shape;
    size_t channels = from.size[3], numbers = from.size[2] * channels;
    margins around = margins_of(call->data, call->in_shape[1].size[3], from.size[2]);
    float *row = call->scratch + around.before * channels;
    memset(call->scratch, 0,
           (around.before + from.size[2] + around.after) * channels * sizeof *row);

    dd_range mine = dd_share(to.size[0] * to.size[1], call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        const float *image = call->in[0] + i / to.size[1] * from.size[1] * numbers;
        mixture m;
        mixture_at(&m, call, i % to.size[1], image, numbers, 0, (int64_t)from.size[1]);
        if (m.taps > 0)
            call->kernels->maps->mix(row, numbers, m.in, m.weights, m.taps, numbers, 1, numbers);
        else
            memset(row, 0, numbers * sizeof *row);
        filter_along(call, call->out + i * to.size[2] * channels, row, around);
    }
}

const dd_op_info dd_op_filter = {
    .name = "filter",
    .arity = 2,
    .constants = DD_SIZE_OF(window),
    .gradient = filter_gradient,
    .cheap = true,
    .execution = &(const dd_execution){.choose = choose_filter, .run = run_filter}};
