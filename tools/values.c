#include "values.h"

#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Returns the end of a decimal number: digits, with or without a plus, a point and an exponent.
 * Nothing else that strtod accepts is one. */
static const char *skip_decimal(const char *text) {
    const char *first = text + (*text == '+'), *end = first + strspn(first, "0123456789.");
    bool digits = first[strspn(first, ".")] >= '0' && first[strspn(first, ".")] <= '9';
    if (!digits || (*end != 'e' && *end != 'E'))
        return digits ? end : text;
    const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
    return *exponent >= '0' && *exponent <= '9' ? exponent + strspn(exponent, "0123456789") : end;
}

/* Parses a whole number (100, 1e2 and 0.1e3 are the same) and multiplies it by `unit`. Returns
 * false if it is not whole or does not fit. */
static bool parse_whole(uint64_t *value, const char *text, const char *end, uint64_t unit) {
    char *stop = NULL;
    errno = 0;
    unsigned long long integer = strtoull(text, &stop, 10);
    if (stop == end && end > text) {
        *value = integer * unit;
        return errno == 0 && integer <= UINT64_MAX / unit;
    }

    double real = strtod(text, &stop) * (double)unit;
    if (stop != end || !(real >= 0 && real < 0x1p64) || real != floor(real))
        return false;
    *value = (uint64_t)real;
    return true;
}

static int read_number(const command *self, const option_row *row, const char *text) {
    uint64_t value = 0;
    const char *end = skip_decimal(text);
    if (*end || !parse_whole(&value, text, end, 1) || value < row->least || value > row->most)
        return misuse(self->name,
                      "--%s is '%.60s'; allowed: a whole number from %" PRIu64 " to %" PRIu64,
                      row->name, text, row->least, row->most);
    *row->target.number = (number){value, true};
    return 0;
}

/* Returns the factor of a suffix: K, M, G or T in either case, optionally followed by B or iB.
 * Returns 0 for any other. */
static uint64_t unit_of(const char *suffix) {
    static const char letters[] = "KMGT";
    char capital = (char)(*suffix & ~0x20);
    const char *letter = *suffix ? strchr(letters, capital) : NULL;
    const char *rest = letter ? suffix + 1 : suffix;
    bool known = !*rest || strcmp(rest, "B") == 0 || (letter && strcmp(rest, "iB") == 0);
    return !known ? 0 : letter ? UINT64_C(1) << 10 * (letter - letters + 1) : 1;
}

static int read_size(const command *self, const option_row *row, const char *text) {
    uint64_t value = 0;
    const char *suffix = skip_decimal(text);
    uint64_t unit = unit_of(suffix);
    if (unit == 0 || !parse_whole(&value, text, suffix, unit) || value < row->least ||
        value > row->most)
        return misuse(self->name,
                      "--%s is '%.60s'; allowed: bytes, for instance 16G, with K, M, G or T for "
                      "powers of 1024",
                      row->name, text);
    *row->target.number = (number){value, true};
    return 0;
}

/* Reads LO:HI. */
static int read_interval(const command *self, const option_row *row, const char *text) {
    char *colon = NULL, *end = NULL;
    double low = strtod(text, &colon), high = 0;
    bool good = colon != text && *colon == ':';

    if (good) {
        high = strtod(colon + 1, &end);
        good = end != colon + 1 && !*end && isfinite(low) && isfinite(high) && low < high;
    }
    if (!good)
        return misuse(self->name,
                      "--%s is '%.60s'; allowed: LO:HI, two finite numbers with LO below HI, for "
                      "instance -4:4",
                      row->name, text);
    *row->target.interval = (interval){low, high, true};
    return 0;
}

/* Reads one of the words between bars. */
static int read_choice(const command *self, const option_row *row, const char *text) {
    const char *word = row->value;
    for (int i = 0;; i++) {
        size_t length = strcspn(word, "|");
        if (strlen(text) == length && strncmp(text, word, length) == 0) {
            *row->target.choice = i;
            return 0;
        }
        if (!word[length])
            return misuse(self->name, "--%s is '%.60s'; allowed: %s", row->name, text, row->value);
        word += length + 1;
    }
}

int read_value(const command *self, const option_row *row, const char *text) {
    switch (row->kind) {
    case KIND_FLAG:
        *row->target.flag = true;
        return 0;
    case KIND_NUMBER:
        return read_number(self, row, text);
    case KIND_SIZE:
        return read_size(self, row, text);
    case KIND_INTERVAL:
        return read_interval(self, row, text);
    case KIND_CHOICE:
        return read_choice(self, row, text);
    case KIND_TEXT:
    case KIND_TEXTS:
        break;
    }

    if (!*text)
        return misuse(self->name, "--%s is empty; give it as --%s %s", row->name, row->name,
                      row->value);
    if (row->kind == KIND_TEXT) {
        *row->target.text = text;
        return 0;
    }

    text_list *list = row->target.texts;
    if (list->count == MOST_TEXTS)
        return misuse(self->name, "--%s stands more than %d times; put the values in a file",
                      row->name, MOST_TEXTS);
    list->items[list->count++] = text;
    return 0;
}
