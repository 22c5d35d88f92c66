/* The reverse step of the sampler. */
#ifndef DD_SAMPLER_H
#define DD_SAMPLER_H

#include "sample/evaluator.h"

/* Builds one reverse step: x_t ~ q(x_t | x_{t+1}, G(x_{t+1}, t, z)); at timestep 0 the posterior's
 * mean. A dd_eval_build. */
dd_node dd_sampler_build_step(dd_builder *builder, const dd_process *process,
                              const dd_node in[DD_EVAL_OUT], const void *user);

#endif
