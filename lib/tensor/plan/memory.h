/* Gives every tensor its place in memory. */
#ifndef DD_MEMORY_H
#define DD_MEMORY_H

#include "tensor/plan/schedule.h"

/* Sets plan->locations, plan->scalars, plan->arena and plan->kept. */
ddaebm_status dd_memory_assign(dd_plan *plan, const dd_schedule *schedule);

#endif
