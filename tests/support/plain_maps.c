#include "base/rng.h"
#include "support/plain_tensor.h"

#include <math.h>

/* The pixel that the filter's tap k meets at place i of an axis; -1 for the zeros between and
 * around. */
static int64_t pixel_at(dd_window w, size_t i, size_t k, size_t size) {
    int64_t place = (int64_t)i * w.stride + (int64_t)k - w.before;
    return place >= 0 && place % w.up == 0 && place / w.up < (int64_t)size ? place / w.up : -1;
}

static void filter(tensor out, dd_window w, tensor x, tensor taps) {
    size_t at[DD_AXES] = {0}, i = 0, count = taps.shape.size[3];
    do {
        double total = 0;
        for (size_t k = 0; k < count; k++)
            for (size_t l = 0; l < count; l++) {
                int64_t row = pixel_at(w, at[1], k, x.shape.size[1]),
                        column = pixel_at(w, at[2], l, x.shape.size[2]);
                size_t from[DD_AXES] = {at[0], (size_t)row, (size_t)column, at[3]};
                if (row >= 0 && column >= 0)
                    total += taps.x[k] * taps.x[l] * x.x[offset_of(x.shape, from)];
            }
        out.x[i++] = total;
    } while (next(out.shape, at));
}

/* Mean of (a - a_mean)(b - b_mean) over a group of an image; b NULL for 1. */
static double mean_of(dd_shape shape, size_t image, size_t group, size_t groups, const double *a,
                      double a_mean, const double *b, double b_mean) {
    size_t channels = shape.size[3], width = channels / groups,
           pixels = shape.size[1] * shape.size[2];
    double total = 0;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = group * width; c < (group + 1) * width; c++) {
            size_t i = (image * pixels + p) * channels + c;
            total += (a[i] - a_mean) * (b ? b[i] - b_mean : 1);
        }
    return total / (double)(pixels * width);
}

static void normalize_group(tensor out, const dd_node_data *data, tensor x, tensor g, size_t image,
                            size_t group) {
    size_t groups = data->constants.normalize.groups, channels = x.shape.size[3],
           pixels = x.shape.size[1] * x.shape.size[2], width = channels / groups;
    double mean = mean_of(x.shape, image, group, groups, x.x, 0, NULL, 0);
    double r = 1 / sqrt(mean_of(x.shape, image, group, groups, x.x, mean, x.x, mean) +
                        data->constants.normalize.epsilon);
    if (data->op == DD_OP_INVERSE_STD) {
        out.x[image * groups + group] = r;
        return;
    }
    double slope = g.x ? mean_of(x.shape, image, group, groups, g.x, 0, NULL, 0) : 0;
    double along = g.x ? mean_of(x.shape, image, group, groups, g.x, 0, x.x, mean) * r : 0;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = group * width; c < (group + 1) * width; c++) {
            size_t i = (image * pixels + p) * channels + c;
            double y = (x.x[i] - mean) * r;
            out.x[i] = g.x ? r * (g.x[i] - slope - y * along) : y;
        }
}

static void normalize(tensor out, const dd_node_data *data, tensor x, tensor g) {
    for (size_t image = 0; image < x.shape.size[0]; image++)
        for (size_t group = 0; group < data->constants.normalize.groups; group++)
            normalize_group(out, data, x, g, image, group);
}

static void softmax(tensor out, tensor x) {
    size_t width = x.shape.size[3], rows = dd_shape_elements(x.shape) / width;
    for (size_t row = 0; row < rows; row++) {
        double total = 0;
        for (size_t i = 0; i < width; i++)
            total += exp(x.x[row * width + i]);
        for (size_t i = 0; i < width; i++)
            out.x[row * width + i] = exp(x.x[row * width + i]) / total;
    }
}

static void permute(tensor out, const int32_t *order, tensor x) {
    size_t at[DD_AXES] = {0}, i = 0;
    do {
        size_t from[DD_AXES] = {0};
        for (int axis = 0; axis < DD_AXES; axis++)
            from[order[axis]] = at[axis];
        out.x[i++] = x.x[offset_of(x.shape, from)];
    } while (next(out.shape, at));
}

static void mask(tensor out, const dd_node_data *data, tensor seed) {
    uint64_t key = 0;
    for (int i = 0; i < 4; i++)
        key |= (uint64_t)seed.x[i] << 16 * i;
    for (size_t i = 0; i < dd_shape_elements(out.shape); i++) {
        uint32_t word;
        dd_rng_words(&word, key, dd_stream(DD_STREAM_DROPOUT, data->constants.mask.rng_stream), i,
                     1);
        out.x[i] = (double)word < data->constants.mask.keep * 4294967296.0
                       ? 1 / data->constants.mask.keep
                       : 0;
    }
}

bool test_plain_maps(tensor out, const dd_node_data *data, tensor a, tensor b) {
    switch (data->op) {
    case DD_OP_FILTER:
        filter(out, data->constants.window, a, b);
        return true;
    case DD_OP_NORMALIZE:
    case DD_OP_NORMALIZE_GRADIENT:
    case DD_OP_INVERSE_STD:
        normalize(out, data, a, b);
        return true;
    case DD_OP_SOFTMAX:
        softmax(out, a);
        return true;
    case DD_OP_PERMUTE:
        permute(out, data->constants.permute, a);
        return true;
    case DD_OP_MASK:
        mask(out, data, a);
        return true;
    default:
        return false;
    }
}
