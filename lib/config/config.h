/* Configurations inside the library: to and from the text in a model file. */
#ifndef DD_CONFIG_H
#define DD_CONFIG_H

#include "config/settings.h"

#include <ddaebm/config.h>

/* Makes a configuration from JSON. Keys that the text does not name have the value of preset "toy",
 * so that files keep their meaning when a new version adds keys. Fails as ddaebm_config_parse does,
 * with *out untouched. */
ddaebm_status dd_config_create_from_json(ddaebm_config **out, ddaebm_context *context,
                                         const char *text, size_t length);

/* Writes all values as JSON, from which dd_config_create_from_json makes the same configuration.
 * The caller frees *out with dd_free. */
ddaebm_status dd_config_text(char **out, ddaebm_context *context, const ddaebm_config *config);

/* Sets a key of type REALS. */
ddaebm_status dd_config_set_reals(ddaebm_config *config, const char *key, const dd_reals *list);

#endif
