/* Training on rows of which values are missing.
 *
 * The trainer's data set is a copy in which they are filled in: first by a normal distribution and
 * rows nearby (donors.h), and again and again, as training goes on, with draws given the known ones
 * of their row, by a Markov chain on the energy so far that goes on from the last draw. This is
 * stochastic approximation of expectation maximisation (Delyon, Lavielle and Moulines, 1999): the
 * energy learns the density of whole rows from draws of it. A loss that masks what is missing would
 * teach a density of known values with something put in for the others, which is another one for
 * each pattern. */
#ifndef DD_HOLES_H
#define DD_HOLES_H

#include "io/safetensors_writer.h"

#include <ddaebm/trainer.h>
#include <stdbool.h>

typedef struct dd_holes dd_holes;

/* Gives the trainer a filled copy of a data set with missing values; the model's statistics must be
 * known, and with `fits` those of whitened rows are improved. Does nothing for others. */
ddaebm_status dd_holes_open(ddaebm_trainer *trainer, const ddaebm_dataset *dataset, bool fits);
void dd_holes_free(dd_holes *holes);

/* Draws missing values anew after a step if it is time to. Does not allocate. */
void dd_holes_move(ddaebm_trainer *trainer);

/* Fits the temperature of a snapshot so that intervals of the draws hold as many as they should of
 * known values that training did not see: one in ten, where training.calibrate asks for it. */
ddaebm_status dd_holes_calibrate(const ddaebm_trainer *trainer, ddaebm_model *model);

/* Part of a checkpoint: the values drawn last. */
ddaebm_status dd_holes_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer);
ddaebm_status dd_holes_restore(ddaebm_trainer *trainer, const dd_safetensors *file);

#endif
