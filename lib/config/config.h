/* Configurations from inside: how a model file's text becomes one, and which values fit together.
 */
#ifndef DD_CONFIG_H
#define DD_CONFIG_H

#include "config/settings.h"

#include <ddaebm/config.h>

/* Makes a configuration from JSON alone; what the text does not name has the value of preset "toy",
 * so files written before a key existed keep their meaning. Fails as ddaebm_config_parse; *out is
 * then untouched. */
ddaebm_status dd_config_create_from_json(ddaebm_config **out, ddaebm_context *context,
                                         const char *text, size_t length);

/* All of it as JSON, with which dd_config_create_from_json makes the same: a new text, to be freed
 * with dd_free. */
ddaebm_status dd_config_text(char **out, ddaebm_context *context, const ddaebm_config *config);

/* Refuses values that are each within bounds but do not fit together: DDAEBM_OUT_OF_RANGE, with a
 * text that names the keys. */
ddaebm_status dd_settings_check(const dd_settings *settings);

/* Its part for network.family ncsnpp. */
ddaebm_status dd_settings_check_images(const dd_settings *settings);

#endif
