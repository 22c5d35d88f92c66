/* What a step is fed: rows of the data set, timesteps, noise and latents, all fixed by (seed,
 * step). Trainers that share a batch draw each its rows of one that has all of theirs. */
#include "train/trainer.h"

#include "base/rng.h"
#include "objective/spectrum.h"
#include "train/transform.h"

#include <math.h>

size_t dd_trainer_input_size(const dd_settings *settings, int slot) {
    size_t batch = (size_t)settings->training.batch;
    switch (slot) {
    case DD_SLOT_DROPOUT_SEED:
        return 4;
    case DD_SLOT_LEVEL:
        return batch;
    case DD_SLOT_NOISE_DENSITY: {
        dd_spectrum spectrum = dd_spectrum_of(settings);
        return batch * dd_spectrum_numbers(&spectrum);
    }
    case DD_SLOT_LATENT:
    case DD_SLOT_NOISE_ENCODER:
    case DD_SLOT_LATENT_SCORE:
        return batch * dd_settings_latent_width(settings);
    default:
        return batch * dd_settings_inner_width(settings);
    }
}

/* Place in the whole batch of the trainer's first row. */
static uint64_t first_of(const ddaebm_trainer *trainer) {
    return (uint64_t)trainer->shard * trainer->batch;
}

/* Row `index` of the endless sequence of training rows, as the networks see it: epochs of a finite
 * set, each shuffled and without the rows kept aside; an unbounded set in its order. */
static ddaebm_status read_row(const ddaebm_trainer *trainer, uint64_t index, float *into) {
    uint64_t rows = ddaebm_dataset_rows(trainer->dataset);
    uint64_t kept = dd_held_out_count(trainer), others = rows - kept;
    uint64_t at =
        rows ? dd_rng_permute(index % others, others, trainer->seed, index / others) : index;
    if (kept > 0)
        at = dd_held_out_row(trainer, kept + at);
    return dd_model_read(trainer->model, trainer->dataset, at, 1, into);
}

static void mirror(float *image, size_t side, size_t channels) {
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side / 2; x++)
            for (size_t c = 0; c < channels; c++) {
                float *left = &image[(y * side + x) * channels + c],
                      *right = &image[(y * side + side - 1 - x) * channels + c];
                float kept = *left;
                *left = *right;
                *right = kept;
            }
}

/* Each with probability 1/2. */
static void flip(const ddaebm_trainer *trainer, float *images) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    size_t side = (size_t)settings->data.image_size, width = dd_settings_inner_width(settings);
    for (size_t i = 0; settings->data.flip && side > 0 && i < trainer->batch; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_FLIP, trainer->step),
                     first_of(trainer) + i, 1);
        if (word >> 31)
            mirror(images + i * width, side, (size_t)settings->data.channels);
    }
}

static ddaebm_status draw_data(ddaebm_trainer *trainer) {
    size_t inner = dd_model_inner_width(trainer->model);
    uint64_t first = trainer->step * trainer->batch * trainer->shards + first_of(trainer);
    for (size_t i = 0; i < trainer->batch; i++) {
        ddaebm_status status =
            read_row(trainer, first + i, trainer->inputs[DD_SLOT_X0] + i * inner);
        if (status != DDAEBM_OK)
            return status;
    }
    flip(trainer, trainer->inputs[DD_SLOT_X0]);
    return DDAEBM_OK;
}

/* Uniform, or timestep 0 with a share of its own. */
static uint64_t timestep_of(const ddaebm_trainer *trainer, uint32_t word, uint64_t timesteps) {
    double share = dd_trainer_settings(trainer)->training.first_timestep,
           u = ((double)word + 0.5) * 0x1p-32;
    if (share <= 0 || timesteps == 1)
        return (uint64_t)word * timesteps >> 32;
    return u < share ? 0 : 1 + (uint64_t)((u - share) / (1 - share) * (double)(timesteps - 1));
}

static void draw_timesteps(const ddaebm_trainer *trainer) {
    uint64_t timesteps = ddaebm_model_timesteps(trainer->model);
    float *out = trainer->inputs[DD_SLOT_LEVEL];
    for (size_t i = 0; i < trainer->batch; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_TIMESTEP, trainer->step),
                     first_of(trainer) + i, 1);
        out[i] = (float)timestep_of(trainer, word, timesteps);
    }
}

/* 64 bits, 16 to a float. Places that dropout hits count from the trainer's own first row: each
 * shard has bits of its own. */
static void draw_dropout_seed(const ddaebm_trainer *trainer) {
    uint32_t words[2];
    dd_rng_words(words, trainer->seed, dd_stream(DD_STREAM_DROPOUT, trainer->step),
                 2 * trainer->shard, 2);
    for (int i = 0; i < 4; i++)
        trainer->inputs[DD_SLOT_DROPOUT_SEED][i] = (float)(words[i / 2] >> 16 * (i % 2) & 0xFFFF);
}

/* Standard deviations of the noise that data is told from. Rows: 1.25, for standardised data lies
 * well inside. Images: white noise of that with probability 1/4; else, part by part, at random
 * between what hardly shows and what makes block means of 1.25, evenly in logarithm. */
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

/* The slot holds standard normal numbers. */
static void colour_noise(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    dd_spectrum spectrum = dd_spectrum_of(settings);
    size_t width = dd_model_inner_width(trainer->model), numbers = dd_spectrum_numbers(&spectrum);
    double deviations[DD_MOST_SCALES];
    for (size_t i = 0; i < trainer->batch && settings->objective.noise_contrast > 0; i++) {
        choose_deviations(trainer, &spectrum, first_of(trainer) + i, deviations);
        dd_spectrum_colour(&spectrum, deviations,
                           trainer->inputs[DD_SLOT_NOISE_CONTRAST] + i * width,
                           trainer->inputs[DD_SLOT_NOISE_DENSITY] + i * numbers);
    }
}

static void transform_samples(ddaebm_trainer *trainer) {
    const dd_settings *settings = dd_trainer_settings(trainer);
    size_t width = dd_model_inner_width(trainer->model);
    uint64_t stream = dd_stream(DD_STREAM_TRANSFORM, trainer->step);
    for (size_t i = 0; i < trainer->batch && settings->objective.transform_contrast > 0; i++)
        for (int k = 0; k < 2; k++) {
            const float *in = trainer->inputs[k == 0 ? DD_SLOT_X0 : DD_SLOT_NOISE_T] + i * width;
            float *out = trainer->inputs[k == 0 ? DD_SLOT_TRANSFORMED_X0 : DD_SLOT_TRANSFORMED_T] +
                         i * width;
            dd_transform(settings, trainer->seed, stream, first_of(trainer) + i, in, out);
        }
}

ddaebm_status dd_trainer_draw(ddaebm_trainer *trainer) {
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
    draw_dropout_seed(trainer);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++) {
        size_t size = dd_trainer_input_size(dd_trainer_settings(trainer), noises[i].slot);
        dd_rng_normals(trainer->inputs[noises[i].slot], trainer->seed,
                       dd_stream(noises[i].purpose, trainer->step), trainer->shard * (uint64_t)size,
                       size);
    }
    colour_noise(trainer);
    transform_samples(trainer);
    return DDAEBM_OK;
}
