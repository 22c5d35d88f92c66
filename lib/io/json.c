/* jansson's own reader gathers a word in a buffer that grows. A byte for which it cannot grow is left out, and the word is read without:
 * another name, another number, the end of the process. So JSON is read here; jansson reads what is not plain (a mistake, which it
 * explains, or letters beyond ASCII). Nor would it survive a locale whose decimal sign is of two bytes, so C's is in force meanwhile. */
#define _POSIX_C_SOURCE 200809L /* uselocale */
#include "io/json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 64 };

typedef struct scanner {
    const char *at, *end;
    int depth;
    bool starved, deep; /* memory ran out; brackets nest too deep. Else a NULL is what is not plain */
} scanner;

static json_t *read_value(scanner *self);

static json_t *made(scanner *self, json_t *value) {
    if (!value)
        self->starved = true;
    return value;
}

static bool is_next(const scanner *self, const char *any) {
    return self->at < self->end && *self->at != '\0' && strchr(any, *self->at) != NULL;
}

static bool take(scanner *self, const char *any) {
    bool there = is_next(self, any);
    self->at += there;
    return there;
}

static void skip_blanks(scanner *self) {
    while (take(self, " \t\r\n"))
        ;
}

/* The character that stands for one after a backslash. */
static const char escapes[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";

/* In place; the new length. */
static size_t unescape(char *text, size_t length) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++, used++)
        text[used] = text[i] == '\\' ? characters[strchr(escapes, text[++i]) - escapes] : text[i];
    return used;
}

static json_t *read_string(scanner *self) {
    const char *from = self->at;
    bool escaped = false;
    for (; self->at < self->end && *self->at != '"'; self->at++) {
        if (*self->at < ' ' || *self->at > '~')
            return NULL;
        if (*self->at != '\\')
            continue;
        escaped = true;
        self->at++;
        if (!is_next(self, escapes))
            return NULL;
    }
    if (self->at == self->end)
        return NULL;
    size_t length = (size_t)(self->at++ - from);
    json_t *raw = made(self, json_stringn_nocheck(from, length));
    if (!raw || !escaped)
        return raw;
    char *text = (char *)(uintptr_t)json_string_value(raw); /* nobody else's */
    json_t *value = made(self, json_stringn_nocheck(text, unescape(text, length)));
    json_decref(raw);
    return value;
}

static bool take_digits(scanner *self) {
    bool there = false;
    while (take(self, "0123456789"))
        there = true;
    return there;
}

static json_t *make_real(scanner *self, const char *text) {
    double value = strtod(text, NULL);
    return isfinite(value) ? made(self, json_real(value)) : NULL;
}

static json_t *make_integer(scanner *self, const char *text) {
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    return errno == 0 ? made(self, json_integer(value)) : NULL;
}

static json_t *read_number(scanner *self) {
    const char *from = self->at;
    bool real = false;
    char text[MOST_DIGITS];
    (void)take(self, "-");
    if (!take(self, "0") && !take_digits(self))
        return NULL;
    if (take(self, ".")) {
        real = true;
        if (!take_digits(self))
            return NULL;
    }
    if (take(self, "eE")) {
        real = true;
        (void)take(self, "+-");
        if (!take_digits(self))
            return NULL;
    }
    size_t length = (size_t)(self->at - from);
    if (length >= sizeof text)
        return NULL;
    memcpy(text, from, length);
    text[length] = '\0';
    return real ? make_real(self, text) : make_integer(self, text);
}

static json_t *read_literal(scanner *self) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(self->end - self->at) < length || memcmp(self->at, words[i], length) != 0)
            continue;
        self->at += length;
        return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
    }
    return NULL;
}

static bool add_element(scanner *self, json_t *array) {
    json_t *value = read_value(self);
    if (value && json_array_append_new(array, value) != 0)
        self->starved = true;
    return value && !self->starved;
}

static bool add_member(scanner *self, json_t *object) {
    skip_blanks(self);
    json_t *name = take(self, "\"") ? read_string(self) : NULL, *value = NULL;
    skip_blanks(self);
    if (name && take(self, ":") && !json_object_get(object, json_string_value(name)))
        value = read_value(self);
    if (value && json_object_set_new_nocheck(object, json_string_value(name), value) != 0)
        self->starved = true;
    json_decref(name);
    return value && !self->starved;
}

/* What follows the opening bracket. */
static json_t *read_all(scanner *self, json_t *whole, bool (*add)(scanner *, json_t *), const char *closing) {
    if (++self->depth > DD_JSON_MOST_DEPTH)
        self->deep = true;
    bool good = made(self, whole) && !self->deep;
    skip_blanks(self);
    if (good && !take(self, closing)) {
        do
            good = add(self, whole);
        while (good && take(self, ","));
        good = good && take(self, closing);
    }
    self->depth--;
    if (good)
        return whole;
    json_decref(whole);
    return NULL;
}

/* And the blanks around it. */
static json_t *read_value(scanner *self) {
    json_t *value = NULL;
    skip_blanks(self);
    if (take(self, "{"))
        value = read_all(self, json_object(), add_member, "}");
    else if (take(self, "["))
        value = read_all(self, json_array(), add_element, "]");
    else if (take(self, "\""))
        value = read_string(self);
    else
        value = is_next(self, "-0123456789") ? read_number(self) : read_literal(self);
    skip_blanks(self);
    return value;
}

/* With the code where jansson has it. */
static json_t *refuse(json_error_t *error, enum json_error_code code, const char *text) {
    (void)snprintf(error->text, sizeof error->text - 1, "%s", text);
    error->text[sizeof error->text - 1] = (char)code;
    return NULL;
}

static json_t *starve(json_error_t *error) {
    return refuse(error, json_error_out_of_memory, "out of memory");
}

static json_t *read_text(const char *text, size_t length, size_t flags, json_error_t *error) {
    scanner self = {.at = text, .end = text + length};
    json_t *value = read_value(&self);
    if (value && self.at == self.end && (json_is_object(value) || json_is_array(value) || flags & JSON_DECODE_ANY))
        return value;
    json_decref(value);
    if (self.deep && !self.starved)
        return refuse(error, json_error_stack_overflow, "brackets nest deeper than 8 levels");
    return self.starved ? starve(error) : json_loadb(text, length, flags, error);
}

json_t *dd_json_read(const char *text, size_t length, size_t flags, json_error_t *error) {
    memset(error, 0, sizeof *error); /* jansson does not always fill it */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return starve(error);
    locale_t before = uselocale(plain); /* of this thread alone */
    json_t *value = read_text(text, length, flags, error);
    (void)uselocale(before);
    freelocale(plain);
    return value;
}

ddaebm_status dd_json_status(const json_error_t *error) {
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return DDAEBM_OUT_OF_MEMORY;
    case json_error_unknown:
        return *error->text ? DDAEBM_FORMAT : DDAEBM_OUT_OF_MEMORY;
    case json_error_stack_overflow:
    case json_error_numeric_overflow:
        return DDAEBM_OUT_OF_RANGE;
    default:
        return DDAEBM_FORMAT;
    }
}
