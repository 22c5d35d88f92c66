/* Which files a command line names: none is written over that is read, and no two outputs are one
 * file, whatever their names. */
#ifndef SAMEFILE_H
#define SAMEFILE_H

#include "options.h"

/* Looks at the options that name files. 0, or the exit status of wrong usage. A device, a pipe or a
 * terminal may be named as often as one likes, and --checkpoint may be the file of --resume. */
int check_files(const command *self, const option_row *rows, size_t count);

/* Whether two paths are one file, there already or not. */
bool same_file(const char *a, const char *b);

/* Whether a file of that path would be an image in a folder of data, or is one by a link: with
 * `below`, in any folder under it. */
bool is_image_in(const char *path, const char *folder, bool below);

#endif
