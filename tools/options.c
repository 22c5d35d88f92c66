#include "options.h"

#include "console.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 40, USAGE_WIDTH = 100, NAME_ROOM = 32 };
enum { HELP = 1, FIRST_ROW = 256 }; /* what getopt_long returns, clear of its own '?' and ':' */

/* ---- Help. ---- */

static void print_usage(const command *self, const option_row *rows, size_t count) {
    int at = printf("usage: ddaebm %s", self->name), indent = at;
    for (size_t i = 0; i < count; i++) {
        char text[80];
        const option_row *row = &rows[i];
        int length = snprintf(text, sizeof text, row->required ? "--%s%s%s" : "[--%s%s%s]", row->name, row->value ? " " : "",
                              row->value ? row->value : "");
        const char *more = row->kind == KIND_TEXTS ? "..." : "";
        length += (int)strlen(more);
        if (at + 1 + length > USAGE_WIDTH) {
            printf("\n%*s", indent, "");
            at = indent;
        }
        at += 1 + length;
        printf(" %s%s", text, more);
    }
    printf("\n\n%s.\n\n", self->summary);
}

static void print_help(const command *self, const option_row *rows, size_t count) {
    char left[NAME_ROOM + 16];
    print_usage(self, rows, count);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(left, sizeof left, "--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        printf("  %-24s %s\n", left, rows[i].meaning);
    }
    printf("  %-24s %s\n", "--help", "this text");
}

/* ---- Values. ---- */

static bool parse_number(const char *text, uint64_t *value) {
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long read = strtoull(text, &end, 10);
    if (*end || errno)
        return false;
    *value = read;
    return true;
}

static int read_number(const command *self, const option_row *row, const char *text) {
    uint64_t value = 0;
    if (!parse_number(text, &value) || value < row->least || value > row->most)
        return misuse(self->name, "--%s is '%.60s'; allowed: a whole number from %" PRIu64 " to %" PRIu64, row->name, text,
                      row->least, row->most);
    *row->target.number = (number){value, true};
    return 0;
}

static int read_interval(const command *self, const option_row *row, const char *text) {
    char *colon = NULL, *end = NULL;
    double low = strtod(text, &colon), high = 0;
    bool good = colon != text && *colon == ':';
    if (good) {
        high = strtod(colon + 1, &end);
        good = end != colon + 1 && !*end && isfinite(low) && isfinite(high) && low < high;
    }
    if (!good)
        return misuse(self->name, "--%s is '%.60s'; allowed: LO:HI, two finite numbers with LO below HI, for instance -4:4",
                      row->name, text);
    *row->target.interval = (interval){low, high, true};
    return 0;
}

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

static int read_value(const command *self, const option_row *row, const char *text) {
    switch (row->kind) {
    case KIND_FLAG:
        *row->target.flag = true;
        return 0;
    case KIND_NUMBER:
        return read_number(self, row, text);
    case KIND_INTERVAL:
        return read_interval(self, row, text);
    case KIND_CHOICE:
        return read_choice(self, row, text);
    case KIND_TEXT:
    case KIND_TEXTS:
        break;
    }
    if (!*text)
        return misuse(self->name, "--%s is empty; give it as --%s %s", row->name, row->name, row->value);
    if (row->kind == KIND_TEXT) {
        *row->target.text = text;
        return 0;
    }
    text_list *list = row->target.texts;
    if (list->count == MOST_TEXTS)
        return misuse(self->name, "--%s stands more than %d times; put the values in a file", row->name, MOST_TEXTS);
    list->items[list->count++] = text;
    return 0;
}

static bool is_given(const option_row *row) {
    switch (row->kind) {
    case KIND_FLAG:
        return *row->target.flag;
    case KIND_NUMBER:
        return row->target.number->given;
    case KIND_INTERVAL:
        return row->target.interval->given;
    case KIND_TEXT:
        return *row->target.text != NULL;
    case KIND_CHOICE:
        return *row->target.choice != 0;
    case KIND_TEXTS:
        break;
    }
    return row->target.texts->count > 0;
}

static int check_required(const command *self, const option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].required && !is_given(&rows[i]))
            return misuse(self->name, "%s needs --%s %s", self->name, rows[i].name, rows[i].value);
    return 0;
}

/* ---- The command line. ---- */

static void fill_long(struct option *options, const option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        options[i] = (struct option){rows[i].name, rows[i].value ? required_argument : no_argument, NULL, FIRST_ROW + (int)i};
    options[count] = (struct option){"help", no_argument, NULL, HELP};
    options[count + 1] = (struct option){NULL, 0, NULL, 0};
}

int options_parse(const command *self, const option_row *rows, size_t count, int argc, char **argv) {
    struct option options[MOST_ROWS + 2];
    if (count > MOST_ROWS)
        return fail("%s has more options than the parser has room for", self->name);
    fill_long(options, rows, count);
    int found = 0;
    optind = 1;
    while ((found = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (found == HELP || found == 'h') {
            print_help(self, rows, count);
            return finish_output();
        }
        if (found == ':')
            return misuse(self->name, "--%s needs a value, %s", rows[optopt - FIRST_ROW].name, rows[optopt - FIRST_ROW].value);
        if (found == '?')
            return misuse(self->name, "%s has no option %.60s", self->name, argv[optind - 1]);
        int code = read_value(self, &rows[found - FIRST_ROW], optarg);
        if (code != 0)
            return code;
    }
    if (optind < argc)
        return misuse(self->name, "unexpected word '%.60s'; every value follows an option", argv[optind]);
    int code = check_required(self, rows, count);
    return code != 0 ? code : OPTIONS_READ;
}
