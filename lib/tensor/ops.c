#include "tensor/ops.h"

#define SIZE(member) sizeof((dd_constants *)NULL)->member

static const dd_op_info table[DD_OP_COUNT] = {
    [DD_OP_INPUT] = {"input", 0, false, NULL, SIZE(slot)},
    [DD_OP_CONSTANT] = {"constant", 0, false, NULL, SIZE(constant)},
    [DD_OP_SCALAR] = {"scalar", 0, false, NULL, SIZE(scalar)},
    [DD_OP_ADD] = {"add", 2, true, dd_rule_add, 0},
    [DD_OP_SUBTRACT] = {"subtract", 2, true, dd_rule_subtract, 0},
    [DD_OP_MULTIPLY] = {"multiply", 2, true, dd_rule_multiply, 0},
    [DD_OP_AFFINE] = {"affine", 1, true, dd_rule_unary, SIZE(affine)},
    [DD_OP_POWER] = {"power", 1, true, dd_rule_unary, SIZE(exponent)},
    [DD_OP_EXP] = {"exp", 1, true, dd_rule_unary, 0},
    [DD_OP_LOG] = {"log", 1, true, dd_rule_unary, 0},
    [DD_OP_TANH] = {"tanh", 1, true, dd_rule_unary, 0},
    [DD_OP_SIGMOID] = {"sigmoid", 1, true, dd_rule_unary, 0},
    [DD_OP_SOFTPLUS] = {"softplus", 1, true, dd_rule_unary, 0},
    [DD_OP_SIN] = {"sin", 1, true, dd_rule_unary, 0},
    [DD_OP_COS] = {"cos", 1, true, dd_rule_unary, 0},
    [DD_OP_STEP] = {"step", 1, true, NULL, 0},
    [DD_OP_LEAKY] = {"leaky", 2, true, dd_rule_leaky, 0},
    [DD_OP_SILU] = {"silu", 1, true, dd_rule_silu, SIZE(derivative)},
    [DD_OP_EXPAND] = {"expand", 1, true, dd_rule_expand, 0},
    [DD_OP_OUTPUT] = {"output", 1, true, NULL, SIZE(slot)},
    [DD_OP_SUM] = {"sum", 1, false, dd_rule_sum, 0},
    [DD_OP_MATMUL] = {"matmul", 2, false, dd_rule_matmul, SIZE(matmul)},
    [DD_OP_LINEAR] = {"linear", 3, false, dd_rule_linear, 0},
    [DD_OP_RESHAPE] = {"reshape", 1, false, dd_rule_reshape, 0},
    [DD_OP_DETACH] = {"detach", 1, false, NULL, 0},
    [DD_OP_SLICE] = {"slice", 1, false, dd_rule_slice, SIZE(slice)},
    [DD_OP_PAD] = {"pad", 1, false, dd_rule_pad, SIZE(pad)},
    [DD_OP_CONCAT] = {"concat", 2, false, dd_rule_concat, SIZE(concat)},
    [DD_OP_TAKE_ROWS] = {"take_rows", 2, false, dd_rule_take_rows, 0},
    [DD_OP_ADD_ROWS] = {"add_rows", 2, false, dd_rule_add_rows, 0},
    [DD_OP_PERMUTE] = {"permute", 1, false, dd_rule_permute, SIZE(permute)},
    [DD_OP_SOFTMAX] = {"softmax", 1, false, dd_rule_softmax, 0},
    [DD_OP_MASK] = {"mask", 1, false, NULL, SIZE(mask)},
    [DD_OP_CONVOLVE] = {"convolve", 2, false, dd_rule_convolve, SIZE(window)},
    [DD_OP_CONVOLVE_INPUT] = {"convolve_input", 2, false, dd_rule_convolve_input, SIZE(window)},
    [DD_OP_CONVOLVE_WEIGHT] = {"convolve_weight", 2, false, dd_rule_convolve_weight, SIZE(window)},
    [DD_OP_FILTER] = {"filter", 2, false, dd_rule_filter, SIZE(window)},
    [DD_OP_NORMALIZE] = {"normalize", 1, false, dd_rule_normalize, SIZE(normalize)},
    [DD_OP_NORMALIZE_GRADIENT] = {"normalize_gradient", 2, false, dd_rule_normalize_gradient,
                                  SIZE(normalize)},
    [DD_OP_INVERSE_DEVIATION] = {"inverse_deviation", 1, false, dd_rule_inverse_deviation,
                                 SIZE(normalize)},
};

const dd_op_info *dd_op_describe(dd_op op) {
    return &table[op];
}
