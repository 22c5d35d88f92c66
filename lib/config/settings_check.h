/* Which values of a configuration fit together. Each value alone is within its key's bounds. */
#ifndef DD_SETTINGS_CHECK_H
#define DD_SETTINGS_CHECK_H

#include "config/settings.h"

#include <ddaebm/status.h>

/* Refuses values that do not fit together: DDAEBM_OUT_OF_RANGE, with a message that names the keys.
 */
ddaebm_status dd_settings_check(const dd_settings *settings);

/* Checks what only networks on images read (network.family ncsnpp); part of dd_settings_check. */
ddaebm_status dd_settings_check_images(const dd_settings *settings);

#endif
