#include "train/held_out.h"

#include "base/context.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/model_file.h"
#include "sample/evaluator.h"
#include "train/marginal.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { LOOKS = 32, MOST_ROWS = 1024, MOST_NUMBERS = 1 << 22 };

/* Numbers of permutations, which no epoch has. */
static const uint64_t parting = UINT64_C(1) << 55, columns = (UINT64_C(1) << 55) + 1;

static const char state_name[] = "trainer.held_out", places_name[] = "trainer.held_out.placements",
                  weights_prefix[] = "trainer.best.";
enum { STATE_STEP, STATE_CONTRAST, STATE_COUNT };

/* What rows are compared by: f / temperature, and that less the log-density of mixed rows. */
enum { MEASURE_ENERGY, MEASURE_RATIO, MEASURES };

struct dd_held_out {
    ddaebm_context *context;
    size_t kept, mixed; /* held-out rows, and rows of independent columns */
    float *rows;        /* [kept + mixed, inner width] */
    float *scores;      /* [kept + mixed] */
    double *marginal;   /* [kept + mixed]: log-density of each row, were its columns independent */
    double temperature; /* f over it is a log-density, before it is fitted */
    double *now;        /* [MEASURES, kept]: placements of the present look */
    double *highest;    /* [MEASURES, kept]: those of the look with the highest mean by each */
    dd_evaluator *evaluator;
    dd_weights best;
    double state[STATE_COUNT]; /* of the best weights; its step is 0 before the first look */
};

/* ---- Which rows. ---- */

uint64_t dd_held_out_count(const ddaebm_trainer *trainer) {
    double share = dd_trainer_settings(trainer)->training.held_out;
    uint64_t rows = share > 0 ? ddaebm_dataset_rows(trainer->batch.dataset) : 0,
             count = (uint64_t)(share * (double)rows);
    return count >= 2 ? count : 0;
}

uint64_t dd_held_out_row(const ddaebm_trainer *trainer, uint64_t place) {
    return dd_rng_permute(place, ddaebm_dataset_rows(trainer->batch.dataset), trainer->seed,
                          parting);
}

/* ---- Making one. ---- */

static size_t least(uint64_t a, size_t b) {
    return a < b ? (size_t)a : b;
}

/* Reads the held-out rows and makes the mixed ones: each column is shuffled independently among the
 * first `count` rows of the random order, and again whenever those are used up. All numbers are of
 * those rows, so the log-densities of theirs, log_density [count, width], are those of all. */
static ddaebm_status read_rows(dd_held_out *h, const ddaebm_trainer *trainer, float *sample,
                               double *log_density, size_t count) {
    size_t width = dd_model_inner_width(trainer->model);
    for (size_t i = 0; i < count; i++) {
        ddaebm_status status = dd_model_read(trainer->model, trainer->batch.dataset,
                                             dd_held_out_row(trainer, i), 1, sample + i * width);
        if (status != DDAEBM_OK)
            return status;
    }
    memcpy(h->rows, sample, h->kept * width * sizeof *sample);
    dd_marginal_log_density(log_density, sample, count, width,
                            dd_context_pool(trainer->model->context));
    for (size_t i = 0; i < h->kept; i++)
        for (size_t j = 0; j < width; j++)
            h->marginal[i] += log_density[i * width + j];

    float *mixed = h->rows + h->kept * width;
    for (size_t i = 0; i < h->mixed; i++)
        for (size_t j = 0; j < width; j++) {
            uint64_t from = dd_rng_permute(i % count, count, trainer->seed,
                                           columns + (uint64_t)(i / count) * width + j);
            mixed[i * width + j] = sample[(size_t)from * width + j];
            h->marginal[h->kept + i] += log_density[(size_t)from * width + j];
        }
    return DDAEBM_OK;
}

static dd_node build_energy(dd_builder *builder, const dd_process *process,
                            const dd_node in[DD_EVAL_OUT], const void *user) {
    (void)process;
    (void)user;
    return dd_network_energy(builder, in[DD_EVAL_X], in[DD_EVAL_TIMESTEP]);
}

/* Reads the rows, and allocates scores, weights and evaluator. */
static ddaebm_status fill(dd_held_out *h, const ddaebm_trainer *trainer) {
    const ddaebm_model *model = trainer->model;
    size_t width = dd_model_inner_width(model), most = least(MOST_NUMBERS / width, MOST_ROWS);
    size_t count = least(ddaebm_dataset_rows(trainer->batch.dataset), most);
    h->kept = least(dd_held_out_count(trainer), most);
    h->mixed = most;
    h->rows = dd_alloc_zero(h->context, (h->kept + h->mixed) * width, sizeof *h->rows);
    h->scores = dd_alloc_zero(h->context, h->kept + h->mixed, sizeof *h->scores);
    h->marginal = dd_alloc_zero(h->context, h->kept + h->mixed, sizeof *h->marginal);
    h->temperature = model->temperature;
    h->now = dd_alloc_zero(h->context, MEASURES * h->kept, sizeof *h->now);
    h->highest = dd_alloc_zero(h->context, MEASURES * h->kept, sizeof *h->highest);
    float *sample = dd_alloc_zero(h->context, count * width, sizeof *sample);
    double *log_density = dd_alloc_zero(h->context, count * width, sizeof *log_density);
    bool made =
        h->rows && h->scores && h->marginal && h->now && h->highest && sample && log_density;
    ddaebm_status status = made ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;

    if (status == DDAEBM_OK)
        status = read_rows(h, trainer, sample, log_density, count);
    if (status == DDAEBM_OK)
        status = dd_weights_create(&h->best, h->context, &model->parameters);
    if (status == DDAEBM_OK)
        status = dd_evaluator_create(&h->evaluator, model, build_energy, NULL);
    dd_free(h->context, sample);
    dd_free(h->context, log_density);
    return status;
}

ddaebm_status dd_held_out_create(dd_held_out **out, const ddaebm_trainer *trainer) {
    *out = NULL;
    if (dd_held_out_count(trainer) == 0)
        return DDAEBM_OK;
    dd_held_out *h = dd_alloc_zero(trainer->model->context, 1, sizeof *h);
    if (!h)
        return DDAEBM_OUT_OF_MEMORY;

    h->context = trainer->model->context; /* the trainer's model keeps it */
    ddaebm_status status = fill(h, trainer);
    if (status == DDAEBM_OK)
        *out = h;
    else
        dd_held_out_free(h);
    return status;
}

ddaebm_status dd_held_out_change_data(ddaebm_trainer *trainer, const ddaebm_dataset *dataset) {
    const ddaebm_dataset *before = trainer->batch.dataset;
    dd_held_out *other = NULL;
    trainer->batch.dataset = dataset;
    ddaebm_status status = dd_held_out_create(&other, trainer);
    if (status != DDAEBM_OK) {
        trainer->batch.dataset = before;
        return status;
    }
    dd_held_out_free(trainer->held_out);
    trainer->held_out = other;
    return DDAEBM_OK;
}

void dd_held_out_free(dd_held_out *held_out) {
    if (!held_out)
        return;
    dd_evaluator_free(held_out->evaluator);
    dd_weights_free(&held_out->best);
    dd_free(held_out->context, held_out->rows);
    dd_free(held_out->context, held_out->scores);
    dd_free(held_out->context, held_out->marginal);
    dd_free(held_out->context, held_out->now);
    dd_free(held_out->context, held_out->highest);
    dd_free(held_out->context, held_out);
}

/* ---- Looking. ---- */

typedef struct request {
    dd_held_out *held_out;
    size_t width;
} request;

static void score_chunk(void *user, dd_lane *lane, size_t first, size_t count) {
    const request *r = user;
    memcpy(dd_lane_buffer(lane, DD_EVAL_X), r->held_out->rows + first * r->width,
           count * r->width * sizeof(float));
    dd_lane_compute(lane, 0, count);
    const float *energies = dd_lane_buffer(lane, DD_EVAL_OUT);
    for (size_t i = 0; i < count; i++)
        r->held_out->scores[first + i] = (float)((double)energies[i] / r->held_out->temperature);
}

/* What a row is compared by. */
static double compared(const dd_held_out *h, int measure, size_t row) {
    return (double)h->scores[row] - (measure == MEASURE_RATIO ? h->marginal[row] : 0);
}

/* Sets the placement of each held-out row: the fraction of mixed rows that it beats; ties count
 * half, NaN never. */
static void place_rows(dd_held_out *h, int measure) {
    for (size_t i = 0; i < h->kept; i++) {
        double mine = compared(h, measure, i);
        uint64_t halves = 0;
        for (size_t j = h->kept; j < h->kept + h->mixed; j++) {
            double other = compared(h, measure, j);
            halves += (mine > other ? 2u : 0u) + (mine == other ? 1u : 0u);
        }
        h->now[(size_t)measure * h->kept + i] = 0.5 * (double)halves / (double)h->mixed;
    }
}

static double mean_of(const double *numbers, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum / (double)count;
}

/* Whether the mean of some placements is within a standard error of the highest. The error is that
 * of the rows' differences, for both looks see the same rows (DeLong et al., 1988). */
static bool is_near(const double *now, const double *highest, size_t count) {
    double mean = mean_of(highest, count) - mean_of(now, count), squares = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        double rest = highest[i] - now[i] - mean;
        squares += rest * rest;
    }
    return mean <= sqrt(squares / (n * (n - 1)));
}

/* Compares the present look with the highest by one measure, which it may become. Returns whether
 * it is as good. */
static bool compare(dd_held_out *h, int measure) {
    double *now = h->now + (size_t)measure * h->kept,
           *highest = h->highest + (size_t)measure * h->kept;
    place_rows(h, measure);
    if (mean_of(now, h->kept) < mean_of(highest, h->kept))
        return is_near(now, highest, h->kept);
    memcpy(highest, now, h->kept * sizeof *now);
    return true;
}

/* Whether this step is one of the LOOKS of a run, or its last. */
static bool is_time(const ddaebm_trainer *trainer) {
    uint64_t steps = (uint64_t)dd_trainer_settings(trainer)->training.steps,
             every = steps > LOOKS ? steps / LOOKS : 1;
    return trainer->step == steps || (trainer->step < steps && trainer->step % every == 0);
}

/* Keeps the latest weights that the held-out rows cannot tell from the best by one of the measures:
 * learning rates fall, so later weights have less noise. */
void dd_held_out_look(ddaebm_trainer *trainer) {
    dd_held_out *h = trainer->held_out;
    if (!h || !is_time(trainer))
        return;
    request r = {h, dd_model_inner_width(trainer->model)};
    if (dd_evaluator_renew(h->evaluator, dd_optimizer_weights(trainer)) != DDAEBM_OK ||
        dd_evaluator_run(h->evaluator, h->kept + h->mixed, score_chunk, &r, NULL, NULL) !=
            DDAEBM_OK)
        return; /* not after a step that could compute */

    bool best = compare(h, MEASURE_ENERGY);
    best = compare(h, MEASURE_RATIO) || best;
    double found = mean_of(h->now, h->kept);
    if (best) {
        dd_weights_copy(&h->best, dd_optimizer_weights(trainer), &trainer->model->parameters);
        h->state[STATE_STEP] = (double)trainer->step;
        h->state[STATE_CONTRAST] = found;
    }
    dd_report(h->context, DDAEBM_LOG_DEBUG, "step %llu: contrast of the rows held out %.4f%s",
              (unsigned long long)trainer->step, found, best ? ", the best so far" : "");
    if (trainer->step == (uint64_t)dd_trainer_settings(trainer)->training.steps)
        dd_report(h->context, DDAEBM_LOG_INFO,
                  "the weights of step %.0f are the best by the rows held out (contrast %.4f)",
                  h->state[STATE_STEP], h->state[STATE_CONTRAST]);
}

void dd_held_out_take_best(const ddaebm_trainer *trainer, ddaebm_model *model) {
    const dd_held_out *h = trainer->held_out;
    if (!h || !(h->state[STATE_STEP] > 0))
        return;
    dd_weights_copy(&model->weights, &h->best, &model->parameters);
    model->best_step = (uint64_t)h->state[STATE_STEP];
    model->contrast = h->state[STATE_CONTRAST];
}

/* ---- Checkpoints. ---- */

ddaebm_status dd_held_out_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer) {
    const dd_held_out *h = trainer->held_out;
    const size_t count = STATE_COUNT, places = h ? MEASURES * h->kept : 0;
    if (!h || !(h->state[STATE_STEP] > 0))
        return DDAEBM_OK;
    ddaebm_status status =
        dd_safetensors_writer_add(writer, state_name, DD_STORED_F64, 1, &count, h->state);
    if (status == DDAEBM_OK)
        status =
            dd_safetensors_writer_add(writer, places_name, DD_STORED_F64, 1, &places, h->highest);
    return status == DDAEBM_OK ? dd_model_file_write_weights(writer, trainer->model, &h->best,
                                                             weights_prefix, DD_STORED_F32)
                               : status;
}

/* Reads the placements of the highest looks. A checkpoint of an earlier version has none: then each
 * is the contrast. */
static ddaebm_status read_placements(dd_held_out *h, const dd_safetensors *file) {
    const dd_tensor_entry *entry = dd_safetensors_find(file, places_name);
    const size_t count = MEASURES * h->kept;
    for (size_t i = 0; !entry && i < count; i++)
        h->highest[i] = h->state[STATE_CONTRAST];
    if (!entry)
        return DDAEBM_OK;
    if (entry->dtype != DD_STORED_F64 || entry->elements != count)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %zu numbers of 64 bits",
                       places_name, count);

    const double *placements = entry->data;
    for (size_t i = 0; i < count; i++)
        if (!(placements[i] >= 0 && placements[i] <= 1))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "tensor %s holds %g; allowed: 0 to 1", places_name,
                           placements[i]);
    memcpy(h->highest, placements, count * sizeof *placements);
    return DDAEBM_OK;
}

ddaebm_status dd_held_out_restore(ddaebm_trainer *trainer, const dd_safetensors *file) {
    dd_held_out *h = trainer->held_out;
    const dd_tensor_entry *entry = dd_safetensors_find(file, state_name);
    if (!h || !entry)
        return DDAEBM_OK;

    if (entry->dtype != DD_STORED_F64 || entry->elements != STATE_COUNT)
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %d numbers of 64 bits", state_name,
                       (int)STATE_COUNT);
    const double *state = entry->data;
    if (!(state[STATE_STEP] >= 1 && state[STATE_STEP] <= (double)trainer->step &&
          state[STATE_STEP] == floor(state[STATE_STEP]) && state[STATE_CONTRAST] >= 0 &&
          state[STATE_CONTRAST] <= 1))
        return dd_fail(DDAEBM_OUT_OF_RANGE,
                       "tensor %s holds step %g and contrast %g; allowed: 1 to %llu, and 0 to 1",
                       state_name, state[STATE_STEP], state[STATE_CONTRAST],
                       (unsigned long long)trainer->step);
    memcpy(h->state, state, sizeof h->state);
    ddaebm_status status = read_placements(h, file);
    if (status != DDAEBM_OK)
        return status;
    return dd_model_file_read_weights(&h->best, &trainer->model->parameters, file, weights_prefix);
}
