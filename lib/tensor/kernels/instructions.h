/* The sets of instructions that the loops of vector.c, maps.c and tiles.c are compiled for, and
 * which of them this process uses. */
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
    bool (*pays)(void); /* here, it is no slower than the set before it */
} dd_instructions;

/* Set `i` of those that were built in, the portable one first, each beyond the one before; NULL
 * behind the last. */
const dd_instructions *dd_instructions_built(size_t i);

/* The set to use where the environment says `word`: the last that runs and pays. A set's name holds
 * it to that set, which then need not pay, or to the last before it that runs; other words, and
 * NULL, say nothing. */
const dd_instructions *dd_instructions_find(const char *word);

/* The set that this process uses: as the variable DDAEBM_INSTRUCTIONS says when it is first asked
 * for. From any thread. */
const dd_instructions *dd_instructions_choose(void);

#endif
