/* The optimiser of a run: Adam's state of every weight, the averaged weights, and a copy of the
 * energy by which a failed step undoes its update. */
#ifndef DD_OPTIMIZER_H
#define DD_OPTIMIZER_H

#include "layers/parameters.h"
#include "train/adam.h"

#include <ddaebm/trainer.h>

/* The energy before its update, kept as long as the rest of the step may fail. */
typedef struct dd_undo {
    float *arrays[3];  /* weights, m, v: as long as the trainer's */
    uint64_t *updates; /* [parameters] */
} dd_undo;

typedef struct dd_optimizer {
    dd_adam_state *adam;            /* [parameters] */
    float *moments[DD_NETWORKS][2]; /* flat m and v; m is NULL if beta1 is 0 */
    bool averaging;                 /* as configured */
    dd_weights average;             /* of all weights and statistics, if averaging */
    dd_undo undo;
} dd_optimizer;

/* Allocates the optimiser of a trainer whose model is made; averages begin as its weights. Frees
 * nothing on failure. */
ddaebm_status dd_optimizer_allocate(ddaebm_trainer *trainer);
void dd_optimizer_free(ddaebm_trainer *trainer);

/* Bytes that dd_optimizer_allocate allocates, apart from numbers a parameter. */
size_t dd_optimizer_memory(const dd_settings *settings, const dd_parameters *parameters);

/* Adam on those weights of a network that its loss depends on and that are not frozen. */
void dd_optimizer_update(ddaebm_trainer *trainer, ddaebm_network network);

/* Averages the weights after a step. */
void dd_optimizer_average(ddaebm_trainer *trainer);

/* The weights that a snapshot has: averaged ones where the configuration averages. */
const dd_weights *dd_optimizer_weights(const ddaebm_trainer *trainer);

/* undo.c: copies of the energy's weights and moments. */
bool dd_undo_allocate(ddaebm_trainer *trainer);
void dd_undo_free(ddaebm_trainer *trainer);
void dd_undo_keep(ddaebm_trainer *trainer);
void dd_undo_restore(ddaebm_trainer *trainer);

#endif
