/* Where a workspace keeps numbers. */
#ifndef DD_STORAGE_H
#define DD_STORAGE_H

#include "tensor/exec/workspace.h"
#include "tensor/plan/program.h"

struct dd_workspace {
    const dd_plan *plan;
    float *kept;            /* kept memory */
    float *own;             /* the same, or NULL where it is another workspace's */
    float *arena, *scratch; /* scratch: [parts, plan->scratch] */
    float **slots;
};

/* Returns where a node's numbers are read. */
static inline const float *dd_storage_read(const dd_workspace *workspace, dd_node node) {
    dd_location at = workspace->plan->locations[node];
    switch (at.place) {
    case DD_PLACE_ARENA:
        return workspace->arena + at.offset;
    case DD_PLACE_KEPT:
        return workspace->kept + at.offset;
    case DD_PLACE_SLOT:
        return workspace->slots[at.index];
    case DD_PLACE_CONSTANT:
        return dd_graph_constant(workspace->plan->graph, at.index);
    case DD_PLACE_SCALAR:
        return workspace->plan->scalars + at.index;
    default:
        return NULL;
    }
}

/* Returns where a node's numbers are written. */
static inline float *dd_storage_write(const dd_workspace *workspace, dd_node node) {
    dd_location at = workspace->plan->locations[node];
    if (at.place == DD_PLACE_SLOT)
        return workspace->slots[at.index];
    return (at.place == DD_PLACE_KEPT ? workspace->kept : workspace->arena) + at.offset;
}

/* Returns where a task's packed weights are, or NULL. */
static inline float *dd_storage_packed(const dd_workspace *workspace, const dd_task *task) {
    if (task->packed_in == DD_PLACE_NOWHERE)
        return NULL;
    return (task->packed_in == DD_PLACE_KEPT ? workspace->kept : workspace->arena) + task->packed;
}

#endif
