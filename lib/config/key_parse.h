/* Values into dd_settings, by key: each is checked against the key's type and bounds. */
#ifndef DD_KEY_PARSE_H
#define DD_KEY_PARSE_H

#include "config/keys.h"

struct json_t;

/* Each of these functions sets one value. On failure it returns DDAEBM_FORMAT for a value of
 * another type, or DDAEBM_OUT_OF_RANGE, and the settings stay as they were. */

/* Sets a key of type INTEGER. */
ddaebm_status dd_key_set_integer(const dd_key *key, dd_settings *settings, int64_t value);

/* Sets a key of type REAL. */
ddaebm_status dd_key_set_real(const dd_key *key, dd_settings *settings, double value);

/* Sets a key of type REALS. */
ddaebm_status dd_key_set_reals(const dd_key *key, dd_settings *settings, const dd_reals *list);

/* Sets a key of any type from a JSON value. */
ddaebm_status dd_key_set_json(const dd_key *key, dd_settings *settings, const struct json_t *value);

/* Sets a key of any type from text as people type it: JSON, a choice without quotes, or a number
 * such as +3, .5 or 1. that JSON does not allow. Also returns DDAEBM_OUT_OF_MEMORY. */
ddaebm_status dd_key_set_text(const dd_key *key, dd_settings *settings, const char *text);

#endif
