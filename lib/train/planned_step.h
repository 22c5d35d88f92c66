/* A training step as a plan: the graph of its losses, and the memory that its results are written
 * to.
 *
 * Threads divide the batch rather than its tasks: each lane is the whole step for some of the
 * rows, computed by one thread in memory of its own, and the results of the lanes are averaged.
 * Where rows depend on each other, as with batch norms, there is one lane for the batch, whose
 * tasks are divided among the threads. */
#ifndef DD_PLANNED_STEP_H
#define DD_PLANNED_STEP_H

#include "objective/objective.h"
#include "tensor/exec/workspace.h"

#include <ddaebm/trainer.h>

/* The step for rows first .. first + rows - 1 of the batch. */
typedef struct dd_step_lane {
    size_t first, rows;
    dd_workspace *workspace;
    float losses[DD_LOSSES];
    float *gradients; /* flat, as those of the step; those of the first lane are the step's */
} dd_step_lane;

/* Lanes differ by one row at most, so two plans are enough. */
enum { DD_STEP_PLANS = 2 };

typedef struct dd_planned_step {
    dd_step_graph graph; /* of the longest lane */
    dd_step_slots slots;
    dd_plan *plans[DD_STEP_PLANS]; /* of the longest lanes; of those with a row less, or NULL */
    dd_step_lane *lanes;
    size_t lane_count;
    float losses[DD_LOSSES];
    float *gradients[DD_NETWORKS];  /* flat; the energy's share the memory of the generator's */
    float *statistics[DD_NETWORKS]; /* flat: the new values of running statistics */
    float **observed;               /* [graph.observed_count], for tests; else NULL */
} dd_planned_step;

/* Allocates gradients and statistics. Frees nothing on failure. */
ddaebm_status dd_planned_step_allocate(ddaebm_trainer *trainer);
void dd_planned_step_free(ddaebm_trainer *trainer);

/* Plans the step anew and binds its slots. The trainer is as it was on failure. */
ddaebm_status dd_planned_step_plan(ddaebm_trainer *trainer, dd_step_extras extras);

/* Allocates and binds the observed values of a step that was planned with DD_STEP_OBSERVED. */
ddaebm_status dd_planned_step_observe(ddaebm_trainer *trainer);

/* Computes phase 0 (the energy's losses and gradients) or 1 (those of generator and encoder) of the
 * present inputs. */
void dd_planned_step_compute(ddaebm_trainer *trainer, int phase);

/* Makes the statistics that the step computed the model's. */
void dd_planned_step_commit(ddaebm_trainer *trainer);

/* Multiply-adds of a step, for benchmarks. */
double dd_planned_step_multiply_adds(const ddaebm_trainer *trainer);

/* Bytes that the step of a model takes, with its results. */
ddaebm_status dd_planned_step_memory(size_t *bytes, ddaebm_model *model);

#endif
