/* Runs rows through a network in chunks: many rows over all threads, each thread with its own
 * chunk; a few rows one at a time.
 *
 * Everything is planned and allocated when an evaluator is made. What the weights alone fix is
 * computed then, too, once for all threads; of the weights those are kept that are read again. */
#ifndef DD_EVALUATOR_H
#define DD_EVALUATOR_H

#include "diffusion/process.h"
#include "layers/network.h"
#include "model/model.h"

#include <ddaebm/sampler.h>

/* What a chunk's graph reads and writes. */
typedef enum dd_eval_slot {
    DD_EVAL_X,
    DD_EVAL_LEVEL,
    DD_EVAL_LATENT,
    DD_EVAL_NOISE,
    DD_EVAL_OUT,
    DD_EVAL_SLOTS
} dd_eval_slot;

/* Builds what is to be evaluated: `in` are the nodes of the first four slots. */
typedef dd_node (*dd_eval_build)(dd_builder *builder, const dd_process *process,
                                 const dd_node in[DD_EVAL_OUT], const void *user);

typedef struct dd_evaluator dd_evaluator;

/* A chunk in the hands of one thread. */
typedef struct dd_lane dd_lane;

/* Computes rows first .. first+count-1 of a call in a lane. */
typedef void (*dd_eval_chunk)(void *user, dd_lane *lane, size_t first, size_t count);

/* What is to be computed, and who hears of it. */
typedef struct dd_eval_call {
    size_t count;  /* rows */
    size_t passes; /* over each of them, at least 1: progress counts rows times passes */
    bool alone;    /* on the caller's thread */
    dd_eval_chunk chunk;
    void *user;
    ddaebm_progress_function progress; /* NULL for nobody */
    void *progress_user;
} dd_eval_call;

/* The model's weights are copied, as far as they are needed; the model must outlive the evaluator
 * all the same. */
ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model,
                                  dd_eval_build build, const void *user);
void dd_evaluator_free(dd_evaluator *evaluator);

/* One whose lanes are those of another, of the same rows each: within a call of the other, a lane
 * has one beside it (dd_evaluator_lane). It computes with `weights`, of the same model's shape,
 * which are copied. */
ddaebm_status dd_evaluator_create_beside(dd_evaluator **out, const dd_evaluator *other,
                                         const dd_weights *weights, dd_eval_build build,
                                         const void *user);

/* Takes other weights of the model's shape. Allocates for images alone. */
ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights);

/* Cuts `count` rows into chunks and has each computed. CANCELLED if progress (NULL for nobody) asks
 * for it. Does not allocate. */
ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk,
                               void *user, ddaebm_progress_function progress, void *progress_user);

/* The same with all that can be asked for. A chunk of several passes reports all but the last
 * (dd_lane_report). */
ddaebm_status dd_evaluator_call(dd_evaluator *evaluator, const dd_eval_call *call);

/* Says that a pass over `rows` rows of a chunk is done. False if the call is cancelled: the chunk
 * may then end early. */
bool dd_lane_report(dd_lane *lane, size_t rows);

/* Cancels the call that a chunk is of: it returns CANCELLED, and leaves the text of the error to
 * the chunk. */
void dd_lane_cancel(dd_lane *lane);

/* Rows that calls may be cut at without another bit: each a multiple of it, the last one at least
 * as long. */
size_t dd_evaluator_block(const dd_evaluator *evaluator);

/* All lanes have numbers from 0, and hold so many rows. */
size_t dd_evaluator_lanes(const dd_evaluator *evaluator);
size_t dd_evaluator_lane_rows(const dd_evaluator *evaluator, size_t number);

/* The lane that has the number of a lane of another evaluator, which this one was made beside; and
 * that number. */
dd_lane *dd_evaluator_lane(const dd_evaluator *evaluator, const dd_lane *other);
size_t dd_lane_number(const dd_lane *lane);

/* The numbers of a lane's slot, and the evaluation of its first `count` rows, all at one timestep;
 * 1 to dd_evaluator_lane_rows. */
float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot);
void dd_lane_compute(dd_lane *lane, size_t timestep, size_t count);

#endif
