#include "config/config.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"
#include "base/struct_size.h"
#include "config/key_parse.h"
#include "config/key_print.h"
#include "config/key_suggest.h"
#include "config/presets.h"
#include "io/file.h"
#include "io/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Limits on a file: of its bytes, and of the JSON values in it. All keys together, each with the
 * longest list, have fewer. */
enum { MOST_FILE_BYTES = 1 << 20, MOST_VALUES = 4096 };

struct ddaebm_config {
    ddaebm_context *context;
    dd_settings settings;
};

const dd_settings *dd_config_settings(const ddaebm_config *config) {
    return &config->settings;
}

/* ---- Creation. ---- */

/* Makes a handle that holds the context and a copy of the settings. */
static ddaebm_status create(ddaebm_config **out, ddaebm_context *context,
                            const dd_settings *settings) {
    ddaebm_context *held = NULL;
    ddaebm_config *config = NULL;
    ddaebm_status status = DDAEBM_OK;

    DD_TRY(dd_context_hold(&held, context));
    config = dd_alloc_zero(held, 1, sizeof *config);
    if (!config) {
        status = DDAEBM_OUT_OF_MEMORY;
        goto cleanup;
    }

    config->context = held;
    config->settings = *settings;
    held = NULL;
    *out = config;
cleanup:
    ddaebm_context_free(held);
    return status;
}

ddaebm_status ddaebm_config_create(ddaebm_config **out, ddaebm_context *context,
                                   const char *preset) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(out);
    dd_settings settings;
    ddaebm_status status = dd_preset_settings(&settings, preset ? preset : "points");
    return status == DDAEBM_OK ? create(out, context, &settings) : status;
}

void ddaebm_config_free(ddaebm_config *config) {
    if (!config)
        return;
    ddaebm_context *context = config->context;
    dd_free(context, config);
    ddaebm_context_free(context);
}

ddaebm_status ddaebm_config_copy(ddaebm_config **out, const ddaebm_config *config) {
    DD_REQUIRE(out);
    DD_REQUIRE(config);
    return create(out, config->context, &config->settings);
}

/* ---- JSON. ---- */

/* The values read so far. They become the configuration's when all of the text is valid. */
typedef struct reading {
    dd_settings settings;
    bool seen[DD_MOST_KEYS]; /* by the key's index */
} reading;

static ddaebm_status read_member(reading *into, const char *name, json_t *value);

/* Reads the members of the root object (prefix "") or of a group. */
static ddaebm_status read_object(reading *into, const char *prefix, json_t *object) {
    const char *member = NULL;
    json_t *value = NULL;
    json_object_foreach(object, member, value) {
        /* A name that is cut is longer than any key's, so it stays unknown. */
        char name[2 * DD_NAME_ROOM];
        (void)snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", member);
        ddaebm_status status = read_member(into, name, value);
        if (status != DDAEBM_OK)
            return status;
    }
    return DDAEBM_OK;
}

/* Reads one member: a key or a group. Groups are not nested, which bounds the recursion. */
static ddaebm_status read_member(reading *into, const char *name, json_t *value) {
    const dd_key *key = dd_key_find(name);
    if (!key && json_is_object(value) && dd_key_is_group(name))
        return read_object(into, name, value);
    if (!key)
        return dd_key_unknown(name);
    bool *seen = &into->seen[key - dd_key_at(0)];
    if (*seen)
        return dd_fail(DDAEBM_FORMAT, "%s is given twice", name);
    *seen = true;
    return dd_key_set_json(key, &into->settings, value);
}

/* Reads JSON into the settings, which stay as they were on failure. */
static ddaebm_status parse(dd_settings *settings, const char *text, size_t length) {
    const size_t mark = dd_json_mark(text, length);
    dd_json_error error;
    json_t *root = dd_json_read(text + mark, length - mark, MOST_VALUES, &error);
    if (!root)
        return dd_fail(error.status, "line %d: %s", error.line, error.text);

    reading into = {.settings = *settings};
    ddaebm_status status = DDAEBM_OK;
    if (json_is_object(root))
        status = read_object(&into, "", root);
    else
        status =
            dd_fail(DDAEBM_FORMAT,
                    "the configuration must be a JSON object, {\"diffusion.timesteps\": 4, ...}");

    json_decref(root);
    if (status == DDAEBM_OK)
        *settings = into.settings;
    return status;
}

ddaebm_status ddaebm_config_parse(ddaebm_config *config, const char *text, size_t length) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    DD_REQUIRE(text);
    return parse(&config->settings, text, length);
}

ddaebm_status dd_config_create_from_json(ddaebm_config **out, ddaebm_context *context,
                                         const char *text, size_t length) {
    dd_settings settings;
    ddaebm_status status = DDAEBM_OK;
    DD_TRY(dd_preset_settings(&settings, "toy"));
    DD_TRY(parse(&settings, text, length));
    DD_TRY(create(out, context, &settings));
cleanup:
    return status;
}

ddaebm_status ddaebm_config_load(ddaebm_config *config, const char *path) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    DD_REQUIRE(path);
    void *text = NULL;
    size_t length = 0;
    ddaebm_status status = dd_file_read(config->context, path, MOST_FILE_BYTES, &text, &length);
    if (status != DDAEBM_OK)
        return status;
    status = parse(&config->settings, text, length);
    dd_free(config->context, text);
    return status == DDAEBM_OK ? status : dd_fail_in(status, path);
}

/* ---- One value by its key. ---- */

static ddaebm_status find(const dd_key **out, const char *name) {
    *out = dd_key_find(name);
    return *out ? DDAEBM_OK : dd_key_unknown(name);
}

/* Returns the name of a type for messages. */
static const char *type_text(ddaebm_type type) {
    switch (type) {
    case DDAEBM_TYPE_BOOLEAN:
        return "a boolean";
    case DDAEBM_TYPE_INTEGER:
        return "an integer";
    case DDAEBM_TYPE_REAL:
        return "a real";
    case DDAEBM_TYPE_CHOICE:
        return "a choice";
    case DDAEBM_TYPE_INTEGERS:
        return "a list of integers";
    case DDAEBM_TYPE_REALS:
        break;
    }
    return "a list of numbers";
}

static ddaebm_status wrong_type(const dd_key *key, const char *wanted) {
    return dd_fail(DDAEBM_INVALID_ARGUMENT, "%s is %s, not %s", key->name, type_text(key->type),
                   wanted);
}

ddaebm_status ddaebm_config_set(ddaebm_config *config, const char *key, const char *value) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    DD_REQUIRE(key);
    DD_REQUIRE(value);
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    return status == DDAEBM_OK ? dd_key_set_text(found, &config->settings, value) : status;
}

ddaebm_status ddaebm_config_set_integer(ddaebm_config *config, const char *key, int64_t value) {
    DD_REQUIRE(config);
    DD_REQUIRE(key);
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    if (status != DDAEBM_OK)
        return status;
    if (found->type != DDAEBM_TYPE_INTEGER)
        return wrong_type(found, "an integer");
    return dd_key_set_integer(found, &config->settings, value);
}

ddaebm_status ddaebm_config_set_real(ddaebm_config *config, const char *key, double value) {
    DD_REQUIRE(config);
    DD_REQUIRE(key);
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    if (status != DDAEBM_OK)
        return status;
    if (found->type != DDAEBM_TYPE_REAL)
        return wrong_type(found, "a real");
    return dd_key_set_real(found, &config->settings, value);
}

ddaebm_status dd_config_set_reals(ddaebm_config *config, const char *key, const dd_reals *list) {
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    return status == DDAEBM_OK ? dd_key_set_reals(found, &config->settings, list) : status;
}

ddaebm_status ddaebm_config_integer(const ddaebm_config *config, const char *key, int64_t *value) {
    DD_REQUIRE(config);
    DD_REQUIRE(key);
    DD_REQUIRE(value);
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    if (status != DDAEBM_OK)
        return status;
    if (found->type != DDAEBM_TYPE_INTEGER && found->type != DDAEBM_TYPE_BOOLEAN)
        return wrong_type(found, "an integer or a boolean");
    *value = dd_key_integer(found, &config->settings);
    return DDAEBM_OK;
}

ddaebm_status ddaebm_config_real(const ddaebm_config *config, const char *key, double *value) {
    DD_REQUIRE(config);
    DD_REQUIRE(key);
    DD_REQUIRE(value);
    const dd_key *found = NULL;
    ddaebm_status status = find(&found, key);
    if (status != DDAEBM_OK)
        return status;
    if (found->type != DDAEBM_TYPE_REAL)
        return wrong_type(found, "a real");
    *value = dd_key_real(found, &config->settings);
    return DDAEBM_OK;
}

/* ---- Text. ---- */

/* Receives text; without a buffer it only counts. */
typedef struct sink {
    char *text;
    size_t used;
} sink;

static void append(sink *to, const char *piece, size_t length) {
    if (to->text)
        memcpy(to->text + to->used, piece, length);
    to->used += length;
}

static void append_all(sink *to, const dd_settings *settings) {
    char piece[DD_NAME_ROOM + 8], value[DD_VALUE_ROOM];
    for (size_t i = 0; i < dd_key_count(); i++) {
        int length =
            snprintf(piece, sizeof piece, "%s\"%s\": ", i ? ", " : "{", dd_key_at(i)->name);
        append(to, piece, (size_t)length);
        append(to, value, dd_key_text(dd_key_at(i), settings, value));
    }
    append(to, "}", 2);
}

ddaebm_status dd_config_text(char **out, ddaebm_context *context, const ddaebm_config *config) {
    sink to = {0};
    append_all(&to, &config->settings);
    char *text = dd_alloc(context, to.used);
    if (!text)
        return DDAEBM_OUT_OF_MEMORY;
    to = (sink){text, 0};
    append_all(&to, &config->settings);
    *out = text;
    return DDAEBM_OK;
}

static void append_value(sink *to, const dd_settings *settings, const dd_key *key) {
    char value[DD_VALUE_ROOM];
    append(to, value, dd_key_text(key, settings, value) + 1);
}

ddaebm_status ddaebm_config_text(const ddaebm_config *config, const char *key, char *text,
                                 size_t capacity, size_t *needed) {
    DD_DEFAULT_ARITHMETIC;
    DD_REQUIRE(config);
    if (capacity > 0)
        DD_REQUIRE(text);
    const dd_key *found = NULL;
    if (key) {
        ddaebm_status status = find(&found, key);
        if (status != DDAEBM_OK)
            return status;
    }

    for (sink to = {0};; to = (sink){text, 0}) { /* counts first, then writes */
        if (found)
            append_value(&to, &config->settings, found);
        else
            append_all(&to, &config->settings);
        if (to.text)
            return DDAEBM_OK;
        if (needed)
            *needed = to.used;
        if (to.used > capacity)
            return dd_fail(DDAEBM_OUT_OF_RANGE, "capacity is %zu; %s takes %zu bytes", capacity,
                           key ? key : "the configuration", to.used);
    }
}

/* ---- Lists of keys and presets. ---- */

ddaebm_status ddaebm_config_key_info(size_t index, ddaebm_key_info *info) {
    DD_REQUIRE(info);
    ddaebm_status status = dd_struct_check(info, "DDAEBM_KEY_INFO_INIT");
    if (status != DDAEBM_OK)
        return status;
    if (index >= dd_key_count())
        return dd_fail(DDAEBM_NOT_FOUND,
                       "there is no key %zu; keys are numbered from 0 and there are %zu", index,
                       dd_key_count());

    const dd_key *key = dd_key_at(index);
    const ddaebm_key_info known = {.name = key->name,
                                   .meaning = key->meaning,
                                   .type = key->type,
                                   .least = key->least,
                                   .most = key->most,
                                   .most_elements = key->most_elements,
                                   .choices = key->choices};
    dd_struct_out(info, &known, sizeof known);
    return DDAEBM_OK;
}

const char *ddaebm_config_preset(size_t index) {
    const dd_preset *preset = dd_preset_at(index);
    return preset ? preset->name : NULL;
}
