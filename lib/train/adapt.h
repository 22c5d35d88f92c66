/* Timesteps that move while a model is trained (diffusion.adapt): each step of the reverse process
 * is to be equally hard. The first and the last stay; those between move, in the logarithm of the
 * noise-to-signal ratio, towards where the measured hardness is spread evenly.
 *
 * The ratios are in the configuration (diffusion.levels), and so in the model's file. */
#ifndef DD_ADAPT_H
#define DD_ADAPT_H

#include "config/settings.h"
#include "io/safetensors.h"
#include "io/safetensors_writer.h"

#include <ddaebm/trainer.h>

typedef struct dd_adapt_state dd_adapt_state;

/* Gives NULL where the configuration asks for fixed timesteps. */
ddaebm_status dd_adapt_create(dd_adapt_state **out, const ddaebm_trainer *trainer);
void dd_adapt_free(dd_adapt_state *adapt);

/* Where a step writes the hardness of each sample, [batch]. */
float *dd_adapt_room(dd_adapt_state *adapt);

/* Replaces another schedule by the list of its ratios, and plans the step anew. */
ddaebm_status dd_adapt_begin(ddaebm_trainer *trainer);

/* Moves the timesteps if the present step is one before which they move, and plans the step anew;
 * once for each such step. None of the last third of the run is. The trainer is as it was on
 * failure. */
ddaebm_status dd_adapt_move(ddaebm_trainer *trainer);

/* Takes in what the step that was computed measured. */
void dd_adapt_note(ddaebm_trainer *trainer);

/* Moves the ratios between the first and the last to where each of the T intervals would have the
 * same part of the whole hardness, were it spread evenly within each interval: a part of the way,
 * and at most a quarter of the way to a neighbour. */
void dd_adapt_equalise(dd_reals *levels, const double *hardness);

/* State of the measurement in a checkpoint. */
ddaebm_status dd_adapt_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer);
ddaebm_status dd_adapt_restore(ddaebm_trainer *trainer, const dd_safetensors *file);

#endif
