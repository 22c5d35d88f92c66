#include "config/presets.h"

#include "base/error.h"
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

/* The published two-dimensional experiment is what keys.c begins with. */
static const char *const toy[][2] = {{NULL, NULL}};

static const char *const points[][2] = {
    {"data.standardize", "always"},
    {"diffusion.beta_min", "0.1"},
    {"diffusion.beta_max", "20"}, /* ends in N(0, I), where sampling starts */
    {"generator.norm", "none"},
    {"encoder.norm", "none"},
    {"objective.gamma", "0.001"},
    {"optimizer.energy_rate", "1e-3"},
    {"optimizer.generator_rate", "1e-3"},
    {"optimizer.rate_schedule", "cosine"},
    {"optimizer.final_rate", "1e-5"},
    {"optimizer.beta1", "0.5"},
    {"optimizer.ema_decay", "0.999"},
    {"training.calibrate", "true"},
    {NULL, NULL},
};

static const char *const vector[][2] = {
    {"data.width", "30"},
    {"training.steps", "4000"},
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
