/* Rows that a run keeps aside, and the best weights that it has had by them.
 *
 * A look scores the rows kept aside, and others whose columns are each drawn from the data on their
 * own: rows that have the data's columns, and nothing of how they go together. The contrast is the
 * probability that a row kept aside scores higher (the area under the ROC curve). An energy that
 * has not learned yet cannot tell the two apart, and one that has learned its training rows by
 * heart takes the rows kept aside for anomalies as well: the contrast is largest in between. */
#ifndef DD_HELD_OUT_H
#define DD_HELD_OUT_H

#include "io/safetensors_writer.h"
#include "layers/parameters.h"

#include <ddaebm/trainer.h>

typedef struct dd_held_out dd_held_out;

/* How many of a data set's rows are kept aside: none of an unbounded one, nor where it would be
 * fewer than two. */
uint64_t dd_held_out_count(const ddaebm_trainer *trainer);

/* The row of the data set at a place in the order by which the rows kept aside, who come first, are
 * parted from the others. */
uint64_t dd_held_out_row(const ddaebm_trainer *trainer, uint64_t place);

/* Makes what looks need, or leaves NULL in *out where no row is kept aside. Reads from the data
 * set; the model's statistics must be known. */
ddaebm_status dd_held_out_create(dd_held_out **out, const ddaebm_trainer *trainer);
void dd_held_out_free(dd_held_out *held_out);

/* After a step: looks if it is time to, and keeps the weights if they are the best. Does not
 * allocate. */
void dd_held_out_look(ddaebm_trainer *trainer);

/* Gives a model of the trainer's shape the best weights so far, and an account of them; before the
 * first look it stays as it is. */
void dd_held_out_take_best(const ddaebm_trainer *trainer, ddaebm_model *model);

/* Makes the data set the trainer's. Its rows are other ones, so what was best by the old is
 * forgotten. As it was on failure. */
ddaebm_status dd_held_out_change_data(ddaebm_trainer *trainer, const ddaebm_dataset *dataset);

/* A checkpoint's part. */
ddaebm_status dd_held_out_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer);
ddaebm_status dd_held_out_restore(ddaebm_trainer *trainer, const dd_safetensors *file);

#endif
