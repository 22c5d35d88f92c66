/* Sorting of numbers. */
#ifndef ASCENDING_H
#define ASCENDING_H

#include <stddef.h>

/* Sorts finite numbers, smallest first. */
void sort_ascending(double *values, size_t count);

#endif
