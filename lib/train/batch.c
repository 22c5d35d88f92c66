#include "train/batch.h"

#include "base/context.h"
#include "base/rng.h"
#include "diffusion/noise_scale.h"
#include "layers/symmetry.h"
#include "objective/spectrum.h"
#include "train/trainer.h"
#include "train/transform.h"

#include <math.h>

/* ---- Memory. ---- */

size_t dd_batch_row_size(const dd_settings *settings, int slot) {
    switch (slot) {
    case DD_SLOT_DROPOUT_SEED:
        return 4; /* a lane uses that of its first row */
    case DD_SLOT_TIMESTEP:
    case DD_SLOT_NOISE_SCALE:
        return 1;
    case DD_SLOT_NOISE_DENSITY: {
        dd_spectrum spectrum = dd_spectrum_of(settings);
        return dd_spectrum_numbers(&spectrum);
    }
    case DD_SLOT_LATENT:
    case DD_SLOT_NOISE_ENCODER:
    case DD_SLOT_LATENT_SCORE:
        return dd_settings_latent_width(settings);
    default:
        return dd_settings_inner_width(settings);
    }
}

static size_t input_size(const dd_settings *settings, int slot) {
    return (size_t)settings->training.batch * dd_batch_row_size(settings, slot);
}

ddaebm_status dd_batch_allocate(ddaebm_trainer *trainer) {
    dd_batch *batch = &trainer->batch;
    const dd_settings *settings = dd_trainer_settings(trainer);
    batch->size = (size_t)settings->training.batch;
    batch->shards = 1;
    bool good = true;
    for (int i = 0; i < DD_SLOT_INPUTS; i++) {
        batch->inputs[i] =
            dd_alloc_zero(trainer->model->context, input_size(settings, i), sizeof(float));
        good = good && batch->inputs[i];
    }
    return good ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

void dd_batch_free(ddaebm_trainer *trainer) {
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        dd_free(trainer->model->context, trainer->batch.inputs[i]);
}

size_t dd_batch_memory(const dd_settings *settings) {
    size_t numbers = 0;
    for (int i = 0; i < DD_SLOT_INPUTS; i++)
        numbers += input_size(settings, i);
    return numbers * sizeof(float);
}

/* ---- Data. ---- */

/* Place in the whole batch of the trainer's first row. */
static uint64_t first_of(const ddaebm_trainer *trainer) {
    return (uint64_t)trainer->batch.shard * trainer->batch.size;
}

/* Reads row `index` of the endless sequence of training rows, as the networks see it: epochs of a
 * finite set, each shuffled and without the held-out rows; an unbounded set in its order. */
static ddaebm_status read_row(const ddaebm_trainer *trainer, uint64_t index, float *into) {
    uint64_t rows = ddaebm_dataset_rows(trainer->batch.dataset);
    uint64_t kept = dd_held_out_count(trainer), others = rows - kept;
    uint64_t at =
        rows ? dd_rng_permute(index % others, others, trainer->seed, index / others) : index;
    if (kept > 0)
        at = dd_held_out_row(trainer, kept + at);
    return dd_model_read(trainer->model, trainer->batch.dataset, at, 1, into);
}

/* Mirrors each image with probability 1/2. */
static void flip(const ddaebm_trainer *trainer, float *images) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    size_t side = (size_t)settings->data.image_size, width = dd_settings_inner_width(settings);
    for (size_t i = 0; settings->data.flip && side > 0 && i < trainer->batch.size; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_FLIP, trainer->step),
                     first_of(trainer) + i, 1);
        if (word >> 31)
            dd_symmetry_mirror(images + i * width, side, (size_t)settings->data.channels);
    }
}

static ddaebm_status draw_data(ddaebm_trainer *trainer) {
    size_t inner = dd_model_inner_width(trainer->model);
    uint64_t first =
        trainer->step * trainer->batch.size * trainer->batch.shards + first_of(trainer);
    for (size_t i = 0; i < trainer->batch.size; i++) {
        ddaebm_status status =
            read_row(trainer, first + i, trainer->batch.inputs[DD_SLOT_X0] + i * inner);
        if (status != DDAEBM_OK)
            return status;
    }
    flip(trainer, trainer->batch.inputs[DD_SLOT_X0]);
    return DDAEBM_OK;
}

/* ---- Timesteps and noise. ---- */

/* Uniform; or timestep 0 with probability training.first_timestep, and uniform among the others. */
static uint64_t timestep_of(const ddaebm_trainer *trainer, uint32_t word, uint64_t timesteps) {
    double first = dd_trainer_settings(trainer)->training.first_timestep,
           u = ((double)word + 0.5) * 0x1p-32;
    if (first <= 0 || timesteps == 1)
        return (uint64_t)word * timesteps >> 32;
    return u < first ? 0 : 1 + (uint64_t)((u - first) / (1 - first) * (double)(timesteps - 1));
}

static void draw_timesteps(const ddaebm_trainer *trainer) {
    uint64_t timesteps = ddaebm_model_timesteps(trainer->model);
    float *out = trainer->batch.inputs[DD_SLOT_TIMESTEP];
    for (size_t i = 0; i < trainer->batch.size; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_TIMESTEP, trainer->step),
                     first_of(trainer) + i, 1);
        out[i] = (float)timestep_of(trainer, word, timesteps);
    }
}

/* 64 bits for each row, 16 to a float. Dropout counts its places from the first row of a shard or
 * lane, which therefore uses the seed of that row. */
static void draw_dropout_seeds(const ddaebm_trainer *trainer) {
    for (size_t row = 0; row < trainer->batch.size; row++) {
        uint32_t words[2];
        dd_rng_words(words, trainer->seed, dd_stream(DD_STREAM_DROPOUT, trainer->step),
                     2 * (first_of(trainer) + row), 2);
        for (size_t i = 0; i < 4; i++)
            trainer->batch.inputs[DD_SLOT_DROPOUT_SEED][4 * row + i] =
                (float)(words[i / 2] >> 16 * (i % 2) & 0xFFFF);
    }
}

/* Draws the scale of each sample, and multiplies its noise by it. */
static void scale_noise(ddaebm_trainer *trainer) {
    static const int noises[] = {DD_SLOT_NOISE_T, DD_SLOT_NOISE_NEXT, DD_SLOT_NOISE_POSTERIOR};
    const dd_settings *settings = dd_trainer_settings(trainer);
    float **inputs = trainer->batch.inputs;
    size_t width = dd_model_inner_width(trainer->model), count = trainer->batch.size;
    uint64_t stream = dd_stream(DD_STREAM_NOISE_SCALE, trainer->step), first = first_of(trainer);
    if (!dd_has_noise_scale(settings))
        return;
    for (size_t i = 0; i < count; i++)
        inputs[DD_SLOT_NOISE_SCALE][i] =
            (float)log(dd_noise_scale_draw(settings, trainer->seed, stream, first + i));
    for (size_t k = 0; k < sizeof noises / sizeof *noises; k++)
        dd_noise_scale_apply(settings, trainer->seed, stream, first, count, width,
                             inputs[noises[k]]);
}

/* Chooses the standard deviations of the noise that objective.noise_contrast contrasts data with.
 * Rows: 1.25, which standardised data lies well inside. Images: with probability 1/4 white noise of
 * 1.25; else a deviation for each scale, log-uniform between 0.02, which hardly shows, and the one
 * that gives block means a deviation of 1.25. */
static void choose_deviations(const ddaebm_trainer *trainer, const dd_spectrum *spectrum,
                              uint64_t index, double *deviations) {
    const double wide = 1.25, least = 0.02;
    uint32_t words[DD_MOST_SCALES + 1];
    dd_rng_words(words, trainer->seed, dd_stream(DD_STREAM_NOISE_SPECTRUM, trainer->step),
                 index * (DD_MOST_SCALES + 1), DD_MOST_SCALES + 1);
    bool white = spectrum->side == 0 || words[DD_MOST_SCALES] >> 30 == 0;
    for (size_t k = 0; k < spectrum->count; k++) {
        double most = wide * (double)spectrum->block[k], u = ((double)words[k] + 0.5) * 0x1p-32;
        deviations[k] = white ? wide : least * pow(most / least, u);
    }
}

/* Colours the noise of noise_contrast, whose slot holds standard normal numbers. */
static void colour_noise(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    dd_spectrum spectrum = dd_spectrum_of(settings);
    size_t width = dd_model_inner_width(trainer->model), numbers = dd_spectrum_numbers(&spectrum);
    double deviations[DD_MOST_SCALES];
    for (size_t i = 0; i < trainer->batch.size && settings->objective.noise_contrast > 0; i++) {
        choose_deviations(trainer, &spectrum, first_of(trainer) + i, deviations);
        dd_spectrum_colour(&spectrum, deviations,
                           trainer->batch.inputs[DD_SLOT_NOISE_CONTRAST] + i * width,
                           trainer->batch.inputs[DD_SLOT_NOISE_DENSITY] + i * numbers);
    }
}

static void transform_samples(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    size_t width = dd_model_inner_width(trainer->model);
    uint64_t stream = dd_stream(DD_STREAM_TRANSFORM, trainer->step);
    for (size_t i = 0; i < trainer->batch.size && settings->objective.transform_contrast > 0; i++)
        for (int k = 0; k < 2; k++) {
            const float *in =
                trainer->batch.inputs[k == 0 ? DD_SLOT_X0 : DD_SLOT_NOISE_T] + i * width;
            float *out =
                trainer->batch.inputs[k == 0 ? DD_SLOT_TRANSFORMED_X0 : DD_SLOT_TRANSFORMED_T] +
                i * width;
            dd_transform(settings, trainer->seed, stream, first_of(trainer) + i, in, out);
        }
}

ddaebm_status dd_batch_draw(ddaebm_trainer *trainer) {
    static const struct {
        int slot;
        dd_purpose purpose;
    } noises[] = {{DD_SLOT_NOISE_T, DD_STREAM_NOISE_T},
                  {DD_SLOT_NOISE_NEXT, DD_STREAM_NOISE_NEXT},
                  {DD_SLOT_NOISE_POSTERIOR, DD_STREAM_NOISE_POSTERIOR},
                  {DD_SLOT_LATENT, DD_STREAM_LATENT},
                  {DD_SLOT_NOISE_ENCODER, DD_STREAM_NOISE_ENCODER},
                  {DD_SLOT_NOISE_CONTRAST, DD_STREAM_NOISE_CONTRAST},
                  {DD_SLOT_LATENT_SCORE, DD_STREAM_LATENT_SCORE}};
    ddaebm_status status = draw_data(trainer);
    if (status != DDAEBM_OK)
        return status;

    draw_timesteps(trainer);
    draw_dropout_seeds(trainer);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++) {
        size_t size = input_size(dd_trainer_settings(trainer), noises[i].slot);
        dd_rng_normals(trainer->batch.inputs[noises[i].slot], trainer->seed,
                       dd_stream(noises[i].purpose, trainer->step),
                       trainer->batch.shard * (uint64_t)size, size);
    }
    scale_noise(trainer);
    colour_noise(trainer);
    transform_samples(trainer);
    return DDAEBM_OK;
}
