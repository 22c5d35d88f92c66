/* The CPU quota of the process's control groups (Linux, versions 1 and 2). */
#ifndef DD_CGROUP_H
#define DD_CGROUP_H

#include "base/ieee.h"

/* Returns the smallest quota of the process's group and of those above it, in processors; 0 if
 * there is none, or if it cannot be read. Every path is taken below `root`, "" outside tests. */
double dd_cgroup_quota(const char *root);

#endif
