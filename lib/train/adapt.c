#include "train/adapt.h"

#include "base/context.h"
#include "base/error.h"
#include "config/config.h"
#include "diffusion/noise_schedule.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { MOVES = 48 }; /* of a whole run; those of its last third are not made */

/* Part of the way that a move goes; part of the distance to a neighbour that it may go; and the
 * least hardness of an interval, as a part of the largest. */
static const double eagerness = 0.3, bound = 0.25, least_part = 1e-3;

static const char state_name[] = "trainer.adapt";

/* The numbers of a checkpoint: the step that the timesteps last moved at, and for each timestep
 * the decayed sum of the measurements and of their number. */
enum { STATE_MOVED, STATE_SUMS };

struct dd_adapt_state {
    ddaebm_context *context;
    size_t timesteps;
    float *measured; /* [batch] */
    double *state;   /* [1 + 2 T] */
};

static size_t state_size(const dd_adapt_state *adapt) {
    return STATE_SUMS + 2 * adapt->timesteps;
}

ddaebm_status dd_adapt_create(dd_adapt_state **out, const ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    ddaebm_context *context = trainer->model->context;
    *out = NULL;
    if (settings->diffusion.adapt == DD_ADAPT_NONE)
        return DDAEBM_OK;
    dd_adapt_state *adapt = dd_alloc_zero(context, 1, sizeof *adapt);
    if (!adapt)
        return DDAEBM_OUT_OF_MEMORY;

    adapt->context = context; /* the trainer's model keeps it */
    adapt->timesteps = (size_t)settings->diffusion.timesteps;
    adapt->measured = dd_alloc_zero(context, (size_t)settings->training.batch, sizeof(float));
    adapt->state = dd_alloc_zero(context, state_size(adapt), sizeof *adapt->state);
    if (!adapt->measured || !adapt->state) {
        dd_adapt_free(adapt);
        return DDAEBM_OUT_OF_MEMORY;
    }
    *out = adapt;
    return DDAEBM_OK;
}

void dd_adapt_free(dd_adapt_state *adapt) {
    if (!adapt)
        return;
    dd_free(adapt->context, adapt->measured);
    dd_free(adapt->context, adapt->state);
    dd_free(adapt->context, adapt);
}

float *dd_adapt_room(dd_adapt_state *adapt) {
    return adapt->measured;
}

/* Sets the list of ratios, and plans the step with it; on failure the list is as it was. */
static ddaebm_status set_levels(ddaebm_trainer *trainer, const dd_reals *levels) {
    const dd_reals before = dd_trainer_settings(trainer)->diffusion.levels;
    ddaebm_config *config = trainer->model->config;
    ddaebm_status status = dd_config_set_reals(config, "diffusion.levels", levels);
    if (status != DDAEBM_OK)
        return status;
    status = dd_planned_step_plan(trainer,
                                  trainer->custom_loss.drawn ? DD_STEP_CUSTOM_LOSS : DD_STEP_PLAIN);
    if (status != DDAEBM_OK)
        (void)dd_config_set_reals(config, "diffusion.levels",
                                  &before); /* was allowed: no failure */
    return status;
}

ddaebm_status dd_adapt_begin(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    dd_noise_schedule schedule;
    dd_reals levels = {0};
    if (!trainer->adapt || settings->diffusion.schedule == DD_SCHEDULE_LEVELS)
        return DDAEBM_OK;
    ddaebm_status status = dd_noise_schedule_make(&schedule, trainer->model->context, settings);
    if (status != DDAEBM_OK)
        return status;

    for (size_t t = 0; t <= schedule.steps; t++)
        levels.values[levels.count++] = schedule.sigma_cum[t] / schedule.a_cum[t];
    dd_noise_schedule_free(&schedule);
    status = ddaebm_config_set(trainer->model->config, "diffusion.schedule", "levels");
    return status == DDAEBM_OK ? set_levels(trainer, &levels) : status;
}

/* ---- Measuring. ---- */

/* Steps between two moves. */
static uint64_t steps_between(const ddaebm_trainer *trainer) {
    uint64_t steps = (uint64_t)dd_trainer_settings(trainer)->training.steps;
    return steps > MOVES ? steps / MOVES : 1;
}

/* Sums decay so that those of one interval between moves weigh most. */
void dd_adapt_note(ddaebm_trainer *trainer) {
    dd_adapt_state *adapt = trainer->adapt;
    if (!adapt)
        return;
    double *sums = adapt->state + STATE_SUMS, *counts = sums + adapt->timesteps;
    double kept = 1 - 1 / (double)(steps_between(trainer) + 1);
    for (size_t t = 0; t < 2 * adapt->timesteps; t++)
        sums[t] *= kept;
    for (size_t i = 0; i < trainer->batch.size; i++) {
        size_t t = (size_t)trainer->batch.inputs[DD_SLOT_TIMESTEP][i];
        if (!isfinite(adapt->measured[i]))
            continue;
        sums[t] += (double)adapt->measured[i];
        counts[t]++;
    }
}

/* Hardness of each timestep. For squared errors of x_0 the KL divergence of two posteriors that
 * differ in x_0, (snr_t - snr_{t+1})/2 times the error, or the square that the error moves x_t by.
 */
static ddaebm_status find_hardness(const ddaebm_trainer *trainer, double *hardness) {
    const dd_adapt_state *adapt = trainer->adapt;
    const dd_settings *settings = dd_trainer_settings(trainer);
    const double *sums = adapt->state + STATE_SUMS, *counts = sums + adapt->timesteps;
    dd_noise_schedule s;
    ddaebm_status status = dd_noise_schedule_make(&s, trainer->model->context, settings);
    if (status != DDAEBM_OK)
        return status;

    for (size_t t = 0; t < adapt->timesteps; t++) {
        double snr = s.abar[t] / (1 - s.abar[t]), next = s.abar[t + 1] / (1 - s.abar[t + 1]);
        double factor = settings->diffusion.adapt == DD_ADAPT_DIVERGENCE ? (snr - next) / 2
                        : settings->diffusion.adapt == DD_ADAPT_RECONSTRUCTION
                            ? s.post_coef_x0[t] * s.post_coef_x0[t]
                            : 1;
        hardness[t] = counts[t] > 0 ? factor * fabs(sums[t] / counts[t]) : 0;
    }
    dd_noise_schedule_free(&s);
    return DDAEBM_OK;
}

/* ---- Moving. ---- */

/* Where the whole hardness up to there is `wanted`. */
static double find_place(const double *places, const double *hardness, size_t count,
                         double wanted) {
    size_t i = 0;
    for (; i + 1 < count && wanted > hardness[i]; i++)
        wanted -= hardness[i];
    return places[i] + wanted / hardness[i] * (places[i + 1] - places[i]);
}

void dd_adapt_equalise(dd_reals *levels, const double *hardness) {
    const size_t count = levels->count - 1;
    double places[DD_MOST_REALS], parts[DD_MOST_REALS], largest = 0, whole = 0;
    for (size_t i = 0; i < count; i++)
        largest = hardness[i] > largest ? hardness[i] : largest;
    if (!(largest > 0 && isfinite(largest)))
        return;
    for (size_t i = 0; i < count; i++) {
        parts[i] = hardness[i] > least_part * largest ? hardness[i] : least_part * largest;
        whole += parts[i];
    }
    for (size_t i = 0; i <= count; i++)
        places[i] = log(levels->values[i]);

    for (size_t i = 1; i < count; i++) {
        double way =
            eagerness *
            (find_place(places, parts, count, whole * (double)i / (double)count) - places[i]);
        double up = bound * (places[i + 1] - places[i]), down = bound * (places[i - 1] - places[i]);
        levels->values[i] = exp(places[i] + (way > up ? up : way < down ? down : way));
    }
}

ddaebm_status dd_adapt_move(ddaebm_trainer *trainer) {
    dd_adapt_state *adapt = trainer->adapt;
    uint64_t steps = (uint64_t)dd_trainer_settings(trainer)->training.steps;
    if (!adapt || trainer->step == 0 || trainer->step % steps_between(trainer) != 0 ||
        trainer->step > steps - steps / 3 || (double)trainer->step == adapt->state[STATE_MOVED])
        return DDAEBM_OK;

    dd_reals levels = dd_trainer_settings(trainer)->diffusion.levels;
    double hardness[DD_MOST_REALS];
    ddaebm_status status = find_hardness(trainer, hardness);
    if (status == DDAEBM_OK) {
        dd_adapt_equalise(&levels, hardness);
        status = set_levels(trainer, &levels);
    }
    if (status == DDAEBM_OK)
        adapt->state[STATE_MOVED] = (double)trainer->step;
    return status;
}

/* ---- Checkpoints. ---- */

ddaebm_status dd_adapt_write(dd_safetensors_writer *writer, const ddaebm_trainer *trainer) {
    if (!trainer->adapt)
        return DDAEBM_OK;
    const size_t count = state_size(trainer->adapt);
    return dd_safetensors_writer_add(writer, state_name, DD_STORED_F64, 1, &count,
                                     trainer->adapt->state);
}

ddaebm_status dd_adapt_restore(ddaebm_trainer *trainer, const dd_safetensors *file) {
    dd_adapt_state *adapt = trainer->adapt;
    const dd_tensor_entry *entry = dd_safetensors_find(file, state_name);
    if (!adapt)
        return DDAEBM_OK;
    if (!entry || entry->dtype != DD_STORED_F64 || entry->elements != state_size(adapt))
        return dd_fail(DDAEBM_MISMATCH, "tensor %s does not hold %zu numbers of 64 bits",
                       state_name, state_size(adapt));
    const double *state = entry->data;
    for (size_t i = 0; i < entry->elements; i++)
        if (!isfinite(state[i]) ||
            (state[i] < 0 && (i < STATE_SUMS || i >= STATE_SUMS + adapt->timesteps)))
            return dd_fail(DDAEBM_OUT_OF_RANGE, "tensor %s holds %g at place %zu", state_name,
                           state[i], i);
    memcpy(adapt->state, state, entry->elements * sizeof *state);
    return DDAEBM_OK;
}
