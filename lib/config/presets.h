/* The table of presets: named configurations, each a list of changes to another one. */
#ifndef DD_PRESETS_H
#define DD_PRESETS_H

#include "config/settings.h"

#include <ddaebm/status.h>

typedef struct dd_preset {
    const char *name;
    const char *base;                /* an earlier preset; NULL for the initial values of keys.c */
    const char *const (*changes)[2]; /* keys and values for dd_key_set_text; a NULL key ends them */
} dd_preset;

/* Returns the preset at an index; NULL past the last. */
const dd_preset *dd_preset_at(size_t index);

/* Finds a preset by its name; NULL if there is none. */
const dd_preset *dd_preset_find(const char *name);

/* Sets every value to the preset's. Fails with DDAEBM_NOT_FOUND and a message that lists all
 * presets, or with DDAEBM_OUT_OF_MEMORY; the settings then stay as they were. */
ddaebm_status dd_preset_settings(dd_settings *settings, const char *name);

#endif
