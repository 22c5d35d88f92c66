/* What a step is fed: rows of the data set, levels, noise and latents, all fixed by (seed, step). */
#include "train/trainer.h"

#include "base/rng.h"

size_t dd_trainer_input_width(const dd_settings *settings, int slot) {
    if (slot == DD_SLOT_LEVEL)
        return 1;
    return (size_t)(slot == DD_SLOT_LATENT || slot == DD_SLOT_NOISE_ENCODER ? settings->network.latent_width
                                                                            : settings->data.width);
}

/* Row `index` of the endless sequence of training rows: epochs of a finite set, each shuffled; an unbounded set in its order. */
static ddaebm_status read_row(const ddaebm_trainer *trainer, uint64_t index, float *row) {
    uint64_t rows = ddaebm_dataset_rows(trainer->dataset);
    uint64_t at = rows ? dd_rng_permute(index % rows, rows, trainer->seed, index / rows) : index;
    return ddaebm_dataset_read(trainer->dataset, at, 1, row);
}

/* Uniform, or level 0 with a share of its own. */
static uint64_t level_of(const ddaebm_trainer *trainer, uint32_t word, uint64_t levels) {
    double share = dd_trainer_settings(trainer)->training.first_level, u = ((double)word + 0.5) * 0x1p-32;
    if (share <= 0 || levels == 1)
        return (uint64_t)word * levels >> 32;
    return u < share ? 0 : 1 + (uint64_t)((u - share) / (1 - share) * (double)(levels - 1));
}

static void draw_levels(const ddaebm_trainer *trainer) {
    uint64_t levels = ddaebm_model_levels(trainer->model);
    float *out = trainer->inputs[DD_SLOT_LEVEL];
    for (size_t i = 0; i < trainer->batch; i++) {
        uint32_t word;
        dd_rng_words(&word, trainer->seed, dd_stream(DD_STREAM_LEVEL, trainer->step), i, 1);
        out[i] = (float)level_of(trainer, word, levels);
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
                  {DD_SLOT_NOISE_CONTRAST, DD_STREAM_NOISE_CONTRAST}};
    size_t width = ddaebm_model_width(trainer->model);
    float *x0 = trainer->inputs[DD_SLOT_X0];
    for (size_t i = 0; i < trainer->batch; i++) {
        ddaebm_status status = read_row(trainer, trainer->step * trainer->batch + i, x0 + i * width);
        if (status != DDAEBM_OK)
            return status;
    }
    dd_model_standardize(trainer->model, x0, trainer->batch, x0);
    draw_levels(trainer);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++)
        dd_rng_normals(trainer->inputs[noises[i].slot], trainer->seed, dd_stream(noises[i].purpose, trainer->step), 0,
                       trainer->batch * dd_trainer_input_width(dd_trainer_settings(trainer), noises[i].slot));
    return DDAEBM_OK;
}
