/* The table of hyperparameters: what each is called, what it may be, and where its value stands.
 * Values go in and out through here.
 */
#ifndef DD_KEYS_H
#define DD_KEYS_H

#include "config/settings.h"

#include <ddaebm/config.h>

struct json_t;

enum {
    DD_MOST_KEYS = 128,  /* room for per-key marks on the stack; the table is checked against it */
    DD_NAME_ROOM = 64,   /* longest dotted name, with its NUL */
    DD_REAL_ROOM = 32,   /* any number of dd_real_text */
    DD_VALUE_ROOM = 384, /* any value of dd_key_text */
    DD_SHOWN_ROOM = 72   /* any text of dd_shown */
};

typedef struct dd_key {
    const char *name;    /* dotted, the path in dd_settings */
    const char *initial; /* the published two-dimensional value, as JSON or a bare word */
    const char *meaning; /* one sentence */
    const char *choices; /* words separated by '|', else NULL */
    double least, most;  /* of an integer or a real, or of each of the integers; both are allowed */
    size_t most_elements; /* of integers, else 0 */
    size_t offset;        /* in dd_settings */
    ddaebm_type type;
} dd_key;

/* How many keys there are: at least 1, at most DD_MOST_KEYS. */
size_t dd_key_count(void);

/* index below dd_key_count(). */
const dd_key *dd_key_at(size_t index);

/* Finds a key by its name, or by one that it had in earlier files; NULL if there is none. */
const dd_key *dd_key_find(const char *name);

/* Whether some key's name begins with `name` and a dot. */
bool dd_key_is_group(const char *name);

/* Fails with DDAEBM_NOT_FOUND and a text that suggests the nearest name. */
ddaebm_status dd_key_unknown(const char *name);

/* These four set one value, or fail with DDAEBM_FORMAT or DDAEBM_OUT_OF_RANGE and leave the
 * settings alone. */
ddaebm_status dd_key_set_integer(const dd_key *key, dd_settings *settings,
                                 int64_t value); /* key->type is INTEGER */
ddaebm_status dd_key_set_real(const dd_key *key, dd_settings *settings,
                              double value); /* key->type is REAL */
ddaebm_status dd_key_set_json(const dd_key *key, dd_settings *settings, const struct json_t *value);
ddaebm_status dd_key_set_text(const dd_key *key, dd_settings *settings,
                              const char *text); /* or DDAEBM_OUT_OF_MEMORY */

int64_t dd_key_integer(const dd_key *key,
                       const dd_settings *settings); /* key->type is INTEGER, BOOLEAN or CHOICE */
double dd_key_real(const dd_key *key, const dd_settings *settings); /* key->type is REAL */

/* Writes the value as JSON; gives its length. dd_key_set_text takes it back to the same bits. */
size_t dd_key_text(const dd_key *key, const dd_settings *settings, char text[DD_VALUE_ROOM]);

/* Writes the shortest digits from which strtod gives the same number, in every locale with a point;
 * gives the length. The value is finite. */
size_t dd_real_text(double value, char text[DD_REAL_ROOM]);

/* A text from outside made fit for an error message: not too long. Gives `shown`. */
const char *dd_shown(char shown[DD_SHOWN_ROOM], const char *text);

#endif
