#include "layers/symmetry.h"

#include "base/context.h"

void dd_symmetry_source(unsigned symmetry, size_t side, size_t *y, size_t *x) {
    size_t row = symmetry & 1 ? side - 1 - *y : *y, column = symmetry & 2 ? side - 1 - *x : *x;
    *y = symmetry & 4 ? column : row;
    *x = symmetry & 4 ? row : column;
}

void dd_symmetry_mirror(float *image, size_t side, size_t channels) {
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side / 2; x++) {
            size_t from_y = y, from_x = x;
            dd_symmetry_source(DD_SYMMETRY_MIRROR, side, &from_y, &from_x);
            float *pixel = image + (y * side + x) * channels,
                  *source = image + (from_y * side + from_x) * channels;
            for (size_t c = 0; c < channels; c++) {
                float kept = pixel[c];
                pixel[c] = source[c];
                source[c] = kept;
            }
        }
}

/* Takes the pixels, as rows of a table, in another order. */
dd_node dd_symmetry_apply(dd_graph *graph, dd_node x, unsigned symmetry) {
    dd_shape shape = dd_graph_shape(graph, x);
    size_t side = shape.size[1], pixels = shape.size[0] * side * side;
    ddaebm_context *context = dd_graph_context(graph);
    float *places = dd_alloc_zero(context, pixels, sizeof *places);
    if (!places)
        return dd_graph_fail(graph, DDAEBM_OUT_OF_MEMORY, NULL);

    for (size_t i = 0; i < pixels; i++) {
        size_t image = i / (side * side), row = i / side % side, column = i % side;
        dd_symmetry_source(symmetry, side, &row, &column);
        places[i] = (float)((image * side + row) * side + column);
    }
    dd_node index = dd_constant(graph, places, dd_shape_rows(pixels, 1));
    dd_free(context, places);
    dd_node rows = dd_reshape(graph, x, dd_shape_rows(pixels, shape.size[3]));
    return dd_reshape(graph, dd_take_rows(graph, rows, index), shape);
}
