#include "base/ieee.h"

#include "train/holes.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/filler.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

/* Draws begin after an eighth of the steps, when the energy says something; then come ROUNDS of
 * MOVES steps of the chain. */
enum { BEFORE = 8, ROUNDS = 64, MOVES = 6 };

static const char values_name[] = "trainer.filled";

struct dd_holes {
    ddaebm_context *context;
    ddaebm_dataset *filled; /* the trainer's data set */
    double *given;          /* [rows, width]: NaN where a value is missing */
    uint64_t rows, missing;
    size_t width;
    dd_filler *filler;
};

/* ---- Making one. ---- */

/* Fills everything from a normal distribution: the chain has no steps. */
static ddaebm_status fill_first(dd_holes *h, uint64_t seed, double *filled) {
    return dd_filler_run(h->filler, &(dd_fill_call){.rows = h->given,
                                                    .count = (size_t)h->rows,
                                                    .draws = 1,
                                                    .seed = seed,
                                                    .out = filled});
}

static ddaebm_status open_holes(dd_holes *h, const ddaebm_trainer *trainer,
                                const ddaebm_dataset *dataset) {
    size_t numbers = (size_t)h->rows * h->width; /* the data set holds as many */
    double *filled = dd_alloc_zero(h->context, numbers, sizeof *filled);
    h->given = dd_alloc_zero(h->context, numbers, sizeof *h->given);
    ddaebm_status status = filled && h->given ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        status = ddaebm_dataset_read_double(dataset, 0, (size_t)h->rows, h->given);
    if (status == DDAEBM_OK)
        status = dd_filler_create(&h->filler, trainer->model);
    if (status == DDAEBM_OK)
        status = fill_first(h, trainer->seed, filled);
    if (status == DDAEBM_OK)
        status = ddaebm_dataset_create_rows_double(&h->filled, h->context, filled, (size_t)h->rows,
                                                   h->width);
    dd_free(h->context, filled);
    return status;
}

ddaebm_status dd_holes_open(ddaebm_trainer *trainer, const ddaebm_dataset *dataset) {
    if (ddaebm_dataset_missing(dataset) == 0)
        return DDAEBM_OK;
    dd_holes *h = dd_alloc_zero(trainer->model->context, 1, sizeof *h);
    if (!h)
        return DDAEBM_OUT_OF_MEMORY;
    *h = (dd_holes){.context = trainer->model->context, /* the trainer's model keeps it */
                    .rows = ddaebm_dataset_rows(dataset),
                    .missing = ddaebm_dataset_missing(dataset),
                    .width = ddaebm_dataset_width(dataset)};
    ddaebm_status status = open_holes(h, trainer, dataset);
    if (status != DDAEBM_OK) {
        dd_holes_free(h);
        return status;
    }
    trainer->holes = h;
    trainer->batch.dataset = h->filled;
    return DDAEBM_OK;
}

void dd_holes_free(dd_holes *holes) {
    if (!holes)
        return;
    dd_filler_free(holes->filler);
    ddaebm_dataset_free(holes->filled);
    dd_free(holes->context, holes->given);
    dd_free(holes->context, holes);
}

/* ---- Drawing anew. ---- */

void dd_holes_move(ddaebm_trainer *trainer) {
    dd_holes *h = trainer->holes;
    uint64_t steps = (uint64_t)dd_trainer_settings(trainer)->training.steps,
             every = steps > ROUNDS ? steps / ROUNDS : 1;
    if (!h || trainer->step < steps / BEFORE || trainer->step % every != 0)
        return;

    /* As many rows as training sees till the next round, in their order. */
    uint64_t seen = every * trainer->batch.size, count = seen < h->rows ? seen : h->rows;
    uint64_t first = count < h->rows ? trainer->step / every * count % h->rows : 0;
    count = count < h->rows - first ? count : h->rows - first;
    double *filled = dd_dataset_change(h->filled) + first * h->width;
    if (dd_filler_renew(h->filler, dd_optimizer_weights(trainer)) != DDAEBM_OK)
        return; /* rows need no memory for that */
    (void)dd_filler_run(h->filler, &(dd_fill_call){.rows = h->given + first * h->width,
                                                   .start = filled,
                                                   .count = (size_t)count,
                                                   .draws = 1,
                                                   .steps = MOVES,
                                                   .seed = trainer->seed + trainer->step,
                                                   .first = first,
                                                   .out = filled});
}

/* ---- Checkpoints. ---- */

ddaebm_status dd_holes_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer) {
    const dd_holes *h = trainer->holes;
    if (!h)
        return DDAEBM_OK;
    const size_t shape[] = {(size_t)h->rows, h->width};
    return dd_safetensors_writer_add(writer, values_name, DD_STORED_F64, 2, shape,
                                     dd_dataset_doubles(h->filled));
}

ddaebm_status dd_holes_restore(ddaebm_trainer *trainer, const dd_safetensors *file) {
    dd_holes *h = trainer->holes;
    const dd_tensor_entry *entry = dd_safetensors_find(file, values_name);
    size_t numbers = h ? (size_t)h->rows * h->width : 0;
    if (!h || !entry)
        return DDAEBM_OK;

    if (entry->dtype != DD_STORED_F64 || entry->elements != numbers)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %zu numbers of 64 bits",
                       values_name, numbers);
    const double *values = entry->data;
    double *filled = dd_dataset_change(h->filled);
    for (size_t i = 0; i < numbers; i++) {
        if (!isfinite(values[i]))
            return dd_fail(DDAEBM_NOT_FINITE, "element %zu of tensor %s is %g", i, values_name,
                           values[i]);
        filled[i] = isnan(h->given[i]) ? values[i] : h->given[i];
    }
    return DDAEBM_OK;
}
