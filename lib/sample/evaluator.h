/* Runs rows through a network in chunks: many rows over all threads, each thread with its own chunk; a few rows one at a time.
 *
 * Everything is planned and allocated when an evaluator is made. What the weights alone fix is computed then, too. */
#ifndef DD_EVALUATOR_H
#define DD_EVALUATOR_H

#include "diffusion/process.h"
#include "layers/network.h"
#include "model/model.h"

#include <ddaebm/sampler.h>

/* What a chunk's graph reads and writes. */
typedef enum dd_eval_slot { DD_EVAL_X, DD_EVAL_LEVEL, DD_EVAL_LATENT, DD_EVAL_NOISE, DD_EVAL_OUT, DD_EVAL_SLOTS } dd_eval_slot;

/* Builds what is to be evaluated: `in` are the nodes of the first four slots. */
typedef dd_node (*dd_eval_build)(dd_builder *builder, const dd_process *process, const dd_node in[DD_EVAL_OUT], const void *user);

typedef struct dd_evaluator dd_evaluator;

/* A chunk in the hands of one thread. */
typedef struct dd_lane dd_lane;

/* Computes rows first .. first+count-1 of a call in a lane. */
typedef void (*dd_eval_chunk)(void *user, dd_lane *lane, size_t first, size_t count);

/* The model's weights are copied; the model must outlive the evaluator all the same. */
ddaebm_status dd_evaluator_create(dd_evaluator **out, const ddaebm_model *model, dd_eval_build build, const void *user);
void dd_evaluator_free(dd_evaluator *evaluator);

/* Takes other weights of the model's shape. Allocates for pictures alone. */
ddaebm_status dd_evaluator_renew(dd_evaluator *evaluator, const dd_weights *weights);

/* Cuts `count` rows into chunks and has each computed. CANCELLED if progress (NULL for nobody) asks for it. Does not allocate. */
ddaebm_status dd_evaluator_run(dd_evaluator *evaluator, size_t count, dd_eval_chunk chunk, void *user,
                               ddaebm_progress_function progress, void *progress_user);

/* Rows that calls may be cut at without another bit: each a multiple of it, the last one at least as long. */
size_t dd_evaluator_block(const dd_evaluator *evaluator);

/* The numbers of a lane's slot, and their evaluation, with all rows at one level. */
float *dd_lane_buffer(dd_lane *lane, dd_eval_slot slot);
void dd_lane_compute(dd_lane *lane, size_t level);

#endif
