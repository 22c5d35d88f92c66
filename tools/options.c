#include "options.h"

#include "completion.h"
#include "console.h"
#include "samefile.h"
#include "spelling.h"
#include "values.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 40, USAGE_WIDTH = 100, NAME_ROOM = 32 };
enum {
    HELP = 1,
    FIRST_ROW = 256
}; /* what getopt_long returns, distinct from its own '?' and ':' */

/* ---- Short names. ---- */

/* Short names; a letter means the same in every command. */
static const struct {
    char letter;
    const char *name;
} letters[] = {{'d', "data"},  {'h', "help"}, {'j', "threads"}, {'m', "model"},
               {'n', "count"}, {'o', "out"},  {'q', "quiet"},   {'s', "seed"}};
enum { LETTERS = sizeof letters / sizeof *letters };

char option_letter(const char *name) {
    for (size_t i = 0; i < LETTERS; i++)
        if (strcmp(letters[i].name, name) == 0)
            return letters[i].letter;
    return '\0';
}

const option_row *find_option(const option_row *rows, size_t count, char letter) {
    for (size_t i = 0; i < count; i++)
        if (option_letter(rows[i].name) == letter)
            return &rows[i];
    return NULL;
}

/* ---- Help. ---- */

/* Prints the usage line, wrapped at USAGE_WIDTH, and the command's summary. */
static void print_usage(const command *self, const option_row *rows, size_t count) {
    int at = printf("usage: ddaebm %s", self->name), indent = at;
    for (size_t i = 0; i < count; i++) {
        char text[80];
        const option_row *row = &rows[i];
        int length = snprintf(text, sizeof text, row->required ? "--%s%s%s" : "[--%s%s%s]",
                              row->name, row->value ? " " : "", row->value ? row->value : "");
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

/* Prints one option: "--out, -o FILE" and its meaning. */
static void print_option(const char *name, const char *value, const char *meaning) {
    char left[NAME_ROOM + 16];
    const char letter[] = {',', ' ', '-', option_letter(name), '\0'};
    (void)snprintf(left, sizeof left, "--%s%s %s", name, letter[3] ? letter : "",
                   value ? value : "");
    printf("  %-28s %s\n", left, meaning);
}

static void print_help(const command *self, const option_row *rows, size_t count) {
    print_usage(self, rows, count);
    for (size_t i = 0; i < count; i++)
        print_option(rows[i].name, rows[i].value, rows[i].meaning);
    print_option("help", NULL, "this text");
}

/* Returns whether the command line gave the option. */
static bool is_given(const option_row *row) {
    switch (row->kind) {
    case KIND_FLAG:
        return *row->target.flag;
    case KIND_NUMBER:
    case KIND_SIZE:
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

/* ---- What is no option. ---- */

/* Returns whether a word is KEY=VALUE with a dot in KEY, as all keys have. */
static bool is_setting(const char *word) {
    return word[strcspn(word, ".=")] == '.' && strchr(word, '=') && *word != '.';
}

/* Reads --KEY=VALUE and KEY=VALUE as --set KEY=VALUE. *taken is false for any other word, and for a
 * command without --set. */
static int take_setting(bool *taken, const command *self, const option_row *rows, size_t count,
                        const char *word) {
    *taken = false;
    for (size_t i = 0; is_setting(word) && i < count; i++)
        if (strcmp(rows[i].name, "set") == 0) {
            *taken = true;
            return read_value(self, &rows[i], word);
        }
    return 0;
}

/* Counts the options that begin with the first `length` letters of `name`, and lists them in
 * `known`. */
static size_t list_matches(char *known, size_t room, const option_row *rows, size_t count,
                           const char *name, size_t length) {
    size_t matches = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(rows[i].name, name, length) == 0 && used < room)
            used += (size_t)snprintf(known + used, room - used, "%s--%s", matches++ ? " or " : "",
                                     rows[i].name);
    return matches;
}

/* Reports an unknown or ambiguous long option, with the nearest known one. */
static int refuse_long(const command *self, const option_row *rows, size_t count,
                       const char *word) {
    const char *name = word + 2, *near = NULL;
    size_t length = strcspn(name, "="),
           distance = 2 + length / 4; /* nothing further away is suggested */
    char known[160] = "";

    if (list_matches(known, sizeof known, rows, count, name, length) > 1)
        return misuse(self->name, "--%.*s could be %s; write more of it", (int)length, name, known);

    for (size_t i = 0; i < count; i++)
        if (spelling_distance(name, length, rows[i].name) < distance) {
            near = rows[i].name;
            distance = spelling_distance(name, length, near);
        }
    return misuse(self->name,
                  near ? "%s has no option --%.60s; the nearest is --%s"
                       : "%s has no option --%.60s",
                  self->name, name, near);
}

/* Handles a word for which getopt_long returned '?': a setting, or a reported misuse. */
static int take_unknown(const command *self, const option_row *rows, size_t count,
                        const char *word) {
    bool taken = false;
    if (optopt == HELP || optopt >= FIRST_ROW)
        return misuse(self->name, "--%s takes no value; leave '%.60s' out",
                      optopt == HELP ? "help" : rows[optopt - FIRST_ROW].name,
                      strchr(word, '=') ? strchr(word, '=') : "");
    if (optopt != 0)
        return misuse(self->name, "%s has no option -%c; a long name has two dashes, as in --out",
                      self->name, optopt);
    int code = take_setting(&taken, self, rows, count, word + 2);
    return taken ? code : refuse_long(self, rows, count, word);
}

/* Handles the words that belong to no option: settings, or a reported misuse. */
static int take_words(const command *self, const option_row *rows, size_t count, int words,
                      char **argv) {
    for (int i = 0; i < words; i++) {
        bool taken = false;
        int code = take_setting(&taken, self, rows, count, argv[i]);
        if (!taken)
            return misuse(self->name, "unexpected word '%.60s'; every value follows an option",
                          argv[i]);
        if (code != 0)
            return code;
    }
    return 0;
}

/* ---- The command line. ---- */

/* Earlier names of options; they are accepted, but neither shown nor completed. */
static const struct {
    const char *before, *now;
} renamed[] = {
    {"level", "timestep"}, {"ordinary", "normal"}, {"refine-levels", "refine-timesteps"}};
enum { RENAMED = sizeof renamed / sizeof *renamed };

static struct option as_long(const char *name, const option_row *rows, size_t row) {
    int argument = rows[row].value ? required_argument : no_argument;
    return (struct option){name, argument, NULL, FIRST_ROW + (int)row};
}

static void fill_long(struct option *options, const option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        *options++ = as_long(rows[i].name, rows, i);
    for (size_t k = 0; k < RENAMED; k++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(rows[i].name, renamed[k].now) == 0)
                *options++ = as_long(renamed[k].before, rows, i);

    *options++ = (struct option){"help", no_argument, NULL, HELP};
    *options = (struct option){NULL, 0, NULL, 0};
}

/* Writes getopt_long's list of short names. Its leading colon asks for ':' where a value is
 * missing. */
static void fill_short(char text[2 * LETTERS + 3], const option_row *rows, size_t count) {
    *text++ = ':';
    *text++ = 'h';
    for (size_t i = 0; i < LETTERS; i++) {
        const option_row *row = find_option(rows, count, letters[i].letter);
        if (row)
            *text++ = letters[i].letter;
        if (row && row->value)
            *text++ = ':';
    }
    *text = '\0';
}

/* Returns the value of an option; -n=2 is read as -n2. */
static const char *value_of(int found, const char *word) {
    bool attached = found < FIRST_ROW && optarg && optarg != word;
    return attached && *optarg == '=' ? optarg + 1 : optarg;
}

int options_parse(const command *self, const option_row *rows, size_t count, int argc,
                  char **argv) {
    struct option options[MOST_ROWS + RENAMED + 2];
    char short_names[2 * LETTERS + 3];
    if (count > MOST_ROWS)
        return fail("%s has more options than the parser has room for", self->name);
    if (self->completes)
        return complete_option(rows, count, argc, argv);
    fill_long(options, rows, count);
    fill_short(short_names, rows, count);

    int found = 0, code = 0;
    optind = 1;
    while (code == 0 && (found = getopt_long(argc, argv, short_names, options, NULL)) != -1) {
        int given = found == ':' ? optopt : found;
        const option_row *row =
            given >= FIRST_ROW ? &rows[given - FIRST_ROW] : find_option(rows, count, (char)given);
        if (found == HELP || found == 'h') {
            print_help(self, rows, count);
            return finish_output();
        }
        if (found == ':')
            return misuse(self->name, "--%s needs a value, %s", row->name, row->value);
        code = found == '?' ? take_unknown(self, rows, count, argv[optind - 1])
                            : read_value(self, row, value_of(found, argv[optind - 1]));
    }

    if (code == 0)
        code = take_words(self, rows, count, argc - optind, argv + optind);
    if (code == 0)
        code = check_required(self, rows, count);
    if (code == 0)
        code = check_files(self, rows, count);
    return code != 0 ? code : OPTIONS_READ;
}
