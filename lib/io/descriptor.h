/* Paths that name open files of the process: /dev/stdout, /dev/fd/3, /proc/self/fd/3. The
 * descriptor itself is used: opened by name, a file starts at its beginning and needs its
 * permissions again, and a socket cannot be opened. */
#ifndef DD_DESCRIPTOR_H
#define DD_DESCRIPTOR_H

#include "base/ieee.h"

#include <stdbool.h>

/* Returns whether a path names a descriptor of any process. Such a path cannot be replaced by a
 * file. */
bool dd_descriptor_is(const char *path);

/* Returns the descriptor of this process that a path names, or -1. */
int dd_descriptor_of(const char *path);

/* Returns, after a read or write failed, whether errno says that it would have blocked, as on a
 * descriptor in non-blocking mode; if so, waits for `events`, POLLIN or POLLOUT, first. */
bool dd_descriptor_wait(int file, short events);

#endif
