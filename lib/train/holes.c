#include "base/ieee.h"

#include "train/holes.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/normal_fit.h"
#include "sample/filler.h"
#include "train/donors.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Draws begin after an eighth of the steps, when the energy says something. There are ROUNDS of up
 * to MOST_MOVES steps of the chain, fewer where a round would move more than MOVED rows for each
 * that it trains on. */
enum { FITS_OF_NORMAL = 4, BEFORE = 8, ROUNDS = 64, FEWEST_MOVES = 4, MOST_MOVES = 24, MOVED = 3 };

/* Of the known values, these are hidden, if they are as many; of them, the most that are drawn to
 * fit the temperature, so often, and in so many rounds. */
static const float hidden_share = 0.1f;
enum { FEWEST_HIDDEN = 20, MOST_ROWS = 512, DRAWS = 40, STEPS = 24, FITS = 2 };

/* Bounds of the temperature that is fitted, and the share of hidden values that are to lie within
 * so many standard deviations of their mean. */
static const double least_temperature = 0.5, most_temperature = 5, wanted_share = 0.9,
                    wanted_width = 1.6449;

static const char values_name[] = "trainer.filled";

/* A known value that training does not see, to fit the temperature by. */
typedef struct hidden {
    uint64_t at; /* its place among all numbers */
    double value;
} hidden;

struct dd_holes {
    ddaebm_context *context;
    ddaebm_dataset *filled; /* the trainer's data set */
    double *given;          /* [rows, width]: NaN where a value is missing or hidden */
    hidden *hidden;         /* in ascending places */
    size_t hidden_count;
    uint64_t rows;
    size_t width;
    dd_filler *filler;
};

/* ---- Making one. ---- */

static bool is_hidden(const dd_holes *h, uint64_t seed, size_t at) {
    float u = 1;
    if (!isnan(h->given[at]))
        dd_rng_uniforms(&u, seed, dd_stream(DD_STREAM_FILL_HIDDEN, 0), at, 1);
    return u < hidden_share;
}

/* Fills everything with what the normal distribution expects and errors of rows nearby. */
static ddaebm_status fill_first(dd_holes *h, const ddaebm_trainer *trainer) {
    double *filled = dd_dataset_change(h->filled);
    ddaebm_status status = dd_filler_run(
        h->filler,
        &(dd_fill_call){
            .rows = h->given, .count = (size_t)h->rows, .draws = 1, .centre = true, .out = filled});
    return status == DDAEBM_OK
               ? dd_donors_add(trainer->model, h->given, filled, (size_t)h->rows, trainer->seed)
               : status;
}

/* Fits the normal distribution to rows that are filled in, several times: it may be far from the
 * data where values are missing by a rule and relations are no lines. */
static ddaebm_status fit_again(dd_holes *h, const ddaebm_trainer *trainer,
                               const ddaebm_dataset *dataset) {
    ddaebm_status status = DDAEBM_OK;
    for (int k = 0; k < FITS_OF_NORMAL && status == DDAEBM_OK; k++) {
        status = fill_first(h, trainer);
        if (status == DDAEBM_OK)
            status = dd_model_fit_normal_filled(trainer->model, h->filled, dataset);
    }
    return status;
}

/* Hides one known value in ten, if that is enough to fit a temperature by. */
static ddaebm_status hide(dd_holes *h, const ddaebm_trainer *trainer) {
    size_t numbers = (size_t)h->rows * h->width, count = 0;
    if (!dd_trainer_settings(trainer)->training.calibrate)
        return DDAEBM_OK;
    for (size_t i = 0; i < numbers; i++)
        count += is_hidden(h, trainer->seed, i);
    if (count < FEWEST_HIDDEN)
        return DDAEBM_OK;

    h->hidden = dd_alloc_zero(h->context, count, sizeof *h->hidden);
    if (!h->hidden)
        return DDAEBM_OUT_OF_MEMORY;
    for (size_t i = 0; i < numbers; i++)
        if (is_hidden(h, trainer->seed, i)) {
            h->hidden[h->hidden_count++] = (hidden){i, h->given[i]};
            h->given[i] = (double)NAN;
        }
    return DDAEBM_OK;
}

static ddaebm_status open_holes(dd_holes *h, const ddaebm_trainer *trainer,
                                const ddaebm_dataset *dataset, bool fits) {
    size_t numbers = (size_t)h->rows * h->width; /* the data set holds as many */
    double *zeros = dd_alloc_zero(h->context, numbers, sizeof *zeros);
    h->given = dd_alloc_zero(h->context, numbers, sizeof *h->given);
    ddaebm_status status = zeros && h->given ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        status = ddaebm_dataset_create_rows_double(&h->filled, h->context, zeros, (size_t)h->rows,
                                                   h->width);
    dd_free(h->context, zeros);
    if (status == DDAEBM_OK)
        status = ddaebm_dataset_read_double(dataset, 0, (size_t)h->rows, h->given);
    if (status == DDAEBM_OK)
        status = hide(h, trainer);
    if (status == DDAEBM_OK)
        status = dd_filler_create(&h->filler, trainer->model);
    if (status == DDAEBM_OK && fits && trainer->model->colour)
        status = fit_again(h, trainer, dataset);
    return status == DDAEBM_OK ? fill_first(h, trainer) : status;
}

ddaebm_status dd_holes_open(ddaebm_trainer *trainer, const ddaebm_dataset *dataset, bool fits) {
    if (ddaebm_dataset_missing(dataset) == 0)
        return DDAEBM_OK;
    dd_holes *h = dd_alloc_zero(trainer->model->context, 1, sizeof *h);
    if (!h)
        return DDAEBM_OUT_OF_MEMORY;
    *h = (dd_holes){.context = trainer->model->context, /* the trainer's model keeps it */
                    .rows = ddaebm_dataset_rows(dataset),
                    .width = ddaebm_dataset_width(dataset)};
    ddaebm_status status = open_holes(h, trainer, dataset, fits);
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
    dd_free(holes->context, holes->hidden);
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
    uint64_t moves = MOVED * seen / count;
    moves = moves < FEWEST_MOVES ? FEWEST_MOVES : moves > MOST_MOVES ? MOST_MOVES : moves;
    double *filled = dd_dataset_change(h->filled) + first * h->width;
    if (dd_filler_renew(h->filler, dd_optimizer_weights(trainer)) != DDAEBM_OK)
        return; /* rows need no memory for that */
    (void)dd_filler_run(h->filler, &(dd_fill_call){.rows = h->given + first * h->width,
                                                   .start = filled,
                                                   .count = (size_t)count,
                                                   .draws = 1,
                                                   .steps = (size_t)moves,
                                                   .seed = trainer->seed + trainer->step,
                                                   .first = first,
                                                   .out = filled});
}

/* ---- The temperature. ---- */

typedef struct calibration {
    const dd_holes *holes;
    double *rows;       /* [count, width]: rows with hidden values */
    double *draws;      /* [DRAWS, count, width] */
    double *away;       /* [hidden values]: their distances from the mean in standard deviations */
    size_t count, used; /* used: of the hidden values */
} calibration;

/* Gathers the first rows with hidden values. */
static void gather(calibration *c) {
    const dd_holes *h = c->holes;
    uint64_t last = UINT64_MAX;
    for (c->used = 0; c->used < h->hidden_count; c->used++) {
        uint64_t row = h->hidden[c->used].at / h->width;
        if (row == last)
            continue;
        if (c->count == MOST_ROWS)
            return;
        memcpy(c->rows + c->count++ * h->width, h->given + row * h->width,
               h->width * sizeof *c->rows);
        last = row;
    }
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Returns what standard deviations are to be multiplied by so that the wanted share of the hidden
 * values lies within the wanted width. */
static double widening(const calibration *c) {
    const dd_holes *h = c->holes;
    size_t row = SIZE_MAX;
    uint64_t last = UINT64_MAX;
    for (size_t k = 0; k < c->used; k++) {
        const hidden *one = &h->hidden[k];
        double sum = 0, squares = 0;
        row += one->at / h->width != last;
        last = one->at / h->width;
        for (size_t m = 0; m < DRAWS; m++) {
            double draw =
                c->draws[(m * c->count + row) * h->width + one->at % h->width] - one->value;
            sum += draw / DRAWS;
            squares += draw * draw / DRAWS;
        }
        double variance = (squares - sum * sum) * DRAWS / (DRAWS - 1);
        c->away[k] = variance > 0 ? fabs(sum) / sqrt(variance) : sum == 0 ? 0 : 1e6;
    }
    qsort(c->away, c->used, sizeof *c->away, ascending);
    return c->away[(size_t)(wanted_share * (double)(c->used - 1) + 0.5)] / wanted_width;
}

/* Draws the hidden values and changes the temperature, as the square of a deviation. */
static ddaebm_status fit_once(const calibration *c, ddaebm_model *model, uint64_t seed) {
    dd_filler *filler = NULL;
    ddaebm_status status = dd_filler_create(&filler, model);
    if (status == DDAEBM_OK)
        status = dd_filler_run(filler, &(dd_fill_call){.rows = c->rows,
                                                       .count = c->count,
                                                       .draws = DRAWS,
                                                       .steps = STEPS,
                                                       .anneal = model->colour == NULL,
                                                       .seed = seed,
                                                       .out = c->draws});
    dd_filler_free(filler);
    if (status != DDAEBM_OK)
        return status;
    double factor = widening(c), fitted = model->temperature * factor * factor;
    fitted = fitted > least_temperature ? fitted : least_temperature;
    return ddaebm_model_set_temperature(model,
                                        fitted < most_temperature ? fitted : most_temperature);
}

ddaebm_status dd_holes_calibrate(const ddaebm_trainer *trainer, ddaebm_model *model) {
    const dd_holes *h = trainer->holes;
    size_t rows = h->hidden_count < MOST_ROWS ? h->hidden_count : MOST_ROWS;
    if (h->hidden_count == 0)
        return DDAEBM_OK;
    calibration c = {.holes = h,
                     .rows = dd_alloc_zero(h->context, rows * h->width, sizeof *c.rows),
                     .draws = dd_alloc_zero(h->context, rows * h->width, DRAWS * sizeof *c.draws),
                     .away = dd_alloc_zero(h->context, h->hidden_count, sizeof *c.away)};
    ddaebm_status status = c.rows && c.draws && c.away ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
    if (status == DDAEBM_OK)
        gather(&c);
    for (int i = 0; i < FITS && status == DDAEBM_OK; i++)
        status = fit_once(&c, model, trainer->seed + (uint64_t)i);
    dd_free(h->context, c.rows);
    dd_free(h->context, c.draws);
    dd_free(h->context, c.away);
    return status;
}

/* ---- Checkpoints. ---- */

ddaebm_status dd_holes_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer) {
    const dd_holes *h = trainer->holes;
    if (!h)
        return DDAEBM_OK;
    const size_t shape[] = {(size_t)h->rows, h->width};
    return dd_safetensors_writer_add(writer, values_name, DD_STORED_F64, 2, shape,
                                     dd_dataset_doubles(h->filled, 0));
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
