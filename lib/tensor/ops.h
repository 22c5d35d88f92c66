/* The operations: one descriptor each. Adding one is an enumerator, a descriptor with its gradient
 * rule, a builder, a kernel in kernels/, and a row in the tests' table of plain loops. */
#ifndef DD_OPS_H
#define DD_OPS_H

#include "tensor/graph.h"

enum { DD_MOST_INPUTS = 3, DD_MOST_TAPS = 64 };

/* How a filter walks over an image, on both axes alike: up - 1 zeros are put after each pixel,
 * `before` and `after` zeros around them all (fewer than none: pixels cut off), and every stride-th
 * place of the filter counts. */
typedef struct dd_window {
    int16_t up, stride, before, after;
} dd_window;

typedef enum dd_op {
    /* sources */
    DD_OP_INPUT,    /* slot */
    DD_OP_CONSTANT, /* constants[slot] */
    DD_OP_SCALAR,   /* factor */
    /* element by element: inputs broadcast to the node's shape */
    DD_OP_ADD,
    DD_OP_SUBTRACT,
    DD_OP_MULTIPLY,
    DD_OP_AFFINE, /* factor x + shift */
    DD_OP_POWER,  /* x^factor */
    DD_OP_EXP,
    DD_OP_LOG,
    DD_OP_TANH,
    DD_OP_SIGMOID,
    DD_OP_SOFTPLUS,
    DD_OP_SIN,
    DD_OP_COS,
    DD_OP_STEP,
    DD_OP_LEAKY, /* x where x > 0, slope x elsewhere */
    DD_OP_SILU,  /* the factor-th derivative of x sigmoid(x): 0 to 2 */
    DD_OP_EXPAND,
    DD_OP_OUTPUT, /* a copy, to a slot */
    /* the rest */
    DD_OP_SUM,
    DD_OP_MATMUL,  /* flag bit 0: transpose a, bit 1: transpose b */
    DD_OP_LINEAR,  /* a b^T + c, c one row */
    DD_OP_RESHAPE, /* shares its input's memory, as DETACH does */
    DD_OP_DETACH,
    DD_OP_SLICE,  /* axis, start */
    DD_OP_PAD,    /* axis, start */
    DD_OP_CONCAT, /* axis */
    DD_OP_TAKE_ROWS,
    DD_OP_ADD_ROWS,
    DD_OP_PERMUTE, /* axis i of the result is axis flags >> 2i & 3 of x */
    DD_OP_SOFTMAX, /* over the last axis */
    DD_OP_MASK,    /* 0 or 1/factor at random; see dd_mask */
    /* images */
    DD_OP_CONVOLVE, /* window */
    DD_OP_CONVOLVE_INPUT,
    DD_OP_CONVOLVE_WEIGHT,
    DD_OP_FILTER,             /* window */
    DD_OP_NORMALIZE,          /* start: groups, factor: epsilon; so the two below */
    DD_OP_NORMALIZE_GRADIENT, /* of x and a cotangent */
    DD_OP_INVERSE_DEVIATION,
    DD_OP_COUNT
} dd_op;

typedef struct dd_node_data {
    dd_op op;
    dd_node inputs[DD_MOST_INPUTS]; /* DD_NONE where there is none */
    dd_shape shape;
    double factor, shift;
    size_t start;
    int axis, flags, phase;
    int copy; /* tells apart what is made again (dd_graph_recompute); else 0 */
    dd_slot slot;
    dd_window window;
} dd_node_data;

/* Adds to gradients[i] (DD_NONE where `wanted` is false) what the node's input i contributes, given
 * the cotangent of the node. */
typedef void (*dd_gradient_rule)(dd_graph *graph, dd_node self, dd_node cotangent,
                                 const bool *wanted, dd_node *gradients);

typedef struct dd_op_info {
    const char *name;
    int arity;
    bool elementwise;      /* may be fused with others of its shape */
    dd_gradient_rule rule; /* NULL where the gradient vanishes */
} dd_op_info;

const dd_op_info *dd_op_describe(dd_op op);

/* The nodes, for the planner and for the plain-loop twin in the tests. */
size_t dd_graph_nodes(const dd_graph *graph);
const dd_node_data *dd_graph_node(const dd_graph *graph, dd_node node);
const float *dd_graph_constant(const dd_graph *graph, dd_slot index);
ddaebm_context *dd_graph_context(const dd_graph *graph);

/* Bytes that a graph holds. */
size_t dd_graph_memory(const dd_graph *graph);

/* Makes a node, or finds its equal. For builders alone. */
dd_node dd_graph_make(dd_graph *graph, dd_node_data data);

/* Notes the graph's first failure. */
dd_node dd_graph_fail(dd_graph *graph, ddaebm_status status, const char *text);

/* Gradient rules, by file. */
void dd_rule_add(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_subtract(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_multiply(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_unary(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_expand(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_sum(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_matmul(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_linear(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_reshape(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_slice(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_pad(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_concat(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_take_rows(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_add_rows(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_permute(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_leaky(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_silu(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_softmax(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_convolve(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_convolve_input(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_convolve_weight(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_filter(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_normalize(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_normalize_gradient(dd_graph *, dd_node, dd_node, const bool *, dd_node *);
void dd_rule_inverse_deviation(dd_graph *, dd_node, dd_node, const bool *, dd_node *);

#endif
