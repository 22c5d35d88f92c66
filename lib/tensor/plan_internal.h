/* What a plan holds; shared by the files that make it (plan, schedule, fuse, memory) and the one that runs it. */
#ifndef DD_PLAN_INTERNAL_H
#define DD_PLAN_INTERNAL_H

#include "tensor/kernels/vector.h"
#include "tensor/ops.h"
#include "tensor/plan.h"

enum {
    DD_TILE = 512,                       /* elements that a fused loop works on at a time */
    DD_MOST_MEMBERS = 32,                /* operations in one fused loop */
    DD_MOST_VALUES = 3 * DD_MOST_MEMBERS /* their results and what they read */
};

/* Where a node's numbers are. */
typedef enum dd_place {
    DD_PLACE_NOWHERE,  /* inside a fused loop alone, or not computed */
    DD_PLACE_ARENA,    /* offset into the workspace */
    DD_PLACE_SLOT,     /* what is bound to a slot */
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
    DD_VALUE_SCRATCH,  /* made and used inside */
    DD_VALUE_STREAM,   /* in memory, as long as the loop */
    DD_VALUE_SPLAT,    /* one number */
    DD_VALUE_REPEATED, /* one row for all rows */
    DD_VALUE_GATHERED  /* any other repetition: copied tile by tile */
} dd_value_kind;

typedef struct dd_value {
    dd_value_kind kind;
    dd_node node;
    int scratch;                    /* its tile, but for streams */
    size_t row_stride[DD_AXES - 1]; /* of the first three axes, for gathered values */
    bool one_a_row;                 /* a gathered value has one number a row */
} dd_value;

typedef struct dd_instruction {
    dd_op op;
    int out, a, b; /* values; b -1 for operations of one input */
    float factor, shift;
} dd_instruction;

/* A fused loop over `rows` rows of `width` numbers. */
typedef struct dd_loop {
    dd_shape shape;
    size_t rows, width, rows_per_tile;
    int values, scratch, instructions;
    dd_value value[DD_MOST_VALUES];
    dd_instruction instruction[DD_MOST_VALUES];
} dd_loop;

typedef struct dd_step_data {
    dd_node node;  /* the one computed, for steps that are no loops */
    dd_loop *loop; /* or the loop */
    int phase;
    bool parallel; /* worth cutting into parts */
    bool barrier;  /* all must be here before it begins */
} dd_step_data;

struct dd_plan {
    dd_graph *graph;
    ddaebm_context *context;
    const dd_kernels *kernels;
    dd_plan_options options;
    dd_location *locations; /* [nodes] */
    float *scalars;         /* [nodes]: the numbers of the graph's scalars */
    dd_step_data *steps;
    size_t step_count;
    size_t arena;         /* floats, scratch of the threads not included */
    size_t scratch_tiles; /* of each part */
    dd_slot slots;
};

/* Whether an operation only gives its input another name, and the node whose memory a node shares: itself, but for those. */
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
ddaebm_status dd_loop_compile(dd_loop **out, const dd_graph *graph, const dd_group *group, const dd_schedule *schedule);

/* memory.c: where everything goes; fills plan->locations, plan->scalars and plan->arena. */
ddaebm_status dd_memory_assign(dd_plan *plan, const dd_schedule *schedule);

#endif
