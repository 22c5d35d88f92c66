#include "layers/symmetry.h"

#include "base/context.h"

void dd_symmetry_source(unsigned symmetry, size_t side, size_t *y, size_t *x) {
    size_t row = symmetry & 1 ? side - 1 - *y : *y, column = symmetry & 2 ? side - 1 - *x : *x;
    *y = symmetry & 4 ? column : row;
    *x = symmetry & 4 ? row : column;
}

/* Pixels are rows of a table, and are taken in another order. */
dd_node dd_turned(dd_graph *graph, dd_node x, unsigned symmetry) {
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
