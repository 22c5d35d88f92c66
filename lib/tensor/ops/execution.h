/* How an operation is computed: what a plan has to know of it beforehand, and the function that
 * runs a part of it. */
#ifndef DD_EXECUTION_H
#define DD_EXECUTION_H

#include "tensor/graph/node.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/maps.h"
#include "tensor/kernels/share.h"
#include "tensor/kernels/tile_matmul.h"
#include "tensor/kernels/vector.h"

/* Work below which a task is not worth waking threads for: numbers moved, or multiply-adds. */
enum { DD_PARALLEL_ELEMENTS = 8192, DD_PARALLEL_MULTIPLY_ADDS = 1 << 17 };

/* What is counted to decide whether a task is cut into parts. */
typedef enum dd_cutting {
    DD_CUT_BY_RESULT, /* elements of the result */
    DD_CUT_BY_INPUT,  /* elements of the first input */
    DD_CUT_BY_MULTIPLY_ADDS,
    DD_CUT_NEVER
} dd_cutting;

/* A node takes up to three tasks: its second input is packed into the order that its kernel reads,
 * the work itself, and the sum of what the parts gave. */
typedef enum dd_task_stage { DD_TASK_RUN, DD_TASK_PACK, DD_TASK_SUM } dd_task_stage;

/* How a node is computed, decided when its graph is planned. */
typedef struct dd_method {
    size_t parts;                 /* that DD_TASK_RUN is cut into */
    size_t scratch;               /* floats that each part works in */
    size_t packed;                /* floats of the packed second input; 0: read as it is */
    bool packs_in_parallel;       /* DD_TASK_PACK is cut into parts */
    bool packs_once;              /* for all its readers of a phase; else again for each reader */
    bool sums;                    /* DD_TASK_SUM adds up what the parts left in their scratch */
    bool sums_in_parallel;        /* DD_TASK_SUM is cut into parts */
    const dd_tile_kernels *tiles; /* matrix products: NULL if CBLAS does them */
    dd_shape factor;              /* matrix products: the shape of the second input */
    dd_convolution *convolution;  /* convolutions */
    size_t memory;                /* bytes allocated */
} dd_method;

/* What a method is decided from. */
typedef struct dd_method_request {
    const dd_graph *graph;
    dd_node node;
    size_t parts;         /* that the work will be cut into */
    bool parallel;        /* it is worth cutting */
    bool prepare;         /* dd_plan_options.prepare */
    bool factor_prepared; /* the second input is computed in an earlier phase, for many runs */
    const dd_tile_kernels *tiles;
    const dd_convolution_backend *convolutions; /* NULL for the fastest */
} dd_method_request;

/* The kernels of the instruction set in use. */
typedef struct dd_kernel_set {
    const dd_kernels *vector;
    const dd_map_kernels *maps;
    const dd_tile_kernels *tiles; /* of matrix products; NULL: CBLAS does them */
} dd_kernel_set;

/* Part `part` of `parts` of one task. Parts are run at the same time by different threads, each
 * with a scratch of its own; what they write must not overlap. */
typedef struct dd_call {
    const dd_node_data *data;
    const dd_method *method;
    dd_task_stage stage;
    const dd_kernel_set *kernels;
    const float *in[DD_MOST_INPUTS];
    dd_shape in_shape[DD_MOST_INPUTS];
    float *out;
    dd_shape out_shape;
    size_t part, parts;
    float *scratch;
    size_t scratch_stride; /* floats from one part's scratch to the next's */
    float *packed;         /* the packed second input */
} dd_call;

/* A question asked of an operation: does it compute each row of [1, 1, rows, C] from the same row
 * of its inputs, and from what is computed before the last phase? */
typedef struct dd_row_question {
    const dd_graph *graph;
    size_t rows;
    int last_phase;
} dd_row_question;

/* Whether a node has the rows in question: [1, 1, rows, C]. */
static inline bool dd_has_rows(const dd_row_question *question, dd_node node) {
    dd_shape shape = dd_graph_shape(question->graph, node);
    return shape.size[0] == 1 && shape.size[1] == 1 && shape.size[2] == question->rows;
}

/* Whether a node is the same for all rows: computed before the last phase. */
static inline bool dd_is_shared(const dd_row_question *question, dd_node node) {
    return dd_graph_node(question->graph, node)->phase != question->last_phase;
}

/* Floats up to the next cache line. */
static inline size_t dd_line_up(size_t floats) {
    return (floats + 15) / 16 * 16;
}

/* How an operation is computed: an elementwise one by `kernel`, any other by `run`. Members that
 * are left out are 0: see each. */
typedef struct dd_execution {
    /* The loop of an elementwise operation, and the two numbers that it takes (left out: 0). */
    dd_elementwise_kind kernel;
    void (*numbers)(const dd_node_data *data, float *factor, float *shift);

    /* Runs one part of a task. */
    void (*run)(const dd_call *call);

    /* What is counted to decide whether a task is cut into parts. Left out: the result's elements.
     */
    dd_cutting cutting;

    /* Returns the multiply-adds of matrix products and convolutions. Left out: none. */
    double (*multiply_adds)(const dd_graph *graph, dd_node node);

    /* Decides on a method; may allocate. Left out: one task without scratch. */
    ddaebm_status (*choose)(dd_method *out, const dd_method_request *request);

    /* Whether two nodes with this member read their packed second input in the same order. Needed
     * where `choose` asks for packing. */
    bool (*same_packing)(const dd_method *a, const dd_method *b);

    /* Refuses nodes that are too large for the kernels. Left out: none is. */
    ddaebm_status (*check)(const dd_graph *graph, dd_node node);

    /* Answers a dd_row_question. Left out: no. */
    bool (*is_by_row)(const dd_row_question *question, dd_node node);

    /* Whether the first input is read whole, as a table, whichever rows are computed. */
    bool reads_table;
} dd_execution;

/* Frees what dd_execution.choose allocated. */
void dd_method_free(dd_method *method);

#endif
