/* Which nodes read which, among those that outputs depend on. */
#ifndef DD_USES_H
#define DD_USES_H

#include "tensor/graph/graph.h"

typedef struct dd_uses {
    ddaebm_context *context;
    bool *needed;   /* [nodes]: an output depends on it, or it is one */
    int32_t *first; /* [nodes + 1] */
    dd_node *users; /* users of node n, ascending: users[first[n]] .. users[first[n + 1] - 1] */
} dd_uses;

ddaebm_status dd_uses_find(dd_uses *out, const dd_graph *graph);
void dd_uses_free(dd_uses *uses);

#endif
