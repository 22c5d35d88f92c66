/* Runs rows through a network in chunks: many rows on all threads, each with its own chunk; a few
 * rows one at a time.
 *
 * Everything is planned and allocated when an evaluator is made. What depends on the weights alone
 * is computed then as well, once for all threads; only weights that are read again are kept. */
#ifndef DD_EVALUATOR_H
#define DD_EVALUATOR_H

#include "diffusion/process.h"
#include "layers/network.h"
#include "model/model.h"

#include <ddaebm/sampler.h>

/* Inputs and output of a chunk's graph. */
typedef enum dd_eval_slot {
    DD_EVAL_X,
    DD_EVAL_TIMESTEP,
    DD_EVAL_LATENT,
    DD_EVAL_NOISE,
    DD_EVAL_OUT,
    DD_EVAL_SLOTS
} dd_eval_slot;

/* Builds the output from `in`, the nodes of the first four slots. */
typedef dd_node (*dd_eval_build)(dd_builder *builder, const dd_process *process,
                                 const dd_node in[DD_EVAL_OUT], const void *user);

typedef struct dd_evaluator dd_evaluator;

/* Memory of one thread for a chunk. */
typedef struct dd_lane dd_lane;

/* Computes rows first .. first+count-1 of a call in a lane. */
typedef void (*dd_eval_chunk)(void *user, dd_lane *lane, size_t first, size_t count);

/* A call: rows to compute, and its progress function. */
typedef struct dd_eval_call {
    size_t count;  /* rows */
    size_t passes; /* over each row, at least 1: progress counts rows times passes */
    bool alone;    /* on the caller's thread alone */
    dd_eval_chunk chunk;
    void *user;
    ddaebm_progress_function progress; /* NULL for none */
    void *progress_user;
} dd_eval_call;

/* Makes an evaluator with copies of the weights that it needs. The model must outlive it. */
ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model,
                                  dd_eval_build build, const void *user);
void dd_evaluator_free(dd_evaluator *evaluator);

/* Makes an evaluator whose lanes correspond to those of another, with the same rows each: in a call
 * of the other, dd_evaluator_lane gives a lane's counterpart. It computes with copies of `weights`,
 * of the same model's shape. */
ddaebm_status dd_evaluator_create_beside(dd_evaluator **out, const dd_evaluator *other,
                                         const dd_weights *weights, dd_eval_build build,
                                         const void *user);

/* Replaces the weights by others of the model's shape. Allocates for images alone. */
ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights);

/* Divides `count` rows into chunks and computes each. CANCELLED if progress (NULL for none)
 * cancels. Does not allocate. */
ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk,
                               void *user, ddaebm_progress_function progress, void *progress_user);

/* dd_evaluator_run with all options. A chunk of several passes reports all but the last
 * (dd_lane_report). */
ddaebm_status dd_evaluator_call(dd_evaluator *evaluator, const dd_eval_call *call);

/* Reports that a pass over `rows` rows of a chunk is done. False if the call is cancelled: the
 * chunk may then end early. */
bool dd_lane_report(dd_lane *lane, size_t rows);

/* Cancels the call of a chunk. It returns CANCELLED, with the error text that the chunk has set. */
void dd_lane_cancel(dd_lane *lane);

/* Number of rows at whose multiples calls can be divided without changing a bit; the last may be
 * longer. */
size_t dd_evaluator_block(const dd_evaluator *evaluator);

/* Number of lanes, which are numbered from 0, and the rows that a lane holds. */
size_t dd_evaluator_lanes(const dd_evaluator *evaluator);
size_t dd_evaluator_lane_rows(const dd_evaluator *evaluator, size_t number);

/* The lane with the number of a lane of another evaluator, to which this one was made to
 * correspond; and that number. */
dd_lane *dd_evaluator_lane(const dd_evaluator *evaluator, const dd_lane *other);
size_t dd_lane_number(const dd_lane *lane);

/* The buffer of a lane's slot; and the computation of its first `count` rows, 1 to
 * dd_evaluator_lane_rows, all at one timestep. */
float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot);
void dd_lane_compute(dd_lane *lane, size_t timestep, size_t count);

#endif
