/* Where results go: paths and formats of outputs. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "options.h"

#include <stdbool.h>

/* Returns whether a name has the ending, in lower or upper case. */
bool has_ending(const char *path, const char *ending);

/* Returns whether a path names an open descriptor of the process, as /dev/stdout does. */
bool is_descriptor(const char *path);

/* Returns 0 if a file of that path can probably be written; otherwise complains, before hours are
 * spent on its content. */
int check_output(const char *path);

/* Returns the path that an option names: /dev/stdout for -, NULL for NULL. */
const char *output_path(const char *path);

/* Returns 0 unless the path is a terminal, which is no place for binary data: wrong usage. */
int check_not_terminal(const char *path, const command *self);

/* Checks the output of a command that writes a PNG alone: another ending is wrong usage. */
int check_png_output(const char *path, const command *self);

/* In the order of OUTPUT_FORMATS. */
typedef enum file_format {
    FORMAT_AUTO,
    FORMAT_NPY,
    FORMAT_CSV,
    FORMAT_CSV_GZIP,
    FORMAT_PNG,
    FORMAT_WAV
} file_format;
#define OUTPUT_FORMATS "auto|npy|csv|csv.gz|png|wav"

/* Where to write, as the command line says. */
typedef struct output_options {
    const char *out;
    int format; /* file_format */
} output_options;

#define OUTPUT_ROWS(target_, meaning)                                                              \
    REQUIRED("out", "FILE", &(target_)->out, meaning),                                             \
        CHOICE("format", OUTPUT_FORMATS, &(target_)->format,                                       \
               "of --out; left out: by the ending of its name, CSV for - (standard output), NPY "  \
               "for a device or pipe")

/* Where to write, and how. */
typedef struct output {
    const char *path; /* /dev/stdout for - */
    file_format format;
} output;

/* What a command writes beside numbers. */
enum { WRITES_IMAGES = 1, WRITES_SIGNALS = 2 };

/* Finds the format, and checks the path. FORMAT_PNG and FORMAT_WAV are allowed where the command
 * `writes` images and signals. Returns 0 or the exit status. */
int find_output(output *to, const output_options *asked, int writes, const command *self);

#endif
