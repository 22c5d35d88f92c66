/* The losses of one training step, as one graph of two phases: those of the energy, and then, with
 * the updated energy, those of generator and encoder (equations 5 to 9 of the reference; Geng et
 * al., ICML 2024). */
#ifndef DD_OBJECTIVE_H
#define DD_OBJECTIVE_H

#include "diffusion/noise_schedule.h"
#include "layers/parameters.h"
#include "tensor/graph/operations.h"

/* Slots of a step's inputs and losses. Parameters, gradients and statistics follow: see
 * dd_step_slots. */
enum {
    DD_SLOT_X0,              /* data */
    DD_SLOT_TIMESTEP,        /* [N]: timesteps, from 0 to T-1 */
    DD_SLOT_NOISE_T,         /* like data */
    DD_SLOT_NOISE_NEXT,      /* like data */
    DD_SLOT_NOISE_POSTERIOR, /* like data */
    DD_SLOT_LATENT,          /* [N, nz] */
    DD_SLOT_NOISE_ENCODER,   /* [N, nz] */
    DD_SLOT_NOISE_CONTRAST,  /* like data: noise of noise_contrast, see dd_spectrum_colour */
    DD_SLOT_NOISE_DENSITY,   /* [N, dd_spectrum_numbers]: its density */
    DD_SLOT_TRANSFORMED_X0,  /* like data: data, each sample randomly transformed */
    DD_SLOT_TRANSFORMED_T,   /* like data: NOISE_T, by the same transformations */
    DD_SLOT_LATENT_SCORE,    /* [N, nz]: for the second draw of the energy score */
    DD_SLOT_NOISE_SCALE,     /* [N]: 2 log s, s the scale of the three noises above, which are
                                multiplied by it; 0 for normal noise */
    DD_SLOT_DROPOUT_SEED,    /* [4]: seed of dropout masks, see dd_mask */
    DD_SLOT_INPUTS
};

/* Scalars that a step measures, written to the slots from dd_step_slots.losses on. */
typedef enum dd_loss {
    DD_LOSS_ENERGY,
    DD_LOSS_ENERGY_REAL,
    DD_LOSS_ENERGY_FAKE,
    DD_LOSS_PENALTY,
    DD_LOSS_GENERATOR,
    DD_LOSS_ADVERSARIAL,
    DD_LOSS_LATENT,
    DD_LOSS_DIVERGENCE,
    DD_LOSS_RECONSTRUCTION,
    DD_LOSSES
} dd_loss;

/* First slot of each kind; parameters, gradients and statistics have one slot for each parameter.
 */
typedef struct dd_step_slots {
    dd_slot losses, parameters, gradients, statistics, observed;
    dd_slot samples, sample_gradients; /* with DD_STEP_CUSTOM_LOSS */
    dd_slot hardness; /* with diffusion.adapt, in phase 0: one number a sample, its squared error of
                         x_0 or its energy gap */
} dd_step_slots;

dd_step_slots dd_step_slots_of(const dd_parameters *parameters);

/* An intermediate value of a step, by its name in the fixtures ("x_t", "f_real"); for tests. */
typedef struct dd_observed {
    const char *name;
    dd_node node; /* in the graph as built: dd_graph_rematerialise numbers nodes anew */
    dd_shape shape;
    int phase;
} dd_observed;

enum { DD_MOST_OBSERVED = 24 };

typedef struct dd_step_graph {
    dd_graph *graph;
    bool *used;  /* [parameters]: a loss depends on it; its gradient is written to slots.gradients +
                    i */
    bool *moved; /* [parameters]: a statistic that the step moves; its new value is written to
                    slots.statistics + i, in phase 1 */
    int64_t *calls; /* [parameters]: how far the step advances each counter */
    dd_observed observed[DD_MOST_OBSERVED];
    size_t observed_count;
    ddaebm_context *context;
} dd_step_graph;

/* Outputs and inputs of a step in addition to losses, gradients and statistics. */
typedef enum dd_step_extras {
    DD_STEP_PLAIN,
    DD_STEP_OBSERVED, /* writes the i-th observed value to slots.observed + i */
    /* Writes the generator's draws of x_0 to slots.samples in phase 0; reads from
     * slots.sample_gradients, in phase 1, the gradient in them of a loss that joins the
     * generator's. */
    DD_STEP_CUSTOM_LOSS
} dd_step_extras;

/* Builds the graph of a step for a batch. */
ddaebm_status dd_step_graph_build(dd_step_graph *out, ddaebm_context *context,
                                  const dd_settings *settings, dd_parameters *parameters,
                                  size_t batch, dd_step_extras extras);

/* Frees all but the graph, which a plan takes over. */
void dd_step_graph_free(dd_step_graph *graph);

#endif
