/* The peak rate of the processor's arithmetic. */
#ifndef DD_PEAK_H
#define DD_PEAK_H

#include <ddaebm/context.h>

/* Returns the GFLOP/s of multiply-adds on registers in `parts` threads of the context, with the
 * instructions that the library's kernels use on this processor: fused ones where it has them. A
 * multiply-add counts as two operations. */
double peak_rate(ddaebm_context *context, size_t parts);

#endif
