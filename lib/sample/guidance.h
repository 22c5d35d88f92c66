/* The caller's log-density, which refinement adds to the model's. */
#ifndef DD_GUIDANCE_H
#define DD_GUIDANCE_H

#include "model/model.h"

#include <ddaebm/sampler.h>

typedef struct dd_guidance dd_guidance;

/* Makes a guidance for at most `most` rows a call, with all its memory. */
ddaebm_status dd_guidance_create(dd_guidance **out, const ddaebm_model *model, size_t most,
                                 ddaebm_guidance_function function, void *user);
void dd_guidance_free(dd_guidance *guidance);

/* Computes log-densities of `count` rows as the networks see them, [count, inner width], at a
 * timestep; row i is sample first + i. Each is finite or minus infinity. Fails with what the
 * function returned, and with NOT_FINITE for a log-density or gradient that is not finite. */
ddaebm_status dd_guidance_ask(dd_guidance *guidance, const float *x, size_t count, size_t timestep,
                              uint64_t first);

/* Results of the last call: [count], and [count, inner width] with respect to what the networks
 * see; 0 where the log-density is minus infinity. */
const double *dd_guidance_log_densities(const dd_guidance *guidance);
const float *dd_guidance_gradients(const dd_guidance *guidance);

#endif
