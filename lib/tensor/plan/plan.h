/* A graph made ready to run: an order of tasks, fused loops, and a place in memory for every
 * tensor, all fixed beforehand.
 *
 * A plan is read-only. Any number of workspaces (exec/workspace.h) may run it, each by one caller
 * at a time. */
#ifndef DD_PLAN_H
#define DD_PLAN_H

#include "tensor/graph/graph.h"
#include "tensor/kernels/convolution.h"

typedef struct dd_plan dd_plan;

typedef struct dd_plan_options {
    int phases; /* how many; outputs belong to phases 0 .. phases-1 */
    /* Compute in phase p all that depends on inputs of phases up to p alone, and keep it: phase 0
     * of a sampler folds what the weights fix. Otherwise a node is computed in the earliest phase
     * that needs it. */
    bool prepare;
    int parts; /* into which a task is cut: the number of threads meant to run it */
    const dd_convolution_backend *convolutions; /* NULL for the fastest */
    const struct dd_plan *beside; /* a plan of the same slots, with `prepare`, whose packed weights
                                     this one reads where they suit; or NULL */
    size_t rows; /* of the last phase's tensors, [1, 1, rows, C] throughout, if it is to be run for
                    fewer rows as well; else 0 */
} dd_plan_options;

/* Plans the outputs of a graph, without what no output needs. On success the plan owns the graph,
 * on failure the caller still does. */
ddaebm_status dd_plan_create(dd_plan **out, dd_graph *graph, dd_plan_options options);
void dd_plan_free(dd_plan *plan);

/* Returns the bytes of a workspace. */
size_t dd_plan_memory(const dd_plan *plan);

/* Returns the bytes of the plan itself, its graph included. */
size_t dd_plan_own_memory(const dd_plan *plan);

/* Whether a run reads what is bound to the slot, other than to pack it. */
bool dd_plan_reads(const dd_plan *plan, dd_slot slot);

/* Whether weights bound to the slot are packed (dd_workspace_pack). */
bool dd_plan_packs(const dd_plan *plan, dd_slot slot);

/* Returns the most rows that dd_workspace_run_rows takes: the options' rows, if the last phase
 * computes each row from the same row of its inputs; else 0, and each run is for all rows. */
size_t dd_plan_rows(const dd_plan *plan);

/* Returns the number of tasks of one run of all phases, and a phase's multiply-adds in matrix
 * products and convolutions; for tests and benchmarks. */
size_t dd_plan_tasks(const dd_plan *plan);
double dd_plan_multiply_adds(const dd_plan *plan, int phase);

#endif
