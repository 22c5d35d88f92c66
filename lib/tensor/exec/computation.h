/* Brackets all runs of a call: in between, the BLAS computes on the calling thread alone. Its
 * setting is the process's, so all contexts share one count of computations. */
#ifndef DD_COMPUTATION_H
#define DD_COMPUTATION_H

#include "base/ieee.h"

#include <ddaebm/status.h>

/* Returns DDAEBM_STATE in a child that was forked while another thread computed. Such a child must
 * not compute, for locks in the BLAS may be held for ever. */
ddaebm_status dd_computation_check(void);

/* The first computation to begin sets the BLAS to one thread, the last to end puts its setting
 * back. Around all runs of a call rather than around each, for setting it may take longer than a
 * short run. From any thread; may be nested. */
void dd_computation_begin(void);
void dd_computation_end(void);

#endif
