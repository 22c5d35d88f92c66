/* A graph made ready to run: an order, fused loops, and a place in memory for everything, all fixed
 * beforehand.
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
    /* Compute in phase p all that depends on inputs of phases up to p alone, and keep it: phase 0
     * of a sampler folds what the weights fix. Otherwise everything is computed in the earliest
     * phase that needs it. */
    bool prepare;
    int parts; /* into how many parts the work of a step is cut: the number of threads meant to run
                  it */
    const dd_convolution_backend *convolutions; /* what runs them; NULL for the fastest */
    const struct dd_plan *beside; /* a plan of the same slots, with `prepare`, whose packed weights
                                     this one reads where they suit; or NULL */
    size_t rows; /* of what the last phase computes, [1, 1, rows, C] throughout, which is to be run
                    for fewer as well; 0 for all alone */
} dd_plan_options;

/* Plans the outputs of a graph; what no output needs is left out. The plan takes the graph over: on
 * success it is the plan's, on failure still the caller's. */
ddaebm_status dd_plan_create(dd_plan **out, dd_graph *graph, dd_plan_options options);
void dd_plan_free(dd_plan *plan);

/* Bytes of a workspace. */
size_t dd_plan_memory(const dd_plan *plan);

/* Bytes of the plan itself, its graph included. */
size_t dd_plan_own_memory(const dd_plan *plan);

/* Whether what is bound to the slot is read otherwise than to pack it, and whether it is packed. */
bool dd_plan_reads(const dd_plan *plan, dd_slot slot);
bool dd_plan_packs(const dd_plan *plan, dd_slot slot);

/* How many of the options' rows a run of the last phase may be for: those, if each row of every
 * node there is made of the same row of others; else 0, and each run is for all. */
size_t dd_plan_rows(const dd_plan *plan);

/* Steps and matrix multiply-adds of one run of all phases, for tests and for the benchmark. */
size_t dd_plan_steps(const dd_plan *plan);
double dd_plan_multiply_adds(const dd_plan *plan, int phase);

ddaebm_status dd_workspace_create(dd_workspace **out, const dd_plan *plan);

/* One that keeps what is prepared where another does, which outlives it: what either of them
 * prepared is there for both. The other is of the same plan, or of one that was made beside it. */
ddaebm_status dd_workspace_create_beside(dd_workspace **out, const dd_plan *plan,
                                         const dd_workspace *other);
void dd_workspace_free(dd_workspace *workspace);

/* Where a slot's numbers are read or written; must outlive the runs that use it. */
void dd_workspace_bind(dd_workspace *workspace, dd_slot slot, float *numbers);

/* Packs the filter [O, KH, KW, C], or weights [out, in], that the slot stands for, without a run:
 * for plans with `prepare`, where a slot that is bound to NULL is not packed by runs. The numbers
 * are not read again. Does not allocate and cannot fail. */
void dd_workspace_pack(dd_workspace *workspace, dd_slot slot, float *numbers);

/* Runs one phase, on the pool's threads or alone. Phases run in order. With `prepare`, a phase may
 * be run again as long as what the earlier ones computed stands; without, the phases are run once
 * each, in turn. Slots are read when they are used: what a later phase reads of an earlier one's
 * inputs must still be there. Does not allocate and cannot fail. */
void dd_workspace_run(dd_workspace *workspace, int phase, dd_pool *pool, bool alone);

/* The same of the last phase, for its first rows: 1 to dd_plan_rows. What is written of the others
 * is meaningless. */
void dd_workspace_run_rows(dd_workspace *workspace, size_t rows, dd_pool *pool, bool alone);

#endif
