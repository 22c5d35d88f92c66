#include "support/plain_convolution.h"

#include <string.h>

static size_t offset_of(dd_shape shape, size_t i, size_t j, size_t k, size_t l) {
    return ((i * shape.size[1] + j) * shape.size[2] + k) * shape.size[3] + l;
}

/* Three tensors, of which one is to be computed: y += x w, x += y w or w += x y, for every pair of
 * places that meet. */
typedef struct meeting {
    dd_op op;
    double *x, *weights, *y;
    dd_shape x_shape, weights_shape, y_shape;
} meeting;

/* All channels and filters at one pixel of x, one of y and one tap. */
static void meet(const meeting *m, size_t in_x, size_t in_y, size_t tap) {
    size_t channels = m->x_shape.size[3],
           filter = m->weights_shape.size[1] * m->weights_shape.size[2] * channels;
    for (size_t o = 0; o < m->y_shape.size[3]; o++)
        for (size_t c = 0; c < channels; c++) {
            double *x = m->x + in_x + c, *y = m->y + in_y + o,
                   *weight = m->weights + o * filter + tap * channels + c;
            if (m->op == DD_OP_CONVOLVE)
                *y += *x * *weight;
            else if (m->op == DD_OP_CONVOLVE_INPUT)
                *x += *y * *weight;
            else
                *weight += *x * *y;
        }
}

/* All taps over one pixel of y. */
static void meet_taps(const meeting *m, dd_window window, size_t n, size_t i, size_t j) {
    for (size_t k = 0; k < m->weights_shape.size[1]; k++)
        for (size_t l = 0; l < m->weights_shape.size[2]; l++) {
            int64_t row = (int64_t)i * window.stride + (int64_t)k - window.before;
            int64_t column = (int64_t)j * window.stride + (int64_t)l - window.before;
            if (row < 0 || column < 0 || row >= (int64_t)m->x_shape.size[1] ||
                column >= (int64_t)m->x_shape.size[2])
                continue;
            meet(m, offset_of(m->x_shape, n, (size_t)row, (size_t)column, 0),
                 offset_of(m->y_shape, n, i, j, 0), k * m->weights_shape.size[2] + l);
        }
}

void test_plain_convolution(double *out, const dd_node_data *data, const double *a,
                            dd_shape a_shape, const double *b, dd_shape b_shape) {
    double *first = (double *)a, *second = (double *)b; /* read alone */
    meeting m = {data->op, first, second, out, a_shape, b_shape, data->shape};
    if (data->op == DD_OP_CONVOLVE_INPUT)
        m = (meeting){data->op, out, second, first, data->shape, b_shape, a_shape};
    if (data->op == DD_OP_CONVOLVE_WEIGHT)
        m = (meeting){data->op, first, out, second, a_shape, data->shape, b_shape};
    memset(out, 0, dd_shape_elements(data->shape) * sizeof *out);
    for (size_t n = 0; n < m.y_shape.size[0]; n++)
        for (size_t i = 0; i < m.y_shape.size[1]; i++)
            for (size_t j = 0; j < m.y_shape.size[2]; j++)
                meet_taps(&m, data->constants.window, n, i, j);
}
