/* The options of commands, as tables: the parser, the help and the completion read the same rows.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number; `given` is false where the option was left out. */
typedef struct number {
    uint64_t value;
    bool given;
} number;

/* Two numbers, LO:HI. */
typedef struct interval {
    double low, high;
    bool given;
} interval;

/* The values of an option that may be given several times. */
enum { MOST_TEXTS = 256 };
typedef struct text_list {
    const char *items[MOST_TEXTS];
    size_t count;
} text_list;

typedef enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_TEXTS,
    KIND_CHOICE,
    KIND_NUMBER,
    KIND_SIZE,
    KIND_INTERVAL
} option_kind;

/* One option. The macros below make rows. */
typedef struct option_row {
    const char *name;    /* without its dashes */
    const char *value;   /* what the help calls its value; NULL for a flag */
    const char *meaning; /* one line of help */
    option_kind kind;
    bool required;
    uint64_t least, most; /* of a number */
    union {
        bool *flag;
        const char **text;
        text_list *texts;
        int *choice;
        number *number;
        interval *interval;
    } target; /* what the command reads it from */
} option_row;

/* clang-format off */
#define FLAG(name, target_, meaning) \
    {name, NULL, meaning, KIND_FLAG, false, 0, 0, {.flag = target_}}
#define TEXT(name, value, target_, meaning) \
    {name, value, meaning, KIND_TEXT, false, 0, 0, {.text = target_}}
#define REQUIRED(name, value, target_, meaning) \
    {name, value, meaning, KIND_TEXT, true, 0, 0, {.text = target_}}
#define TEXTS(name, value, target_, meaning) \
    {name, value, meaning, KIND_TEXTS, false, 0, 0, {.texts = target_}}
#define NUMBER(name, target_, least, most, meaning) \
    {name, "N", meaning, KIND_NUMBER, false, least, most, {.number = target_}}
#define REQUIRED_NUMBER(name, target_, least, most, meaning) \
    {name, "N", meaning, KIND_NUMBER, true, least, most, {.number = target_}}
#define INTERVAL(name, target_, meaning) \
    {name, "LO:HI", meaning, KIND_INTERVAL, false, 0, 0, {.interval = target_}}
#define REQUIRED_INTERVAL(name, target_, meaning) \
    {name, "LO:HI", meaning, KIND_INTERVAL, true, 0, 0, {.interval = target_}}

/* A number of bytes, for instance 16G. */
#define SIZE(name, target_, least, most, meaning) \
    {name, "SIZE", meaning, KIND_SIZE, false, least, most, {.number = target_}}

/* One of the words of `words`, which stand between bars: "auto|yes|no". The target is the word's
 * index, from 0. */
#define CHOICE(name, words, target_, meaning) \
    {name, words, meaning, KIND_CHOICE, false, 0, 0, {.choice = target_}}
/* clang-format on */

/* Rows that several commands share. */
#define COMPUTE_ROWS(target_)                                                                      \
    NUMBER("threads", &(target_)->threads, 1, 256,                                                 \
           "threads to compute with; left out: as info shows"),                                    \
        FLAG("deterministic", &(target_)->deterministic,                                           \
             "the same bits for any number of threads, at some cost in time")
#define SEED_ROW(target_, meaning) NUMBER("seed", target_, 0, UINT64_MAX, meaning "; left out: 0")

/* Options of how a command computes. */
typedef struct compute_options {
    number threads;
    bool deterministic;
} compute_options;

/* Options of how data is read; ddaebm_read_options documents each. */
typedef struct data_options {
    int header, layout; /* ddaebm_header, ddaebm_layout */
    const char *columns, *drop;
    const char *missing; /* of commands with MISSING_ROW */
    interval range;      /* the values of black and white */
    number resize;
    bool recursive;
    number window, hop; /* of windows of a series */
    bool noisy;         /* not an option: whether images may have noise beyond black and white */
    number limit;       /* largest file, in bytes */
} data_options;

#define LIMIT_ROW(target_)                                                                         \
    SIZE("data-limit", target_, 1, UINT64_C(1) << 62,                                              \
         "size of the largest file that is read, for instance 16G; left out: 4G")
#define MISSING_ROW(target_, meaning)                                                              \
    TEXT("missing", "allow|WORDS", &(target_)->missing,                                            \
         "of tables: \"allow\" to take NaN, in CSV also NA and empty fields, for missing values; " \
         "or more words and numbers that stand for them, as in ?,-999" meaning)
#define TABLE_ROWS(target_)                                                                        \
    CHOICE("header", "auto|yes|no", &(target_)->header,                                            \
           "of CSV: whether the first line holds column names; left out: auto"),                   \
        TEXT("columns", "LIST", &(target_)->columns,                                               \
             "of tables: the columns to keep, in this order, as in 3-5,weight"),                   \
        TEXT("drop", "LIST", &(target_)->drop, "of tables: the columns to leave out"),             \
        LIMIT_ROW(&(target_)->limit)
#define IMAGE_ROWS(target_)                                                                        \
    CHOICE("layout", "auto|nhwc|nchw|rows", &(target_)->layout,                                    \
           "of arrays: the order of their axes; left out: auto"),                                  \
        INTERVAL("range", &(target_)->range,                                                       \
                 "of arrays of images: the values of black and white"),                            \
        NUMBER("resize", &(target_)->resize, 1, 1024,                                              \
               "of images: resize each to a square of this side"),                                 \
        FLAG("recursive", &(target_)->recursive, "of folders: read the images of subfolders, too")
#define WINDOW_ROWS(target_)                                                                       \
    NUMBER("window", &(target_)->window, 1, 1 << 20,                                               \
           "of a series, whose rows are samples: take windows of N samples as rows"),              \
        NUMBER("hop", &(target_)->hop, 1, 1 << 20,                                                 \
               "of --window: samples from one window to the next; left out: a quarter of it")
#define DATA_ROWS(target_) TABLE_ROWS(target_), IMAGE_ROWS(target_)

/* A command of the command line. */
typedef struct command {
    const char *name;
    const char *summary;
    /* Runs the command; argv[0] is its name. Returns the exit status. */
    int (*run)(const struct command *self, int argc, char **argv);
    bool completes; /* options_parse prints what may complete the line, and nothing is run */
} command;

enum { OPTIONS_READ = -1 };

/* Reads a command's options into the rows' targets. Returns OPTIONS_READ if the command is to run;
 * otherwise the exit status: 0 after --help, 2 after a reported misuse. */
int options_parse(const command *self, const option_row *rows, size_t count, int argc, char **argv);

/* Returns the letter of an option's short name, or 0 if it has none. */
char option_letter(const char *name);

/* Returns the row whose short name is the letter, or NULL. */
const option_row *find_option(const option_row *rows, size_t count, char letter);

#endif
