#include "io/columns.h"

#include "base/context.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/utf8.h"
#include "io/json.h"
#include "io/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ddaebm_status dd_column_names_make(dd_column_names *out, ddaebm_context *context, size_t count,
                                   size_t bytes) {
    dd_column_names names = {.items = dd_alloc_zero(context, count, sizeof *names.items),
                             .count = count};
    names.texts = names.items ? dd_alloc(context, bytes) : NULL;
    if (names.texts)
        *out = names;
    else
        dd_column_names_free(&names, context);
    return names.texts ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY;
}

void dd_column_names_free(dd_column_names *names, ddaebm_context *context) {
    dd_free(context, names->items);
    dd_free(context, names->texts);
    *names = (dd_column_names){.items = NULL};
}

void dd_column_names_put(dd_column_names *names, size_t index, const char *text, size_t length) {
    char *to = names->texts + names->used;
    if (length == 0)
        return;

    names->items[index] = to;
    if (dd_utf8_is_valid(text, length)) {
        memcpy(to, text, length);
        to += length;
    } else {
        for (size_t i = 0; i < length; i++) {
            unsigned char c = (unsigned char)text[i];
            if (c >= 0x80)
                *to++ = (char)(0xC0 | c >> 6);
            *to++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3F));
        }
    }

    *to++ = '\0';
    names->used = (size_t)(to - names->texts);
}

ddaebm_status dd_column_names_copy(dd_column_names *out, ddaebm_context *context,
                                   const dd_column_names *names) {
    dd_column_names copy = {.items = NULL};
    if (names->count > 0) {
        ddaebm_status status = dd_column_names_make(&copy, context, names->count, names->used);
        if (status != DDAEBM_OK)
            return status;
    }
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i])
            dd_column_names_put(&copy, i, names->items[i], strlen(names->items[i]));
    *out = copy;
    return DDAEBM_OK;
}

const char *dd_column_name(const dd_column_names *names, size_t index) {
    return index < names->count ? names->items[index] : NULL;
}

/* ---- As JSON. ---- */

static json_t *make_list(const dd_column_names *names) {
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < names->count; i++)
        good = json_array_append_new(list, names->items[i] ? json_string(names->items[i])
                                                           : json_null()) == 0;
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

ddaebm_status dd_column_names_text(char **out, ddaebm_context *context,
                                   const dd_column_names *names) {
    const size_t flags = JSON_COMPACT;
    json_t *list = make_list(names);
    if (!list)
        return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the names of columns");

    size_t length = json_dumpb(list, NULL, 0, flags);
    char *text = length > 0 ? dd_alloc(context, length + 1) : NULL;
    if (text && json_dumpb(list, text, length, flags) == length) {
        text[length] = '\0';
        *out = text;
        json_decref(list);
        return DDAEBM_OK;
    }
    dd_free(context, text);
    json_decref(list);
    return dd_fail(DDAEBM_OUT_OF_MEMORY, "no memory for the names of columns");
}

/* Makes names from a JSON list of `count` strings and nulls. */
static ddaebm_status take_list(dd_column_names *out, ddaebm_context *context, const json_t *list,
                               size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_null(item) && (!json_is_string(item) || json_string_length(item) == 0))
            return dd_fail(DDAEBM_FORMAT, "the name of column %zu is not a string, or is empty",
                           i + 1);
        bytes += json_is_string(item) ? json_string_length(item) + 1 : 0;
    }

    ddaebm_status status = dd_column_names_make(out, context, count, bytes);
    for (size_t i = 0; i < count && status == DDAEBM_OK; i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_string(item))
            dd_column_names_put(out, i, json_string_value(item), json_string_length(item));
    }
    return status;
}

ddaebm_status dd_column_names_parse(dd_column_names *out, ddaebm_context *context, const char *text,
                                    size_t count) {
    dd_json_error error;
    json_t *list = dd_json_read(text, strlen(text), count + 1, &error);
    if (!list)
        return dd_fail(error.status, "the names of columns are not valid: byte %zu: %s", error.byte,
                       error.text);
    ddaebm_status status =
        json_is_array(list) && json_array_size(list) == count
            ? take_list(out, context, list, count)
            : dd_fail(DDAEBM_MISMATCH, "the names of columns are not a list of %zu", count);
    json_decref(list);
    return status;
}

/* ---- In words. ---- */

enum { MOST_RUNS = 8, MOST_NAMES = 3 };

/* Text that is being written; what does not fit is cut. */
struct sentence {
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(s->text + s->used, DD_COLUMNS_ROOM - s->used, format, arguments);
    va_end(arguments);
    size_t left = DD_COLUMNS_ROOM - 1 - s->used, written = length > 0 ? (size_t)length : 0;
    s->used += written < left ? written : left;
}

/* Writes the numbers of the members, "3, 5-9"; returns how many of them. */
static size_t say_numbers(struct sentence *s, const bool *member, size_t count) {
    size_t said = 0, runs = 0;
    for (size_t i = 0; i < count && runs < MOST_RUNS; i++) {
        size_t first = i;
        if (!member[i])
            continue;
        while (i + 1 < count && member[i + 1])
            i++;
        say(s, runs++ == 0 ? "%zu" : ", %zu", first + 1);
        if (i > first)
            say(s, "-%zu", i + 1);
        said += i - first + 1;
    }
    return said;
}

/* Writes the names of the first members, in brackets. */
static void say_names(struct sentence *s, const bool *member, size_t count,
                      const dd_column_names *names) {
    char quote[DD_EXCERPT_ROOM];
    size_t said = 0;

    for (size_t i = 0; i < count; i++) {
        const char *name = member[i] ? dd_column_name(names, i) : NULL;
        if (!name)
            continue;
        if (said == MOST_NAMES) {
            say(s, ", ...");
            break;
        }
        say(s, said++ == 0 ? " ('%s'" : ", '%s'", dd_excerpt(quote, name, strlen(name)));
    }

    if (said > 0)
        say(s, ")");
}

const char *dd_columns_describe(char out[DD_COLUMNS_ROOM], const bool *member, size_t count,
                                const dd_column_names *names) {
    struct sentence s = {out, 0};
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += member[i];
    say(&s, all > 1 ? "columns " : "column ");
    size_t said = say_numbers(&s, member, count);
    say_names(&s, member, count, names);
    if (said < all)
        say(&s, " and %zu more", all - said);
    return out;
}

/* Writes a name as an item of a list, in quotes if it looks like a number or holds a comma or
 * quote. */
static void say_item(struct sentence *s, const char *name) {
    const bool plain = !strpbrk(name, ",\"") && !(*name >= '0' && *name <= '9') && *name != ' ' &&
                       name[strlen(name) - 1] != ' ';
    if (plain) {
        say(s, "%s", name);
        return;
    }
    say(s, "\"");
    for (const char *at = name; *at; at++)
        say(s, *at == '"' ? "\"\"" : "%c", *at);
    say(s, "\"");
}

bool dd_column_names_list(char out[DD_COLUMNS_ROOM], const dd_column_names *names) {
    enum { MOST_LISTED = 12, MOST_BYTES = 200 };
    struct sentence s = {out, 0};
    size_t said = 0;
    out[0] = '\0';

    for (size_t i = 0; i < names->count; i++) {
        if (!names->items[i])
            continue;
        if (said == MOST_LISTED || s.used + strlen(names->items[i]) > MOST_BYTES) {
            say(&s, said > 0 ? ",..." : "...");
            return true;
        }
        say(&s, said++ > 0 ? "," : "");
        say_item(&s, names->items[i]);
    }
    return said > 0;
}
