#include "config/key_suggest.h"

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "config/keys.h"

#include <string.h>

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Finds the key whose full name, or whose part after the group, has the smallest edit distance to
 * `name`; NULL if none is similar. */
static const dd_key *find_nearest(const char *name) {
    size_t length = strlen(name);
    if (length > DD_MOST_SPELLED)
        return NULL;

    const dd_key *best = NULL;
    size_t best_distance = 2 + length / 4; /* names further away are not similar */
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        const char *last = strchr(key->name, '.') + 1;
        size_t distance = least_of(dd_edit_distance(name, length, key->name),
                                   1 + dd_edit_distance(name, length, last));
        if (distance < best_distance) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

ddaebm_status dd_key_unknown(const char *name) {
    char shown[DD_EXCERPT_ROOM];
    dd_excerpt(shown, name, strlen(name));
    if (dd_key_is_group(name))
        return dd_fail(DDAEBM_NOT_FOUND, "\"%s\" is a group of keys, not a key", shown);

    const dd_key *nearest = find_nearest(name);
    if (nearest)
        return dd_fail(DDAEBM_NOT_FOUND, "no key \"%s\"; the nearest is \"%s\"", shown,
                       nearest->name);
    return dd_fail(DDAEBM_NOT_FOUND, "no key \"%s\", and no key has a similar name", shown);
}
