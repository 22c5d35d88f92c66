/* Where results go. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "options.h"

#include <stdbool.h>

/* Whether a name ends so, in small letters or capitals. */
bool has_ending(const char *path, const char *ending);

/* Whether a path is one of the names that the system has for what a process has open. */
bool is_descriptor(const char *path);

/* 0 if a file of that path can probably be written; else what is in the way has been said, before
 * hours were spent on its content.
 */
int check_output(const char *path);

/* What an option names: - is standard output. NULL stays NULL. */
const char *output_path(const char *path);

/* 0 unless the path is a terminal, where what is no text would be shown: wrong usage. */
int check_not_terminal(const char *path, const command *self);

/* check_output for a command that writes a PNG whatever its data: another ending is wrong usage. */
int check_png_output(const char *path, const command *self);

/* In the order of OUTPUT_FORMATS. */
typedef enum file_format {
    FORMAT_AUTO,
    FORMAT_NPY,
    FORMAT_CSV,
    FORMAT_CSV_GZIP,
    FORMAT_PNG
} file_format;
#define OUTPUT_FORMATS "auto|npy|csv|csv.gz|png"

/* Where to write, as a command line has it. */
typedef struct output_options {
    const char *out;
    int format; /* file_format */
} output_options;

#define OUTPUT_ROWS(target_, meaning)                                                              \
    REQUIRED("out", "FILE", &(target_)->out, meaning),                                             \
        CHOICE("format", OUTPUT_FORMATS, &(target_)->format,                                       \
               "of --out; left out: what its name ends in, CSV for - (standard output), NPY for "  \
               "a device or pipe")

/* Where to write. */
typedef struct output {
    const char *path; /* /dev/stdout for - */
    file_format format;
} output;

/* Finds the format, one of those up to FORMAT_PNG where `images` says that one can be drawn, and
 * checks the path. 0 or the exit status. */
int find_output(output *to, const output_options *asked, bool images, const command *self);

#endif
