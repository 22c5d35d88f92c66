/* An evaluator's content, for the two files that make and run it. */
#ifndef DD_EVALUATOR_PARTS_H
#define DD_EVALUATOR_PARTS_H

#include "sample/evaluator.h"
#include "tensor/exec/workspace.h"

/* Sizes of plans: a single row, and a chunk. */
enum { DD_EVAL_SINGLE, DD_EVAL_WHOLE, DD_EVAL_SIZES };

/* A call that is being computed (evaluator_run.c). */
typedef struct dd_eval_running dd_eval_running;

struct dd_lane {
    dd_workspace *workspace;
    ddaebm_context *context;
    size_t number, rows;
    bool any_rows;         /* its plan can compute fewer than `rows` */
    dd_eval_running *call; /* whose chunk is being computed, or NULL */
    bool is_callers;       /* belongs to the caller's thread, which reports */
    float *buffers[DD_EVAL_SLOTS];
};

struct dd_evaluator {
    ddaebm_context *context;
    const ddaebm_model *model;
    size_t widths[DD_EVAL_SLOTS];
    int sizes; /* 1 if a chunk is a row */
    size_t chunk_rows[DD_EVAL_SIZES];
    size_t together;     /* number of full chunks at a time */
    bool rest_is_single; /* what is left is computed row by row */
    dd_plan *plans[DD_EVAL_SIZES];
    size_t threads;
    dd_lane
        *lanes; /* [sizes, threads]; all share the prepared values of the first lane for chunks */
    float *numbers;     /* parameters that runs read, filters in the layout of convolutions */
    float **parameters; /* [parameters]: into numbers, or NULL */
};

/* Returns the lane of a thread for chunks of a size. */
static inline dd_lane *dd_evaluator_lane_of(const dd_evaluator *evaluator, int size,
                                            size_t thread) {
    return &evaluator->lanes[(size_t)size * evaluator->threads + thread];
}

#endif
