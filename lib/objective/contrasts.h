/* Contrasts of data with noise, other timesteps and transformations, which the energy's loss has in
 * addition to the contrast with generated samples. */
#ifndef DD_CONTRASTS_H
#define DD_CONTRASTS_H

#include "diffusion/process.h"
#include "layers/network.h"

typedef struct dd_contrasts {
    dd_graph *graph;
    const dd_settings *settings;
    dd_builder *builder;
    const dd_process *process;
    dd_node timestep, x_t, x_next;
} dd_contrasts;

/* Returns `contrast` plus the configured contrasts, each by its weight; f_real is f(x_t). */
dd_node dd_contrasts_add(const dd_contrasts *c, dd_node contrast, dd_node f_real);

#endif
