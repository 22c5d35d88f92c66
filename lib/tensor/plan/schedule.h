/* The order of computation: what is needed, in which phase, and which neighbours become one loop.
 */
#ifndef DD_SCHEDULE_H
#define DD_SCHEDULE_H

#include "tensor/plan/program.h"

/* Operations computed together: several in a fused loop, or a single one. */
typedef struct dd_group {
    const dd_node *members; /* in order */
    size_t count;
    int phase;
    bool loop;
} dd_group;

typedef struct dd_schedule {
    dd_group *groups; /* in order */
    size_t count;
    dd_node *members;   /* of all groups */
    dd_slot *bound;     /* [nodes]: the slot that the node's own result is written to, or -1 */
    int32_t *group_of;  /* [nodes]: -1 for what is not computed */
    bool *materialized; /* [nodes]: wanted in memory */
} dd_schedule;

ddaebm_status dd_schedule_make(dd_schedule *out, const dd_graph *graph, dd_plan_options options);
void dd_schedule_free(dd_schedule *schedule, ddaebm_context *context);

#endif
