/* Where results go. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include <stdbool.h>

bool has_ending(const char *path, const char *ending);

/* 0 if a file of that path can probably be written; else what is in the way has been said, before hours were spent on its content.
 */
int check_output(const char *path);

#endif
