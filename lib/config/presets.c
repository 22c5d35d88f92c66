#include "config/presets.h"

#include "base/error.h"
#include "base/excerpt.h"
#include "config/key_parse.h"
#include "config/key_suggest.h"

#include <stdio.h>
#include <string.h>

/* The published two-dimensional experiment; the initial values of keys.c. */
static const char *const toy[][2] = {{NULL, NULL}};

/* The best found for two dimensions; docs/experiments.md has the comparisons. */
static const char *const points[][2] = {
    {"data.standardize", "always"},
    {"diffusion.timesteps", "6"},
    {"diffusion.schedule", "karras"}, /* from a mode's width to N(0, I), where sampling starts */
    {"diffusion.sigma_min", "0.018"},
    {"diffusion.sigma_max", "12"},
    {"diffusion.rho", "3.5"},
    {"diffusion.precision", "float64"},
    {"network.time_width", "32"},
    {"energy.feature_layers", "[]"},
    {"generator.feature_layers", "[]"},
    {"encoder.feature_layers", "[64]"},
    {"energy.hidden_layers", "[128, 128]"},
    {"generator.hidden_layers", "[128, 128]"},
    {"encoder.hidden_layers", "[128, 128]"},
    {"generator.norm", "none"},
    {"encoder.norm", "none"},
    {"energy.activation", "silu"},
    {"energy.frequencies", "6"},
    {"generator.frequencies", "6"},
    {"encoder.frequencies", "6"},
    {"form.energy", "distance"},
    {"form.residual", "true"},
    {"form.proposal", "true"},
    {"objective.gamma", "10"},
    {"objective.penalty", "score"},
    {"objective.contrast", "softplus"},
    {"objective.contrast_weight", "1"},
    {"objective.margin", "15"},
    {"objective.noise_contrast", "20"},
    {"objective.energy_score", "10"},
    {"objective.latent_weight", "1"},
    {"objective.reverse_weight", "0.3"},
    {"objective.temperature", "1"},
    {"optimizer.energy_rate", "1e-3"},
    {"optimizer.generator_rate", "2e-3"},
    {"optimizer.rate_schedule", "cosine"},
    {"optimizer.final_rate", "1e-5"},
    {"optimizer.beta1", "0.5"},
    {"optimizer.beta2", "0.99"},
    {"optimizer.ema_decay", "0.9995"},
    {"training.steps", "40000"},
    {"training.first_timestep", "0.5"},
    {"training.calibrate", "true"},
    {NULL, NULL},
};

/* Rows of any width, above all for anomaly detection: no Fourier features, a noise level of
 * timestep 0 that is fitted to the data, and weights chosen on held-out rows. docs/experiments.md
 * has the comparisons. */
static const char *const vector[][2] = {
    {"data.width", "30"},
    {"diffusion.fit", "true"},
    {"diffusion.sigma_min", "0.1"},
    {"network.latent_width", "8"},
    {"energy.hidden_layers", "[256, 256]"},
    {"generator.hidden_layers", "[64, 64]"},
    {"encoder.hidden_layers", "[64, 64]"},
    {"energy.frequencies", "0"},
    {"generator.frequencies", "0"},
    {"encoder.frequencies", "0"},
    {"diffusion.timesteps", "4"},
    {"form.energy", "density"},
    {"form.proposal", "false"},
    {"objective.noise_contrast", "0"},
    {"objective.energy_score", "0"},
    {"objective.reverse_weight", "1"},
    {"objective.contrast_weight", "0.05"},
    {"objective.timestep_contrast", "10"},
    {"optimizer.ema_decay", "0.999"},
    {"training.batch", "192"},
    {"training.steps", "8000"},
    {"training.first_timestep", "0.3"},
    {"training.held_out", "0.2"},
    {NULL, NULL},
};

/* Tables with missing values: decorrelated, so that an energy without a network is one normal
 * distribution, with few steps and much noise at timestep 0, for the tables are small.
 * docs/missing_values.md has the comparisons. */
static const char *const impute[][2] = {
    {"data.whiten", "true"},
    {"form.energy", "normal"},
    {"energy.hidden_layers", "[128, 128]"},
    {"optimizer.ema_decay", "0.99"},
    {"training.batch", "96"},
    {"training.steps", "2000"},
    {"training.held_out", "0"},
    {NULL, NULL},
};

/* The published settings for CIFAR-10. The reconstruction is the paper's, with z from the encoder;
 * the published code has mse_prior. The batch is that of one of the four processes of the published
 * training, and the steps are those of its epochs with that batch. */
static const char *const cifar10[][2] = {
    {"data.image_size", "32"},
    {"data.channels", "3"},
    {"data.flip", "true"},
    {"diffusion.beta_min", "0.1"},
    {"diffusion.beta_max", "20"},
    {"diffusion.beta_limit", "0.999"},
    {"diffusion.variance_floor", "1e-4"},
    {"network.family", "ncsnpp"},
    {"network.latent_width", "100"},
    {"network.time_width", "256"},
    {"objective.reconstruction", "mse_posterior"},
    {"optimizer.rate_schedule", "cosine"},
    {"optimizer.ema_decay", "0.9999"},
    {"training.batch", "64"},
    {"training.steps", "1015625"},
    {NULL, NULL},
};

/* The published settings for CelebA at 64 x 64: 600 epochs of 162,770 images. */
static const char *const celeba64[][2] = {
    {"data.image_size", "64"},
    {"energy.channels", "64"},
    {"energy.multipliers", "[1, 1, 2, 2, 4]"},
    {"generator.channels", "64"},
    {"generator.multipliers", "[1, 1, 2, 2, 4]"},
    {"objective.gamma", "0.002"},
    {"optimizer.energy_rate", "5e-5"},
    {"optimizer.generator_rate", "5e-5"},
    {"optimizer.ema_decay", "0.999"},
    {"training.batch", "32"},
    {"training.steps", "3051938"},
    {NULL, NULL},
};

/* The published settings for LSUN churches at 128 x 128: 500 epochs of 126,227 images. The
 * published code has each of time grid, encoder and reconstruction, but never all three together.
 */
static const char *const lsun128[][2] = {
    {"data.image_size", "128"},
    {"diffusion.grid", "lsun"},
    {"energy.multipliers", "[1, 2, 2, 4, 4]"},
    {"generator.multipliers", "[1, 2, 2, 4, 4]"},
    {"encoder.kind", "large"},
    {"image.dropout", "0"},
    {"image.fir", "false"},
    {"image.progressive_input", "none"},
    {"objective.gamma", "0.005"},
    {"objective.reconstruction", "weighted_gaussian_nll"},
    {"training.batch", "12"},
    {"training.steps", "5259459"},
    {NULL, NULL},
};

/* 28 x 28 grey images, padded to 32 x 32, with networks small enough for a CPU. */
static const char *const fashion[][2] = {
    {"data.channels", "1"},
    {"data.padding", "2"},
    {"data.flip", "false"},
    {"network.latent_width", "64"},
    {"network.time_width", "128"},
    {"network.latent_embedding", "128"},
    {"network.mapping_layers", "3"},
    {"energy.channels", "32"},
    {"energy.multipliers", "[1, 2, 2]"},
    {"energy.blocks", "1"},
    {"energy.attention", "[8]"},
    {"generator.channels", "32"},
    {"generator.multipliers", "[1, 2, 2]"},
    {"generator.blocks", "1"},
    {"generator.attention", "[8]"},
    {"encoder.channels", "32"},
    {"image.dropout", "0"},
    {"optimizer.ema_decay", "0.999"},
    {"training.batch", "32"},
    {"training.steps", "20000"},
    {NULL, NULL},
};

/* Smaller networks for a CPU: patches of 2 x 2 pixels, an energy much narrower than the generator,
 * and timesteps close together at the noise levels where textures form. The reverse divergence has
 * little weight: between such timesteps its log q(x_{t+1} | x_t) rewards leaving noise in x_t. The
 * energy is a log-density that begins from the data's spectrum, and is trained by the score and by
 * contrasts with noise, with other timesteps and with transformed images. */
static const char *const fashion_small[][2] = {
    {"diffusion.schedule", "cosine"},
    {"diffusion.timesteps", "12"},
    {"diffusion.sigma_min", "0.01"},
    {"diffusion.sigma_max", "80"},
    {"diffusion.precision", "float64"},
    {"network.latent_maps", "1"},
    {"image.patch", "2"},
    {"image.tanh_gain", "1.1"},
    {"form.energy", "normal"},
    {"form.residual", "true"},
    {"energy.channels", "16"},
    {"energy.blocks", "0"},
    {"energy.attention", "[]"},
    {"generator.channels", "40"},
    {"generator.blocks", "0"},
    {"generator.attention", "[]"},
    {"encoder.channels", "8"},
    {"objective.gamma", "1"},
    {"objective.penalty", "score"},
    {"objective.contrast", "softplus"},
    {"objective.contrast_weight", "0.1"},
    {"objective.noise_contrast", "1"},
    {"objective.timestep_contrast", "1"},
    {"objective.transform_contrast", "30"},
    {"objective.latent_weight", "1"},
    {"objective.temperature", "10"},
    {"objective.reconstruction", "mse_prior"},
    {"objective.energy_score", "300"},
    {"objective.reverse_weight", "0.002"},
    {"optimizer.energy_rate", "4e-4"},
    {"optimizer.generator_rate", "8e-4"},
    {"optimizer.beta1", "0.5"},
    {"optimizer.beta2", "0.99"},
    {"optimizer.ema_decay", "0.9995"},
    {"training.batch", "32"},
    {"training.steps", "36000"},
    {NULL, NULL},
};

static const dd_preset presets[] = {
    {"toy", NULL, toy},
    {"points", "toy", points},
    {"vector", "points", vector},
    {"impute", "vector", impute},
    {"cifar10", "toy", cifar10},
    {"celeba64", "cifar10", celeba64},
    {"lsun128", "celeba64", lsun128},
    {"fashion", "cifar10", fashion},
    {"fashion-small", "fashion", fashion_small},
};

enum { PRESET_COUNT = sizeof presets / sizeof *presets };

const dd_preset *dd_preset_at(size_t index) {
    return index < PRESET_COUNT ? &presets[index] : NULL;
}

const dd_preset *dd_preset_find(const char *name) {
    for (size_t i = 0; i < PRESET_COUNT; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

static ddaebm_status unknown(const char *name) {
    char shown[DD_EXCERPT_ROOM], list[128] = "";
    for (size_t i = 0, used = 0; i < PRESET_COUNT && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 presets[i].name);
    return dd_fail(DDAEBM_NOT_FOUND, "no preset \"%s\"; there are: %s",
                   dd_excerpt(shown, name, strlen(name)), list);
}

static ddaebm_status initial_values(dd_settings *settings) {
    *settings = (dd_settings){0};
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < dd_key_count() && status == DDAEBM_OK; i++)
        status = dd_key_set_text(dd_key_at(i), settings, dd_key_at(i)->initial);
    return status;
}

/* Applies the base's changes, then the preset's own. A base is an earlier preset, so this ends. */
static ddaebm_status build(dd_settings *settings, const dd_preset *preset) {
    ddaebm_status status =
        preset->base ? build(settings, dd_preset_find(preset->base)) : initial_values(settings);
    for (size_t i = 0; status == DDAEBM_OK && preset->changes[i][0]; i++) {
        const dd_key *key = dd_key_find(preset->changes[i][0]);
        status = key ? dd_key_set_text(key, settings, preset->changes[i][1])
                     : dd_key_unknown(preset->changes[i][0]);
    }
    return status;
}

ddaebm_status dd_preset_settings(dd_settings *settings, const char *name) {
    const dd_preset *preset = dd_preset_find(name);
    if (!preset)
        return unknown(name);
    dd_settings built;
    ddaebm_status status = build(&built, preset);
    if (status == DDAEBM_OK)
        *settings = built;
    return status;
}
