/* Scores with reasons: the lowest rows, and the columns that lower their scores. */
#ifndef REASONS_H
#define REASONS_H

#include "outputs.h"

#include <ddaebm/ddaebm.h>

/* Scores that are known, and what to write of them. */
typedef struct explanation {
    ddaebm_scorer *scorer;
    const ddaebm_dataset *dataset;
    const float *scores; /* [count]: of the first rows */
    uint64_t count;
    uint64_t lowest; /* how many rows, those of the lowest scores first; 0: all, as they come */
    size_t reasons;  /* columns named for each row; 0: none */
    size_t timestep;
    output to;
    const char *command; /* for messages */
} explanation;

/* Writes a line a row: its number from 1, its score, and of each reason the column, the row's value
 * there, the value expected and the contribution. Returns 0 or the exit status. */
int write_explained(ddaebm_context *context, const explanation *asked);

#endif
