#include "completion.h"

#include "console.h"

#include <stdio.h>
#include <string.h>

/* ---- Values. ---- */

/* Options whose values the library lists by name. */
static const struct {
    const char *option;
    const char *(*name)(size_t index);
} named_values[] = {
    {"data", ddaebm_dataset_name}, {"preset", ddaebm_config_preset}, {"score", ddaebm_score_name}};

static void print_named_values(const char *option) {
    for (size_t k = 0; k < sizeof named_values / sizeof *named_values; k++)
        for (size_t i = 0; strcmp(named_values[k].option, option) == 0 && named_values[k].name(i);
             i++)
            printf("%s\n", named_values[k].name(i));
}

static void print_choices(const char *words) {
    for (const char *c = words; *c; c++)
        (void)putchar(*c == '|' ? '\n' : *c);
    (void)putchar('\n');
}

static void print_settings(void) {
    ddaebm_key_info key = DDAEBM_KEY_INFO_INIT;
    for (size_t i = 0; ddaebm_config_key_info(i, &key) == DDAEBM_OK; i++)
        printf("%s=\t%s\n", key.name, key.meaning);
}

static void print_values(const option_row *row) {
    if (row->kind == KIND_CHOICE)
        print_choices(row->value);
    else if (strcmp(row->name, "set") == 0)
        print_settings();
    else
        print_named_values(row->name);
}

/* ---- Options. ---- */

static void print_options(const option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("--%s\t%s\n", rows[i].name, rows[i].meaning);
    printf("--help\tthis text\n");
}

/* Returns the option that a word gives (--out, --out=s.npy or -o), if it takes a value; otherwise
 * NULL. */
static const option_row *option_of(const option_row *rows, size_t count, const char *word) {
    const option_row *row = NULL;
    if (word[0] == '-' && word[1] && word[1] != '-' && !word[2])
        row = find_option(rows, count, word[1]);
    for (size_t i = 0; !row && i < count && strncmp(word, "--", 2) == 0; i++)
        if (strlen(rows[i].name) == strcspn(word + 2, "=") &&
            strncmp(word + 2, rows[i].name, strlen(rows[i].name)) == 0)
            row = &rows[i];
    return row && row->value ? row : NULL;
}

int complete_option(const option_row *rows, size_t count, int argc, char **argv) {
    const char *last = argv[argc - 1];
    int before = argc - 2;

    /* bash splits --out=s into three words. */
    if (strcmp(last, "=") == 0)
        last = "";
    else if (before > 0 && strcmp(argv[before], "=") == 0)
        before--;

    const option_row *row = option_of(rows, count,
                                      strchr(last, '=') ? last
                                      : before > 0      ? argv[before]
                                                        : "");
    if (row)
        print_values(row);
    else
        print_options(rows, count);
    return finish_output();
}

int complete_command(const command *commands, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("%s\t%s\n", commands[i].name, commands[i].summary);
    printf("--help\tall commands\n--version\tthe library's version\n");
    return finish_output();
}
