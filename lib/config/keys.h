/* The table of hyperparameters: the name, type, bounds, initial value and meaning of each, and
 * where its value is in dd_settings. key_parse.h sets values, key_print.h writes them. */
#ifndef DD_KEYS_H
#define DD_KEYS_H

#include "config/settings.h"

#include <ddaebm/config.h>

enum {
    DD_MOST_KEYS = 128, /* for arrays with one element per key; keys.c checks it */
    DD_NAME_ROOM = 64   /* the longest dotted name, with its NUL */
};

typedef struct dd_key {
    const char *name;     /* dotted, for instance "diffusion.timesteps" */
    const char *initial;  /* value in the published experiment: JSON or a bare word */
    const char *meaning;  /* one sentence */
    const char *choices;  /* words separated by '|'; NULL for other types */
    double least, most;   /* inclusive bounds of a number, or of each number in a list */
    size_t most_elements; /* longest list; 0 for other types */
    size_t offset;        /* in dd_settings */
    ddaebm_type type;
} dd_key;

/* Returns the number of keys: at least 1, at most DD_MOST_KEYS. */
size_t dd_key_count(void);

/* Returns the key at an index below dd_key_count(). */
const dd_key *dd_key_at(size_t index);

/* Finds a key by its name, or by a name that it had in earlier versions; NULL if there is none. */
const dd_key *dd_key_find(const char *name);

/* Returns whether `name` is a group, that is, some key's name begins with it and a dot. */
bool dd_key_is_group(const char *name);

#endif
