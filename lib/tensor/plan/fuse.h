/* Makes one loop of a group of elementwise operations. */
#ifndef DD_FUSE_H
#define DD_FUSE_H

#include "tensor/plan/schedule.h"

ddaebm_status dd_loop_compile(dd_loop **out, const dd_graph *graph, const dd_group *group,
                              const dd_schedule *schedule);

#endif
