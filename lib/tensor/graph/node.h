/* Nodes, and the descriptor of each operation: what ops/, plan/ and the tests see of a graph. Other
 * rooms need operations.h alone. */
#ifndef DD_NODE_H
#define DD_NODE_H

#include "tensor/graph/operations.h"

enum { DD_MOST_INPUTS = 3 };

typedef struct dd_node_data {
    dd_op op;
    dd_node inputs[DD_MOST_INPUTS]; /* DD_NONE beyond the operation's arity */
    dd_shape shape;
    dd_constants constants;
    int phase;
    int copy; /* tells rematerialised nodes apart (dd_graph_rematerialise); else 0 */
} dd_node_data;

/* Builds a node's contribution to the gradients of its inputs: sets gradients[i] for each input i
 * that is wanted, given the cotangent of the node. */
typedef void (*dd_gradient_rule)(dd_graph *graph, dd_node self, dd_node cotangent,
                                 const bool *wanted, dd_node *gradients);

/* All that is known of an operation. */
typedef struct dd_op_info {
    const char *name;
    int arity;
    size_t constants;                     /* bytes of dd_constants that count */
    dd_gradient_rule gradient;            /* NULL: it vanishes */
    bool elementwise;                     /* may be fused with others of its shape */
    bool renames;                         /* shares its input's memory: nothing is computed */
    bool reorders;                        /* its input, axes in another order */
    bool cheap;                           /* to rematerialise */
    const struct dd_execution *execution; /* ops/execution.h; NULL: nothing is computed */
} dd_op_info;

#define DD_OP_DECLARATION(ENUMERATOR, name) extern const dd_op_info dd_op_##name;
DD_OPERATIONS(DD_OP_DECLARATION)
#undef DD_OP_DECLARATION

/* Bytes of a member of dd_constants, for dd_op_info.constants. */
#define DD_SIZE_OF(member) sizeof(((dd_constants *)NULL)->member)

const dd_op_info *dd_op_describe(dd_op op);

size_t dd_graph_nodes(const dd_graph *graph);
const dd_node_data *dd_graph_node(const dd_graph *graph, dd_node node);
const dd_op_info *dd_graph_op(const dd_graph *graph, dd_node node);
const float *dd_graph_constant(const dd_graph *graph, int32_t index);

/* Returns the node whose memory a node shares: itself, unless it only renames another. */
dd_node dd_graph_base(const dd_graph *graph, dd_node node);

/* Returns the bytes that a graph holds. */
size_t dd_graph_memory(const dd_graph *graph);

/* Makes a node or finds its equal. For builders alone. */
dd_node dd_graph_make(dd_graph *graph, dd_node_data data);

/* Copies values into the graph, or finds equal ones: their index, or -1 after a failure. */
int32_t dd_graph_keep(dd_graph *graph, const float *values, dd_shape shape);

#endif
