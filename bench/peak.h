/* What the processor's arithmetic reaches where nothing else is in its way. */
#ifndef DD_PEAK_H
#define DD_PEAK_H

#include <ddaebm/context.h>

/* GFLOP/s of fused multiply-adds on registers alone, by the instructions that the library's kernels
 * use here, over `parts` threads of the context. Two operations a multiply-add; where the processor
 * has none that are fused, a product and a sum. */
double peak_rate(ddaebm_context *context, size_t parts);

#endif
