/* The error for a name that no key has. */
#ifndef DD_KEY_SUGGEST_H
#define DD_KEY_SUGGEST_H

#include "base/ieee.h"

#include <ddaebm/status.h>

/* Fails with DDAEBM_NOT_FOUND and a message that suggests the most similar name, if one is similar
 * enough. */
ddaebm_status dd_key_unknown(const char *name);

#endif
