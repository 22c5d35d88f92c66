/* Runs fused loops. */
#ifndef DD_LOOP_H
#define DD_LOOP_H

#include "tensor/exec/storage.h"

/* Runs part `part` of `parts` of a loop. `first`: how many rows of the loop's shape are wanted, the
 * first ones; 0 for all. */
void dd_loop_run(const dd_workspace *workspace, const dd_loop *loop, size_t first, size_t part,
                 size_t parts);

#endif
