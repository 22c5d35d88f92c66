#include "config/key_print.h"

#include "base/real_text.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)DD_REAL_ROOM <= (int)DD_VALUE_ROOM, "dd_key_text writes reals");

static const void *field(const dd_key *key, const dd_settings *settings) {
    return (const char *)settings + key->offset;
}

int64_t dd_key_integer(const dd_key *key, const dd_settings *settings) {
    const void *from = field(key, settings);
    if (key->type == DDAEBM_TYPE_BOOLEAN)
        return *(const bool *)from;
    return *(const int64_t *)from;
}

double dd_key_real(const dd_key *key, const dd_settings *settings) {
    return *(const double *)field(key, settings);
}

static size_t choice_text(const dd_key *key, int64_t index, char text[DD_VALUE_ROOM]) {
    const char *word = key->choices;
    for (; index > 0; index--)
        word += strcspn(word, "|") + 1;
    return (size_t)snprintf(text, DD_VALUE_ROOM, "\"%.*s\"", (int)strcspn(word, "|"), word);
}

static size_t integers_text(const dd_integers *list, char text[DD_VALUE_ROOM]) {
    size_t used = (size_t)snprintf(text, DD_VALUE_ROOM, "[");
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "%s%lld", i ? ", " : "",
                                 (long long)list->values[i]);
    return used + (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "]");
}

static size_t reals_text(const dd_reals *list, char text[DD_VALUE_ROOM]) {
    _Static_assert((int)DD_MOST_REALS * ((int)DD_REAL_ROOM + 2) + 3 <= (int)DD_VALUE_ROOM,
                   "a list has room");
    size_t used = (size_t)snprintf(text, DD_VALUE_ROOM, "[");
    for (size_t i = 0; i < list->count; i++) {
        used += (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "%s", i ? ", " : "");
        used += dd_real_text(list->values[i], text + used);
    }
    return used + (size_t)snprintf(text + used, DD_VALUE_ROOM - used, "]");
}

size_t dd_key_text(const dd_key *key, const dd_settings *settings, char text[DD_VALUE_ROOM]) {
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        return (size_t)snprintf(text, DD_VALUE_ROOM, "%s",
                                dd_key_integer(key, settings) ? "true" : "false");
    case DDAEBM_TYPE_REAL:
        return dd_real_text(dd_key_real(key, settings), text);
    case DDAEBM_TYPE_CHOICE:
        return choice_text(key, dd_key_integer(key, settings), text);
    case DDAEBM_TYPE_INTEGERS:
        return integers_text(field(key, settings), text);
    case DDAEBM_TYPE_REALS:
        return reals_text(field(key, settings), text);
    case DDAEBM_TYPE_INTEGER:
        break;
    }
    return (size_t)snprintf(text, DD_VALUE_ROOM, "%lld", (long long)dd_key_integer(key, settings));
}
