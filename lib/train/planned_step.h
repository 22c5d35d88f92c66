/* A training step as a plan: the graph of its losses, planned for the batch, and the memory that
 * its results are written to. */
#ifndef DD_PLANNED_STEP_H
#define DD_PLANNED_STEP_H

#include "objective/objective.h"
#include "tensor/exec/workspace.h"

#include <ddaebm/trainer.h>

typedef struct dd_planned_step {
    dd_step_graph graph;
    dd_step_slots slots;
    dd_plan *plan;
    dd_workspace *workspace;
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

/* Bytes that the step of a model takes, with its results. */
ddaebm_status dd_planned_step_memory(size_t *bytes, ddaebm_model *model);

#endif
