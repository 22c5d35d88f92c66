/* Held-out rows, and the best weights of a run by them.
 *
 * A look compares the held-out rows with mixed rows, whose columns are drawn from the data
 * independently: they have the marginal distributions of the data, and none of its dependences. The
 * contrast is the probability that a held-out row scores higher (the area under the ROC curve). An
 * energy that has not learned yet cannot tell the two kinds apart, and one that overfits takes
 * held-out rows for anomalies as well: the contrast is largest in between.
 *
 * That measures how well anomalies are found, not whether f / temperature is the log-density: no
 * function has a higher contrast than the log-density less log q, with q the density of the mixed
 * rows (Neyman and Pearson, 1933; marginal.h). So there are two measures, of f / temperature and of
 * that less log q. The weights are the latest that are within a standard error of the best by one
 * of them. */
#ifndef DD_HELD_OUT_H
#define DD_HELD_OUT_H

#include "io/safetensors_writer.h"
#include "layers/parameters.h"

#include <ddaebm/trainer.h>

typedef struct dd_held_out dd_held_out;

/* Number of held-out rows: none of an unbounded set, nor where they would be fewer than two. */
uint64_t dd_held_out_count(const ddaebm_trainer *trainer);

/* Row of the data set at a place of the random order in which the held-out rows come first. */
uint64_t dd_held_out_row(const ddaebm_trainer *trainer, uint64_t place);

/* Allocates all that looks need, or sets *out to NULL where no rows are held out. Reads from the
 * data set; the model's statistics must be known. */
ddaebm_status dd_held_out_create(dd_held_out **out, const ddaebm_trainer *trainer);
void dd_held_out_free(dd_held_out *held_out);

/* Looks after a step if it is time to, and keeps the weights if they are the best so far, or as
 * good within a standard error. Does not allocate. */
void dd_held_out_look(ddaebm_trainer *trainer);

/* Gives a model of the trainer's shape the best weights so far, with their step and contrast;
 * before the first look it stays as it is. */
void dd_held_out_take_best(const ddaebm_trainer *trainer, ddaebm_model *model);

/* Replaces the trainer's data set, and discards the best weights so far. The trainer is as it was
 * on failure. */
ddaebm_status dd_held_out_change_data(ddaebm_trainer *trainer, const ddaebm_dataset *dataset);

/* Part of a checkpoint. */
ddaebm_status dd_held_out_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer);
ddaebm_status dd_held_out_restore(ddaebm_trainer *trainer, const dd_safetensors *file);

#endif
