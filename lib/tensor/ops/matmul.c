/* Matrix products, and the linear map of a layer. */
#include "tensor/ops/execution.h"

dd_node dd_matmul(dd_graph *graph, dd_node a, bool transpose_a, dd_node b, bool transpose_b) {
    dd_shape x = dd_graph_shape(graph, a), y = dd_graph_shape(graph, b);
    size_t inner_a = x.size[transpose_a ? 2 : 3], inner_b = y.size[transpose_b ? 3 : 2];
    if (a == DD_NONE || b == DD_NONE)
        return DD_NONE;
    if (x.size[0] != y.size[0] || x.size[1] != y.size[1] || inner_a != inner_b)
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "matrices that cannot be multiplied");
    dd_shape shape = {
        {x.size[0], x.size[1], x.size[transpose_a ? 3 : 2], y.size[transpose_b ? 2 : 3]}};
    return dd_graph_make(graph, (dd_node_data){.op = DD_OP_MATMUL,
                                               .inputs = {a, b},
                                               .shape = shape,
                                               .constants.matmul = {transpose_a, transpose_b}});
}

/* C = op(A) op(B) with cotangent G: the cotangent of op(A) is G op(B)^T, that of op(B) op(A)^T G;
 * transposed for A and B where op transposes. */
static void matmul_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    dd_node a = data.inputs[0], b = data.inputs[1];
    bool ta = data.constants.matmul.transpose_a, tb = data.constants.matmul.transpose_b;
    if (wanted[0])
        gradients[0] = ta ? dd_matmul(graph, b, tb, cotangent, true)
                          : dd_matmul(graph, cotangent, false, b, !tb);
    if (wanted[1])
        gradients[1] = tb ? dd_matmul(graph, cotangent, true, a, ta)
                          : dd_matmul(graph, a, !ta, cotangent, false);
}

dd_node dd_linear_map(dd_graph *graph, dd_node x, dd_node w, dd_node b) {
    dd_shape rows = dd_graph_shape(graph, x), weight = dd_graph_shape(graph, w),
             bias = dd_graph_shape(graph, b);
    if (x == DD_NONE || w == DD_NONE || b == DD_NONE)
        return DD_NONE;
    if (rows.size[3] != weight.size[3] || !dd_shape_equal(bias, dd_shape_rows(1, weight.size[2])))
        return dd_graph_fail(graph, DDAEBM_INTERNAL, "a linear map that does not fit its rows");
    dd_shape shape = dd_shape_rows(rows.size[2], weight.size[2]);
    return dd_graph_make(graph,
                         (dd_node_data){.op = DD_OP_LINEAR, .inputs = {x, w, b}, .shape = shape});
}

static void linear_gradient(dd_graph *graph, dd_node self, dd_node cotangent, const bool *wanted,
                            dd_node *gradients) {
    dd_node_data data = *dd_graph_node(graph, self);
    if (wanted[0])
        gradients[0] = dd_matmul(graph, cotangent, false, data.inputs[1], false);
    if (wanted[1])
        gradients[1] = dd_matmul(graph, cotangent, true, data.inputs[0], false);
    if (wanted[2])
        gradients[2] = dd_sum(graph, cotangent, dd_graph_shape(graph, data.inputs[2]));
}

/* --- Execution. --- */

/* The product, its numbers not yet there; one of several if the first two axes say so. */
static dd_matmul_call product_of(const dd_node_data *data, dd_shape a, dd_shape b, dd_shape c) {
    bool linear = data->op == DD_OP_LINEAR,
         transpose_a = !linear && data->constants.matmul.transpose_a,
         transpose_b = linear || data->constants.matmul.transpose_b;
    return (dd_matmul_call){.m = c.size[2],
                            .n = c.size[3],
                            .k = a.size[transpose_a ? 2 : 3],
                            .transpose_a = transpose_a,
                            .transpose_b = transpose_b,
                            .a_stride = a.size[3],
                            .b_stride = b.size[3],
                            .c_stride = c.size[3]};
}

static dd_matmul_call product_at(const dd_graph *graph, dd_node node) {
    const dd_node_data *data = dd_graph_node(graph, node);
    return product_of(data, dd_graph_shape(graph, data->inputs[0]),
                      dd_graph_shape(graph, data->inputs[1]), data->shape);
}

static double multiply_adds(const dd_graph *graph, dd_node node) {
    size_t results = dd_shape_elements(dd_graph_shape(graph, node));
    return (double)results * (double)product_at(graph, node).k;
}

/* By the library's own kernel, where that is faster, or by CBLAS. */
static ddaebm_status choose_product(dd_method *out, const dd_method_request *request) {
    const dd_node_data *data = dd_graph_node(request->graph, request->node);
    dd_matmul_call product = product_at(request->graph, request->node);
    bool is_one = data->shape.size[0] * data->shape.size[1] == 1;
    if (!is_one || !dd_tile_matmul_pays(request->tiles, &product, request->factor_prepared))
        return DDAEBM_OK;

    out->tiles = request->tiles;
    out->factor = dd_graph_shape(request->graph, data->inputs[1]);
    out->packed = dd_tile_matmul_packed(&product);
    out->packs_in_parallel = dd_shape_elements(out->factor) >= DD_PARALLEL_ELEMENTS;
    out->packs_once = true;
    return DDAEBM_OK;
}

static bool same_packing(const dd_method *a, const dd_method *b) {
    return dd_shape_equal(a->factor, b->factor);
}

/* Runs the products over the last two axes: cut between them where there are enough, else within
 * each. */
static void run_products(const dd_call *call, dd_matmul_call product) {
    size_t batch = call->in_shape[0].size[0] * call->in_shape[0].size[1];
    bool within = batch < call->parts;
    dd_range mine = within ? (dd_range){0, batch} : dd_share(batch, call->part, call->parts);
    for (size_t i = mine.first; i < mine.last; i++) {
        product.a = call->in[0] + i * call->in_shape[0].size[2] * call->in_shape[0].size[3];
        product.b = call->in[1] + i * call->in_shape[1].size[2] * call->in_shape[1].size[3];
        product.c = call->out + i * product.m * product.n;
        dd_matmul_run_part(&product, within ? call->part : 0, within ? call->parts : 1);
    }
}

/* Runs a part of a stage: packing, or the product. */
static void run_matmul(const dd_call *call) {
    dd_matmul_call product =
        product_of(call->data, call->in_shape[0], call->in_shape[1], call->out_shape);
    product.a = call->in[0];
    product.b = call->in[1];
    product.start = call->data->op == DD_OP_LINEAR ? call->in[2] : NULL;
    product.c = call->out;

    if (call->stage == DD_TASK_PACK)
        dd_tile_matmul_pack(&product, call->packed, call->part, call->parts);
    else if (call->method->tiles)
        dd_tile_matmul_run_part(call->method->tiles, &product, call->packed, call->part,
                                call->parts);
    else
        run_products(call, product);
}

static bool matmul_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node_data *data = dd_graph_node(question->graph, node);
    return dd_has_rows(question, data->inputs[0]) && !data->constants.matmul.transpose_a &&
           dd_is_shared(question, data->inputs[1]);
}

static bool linear_is_by_row(const dd_row_question *question, dd_node node) {
    const dd_node *inputs = dd_graph_node(question->graph, node)->inputs;
    return dd_has_rows(question, inputs[0]) && dd_is_shared(question, inputs[1]) &&
           dd_is_shared(question, inputs[2]);
}

const dd_op_info dd_op_matmul = {.name = "matmul",
                                 .arity = 2,
                                 .constants = DD_SIZE_OF(matmul),
                                 .gradient = matmul_gradient,
                                 .execution =
                                     &(const dd_execution){.cutting = DD_CUT_BY_MULTIPLY_ADDS,
                                                           .multiply_adds = multiply_adds,
                                                           .is_by_row = matmul_is_by_row,
                                                           .choose = choose_product,
                                                           .same_packing = same_packing,
                                                           .run = run_matmul}};

const dd_op_info dd_op_linear = {.name = "linear",
                                 .arity = 3,
                                 .gradient = linear_gradient,
                                 .execution =
                                     &(const dd_execution){.cutting = DD_CUT_BY_MULTIPLY_ADDS,
                                                           .multiply_adds = multiply_adds,
                                                           .is_by_row = linear_is_by_row,
                                                           .choose = choose_product,
                                                           .same_packing = same_packing,
                                                           .run = run_matmul}};
