/* The inputs of a step: rows of the data set, timesteps, noise and latents, all fixed by (seed,
 * step). Each of several trainers that share a batch draws its rows of the whole batch. */
#ifndef DD_BATCH_H
#define DD_BATCH_H

#include "io/fingerprint.h"
#include "objective/objective.h"

#include <ddaebm/trainer.h>

typedef struct dd_batch {
    const ddaebm_dataset *dataset;
    dd_fingerprint fingerprint; /* of the data set */
    size_t size;                /* rows: training.batch */
    size_t shard, shards; /* index of the trainer's part of the whole batch, and their number */
    float *inputs[DD_SLOT_INPUTS];
} dd_batch;

/* Numbers of an input slot for a row. */
size_t dd_batch_row_size(const dd_settings *settings, int slot);

/* Allocates the inputs. Frees nothing on failure. */
ddaebm_status dd_batch_allocate(ddaebm_trainer *trainer);
void dd_batch_free(ddaebm_trainer *trainer);

/* Bytes of the inputs. */
size_t dd_batch_memory(const dd_settings *settings);

/* Fills the inputs of the present step. */
ddaebm_status dd_batch_draw(ddaebm_trainer *trainer);

#endif
