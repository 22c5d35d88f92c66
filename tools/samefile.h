/* Files that a command line names under several names: no output replaces an input, and no two
 * outputs are one file. */
#ifndef SAMEFILE_H
#define SAMEFILE_H

#include "options.h"

/* Checks the options that name files. Returns 0, or the exit status of wrong usage. A device, a
 * pipe or a terminal may be named several times, and --checkpoint may be the file of --resume. */
int check_files(const command *self, const option_row *rows, size_t count);

/* Returns whether two paths are one file, whether or not it exists. */
bool same_file(const char *a, const char *b);

/* Returns whether a file of that path would be, or by a link is, an image in a folder of data; with
 * `below`, in any of its subfolders as well. */
bool is_image_in(const char *path, const char *folder, bool below);

#endif
