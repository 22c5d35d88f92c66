/* The benchmark case `busy`. */
#ifndef DD_BUSY_H
#define DD_BUSY_H

#include <stdbool.h>

/* Times a short training run on a machine that other processes use, and prints a table. Returns 0,
 * or 1 if a run failed. */
int busy_run(bool json);

#endif
