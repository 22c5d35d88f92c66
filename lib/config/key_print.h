/* Values out of dd_settings, by key. */
#ifndef DD_KEY_PRINT_H
#define DD_KEY_PRINT_H

#include "config/keys.h"

/* Room for any result of dd_key_text, its NUL included. */
enum { DD_VALUE_ROOM = 1280 };

/* Returns the value of a key of type INTEGER, BOOLEAN or CHOICE; of a choice, the word's index. */
int64_t dd_key_integer(const dd_key *key, const dd_settings *settings);

/* Returns the value of a key of type REAL. */
double dd_key_real(const dd_key *key, const dd_settings *settings);

/* Writes the value as JSON and returns the text's length. dd_key_set_text reads it back bit for
 * bit.
 */
size_t dd_key_text(const dd_key *key, const dd_settings *settings, char text[DD_VALUE_ROOM]);

#endif
