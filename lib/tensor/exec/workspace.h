/* The memory in which a plan is run, and the runs. */
#ifndef DD_WORKSPACE_H
#define DD_WORKSPACE_H

#include "base/threads.h"
#include "tensor/plan/plan.h"

typedef struct dd_workspace dd_workspace;

ddaebm_status dd_workspace_create(dd_workspace **out, const dd_plan *plan);

/* Creates a workspace that shares another's kept memory: what either of them prepared is there for
 * both. The other is of the same plan, or of one that was made beside it, and outlives this one. */
ddaebm_status dd_workspace_create_beside(dd_workspace **out, const dd_plan *plan,
                                         const dd_workspace *other);
void dd_workspace_free(dd_workspace *workspace);

/* Binds a slot to where its numbers are read or written; they must outlive the runs that use them.
 */
void dd_workspace_bind(dd_workspace *workspace, dd_slot slot, float *numbers);

/* Packs the filter [O, KH, KW, C], or weights [out, in], that the slot stands for, without a run:
 * for plans with `prepare`, where runs do not pack a slot that is bound to NULL. The numbers are
 * not read again. Does not allocate and cannot fail. */
void dd_workspace_pack(dd_workspace *workspace, dd_slot slot, float *numbers);

/* Runs one phase, on the pool's threads or alone. Phases run in order. With `prepare`, a phase may
 * be run again as long as what the earlier ones computed stands; without, the phases are run once
 * each, in turn. Slots are read when they are used: what a later phase reads of an earlier one's
 * inputs must still be there. Does not allocate and cannot fail. Runs lie between
 * dd_computation_begin and dd_computation_end (exec/computation.h). */
void dd_workspace_run(dd_workspace *workspace, int phase, dd_pool *pool, bool alone);

/* Runs the last phase for its first rows: 1 to dd_plan_rows. What it writes of the others is
 * meaningless. */
void dd_workspace_run_rows(dd_workspace *workspace, size_t rows, dd_pool *pool, bool alone);

#endif
