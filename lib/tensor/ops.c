#include "tensor/ops.h"

static const dd_op_info table[DD_OP_COUNT] = {
    [DD_OP_INPUT] = {"input", 0, false, NULL},
    [DD_OP_CONSTANT] = {"constant", 0, false, NULL},
    [DD_OP_SCALAR] = {"scalar", 0, false, NULL},
    [DD_OP_ADD] = {"add", 2, true, dd_rule_add},
    [DD_OP_SUBTRACT] = {"subtract", 2, true, dd_rule_subtract},
    [DD_OP_MULTIPLY] = {"multiply", 2, true, dd_rule_multiply},
    [DD_OP_AFFINE] = {"affine", 1, true, dd_rule_unary},
    [DD_OP_POWER] = {"power", 1, true, dd_rule_unary},
    [DD_OP_EXP] = {"exp", 1, true, dd_rule_unary},
    [DD_OP_LOG] = {"log", 1, true, dd_rule_unary},
    [DD_OP_TANH] = {"tanh", 1, true, dd_rule_unary},
    [DD_OP_SIGMOID] = {"sigmoid", 1, true, dd_rule_unary},
    [DD_OP_SOFTPLUS] = {"softplus", 1, true, dd_rule_unary},
    [DD_OP_SIN] = {"sin", 1, true, dd_rule_unary},
    [DD_OP_COS] = {"cos", 1, true, dd_rule_unary},
    [DD_OP_STEP] = {"step", 1, true, NULL},
    [DD_OP_EXPAND] = {"expand", 1, true, dd_rule_expand},
    [DD_OP_OUTPUT] = {"output", 1, true, NULL},
    [DD_OP_SUM] = {"sum", 1, false, dd_rule_sum},
    [DD_OP_MATMUL] = {"matmul", 2, false, dd_rule_matmul},
    [DD_OP_RESHAPE] = {"reshape", 1, false, dd_rule_reshape},
    [DD_OP_DETACH] = {"detach", 1, false, NULL},
    [DD_OP_SLICE] = {"slice", 1, false, dd_rule_slice},
    [DD_OP_PAD] = {"pad", 1, false, dd_rule_pad},
    [DD_OP_CONCAT] = {"concat", 2, false, dd_rule_concat},
    [DD_OP_TAKE_ROWS] = {"take_rows", 2, false, dd_rule_take_rows},
    [DD_OP_ADD_ROWS] = {"add_rows", 2, false, dd_rule_add_rows},
};

const dd_op_info *dd_op_describe(dd_op op) {
    return &table[op];
}
