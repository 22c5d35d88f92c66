/* Turns a schedule into tasks. */
#ifndef DD_TASKS_H
#define DD_TASKS_H

#include "tensor/plan/schedule.h"

/* Sets plan->tasks; adds packed weights to plan->arena and plan->kept, and sets plan->scratch.
 * dd_memory_assign comes first. */
ddaebm_status dd_tasks_make(dd_plan *plan, const dd_schedule *schedule);

/* Returns a node's multiply-adds in matrix products and convolutions. */
double dd_node_multiply_adds(const dd_graph *graph, dd_node node);

#endif
