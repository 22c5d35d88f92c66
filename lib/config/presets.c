#include "config/presets.h"

#include "base/error.h"
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

/* The published two-dimensional experiment is what keys.c begins with. */
static const char *const toy[][2] = {{NULL, NULL}};

/* docs/experiments.md says what was tried. */
static const char *const points[][2] = {
    {"data.standardize", "always"},
    {"diffusion.schedule", "karras"}, /* from the width of a mode to N(0, I), where sampling starts */
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
    {"objective.gamma", "10"},
    {"objective.penalty", "score"},
    {"objective.contrast", "softplus"},
    {"objective.contrast_weight", "1"},
    {"objective.margin", "15"},
    {"objective.noise_contrast", "20"},
    {"objective.latent_weight", "1"},
    {"objective.temperature", "1.4"},
    {"optimizer.energy_rate", "1e-3"},
    {"optimizer.generator_rate", "2e-3"},
    {"optimizer.rate_schedule", "cosine"},
    {"optimizer.final_rate", "1e-5"},
    {"optimizer.beta1", "0.5"},
    {"optimizer.beta2", "0.99"},
    {"optimizer.ema_decay", "0.9995"},
    {"training.steps", "26000"},
    {"training.first_level", "0.3"},
    {"training.calibrate", "true"},
    {NULL, NULL},
};

/* Wider rows have no narrow modes to resolve: a broader last level, no waves, and fewer and smaller steps. */
static const char *const vector[][2] = {
    {"data.width", "30"},
    {"diffusion.sigma_min", "0.5"},
    {"network.latent_width", "8"},
    {"energy.hidden_layers", "[64, 64]"},
    {"generator.hidden_layers", "[64, 64]"},
    {"encoder.hidden_layers", "[64, 64]"},
    {"energy.frequencies", "0"},
    {"generator.frequencies", "0"},
    {"encoder.frequencies", "0"},
    {"objective.noise_contrast", "0"},
    {"objective.fake_gamma", "0.02"},
    {"objective.contrast_weight", "0.5"},
    {"objective.temperature", "1"},
    {"optimizer.ema_decay", "0.999"},
    {"training.batch", "64"},
    {"training.steps", "600"},
    {NULL, NULL},
};

static const dd_preset presets[] = {
    {"toy", NULL, toy},
    {"points", "toy", points},
    {"vector", "points", vector},
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
    char shown[DD_SHOWN_ROOM], list[128] = "";
    for (size_t i = 0, used = 0; i < PRESET_COUNT && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", presets[i].name);
    return dd_fail(DDAEBM_NOT_FOUND, "no preset \"%s\"; there are: %s", dd_shown(shown, name), list);
}

static ddaebm_status initial_values(dd_settings *settings) {
    *settings = (dd_settings){0};
    ddaebm_status status = DDAEBM_OK;
    for (size_t i = 0; i < dd_key_count() && status == DDAEBM_OK; i++)
        status = dd_key_set_text(dd_key_at(i), settings, dd_key_at(i)->initial);
    return status;
}

/* A preset's base stands before it, so this ends. */
static ddaebm_status build(dd_settings *settings, const dd_preset *preset) {
    ddaebm_status status = preset->base ? build(settings, dd_preset_find(preset->base)) : initial_values(settings);
    for (size_t i = 0; status == DDAEBM_OK && preset->changes[i][0]; i++) {
        const dd_key *key = dd_key_find(preset->changes[i][0]);
        status = key ? dd_key_set_text(key, settings, preset->changes[i][1]) : dd_key_unknown(preset->changes[i][0]);
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
