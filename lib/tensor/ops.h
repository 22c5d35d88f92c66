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
    DD_OP_INPUT,
    DD_OP_CONSTANT,
    DD_OP_SCALAR,
    /* element by element: inputs broadcast to the node's shape */
    DD_OP_ADD,
    DD_OP_SUBTRACT,
    DD_OP_MULTIPLY,
    DD_OP_AFFINE, /* factor x + shift */
    DD_OP_POWER,  /* x^exponent */
    DD_OP_EXP,
    DD_OP_LOG,
    DD_OP_TANH,
    DD_OP_SIGMOID,
    DD_OP_SOFTPLUS,
    DD_OP_SIN,
    DD_OP_COS,
    DD_OP_STEP,
    DD_OP_LEAKY, /* x where x > 0, slope x elsewhere */
    DD_OP_SILU,  /* a derivative of x sigmoid(x) */
    DD_OP_EXPAND,
    DD_OP_OUTPUT, /* a copy, to a slot */
    /* the rest */
    DD_OP_SUM,
    DD_OP_MATMUL,
    DD_OP_LINEAR,  /* a b^T + c, c one row */
    DD_OP_RESHAPE, /* shares its input's memory, as DETACH does */
    DD_OP_DETACH,
    DD_OP_SLICE,
    DD_OP_PAD,
    DD_OP_CONCAT,
    DD_OP_TAKE_ROWS,
    DD_OP_ADD_ROWS,
    DD_OP_PERMUTE,
    DD_OP_SOFTMAX, /* over the last axis */
    DD_OP_MASK,    /* 0 or 1/keep at random; see dd_mask */
    /* images */
    DD_OP_CONVOLVE,
    DD_OP_CONVOLVE_INPUT,
    DD_OP_CONVOLVE_WEIGHT,
    DD_OP_FILTER,
    DD_OP_NORMALIZE,
    DD_OP_NORMALIZE_GRADIENT, /* of x and a cotangent */
    DD_OP_INVERSE_DEVIATION,
    DD_OP_COUNT
} dd_op;

/* The constants of a node; its operation says which member counts. Nodes are compared by these
 * bytes (dd_op_info.constants), so no member may have padding. */
typedef union dd_constants {
    dd_slot slot;     /* input, output */
    int32_t constant; /* constant: index into the graph's constants */
    double scalar;
    struct {
        double factor, shift;
    } affine;
    double exponent;    /* power */
    int32_t derivative; /* silu: the order of the derivative, 0 to 2 */
    struct {
        bool transpose_a, transpose_b;
    } matmul;
    struct {
        size_t axis, start;
    } slice, pad;
    size_t concat;            /* the axis */
    int32_t permute[DD_AXES]; /* axis i of the result is axis permute[i] of x */
    struct {
        double keep;
        uint64_t rng_stream;
    } mask;
    dd_window window; /* convolve and its two gradients, filter */
    struct {
        uint64_t groups;
        double epsilon;
    } normalize; /* and its gradient, and the inverse deviation */
} dd_constants;

typedef struct dd_node_data {
    dd_op op;
    dd_node inputs[DD_MOST_INPUTS]; /* DD_NONE where there is none */
    dd_shape shape;
    dd_constants constants;
    int phase;
    int copy; /* tells rematerialised nodes apart (dd_graph_recompute); else 0 */
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
    size_t constants;      /* bytes of dd_constants that count */
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
