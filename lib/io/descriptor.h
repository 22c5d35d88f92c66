/* Names under which the system shows a process's open files: /dev/stdout, /dev/fd/3,
 * /proc/self/fd/3. They are used as they are: opened by name, a file may be another user's, and
 * begins anew; a socket cannot be opened at all. */
#ifndef DD_DESCRIPTOR_H
#define DD_DESCRIPTOR_H

#include "base/ieee.h"

#include <stdbool.h>

/* Whether a path names a descriptor of any process: what it stands for cannot be replaced by its
 * name. */
bool dd_descriptor_is(const char *path);

/* The descriptor of this process that a path names, or -1. */
int dd_descriptor_of(const char *path);

/* After a read or write that failed: whether errno says that it would have had to wait, as somebody
 * has set the descriptor so; then it has been waited for, POLLIN or POLLOUT. */
bool dd_descriptor_wait(int file, short events);

#endif
