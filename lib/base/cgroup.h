/* What share of the machine the process's control groups leave it. */
#ifndef DD_CGROUP_H
#define DD_CGROUP_H

#include "base/ieee.h"

/* Processors that the quotas of the process's own group and of all above it allow, the least of
 * them: 0 if there is none, or if nothing is known. Groups of versions 1 and 2, under the mount
 * points that the process sees. `root` stands before every path, "" for the machine's own. */
double dd_cgroup_quota(const char *root);

#endif
