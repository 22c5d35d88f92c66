/* The sets of instructions that tests go through: all that were built in and this processor runs.
 */
#ifndef TEST_INSTRUCTION_SETS_H
#define TEST_INSTRUCTION_SETS_H

#include "tensor/kernels/instructions.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SETS = 3 };

/* Fills `sets`, the portable one first, and gives their number. */
static inline size_t find_sets(const dd_instructions *sets[MOST_SETS]) {
    size_t count = 0;
    for (size_t i = 0; count < MOST_SETS && dd_instructions_built(i); i++)
        if (dd_instructions_built(i)->runs())
            sets[count++] = dd_instructions_built(i);
    return count;
}

/* Says which could not be tried, and gives their number. */
static inline int report_missing_sets(void) {
    static const char *const names[MOST_SETS] = {"portable", "avx2", "avx512"};
    const dd_instructions *sets[MOST_SETS];
    size_t found = find_sets(sets);
    for (size_t n = 0; n < MOST_SETS; n++) {
        bool has = false;
        for (size_t i = 0; i < found; i++)
            has = has || strcmp(sets[i]->name, names[n]) == 0;
        if (!has)
            printf("SKIPPED: the kernels for %s: this processor or build has none\n", names[n]);
    }
    return MOST_SETS - (int)found;
}

#endif
