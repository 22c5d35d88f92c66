/* What a plan holds: its tasks, its fused loops and where tensors lie in memory. Data alone, made
 * by the other files of plan/ and read by exec/. */
#ifndef DD_PROGRAM_H
#define DD_PROGRAM_H

#include "tensor/ops/execution.h"
#include "tensor/plan/plan.h"

enum {
    DD_TILE = 512,                       /* elements that a fused loop works on at a time */
    DD_MOST_MEMBERS = 32,                /* operations in one fused loop */
    DD_MOST_VALUES = 3 * DD_MOST_MEMBERS /* their results and what they read */
};

/* Where a node's numbers are. */
typedef enum dd_place {
    DD_PLACE_NOWHERE,  /* inside a fused loop alone, or not computed */
    DD_PLACE_ARENA,    /* in a workspace's arena, where lifetimes that are apart share places */
    DD_PLACE_KEPT,     /* in memory that outlives the phase; workspaces may share it */
    DD_PLACE_SLOT,     /* what is bound to a slot */
    DD_PLACE_CONSTANT, /* the graph's constants[index] */
    DD_PLACE_SCALAR    /* the plan's scalars[index] */
} dd_place;

typedef struct dd_location {
    dd_place place;
    int32_t index; /* slot, constant or scalar */
    size_t offset; /* floats into the arena or the kept memory */
} dd_location;

/* How a fused loop gets or keeps one value. */
typedef enum dd_value_kind {
    DD_VALUE_SCRATCH, /* made and used inside */
    DD_VALUE_WHOLE,   /* in memory, of the shape of the loop */
    DD_VALUE_SPLAT,   /* one number */
    DD_VALUE_GATHERED /* any other broadcast: copied into tiles, or read in place if a tile is one
                         row */
} dd_value_kind;

typedef struct dd_value {
    dd_value_kind kind;
    dd_node node;
    int scratch;                    /* its tile; -1 if it is read or written in place */
    size_t row_stride[DD_AXES - 1]; /* gathered: of the first three axes */
    size_t run, run_stride; /* gathered: `run` rows of the loop in turn read rows so far apart; 0:
                               the same row */
    bool one_a_row;         /* gathered: one number a row */
} dd_value;

typedef struct dd_instruction {
    dd_elementwise_kind kernel;
    int out, a, b; /* values; b is -1 for operations of one input */
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

/* A fused loop, or one stage of a node's computation. */
typedef struct dd_task {
    dd_loop *loop;
    dd_node node; /* where there is no loop */
    dd_task_stage stage;
    dd_method method; /* owned by the task of DD_TASK_RUN */
    int phase;
    bool parallel;      /* worth cutting into parts */
    bool wakes;         /* it and what follows in its phase are worth waking threads for */
    dd_place packed_in; /* ARENA or KEPT if it reads or makes packed weights; else NOWHERE */
    size_t packed;      /* offset there, in floats */
} dd_task;

struct dd_plan {
    dd_graph *graph;
    ddaebm_context *context;
    dd_kernel_set kernels;
    dd_plan_options options;
    dd_location *locations; /* [nodes] */
    float *scalars;         /* [nodes]: the values of the graph's scalars */
    dd_task *tasks;         /* in order */
    size_t task_count;
    size_t arena;   /* floats, without the scratch of the parts */
    size_t kept;    /* floats of kept memory, after that of the plan beside which it was made */
    size_t scratch; /* floats that each part works in */
    size_t rows;    /* dd_plan_rows */
    dd_slot slots;  /* one more than the highest slot */
};

/* Returns the node whose numbers a task's second input are: the weights that it may read packed. */
static inline dd_node dd_task_weights(const dd_plan *plan, const dd_task *task) {
    return dd_graph_base(plan->graph, dd_graph_node(plan->graph, task->node)->inputs[1]);
}

/* Whether a task packs what is bound to the slot. */
static inline bool dd_task_packs(const dd_plan *plan, const dd_task *task, dd_slot slot) {
    if (task->stage != DD_TASK_PACK)
        return false;
    dd_location at = plan->locations[dd_task_weights(plan, task)];
    return at.place == DD_PLACE_SLOT && at.index == slot;
}

#endif
