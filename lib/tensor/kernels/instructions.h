/* The instruction sets that vector.c, maps.c and tiles.c are compiled for, and which of them this
 * process uses. */
#ifndef DD_INSTRUCTIONS_H
#define DD_INSTRUCTIONS_H

#include "tensor/kernels/maps.h"
#include "tensor/kernels/tiles.h"
#include "tensor/kernels/vector.h"

typedef struct dd_instructions {
    const char *name;
    const dd_kernels *vector;
    const dd_map_kernels *maps;
    const dd_tile_kernels *tiles;
    bool (*runs)(void); /* on this processor */
    bool (*pays)(void); /* on this processor, it is no slower than the set before it */
} dd_instructions;

/* Returns set `i` of those that were built in, from the portable one to the widest; NULL after the
 * last. */
const dd_instructions *dd_instructions_built(size_t i);

/* Returns the set to use where the environment says `word`: the widest that runs and pays. The name
 * of a set limits the choice to that set, which then need not pay, or to the last before it that
 * runs. Other words, and NULL, are ignored. */
const dd_instructions *dd_instructions_find(const char *word);

/* Returns the set that this process uses, chosen at the first call from the environment variable
 * DDAEBM_INSTRUCTIONS. From any thread. */
const dd_instructions *dd_instructions_choose(void);

#endif
