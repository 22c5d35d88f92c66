/* jansson's own reader gathers a word in a buffer that grows. A byte for which it cannot grow is
 * left out, and the word is read without: another name, another number, the end of the process. So
 * JSON is read here, into jansson's values. Nor would numbers survive a locale whose decimal sign
 * is no point, so C's is in force meanwhile. */
#define _POSIX_C_SOURCE 200809L /* uselocale */
#include "io/json.h"

#include "base/excerpt.h"
#include "base/utf8.h"
#include "io/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scanner {
    const char *begin, *at, *end;
    int depth;
    size_t values; /* values that are still allowed */
    dd_json_error *error;
} scanner;

static json_t *read_value(scanner *self);

/* --- What is wrong. --- */

static int line_of(const scanner *self) {
    int line = 1;
    for (const char *c = self->begin; c < self->at; c++)
        line += *c == '\n';
    return line;
}

/* Reports a mistake at the scanner's place and returns NULL, which ends the reading. */
static json_t *refuse(scanner *self, ddaebm_status status, const char *what) {
    enum { SHOWN = 20 };
    dd_json_error *error = self->error;
    char shown[DD_EXCERPT_ROOM];
    size_t left = (size_t)(self->end - self->at);

    error->status = status;
    error->line = line_of(self);
    error->byte = (size_t)(self->at - self->begin);
    if (left == 0)
        (void)snprintf(error->text, sizeof error->text, "%s at its end", what);
    else
        (void)snprintf(error->text, sizeof error->text, "%s '%s'", what,
                       dd_excerpt(shown, self->at, left < SHOWN ? left : SHOWN));
    return NULL;
}

static json_t *made(scanner *self, json_t *value) {
    return value ? value : refuse(self, DDAEBM_OUT_OF_MEMORY, "no memory to read JSON");
}

/* --- Words. --- */

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

static bool take_digits(scanner *self) {
    bool there = false;
    while (take(self, "0123456789"))
        there = true;
    return there;
}

/* Reads four hexadecimal digits. */
static bool take_unit(scanner *self, uint32_t *unit) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        if (!is_next(self, digits))
            return false;
        *unit = *unit << 4 | (uint32_t)((strchr(digits, *self->at++) - digits) % 16);
    }
    return true;
}

/* Reads what follows \u: one UTF-16 unit, or a pair that is one character. The character 0 is
 * refused. */
static bool take_units(scanner *self, uint32_t *character) {
    uint32_t low = 0;
    if (!take_unit(self, character))
        return false;
    if (*character < 0xD800 || *character > 0xDFFF)
        return *character != 0;
    if (*character > 0xDBFF || !take(self, "\\") || !take(self, "u") || !take_unit(self, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return false;
    *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* Reads what follows a backslash. */
static bool take_escape(scanner *self, uint32_t *character) {
    static const char escapes[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    if (!is_next(self, escapes))
        return take(self, "u") && take_units(self, character);
    *character = (uint32_t)characters[strchr(escapes, *self->at++) - escapes];
    return true;
}

/* Writes a character as UTF-8; returns its bytes, never more than its escape has. */
static size_t put_character(char *out, uint32_t c) {
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(first[size] | c);
    return size;
}

/* Replaces escapes in place; returns the new length. */
static size_t unescape(char *text, size_t length) {
    scanner in = {.at = text, .end = text + length};
    char *to = text;
    while (in.at < in.end) {
        uint32_t character = 0;
        if (take(&in, "\\")) {
            (void)take_escape(&in,
                              &character); /* succeeds, as it did when the end was looked for */
            to += put_character(to, character);
        } else
            *to++ = *in.at++;
    }
    return (size_t)(to - text);
}

/* Skips to the closing quote; *escaped tells whether there are escapes. */
static bool skip_text(scanner *self, bool *escaped) {
    uint32_t character = 0;
    *escaped = false;

    while (self->at < self->end && *self->at != '"') {
        size_t size = dd_utf8_size(self->at, (size_t)(self->end - self->at));
        if (size == 0 || (unsigned char)*self->at < ' ')
            return refuse(self, DDAEBM_FORMAT,
                          size == 0 ? "not UTF-8:" : "a control character in a text:") != NULL;
        self->at += size;
        if (self->at[-1] != '\\')
            continue;
        *escaped = true;
        if (!take_escape(self, &character))
            return refuse(self, DDAEBM_FORMAT, "a backslash that stands for no character:") != NULL;
    }

    if (self->at < self->end)
        return true;
    return refuse(self, DDAEBM_FORMAT, "a text without its closing quote,") != NULL;
}

static json_t *read_string(scanner *self) {
    const char *from = self->at;
    bool escaped = false;
    if (!skip_text(self, &escaped))
        return NULL;
    size_t length = (size_t)(self->at++ - from);
    json_t *raw = made(self, json_stringn_nocheck(from, length));
    if (!raw || !escaped)
        return raw;
    char *text = (char *)(uintptr_t)json_string_value(raw); /* owned here alone */
    json_t *value = made(self, json_stringn_nocheck(text, unescape(text, length)));
    json_decref(raw);
    return value;
}

/* --- Numbers. --- */

/* Skips a number such as -12, -1.5 or 1e-3; *real tells whether it is not an integer. */
static bool skip_number(scanner *self, bool *real) {
    (void)take(self, "-");
    bool good = take(self, "0") || take_digits(self);
    bool fraction = good && take(self, ".");
    good = good && (!fraction || take_digits(self));
    bool exponent = good && take(self, "eE");
    if (exponent)
        (void)take(self, "+-");
    *real = fraction || exponent;
    return good && (!exponent || take_digits(self));
}

static json_t *make_real(scanner *self, const char *text) {
    double value = strtod(text, NULL);
    return isfinite(value) ? made(self, json_real(value))
                           : refuse(self, DDAEBM_OUT_OF_RANGE, "a number too large for 64 bits,");
}

static json_t *make_integer(scanner *self, const char *text) {
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    return errno == 0 ? made(self, json_integer(value))
                      : refuse(self, DDAEBM_OUT_OF_RANGE, "an integer too large for 64 bits,");
}

static json_t *read_number(scanner *self) {
    const char *from = self->at;
    bool real = false;
    if (!skip_number(self, &real))
        return refuse(self, DDAEBM_FORMAT, "a number that breaks off,");
    json_t *copy =
        made(self, json_stringn_nocheck(from, (size_t)(self->at - from))); /* with a NUL after it */
    if (!copy)
        return NULL;
    json_t *value = real ? make_real(self, json_string_value(copy))
                         : make_integer(self, json_string_value(copy));
    json_decref(copy);
    return value;
}

/* --- Values. --- */

static json_t *read_literal(scanner *self) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(self->end - self->at) < length || memcmp(self->at, words[i], length) != 0)
            continue;
        self->at += length;
        return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
    }
    return refuse(self, DDAEBM_FORMAT, "a value is missing");
}

static bool add_element(scanner *self, json_t *array) {
    json_t *value = read_value(self);
    if (value && json_array_append_new(array, value) != 0)
        value = made(self, NULL);
    return value != NULL;
}

static json_t *read_name(scanner *self, const json_t *object) {
    skip_blanks(self);
    if (!take(self, "\""))
        return refuse(self, DDAEBM_FORMAT, "a name in quotes is missing");
    json_t *name = read_string(self);
    if (name && json_object_get(object, json_string_value(name))) {
        json_decref(name);
        return refuse(self, DDAEBM_FORMAT, "a duplicate name before");
    }
    return name;
}

static bool add_member(scanner *self, json_t *object) {
    json_t *name = read_name(self, object), *value = NULL;
    if (!name)
        return false;
    skip_blanks(self);
    value = take(self, ":") ? read_value(self) : refuse(self, DDAEBM_FORMAT, "a colon is missing");
    if (value && json_object_set_new_nocheck(object, json_string_value(name), value) != 0)
        value = made(self, NULL);
    json_decref(name);
    return value != NULL;
}

/* Reads the elements after an opening bracket. */
static bool fill(scanner *self, json_t *whole, bool (*add)(scanner *, json_t *),
                 const char *closing) {
    skip_blanks(self);
    if (take(self, closing))
        return true;
    do
        if (!add(self, whole))
            return false;
    while (take(self, ","));
    if (take(self, closing))
        return true;
    return refuse(self, DDAEBM_FORMAT, "a comma or closing bracket is missing") != NULL;
}

static json_t *read_all(scanner *self, json_t *whole, bool (*add)(scanner *, json_t *),
                        const char *closing) {
    if (!made(self, whole))
        return NULL;
    if (++self->depth > DD_JSON_MOST_DEPTH)
        (void)refuse(self, DDAEBM_OUT_OF_RANGE, "brackets nest deeper than 8 levels");
    bool good = self->depth <= DD_JSON_MOST_DEPTH && fill(self, whole, add, closing);
    self->depth--;
    if (good)
        return whole;
    json_decref(whole);
    return NULL;
}

/* Reads a value and the blanks around it. */
static json_t *read_value(scanner *self) {
    json_t *value = NULL;
    skip_blanks(self);
    if (self->values == 0)
        return refuse(self, DDAEBM_OUT_OF_RANGE, "it holds more values than are allowed:");

    self->values--;
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

size_t dd_json_mark(const char *text, size_t length) {
    return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

json_t *dd_json_read(const char *text, size_t length, size_t most_values, dd_json_error *error) {
    scanner self = {
        .begin = text, .at = text, .end = text + length, .values = most_values, .error = error};
    *error = (dd_json_error){.status = DDAEBM_OK};
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return made(&self, NULL);

    locale_t before = uselocale(plain); /* affects this thread only */
    json_t *value = read_value(&self);
    if (value && self.at < self.end) {
        (void)refuse(&self, DDAEBM_FORMAT, "more follows:");
        json_decref(value);
        value = NULL;
    }

    (void)uselocale(before);
    freelocale(plain);
    return value;
}
