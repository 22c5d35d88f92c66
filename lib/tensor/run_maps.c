/* Runs filters, normalisations, softmax, permutations and masks. */
#include "base/rng.h"
#include "tensor/plan_internal.h"

#include <math.h>
#include <string.h>

/* --- Filters: for each row of the result the rows that it mixes, into one row with margins of
 * zeros, and then that row's pixels.
 * --- */

static int64_t divide_down(int64_t a, int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* The margins, in pixels, that the places of a filter reach beyond a row. */
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

size_t dd_filter_scratch(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    dd_shape from = dd_graph_shape(graph, data->inputs[0]);
    margins around = margins_of(data, dd_graph_shape(graph, data->inputs[1]).size[3], from.size[2]);
    return (around.before + from.size[2] + around.after) * from.size[3];
}

/* What one place mixes. */
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
    size_t taps = call->shape[1].size[3];
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

/* Along a row with margins, whose first pixel is at `row`: places a period apart mix pixels a fixed
 * step apart. */
static void filter_along(const dd_call *call, float *out, const float *row, margins around) {
    dd_window w = call->data->constants.window;
    size_t width = call->data->shape.size[2], channels = call->data->shape.size[3];
    size_t period = (size_t)(w.up / common_divisor(w.up, w.stride)),
           step = period * (size_t)w.stride / (size_t)w.up;
    for (size_t i = 0; i < period && i < width; i++) {
        mixture m;
        mixture_at(&m, call, i, row, channels, -(int64_t)around.before,
                   (int64_t)(call->shape[0].size[2] + around.after));
        size_t pixels = (width - i + period - 1) / period;
        if (m.taps > 0)
            call->plan->maps->mix(out + i * channels, period * channels, m.in, m.weights, m.taps,
                                  step * channels, pixels, channels);
        for (size_t p = 0; p < pixels && m.taps == 0; p++)
            memset(out + (i + p * period) * channels, 0, channels * sizeof *out);
    }
}

/* Cut by rows of the result. */
void dd_run_filter(const dd_call *call) {
    dd_shape from = call->shape[0], to = call->data->shape;
    size_t channels = from.size[3], numbers = from.size[2] * channels;
    margins around = margins_of(call->data, call->shape[1].size[3], from.size[2]);
    float *row = call->scratch + around.before * channels;
    memset(call->scratch, 0,
           (around.before + from.size[2] + around.after) * channels * sizeof *row);
    dd_range mine = dd_share(to.size[0] * to.size[1], call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        const float *image = call->in[0] + i / to.size[1] * from.size[1] * numbers;
        mixture m;
        mixture_at(&m, call, i % to.size[1], image, numbers, 0, (int64_t)from.size[1]);
        if (m.taps > 0)
            call->plan->maps->mix(row, numbers, m.in, m.weights, m.taps, numbers, 1, numbers);
        else
            memset(row, 0, numbers * sizeof *row);
        filter_along(call, call->out + i * to.size[2] * channels, row, around);
    }
}

/* --- Normalisation. A image is a matrix of a row a pixel and a column a channel; where channels
 * are few, a row holds several pixels. --- */

enum { LEAST_WIDTH = 32, MOMENTS = 4, FACTORS = 6 };

static size_t matrix_width(size_t channels) {
    return channels < LEAST_WIDTH ? LEAST_WIDTH / channels * channels : channels;
}

size_t dd_normalize_scratch(const dd_graph *graph, dd_node node) {
    size_t width =
        matrix_width(dd_graph_shape(graph, dd_graph_node(graph, node)->inputs[0]).size[3]);
    return width * (MOMENTS * sizeof(double) / sizeof(float) + FACTORS);
}

/* Some groups of one image. */
typedef struct normalization {
    const dd_call *call;
    const float *x, *g;
    float *out;
    size_t pixels, groups, channels; /* channels of a group */
    dd_matrix_size whole, rest;      /* all full rows, and the pixels left over as one row */
    dd_moments totals;
    dd_standard by;
} normalization;

static void find_moments(normalization *n) {
    const dd_map_kernels *maps = n->call->plan->maps;
    size_t after = n->whole.rows * n->whole.stride;
    memset(n->totals.x, 0, MOMENTS * n->whole.width * sizeof *n->totals.x);
    if (n->g) {
        maps->moments_along(n->totals, n->x, n->g, n->whole);
        maps->moments_along(n->totals, n->x + after, n->g + after, n->rest);
    } else {
        maps->moments(n->totals, n->x, n->whole);
        maps->moments(n->totals, n->x + after, n->rest);
    }
}

/* Sum over a group's channels, in each of a row's pixels. */
static double fold(const normalization *n, const double *totals, size_t group) {
    double total = 0;
    for (size_t first = group * n->channels; first < n->whole.width;
         first += n->groups * n->channels)
        for (size_t j = 0; j < n->channels; j++)
            total += totals[first + j];
    return total;
}

static void set_factors(normalization *n, size_t column, double mean, double scale, double slope,
                        double along) {
    dd_standard by = n->by;
    by.centre[column] = (float)mean;
    by.scale[column] = (float)scale;
    by.shift[column] = (float)(((double)by.centre[column] - mean) * scale);
    by.slope[column] = (float)slope;
    by.slope_rest[column] = (float)(slope - (double)by.slope[column]);
    by.slope_along[column] = (float)along;
}

static double inverse_deviation(const normalization *n, double mean, size_t group) {
    double variance =
        fold(n, n->totals.xx, group) / (double)(n->pixels * n->channels) - mean * mean;
    return 1 / sqrt((variance < 0 ? 0 : variance) + n->call->data->constants.normalize.epsilon);
}

static void find_factors(normalization *n) {
    double elements = (double)(n->pixels * n->channels);
    for (size_t group = 0; group < n->groups; group++) {
        double mean = fold(n, n->totals.x, group) / elements,
               scale = inverse_deviation(n, mean, group);
        double slope = fold(n, n->totals.g, group) / elements;
        double along = (fold(n, n->totals.gx, group) / elements - mean * slope) * scale;
        for (size_t first = group * n->channels; first < n->whole.width;
             first += n->groups * n->channels)
            for (size_t j = 0; j < n->channels; j++)
                set_factors(n, first + j, mean, scale, slope, along);
    }
}

static void write_normalized(const normalization *n) {
    const dd_map_kernels *maps = n->call->plan->maps;
    size_t after = n->whole.rows * n->whole.stride;
    if (n->g) {
        maps->standardize_gradient(n->out, n->x, n->g, n->by, n->whole);
        maps->standardize_gradient(n->out + after, n->x + after, n->g + after, n->by, n->rest);
    } else {
        maps->standardize(n->out, n->x, n->by, n->whole);
        maps->standardize(n->out + after, n->x + after, n->by, n->rest);
    }
}

/* Several pixels make a row where all channels are wanted, for then they lie side by side. */
static void set_matrix(normalization *n, size_t stride) {
    size_t width = n->groups * n->channels,
           pixels = width == stride ? matrix_width(width) / width : 1;
    n->whole = (dd_matrix_size){n->pixels / pixels, width * pixels, stride * pixels};
    n->rest = (dd_matrix_size){1, n->pixels % pixels * width, stride};
}

static void place_scratch(normalization *n) {
    size_t width = n->whole.width;
    double *wide = (double *)n->call->scratch;
    n->totals = (dd_moments){wide, wide + width, wide + 2 * width, wide + 3 * width};
    float *narrow = (float *)(wide + MOMENTS * width);
    n->by = (dd_standard){narrow,
                          narrow + width,
                          narrow + 2 * width,
                          narrow + 3 * width,
                          narrow + 4 * width,
                          narrow + 5 * width};
}

static void normalize_groups(const dd_call *call, size_t image, dd_range groups) {
    dd_shape shape = call->shape[0];
    size_t channels = shape.size[3] / call->data->constants.normalize.groups,
           pixels = shape.size[1] * shape.size[2];
    size_t first = image * pixels * shape.size[3] + groups.first * channels;
    normalization n = {.call = call,
                       .x = call->in[0] + first,
                       .g = call->in[1] ? call->in[1] + first : NULL,
                       .pixels = pixels,
                       .groups = groups.last - groups.first,
                       .channels = channels};
    set_matrix(&n, shape.size[3]);
    place_scratch(&n);
    find_moments(&n);
    if (call->data->op == DD_OP_INVERSE_DEVIATION) {
        float *out = call->out + image * call->data->constants.normalize.groups + groups.first;
        for (size_t g = 0; g < n.groups; g++)
            out[g] = (float)inverse_deviation(
                &n, fold(&n, n.totals.x, g) / (double)(pixels * channels), g);
        return;
    }
    n.out = call->out + first;
    find_factors(&n);
    write_normalized(&n);
}

/* Cut between images where there are enough of them, else within each, by groups. */
void dd_run_normalize(const dd_call *call) {
    size_t images = call->shape[0].size[0];
    bool within = images < call->parts;
    dd_range mine = within ? (dd_range){0, images} : dd_share(images, call->part, call->parts);
    dd_range groups =
        within ? dd_share(call->data->constants.normalize.groups, call->part, call->parts)
               : (dd_range){0, call->data->constants.normalize.groups};
    for (size_t i = mine.first; i < mine.last && groups.first < groups.last; i++)
        normalize_groups(call, i, groups);
}

/* --- Softmax. --- */

void dd_run_softmax(const dd_call *call) {
    size_t width = call->data->shape.size[3];
    dd_range mine = dd_share(dd_shape_elements(call->data->shape) / width, call->part, call->parts);
    call->plan->kernels->softmax(call->out + mine.first * width, call->in[0] + mine.first * width,
                                 mine.last - mine.first, width);
}

/* --- Permutations. --- */

/* The result's axes, slowest first, those that stay neighbours made one: how far each goes in the
 * result and in x. */
typedef struct moves {
    int axes;
    size_t size[DD_AXES], out_stride[DD_AXES], in_stride[DD_AXES];
} moves;

static moves moves_of(const dd_call *call) {
    moves m = {.axes = 0};
    size_t in_stride[DD_AXES], stride = 1;
    for (int i = DD_AXES - 1; i >= 0; i--) {
        in_stride[i] = stride;
        stride *= call->shape[0].size[i];
    }
    for (int i = 0; i < DD_AXES; i++) {
        size_t size = call->data->shape.size[i], step = in_stride[call->data->constants.permute[i]];
        if (size == 1)
            continue;
        bool joins = m.axes > 0 && m.in_stride[m.axes - 1] == step * size;
        if (!joins)
            m.size[m.axes++] = 1;
        m.size[m.axes - 1] *= size;
        m.in_stride[m.axes - 1] = step;
    }
    if (m.axes == 0)
        m = (moves){.axes = 1, .size = {1}, .in_stride = {1}};
    stride = 1;
    for (int i = m.axes - 1; i >= 0; i--) {
        m.out_stride[i] = stride;
        stride *= m.size[i];
    }
    return m;
}

/* out[i, j] = x[j, i] by blocks, so that both sides stay within a few cache lines: `from` is how
 * far apart x's rows are. */
static void transpose(float *restrict out, const float *restrict x, size_t rows, size_t columns,
                      size_t to, size_t from) {
    enum { BLOCK = 16 };
    for (size_t top = 0; top < rows; top += BLOCK)
        for (size_t left = 0; left < columns; left += BLOCK) {
            size_t bottom = top + BLOCK < rows ? top + BLOCK : rows,
                   right = left + BLOCK < columns ? left + BLOCK : columns;
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++)
                    out[i * to + j] = x[j * from + i];
        }
}

/* The last axis of the result is the `inner`: copied whole where x has it last too, else transposed
 * with the axis that x has last. */
static void move(float *out, const float *x, const moves *m, int axis, int fast) {
    int last = m->axes - 1;
    if (axis == fast && fast != last)
        axis++;
    if (axis < last) {
        for (size_t i = 0; i < m->size[axis]; i++)
            move(out + i * m->out_stride[axis], x + i * m->in_stride[axis], m, axis + 1, fast);
        return;
    }
    if (fast == last)
        memcpy(out, x, m->size[last] * sizeof *out);
    else
        transpose(out, x, m->size[fast], m->size[last], m->out_stride[fast], m->in_stride[last]);
}

/* Cut along the result's slowest axis. */
void dd_run_permute(const dd_call *call) {
    moves m = moves_of(call);
    dd_range mine = dd_share(m.size[0], call->part, call->parts);
    int fast = m.axes - 1;
    while (m.in_stride[fast] != 1)
        fast--;
    m.size[0] = mine.last - mine.first;
    if (m.size[0] > 0)
        move(call->out + mine.first * m.out_stride[0], call->in[0] + mine.first * m.in_stride[0],
             &m, 0, fast);
}

/* --- Masks. --- */

/* Numbers outside the range would be the library's own mistake. */
static uint64_t seed_of(const float *numbers) {
    uint64_t seed = 0;
    for (int i = 3; i >= 0; i--)
        seed = seed << 16 | (numbers[i] > 0 && numbers[i] < 65536 ? (uint64_t)numbers[i] : 0);
    return seed;
}

void dd_run_mask(const dd_call *call) {
    enum { BLOCK = 256 };
    uint32_t words[BLOCK];
    double keep = call->data->constants.mask.keep;
    uint64_t stream = dd_stream(DD_STREAM_DROPOUT, call->data->constants.normalize.groups),
             bound = (uint64_t)ceil(keep * 0x1p32);
    uint64_t seed = seed_of(call->in[0]);
    float kept = (float)(1 / keep);
    dd_range mine = dd_share(dd_shape_elements(call->data->shape), call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i += BLOCK) {
        size_t count = mine.last - i < BLOCK ? mine.last - i : BLOCK;
        dd_rng_words(words, seed, stream, i, count);
        for (size_t j = 0; j < count; j++)
            call->out[i + j] = words[j] < bound ? kept : 0.0f;
    }
}
