#include "ascending.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void sort_ascending(float *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
}
