#include "config/key_parse.h"

#include "base/error.h"
#include "base/excerpt.h"
#include "base/real_text.h"
#include "io/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Refusals. ---- */

/* Writes what a key allows, for instance "an integer from 1 to 1000". */
static void allowed_text(const dd_key *key, char *text, size_t capacity) {
    char least[DD_REAL_ROOM], most[DD_REAL_ROOM];
    dd_real_text(key->least, least);
    dd_real_text(key->most, most);

    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        (void)snprintf(text, capacity, "true or false");
        return;
    case DDAEBM_TYPE_INTEGER:
        (void)snprintf(text, capacity, "an integer from %s to %s", least, most);
        return;
    case DDAEBM_TYPE_REAL:
        (void)snprintf(text, capacity, "a number from %s to %s", least, most);
        return;
    case DDAEBM_TYPE_CHOICE:
        (void)snprintf(text, capacity, "%s", key->choices);
        return;
    case DDAEBM_TYPE_INTEGERS:
        (void)snprintf(text, capacity, "a list of at most %zu integers from %s to %s",
                       key->most_elements, least, most);
        return;
    case DDAEBM_TYPE_REALS:
        (void)snprintf(text, capacity, "a list of at most %zu numbers from %s to %s",
                       key->most_elements, least, most);
        return;
    }
}

/* Fails with a message that names the key, the value and what is allowed. */
static ddaebm_status refuse(ddaebm_status status, const dd_key *key, const char *value) {
    char allowed[256], shown[DD_EXCERPT_ROOM];
    allowed_text(key, allowed, sizeof allowed);
    return dd_fail(status, "%s is %s; allowed: %s", key->name,
                   dd_excerpt(shown, value, strlen(value)), allowed);
}

/* ---- Numbers and choices. ---- */

static void *field(const dd_key *key, dd_settings *settings) {
    return (char *)settings + key->offset;
}

static bool within(const dd_key *key, int64_t value) {
    return value >= (int64_t)key->least && value <= (int64_t)key->most;
}

ddaebm_status dd_key_set_integer(const dd_key *key, dd_settings *settings, int64_t value) {
    if (!within(key, value)) {
        char text[DD_REAL_ROOM];
        (void)snprintf(text, sizeof text, "%lld", (long long)value);
        return refuse(DDAEBM_OUT_OF_RANGE, key, text);
    }
    *(int64_t *)field(key, settings) = value;
    return DDAEBM_OK;
}

ddaebm_status dd_key_set_real(const dd_key *key, dd_settings *settings, double value) {
    if (!isfinite(value))
        return refuse(DDAEBM_OUT_OF_RANGE, key,
                      isnan(value) ? "not a number"
                      : value > 0  ? "infinity"
                                   : "-infinity");

    if (value < key->least || value > key->most) {
        char text[DD_REAL_ROOM];
        dd_real_text(value, text);
        return refuse(DDAEBM_OUT_OF_RANGE, key, text);
    }

    *(double *)field(key, settings) =
        value == 0 ? 0 : value; /* -0 becomes 0: text does not keep its sign */
    return DDAEBM_OK;
}

/* Sets a choice from one of its words. */
static ddaebm_status set_choice(const dd_key *key, dd_settings *settings, const char *word) {
    size_t length = strlen(word);
    int64_t index = 0;

    for (const char *choice = key->choices; length > 0; index++) {
        size_t span = strcspn(choice, "|");
        if (span == length && memcmp(choice, word, length) == 0) {
            *(int64_t *)field(key, settings) = index;
            return DDAEBM_OK;
        }
        if (!choice[span])
            break;
        choice += span + 1;
    }

    char quoted[DD_EXCERPT_ROOM + 2];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", word);
    return refuse(DDAEBM_OUT_OF_RANGE, key, quoted);
}

/* ---- JSON. ---- */

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The first bytes of a text that is written piece by piece. json_dumpb does not serve: it leaves
 * out each piece that does not fit whole, and leaves its bytes unwritten. */
typedef struct beginning {
    char text[2 * DD_EXCERPT_ROOM];
    size_t length;
} beginning;

/* Appends a piece; a json_dump_callback_t. */
static int add_piece(const char *piece, size_t size, void *user) {
    beginning *self = user;
    size_t kept = least_of(size, sizeof self->text - 1 - self->length);
    memcpy(self->text + self->length, piece, kept);
    self->length += kept;
    return 0;
}

/* Refuses a JSON value; the message shows its text. */
static ddaebm_status refuse_json(ddaebm_status status, const dd_key *key, const json_t *value) {
    beginning shown = {.length = 0};
    if (json_is_real(value))
        (void)dd_real_text(json_real_value(value), shown.text);
    else
        (void)json_dump_callback(value, add_piece, &shown, JSON_ENCODE_ANY | JSON_COMPACT);
    return refuse(status, key, shown.text);
}

/* Reads an integer, or a real that is whole, such as 1e2 or 100.0. */
static bool whole_number(const json_t *value, int64_t *out) {
    const double real = json_is_real(value) ? json_real_value(value) : 0;
    if (!json_is_number(value) || real != floor(real) || fabs(real) > 0x1p53)
        return false;
    *out = json_is_integer(value) ? json_integer_value(value) : (int64_t)real;
    return true;
}

/* Sets a list of integers from a JSON array. */
static ddaebm_status set_integers(const dd_key *key, dd_settings *settings, const json_t *value) {
    dd_integers read = {0};
    size_t index = 0;
    json_t *element = NULL;
    json_array_foreach(value, index, element) {
        int64_t number = 0;
        if (!whole_number(element, &number))
            return refuse_json(DDAEBM_FORMAT, key, value);
        if (index >= key->most_elements || !within(key, number))
            return refuse_json(DDAEBM_OUT_OF_RANGE, key, value);
        read.values[read.count++] = number;
    }

    *(dd_integers *)field(key, settings) = read;
    return DDAEBM_OK;
}

/* Sets a list of numbers from a JSON array. */
static ddaebm_status set_reals(const dd_key *key, dd_settings *settings, const json_t *value) {
    dd_reals read = {0};
    size_t index = 0;
    json_t *element = NULL;
    json_array_foreach(value, index, element) {
        double number = json_number_value(element);
        if (!json_is_number(element))
            return refuse_json(DDAEBM_FORMAT, key, value);
        if (index >= key->most_elements || !(number >= key->least && number <= key->most))
            return refuse_json(DDAEBM_OUT_OF_RANGE, key, value);
        read.values[read.count++] = number;
    }

    *(dd_reals *)field(key, settings) = read;
    return DDAEBM_OK;
}

ddaebm_status dd_key_set_reals(const dd_key *key, dd_settings *settings, const dd_reals *list) {
    for (size_t i = 0; i < list->count; i++)
        if (!(list->values[i] >= key->least && list->values[i] <= key->most)) {
            char text[DD_REAL_ROOM];
            dd_real_text(list->values[i], text);
            return refuse(DDAEBM_OUT_OF_RANGE, key, text);
        }
    *(dd_reals *)field(key, settings) = *list;
    return DDAEBM_OK;
}

ddaebm_status dd_key_set_json(const dd_key *key, dd_settings *settings, const json_t *value) {
    int64_t number = 0;
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        if (!json_is_boolean(value))
            break;
        *(bool *)field(key, settings) = json_is_true(value);
        return DDAEBM_OK;
    case DDAEBM_TYPE_INTEGER:
        if (!whole_number(value, &number))
            break;
        return dd_key_set_integer(key, settings, number);
    case DDAEBM_TYPE_REAL:
        if (!json_is_number(value))
            break;
        return dd_key_set_real(key, settings, json_number_value(value));
    case DDAEBM_TYPE_CHOICE:
        if (!json_is_string(value))
            break;
        return set_choice(key, settings, json_string_value(value));
    case DDAEBM_TYPE_INTEGERS:
        if (!json_is_array(value))
            break;
        return set_integers(key, settings, value);
    case DDAEBM_TYPE_REALS:
        if (!json_is_array(value))
            break;
        return set_reals(key, settings, value);
    }

    return refuse_json(DDAEBM_FORMAT, key, value);
}

/* ---- Text. ---- */

/* Sets a choice from a word without quotes; blanks around it are ignored. A word that is longer
 * than any choice is cut, and still matches none. */
static ddaebm_status set_bare_word(const dd_key *key, dd_settings *settings, const char *text) {
    static const char blanks[] = " \t\r\n";
    char word[DD_EXCERPT_ROOM];
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    (void)snprintf(word, sizeof word, "%.*s", (int)least_of(length, sizeof word - 1), text);
    return set_choice(key, settings, word);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Turns a number as people type it into JSON: +3, .5, -.5 and 1. become 3, 0.5, -0.5 and 1.0. Text
 * that is not a number stays none; text without room gives "". */
static void complete_number(char out[DD_EXCERPT_ROOM], const char *text) {
    const size_t room = DD_EXCERPT_ROOM - 3; /* for two more digits and the NUL */
    size_t used = 0;
    text += strspn(text, " \t\r\n");
    text += *text == '+' && (text[1] == '.' || is_digit(text[1]));

    for (; *text && used < room; text++) {
        bool digit_before = used > 0 && is_digit(out[used - 1]), digit_after = is_digit(text[1]);
        if (*text == '.' && !digit_before && digit_after)
            out[used++] = '0';
        out[used++] = *text;
        if (*text == '.' && digit_before && !digit_after)
            out[used++] = '0';
    }
    out[*text ? 0 : used] = '\0';
}

ddaebm_status dd_key_set_text(const dd_key *key, dd_settings *settings, const char *text) {
    if (key->type == DDAEBM_TYPE_CHOICE && !strchr(text, '"'))
        return set_bare_word(key, settings, text);
    enum { MOST_VALUES = 64 }; /* more than the longest list */
    char number[DD_EXCERPT_ROOM] = "";
    if (key->type == DDAEBM_TYPE_INTEGER || key->type == DDAEBM_TYPE_REAL)
        complete_number(number, text);

    const char *json = *number ? number : text;
    dd_json_error error;
    json_t *value = dd_json_read(json, strlen(json), MOST_VALUES, &error);
    if (!value && error.status == DDAEBM_OUT_OF_MEMORY)
        return dd_fail(error.status, "no memory to read %s", key->name);
    if (!value)
        return refuse(error.status, key, *text ? text : "empty");
    ddaebm_status status = dd_key_set_json(key, settings, value);
    json_decref(value);
    return status;
}
