/* Rows taken from a table by index, and the transpose of that. */
#include "tensor/ops/execution.h"

#include <string.h>

dd_node dd_take_rows(dd_graph *graph, dd_node table, dd_node index) {
    if (table == DD_NONE || index == DD_NONE)
        return DD_NONE;
    dd_shape shape =
        dd_shape_rows(dd_graph_shape(graph, index).size[2], dd_graph_shape(graph, table).size[3]);
    return dd_graph_make(
        graph, (dd_node_data){.op = DD_OP_TAKE_ROWS, .inputs = {table, index}, .shape = shape});
}

static void take_rows_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                               dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_add_rows(graph, cotangent, data.inputs[1],
                                   dd_graph_shape(graph, data.inputs[0]).size[2]);
}

dd_node dd_add_rows(dd_graph *graph, dd_node x, dd_node index, size_t rows) {
    if (x == DD_NONE || index == DD_NONE)
        return DD_NONE;
    if (dd_graph_shape(graph, x).size[2] != dd_graph_shape(graph, index).size[2])
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "rows and indices of unlike number");
    dd_shape shape = dd_shape_rows(rows, dd_graph_shape(graph, x).size[3]);
    return dd_graph_make(
        graph, (dd_node_data){.op = DD_OP_ADD_ROWS, .inputs = {x, index}, .shape = shape});
}

static void add_rows_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                              dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_take_rows(graph, cotangent, data.inputs[1]);
}

/* --- Execution. --- */

/* Returns row index[i]. An index outside the table would be a bug of the library; it is read as 0.
 */
static size_t row_of(const float *index, size_t i, size_t rows) {
    float r = index[i];
    return r > 0 && r < (float)rows ? (size_t)r : 0;
}

static void run_take_rows(const dd_call *call) {
    const float *table = call->in[0], *index = call->in[1];
    size_t rows = call->in_shape[0].size[2], width = call->out_shape.size[3];
    dd_range mine = dd_share(call->out_shape.size[2], call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++)
        memcpy(call->out + i * width, table + row_of(index, i, rows) * width,
               width * sizeof *call->out);
}

/* Sums are in double, like all sums. */
static void run_add_rows(const dd_call *call) {
    enum { SUM_COLUMNS = 64 };
    const float *x = call->in[0], *index = call->in[1];
    size_t count = call->in_shape[0].size[2], width = call->data->shape.size[3];
    size_t rows = call->data->shape.size[2];

    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < width; column += SUM_COLUMNS) {
            size_t columns = width - column < SUM_COLUMNS ? width - column : SUM_COLUMNS;
            double wide[SUM_COLUMNS] = {0};
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < columns && row_of(index, i, rows) == row; j++)
                    wide[j] += (double)x[i * width + column + j];
            for (size_t j = 0; j < columns; j++)
                call->out[row * width + column + j] = (float)wide[j];
        }
    }
}

static bool take_rows_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node *inputs = dd_graph_node(question->graph, node)->inputs;
    return dd_is_shared(question, inputs[0]) && dd_has_rows(question, inputs[1]);
}

const dd_op_info dd_op_take_rows = {
    .name = "take_rows",
    .arity = 2,
    .gradient = take_rows_gradient,
    .execution = &(const dd_execution){
        .reads_table = true, .is_by_row = take_rows_is_by_row, .run = run_take_rows}};

const dd_op_info dd_op_add_rows = {
    .name = "add_rows",
    .arity = 2,
    .gradient = add_rows_gradient,
    .execution = &(const dd_execution){.cutting = DD_CUT_NEVER, .run = run_add_rows}};
