/* The parts that build the graph of a step: what they share while it is built. */
#ifndef DD_STEP_BUILDER_H
#define DD_STEP_BUILDER_H

#include "diffusion/process.h"
#include "layers/network.h"
#include "objective/objective.h"

/* Gradients, summed loss by loss: with respect to a network's weights, and to the generator's
 * outputs as constants (`leaves`). A loss is differentiated as soon as it is built, so that the
 * activations of its networks are free before the next ones are computed. */
enum { DD_LEAF_X0, DD_LEAF_X_POS, DD_LEAVES };

typedef struct dd_gradients {
    dd_node *wrt, *sum; /* weights, then leaves */
    size_t *index;      /* index of each weight among the parameters */
    size_t weights, count;
} dd_gradients;

/* State of building a step. */
typedef struct dd_step_builder {
    dd_step_graph *out;
    const dd_settings *settings;
    dd_builder builder;
    dd_process process;
    dd_step_slots slots;
    dd_node timestep, z, noise_t, noise_encoder;
    dd_node x0, x_t, x_next, x0_pred, x_pos;
    dd_node leaves[DD_LEAVES]; /* x0_pred and x_pos, as constants */
    dd_node losses[DD_LOSSES];
    dd_node f_real, f_fake;               /* or the discriminator's logits */
    dd_gradients of_energy, of_generator; /* with the encoder's */
    bool custom_loss;                     /* a custom loss on x0_pred */
} dd_step_builder;

/* Adds the gradients of sum(y seed). */
void dd_step_differentiate(dd_step_builder *s, dd_gradients *g, dd_node y, dd_node seed);

/* Names an intermediate value for tests. */
void dd_step_observe(dd_step_builder *s, const char *name, dd_node node, int phase);

/* Build the loss of the energy or the discriminator, and then that of generator and encoder, and
 * differentiate them. */
void dd_step_energy_loss(dd_step_builder *s);
void dd_step_generator_loss(dd_step_builder *s);

#endif
