/* Named configurations, as data: what each changes in another one. */
#ifndef DD_PRESETS_H
#define DD_PRESETS_H

#include "config/settings.h"

#include <ddaebm/status.h>

typedef struct dd_preset {
    const char *name;
    const char *base; /* the preset that it changes, an earlier one; NULL for the initial values of
                         keys.c */
    const char *const (*changes)[2]; /* pairs of key and value, the value as ddaebm_config_set takes
                                        it, ended by a NULL key */
} dd_preset;

/* NULL past the last. */
const dd_preset *dd_preset_at(size_t index);

/* NULL if there is none of that name. */
const dd_preset *dd_preset_find(const char *name);

/* Sets every value to the preset's. Fails with DDAEBM_NOT_FOUND, naming what there is, or
 * DDAEBM_OUT_OF_MEMORY; the settings are then as before. */
ddaebm_status dd_preset_settings(dd_settings *settings, const char *name);

#endif
