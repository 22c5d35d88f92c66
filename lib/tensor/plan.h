/* A graph made ready to run: an order, fused loops, and a place in memory for everything, all fixed beforehand.
 *
 * A plan is read-only; any number of workspaces may run it, each by one caller at a time. */
#ifndef DD_PLAN_H
#define DD_PLAN_H

#include "base/threads.h"
#include "tensor/graph.h"
#include "tensor/kernels/convolution.h"

typedef struct dd_plan dd_plan;
typedef struct dd_workspace dd_workspace;

typedef struct dd_plan_options {
    int phases; /* how many; outputs belong to phases 0 .. phases-1 */
    /* Compute in phase p all that depends on inputs of phases up to p alone, and keep it: phase 0 of a sampler folds what the
     * weights fix. Otherwise everything is computed in the earliest phase that needs it. */
    bool prepare;
    int parts; /* into how many parts the work of a step is cut: the number of threads meant to run it */
    const dd_convolution_backend *convolutions; /* what runs them; NULL for the fastest */
} dd_plan_options;

/* Plans the outputs of a graph; what no output needs is left out. The plan takes the graph over: on success it is the plan's, on
 * failure still the caller's. */
ddaebm_status dd_plan_create(dd_plan **out, dd_graph *graph, dd_plan_options options);
void dd_plan_free(dd_plan *plan);

/* Bytes of a workspace. */
size_t dd_plan_memory(const dd_plan *plan);

/* Bytes of the plan itself, its graph included. */
size_t dd_plan_own_memory(const dd_plan *plan);

/* Steps and matrix multiply-adds of one run of all phases, for tests and for the benchmark. */
size_t dd_plan_steps(const dd_plan *plan);
double dd_plan_multiply_adds(const dd_plan *plan, int phase);

ddaebm_status dd_workspace_create(dd_workspace **out, const dd_plan *plan);
void dd_workspace_free(dd_workspace *workspace);

/* Where a slot's numbers are read or written; must outlive the runs that use it. */
void dd_workspace_bind(dd_workspace *workspace, dd_slot slot, float *numbers);

/* Runs one phase, on the pool's threads or alone. Phases run in order. With `prepare`, a phase may be run again as long as what
 * the earlier ones computed stands; without, the phases are run once each, in turn. Slots are read when they are used: what a
 * later phase reads of an earlier one's inputs must still be there. Does not allocate and cannot fail. */
void dd_workspace_run(dd_workspace *workspace, int phase, dd_pool *pool, bool alone);

#endif
