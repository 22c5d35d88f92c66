/* What a plan holds; shared by the files that make it (plan, schedule, fuse, memory) and the one
 * that runs it. */
#ifndef DD_PLAN_INTERNAL_H
#define DD_PLAN_INTERNAL_H

#include "tensor/kernels/maps.h"
#include "tensor/kernels/tile_matmul.h"
#include "tensor/kernels/vector.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tensor/share.h"

enum {
    DD_TILE = 512,                       /* elements that a fused loop works on at a time */
    DD_MOST_MEMBERS = 32,                /* operations in one fused loop */
    DD_MOST_VALUES = 3 * DD_MOST_MEMBERS /* their results and what they read */
};

/* Where a node's numbers are. */
typedef enum dd_place {
    DD_PLACE_NOWHERE, /* inside a fused loop alone, or not computed */
    DD_PLACE_ARENA,   /* offset into the workspace */
    DD_PLACE_KEPT, /* offset into what is made once for many uses, which workspaces may share where
                      it is prepared */
    DD_PLACE_SLOT, /* what is bound to a slot */
    DD_PLACE_CONSTANT, /* the graph's constants[index] */
    DD_PLACE_SCALAR    /* the plan's scalars[index] */
} dd_place;

typedef struct dd_location {
    dd_place place;
    dd_slot index;
    size_t offset; /* in floats */
} dd_location;

/* How a fused loop gets or keeps one value. */
typedef enum dd_value_kind {
    DD_VALUE_SCRATCH, /* made and used inside */
    DD_VALUE_STREAM,  /* in memory, as long as the loop */
    DD_VALUE_SPLAT,   /* one number */
    DD_VALUE_GATHERED /* any other repetition: copied into tiles, or read where it is if a tile is
                         one row */
} dd_value_kind;

typedef struct dd_value {
    dd_value_kind kind;
    dd_node node;
    int scratch;                    /* its tile, but for streams */
    size_t row_stride[DD_AXES - 1]; /* of the first three axes, for gathered values */
    size_t run,
        step; /* gathered: so many rows of the loop read one row (step 0), or rows a step apart */
    bool one_a_row; /* gathered: one number a row */
} dd_value;

typedef struct dd_instruction {
    dd_op op;
    int out, a, b; /* values; b -1 for operations of one input */
    float factor, shift;
} dd_instruction;

/* A fused loop over `rows` rows of `width` numbers; one block with its values and instructions. */
typedef struct dd_loop {
    dd_shape shape;
    size_t rows, width, rows_per_tile;
    int values, scratch, instructions;
    dd_value *value;
    dd_instruction *instruction;
} dd_loop;

static inline size_t dd_loop_memory(const dd_loop *loop) {
    return sizeof *loop + (size_t)loop->values * sizeof *loop->value +
           (size_t)loop->instructions * sizeof *loop->instruction;
}

/* A convolution may take three steps: weights put into the backend's order, the work itself, and
 * the sum of what the parts gave. So a sum may take two, and a product that packs its second
 * factor. */
typedef enum dd_step_stage { DD_STEP_RUN, DD_STEP_PACK, DD_STEP_SUM } dd_step_stage;

typedef struct dd_step_data {
    dd_node node;  /* the one computed, for steps that are no loops */
    dd_loop *loop; /* or the loop */
    int phase;
    bool parallel; /* worth cutting into parts */
    bool wakes;    /* it and what follows in its phase are worth waking threads for */
    dd_step_stage stage;
    dd_convolution *convolution; /* of the node; belongs to the step that runs it */
    bool tiles;                  /* a product by kernels/tile_matmul.h, not by CBLAS */
    dd_place packed_in; /* ARENA or KEPT if it reads, or makes, packed weights; else NOWHERE */
    size_t packed;      /* where there */
} dd_step_data;

struct dd_plan {
    dd_graph *graph;
    ddaebm_context *context;
    const dd_kernels *kernels;
    const dd_map_kernels *maps;
    const dd_tile_kernels *tiles; /* of products; NULL: CBLAS does them */
    dd_plan_options options;
    dd_location *locations; /* [nodes] */
    float *scalars;         /* [nodes]: the numbers of the graph's scalars */
    dd_step_data *steps;
    size_t step_count;
    size_t arena; /* floats, scratch of the threads not included */
    size_t kept;  /* floats of what is made once and read again, after that of the plan beside which
                     this one was made */
    size_t rows;  /* fewer of them may be run; 0 if it is all or nothing */
    size_t scratch; /* floats that each part works in */
    dd_slot slots;
};

/* Part `part` of `parts` of one operation. Parts are run at the same time by different threads,
 * each with a scratch of its own; what they write must not overlap. */
typedef struct dd_call {
    const dd_plan *plan;
    const dd_step_data *step;
    const dd_node_data *data;
    const float *in[DD_MOST_INPUTS];
    dd_shape shape[DD_MOST_INPUTS]; /* of in */
    dd_shape made;                  /* of out */
    float *out;
    size_t part, parts;
    float *scratch;
    float *packed; /* weights of a convolution, in its backend's order; a product's second factor */
} dd_call;

typedef void (*dd_op_run)(const dd_call *call);

/* Those with files of their own. */
void dd_run_convolve(const dd_call *call); /* and its two gradients; all stages */
void dd_run_filter(const dd_call *call);
void dd_run_normalize(const dd_call *call); /* its gradient, and the inverse deviation */
void dd_run_softmax(const dd_call *call);
void dd_run_permute(const dd_call *call);
void dd_run_mask(const dd_call *call);

/* Whether the parts of a sum each take a share of what is summed, and leave sums in their scratch
 * for DD_STEP_SUM to add up: where there are too few results to share out. And the scratch that
 * this takes. */
bool dd_sum_splits(const dd_graph *graph, dd_node node, size_t parts);
size_t dd_sum_scratch(const dd_graph *graph, dd_node node);

/* Floats of scratch that each of `parts` parts of them needs. */
size_t dd_filter_scratch(const dd_graph *graph, dd_node node);
size_t dd_normalize_scratch(const dd_graph *graph, dd_node node);

/* What runs an operation; NULL where there is nothing to do. */
dd_op_run dd_op_runner(dd_op op);

/* The product of a node, its numbers not yet there; one of several if the node's first two axes say
 * so. */
dd_matmul_call dd_product_of(const dd_graph *graph, dd_node node);

/* What a convolution or one of its gradients works on, and its backend's part of the plan. */
dd_convolution_shape dd_convolution_of(const dd_graph *graph, dd_node node);
ddaebm_status dd_convolution_prepare(dd_convolution **out, const dd_plan *plan, dd_node node,
                                     size_t parts);

static inline bool dd_is_convolution(dd_op op) {
    return op == DD_OP_CONVOLVE || op == DD_OP_CONVOLVE_INPUT || op == DD_OP_CONVOLVE_WEIGHT;
}

/* Floats up to the next cache line. */
static inline size_t dd_line_up(size_t floats) {
    return (floats + 15) / 16 * 16;
}

/* Whether a step packs what is bound to the slot. */
bool dd_step_packs(const dd_plan *plan, const dd_step_data *step, dd_slot slot);

/* rows.c: whether the plan's last phase may be run for some rows alone: sets plan->rows. */
void dd_rows_find(dd_plan *plan);

/* Whether an operation only gives its input another name, and the node whose memory a node shares:
 * itself, but for those. */
bool dd_plan_renames(const dd_graph *graph, dd_node node);
dd_node dd_plan_base(const dd_graph *graph, dd_node node);

/* Operations computed together: a loop over several, or a single one. */
typedef struct dd_group {
    const dd_node *members; /* in order */
    size_t count;
    int phase;
    bool loop;
} dd_group;

typedef struct dd_schedule {
    dd_group *groups; /* in order */
    size_t count;
    dd_node *members;   /* of all groups */
    dd_slot *bound;     /* [nodes]: the slot that the node's own result is written to, or -1 */
    int32_t *group_of;  /* [nodes], -1 for what is not computed */
    bool *materialized; /* [nodes]: wanted in memory */
} dd_schedule;

/* schedule.c: the order of computation. */
ddaebm_status dd_schedule_make(dd_schedule *out, const dd_graph *graph, dd_plan_options options);
void dd_schedule_free(dd_schedule *schedule, ddaebm_context *context);

/* fuse.c: a loop for a group. */
ddaebm_status dd_loop_compile(dd_loop **out, const dd_graph *graph, const dd_group *group,
                              const dd_schedule *schedule);

/* memory.c: where everything goes; fills plan->locations, plan->scalars and plan->arena. */
ddaebm_status dd_memory_assign(dd_plan *plan, const dd_schedule *schedule);

#endif
