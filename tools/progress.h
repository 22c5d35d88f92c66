/* How far a run is, on stderr: a bar drawn in place on a terminal, else a line now and then. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

typedef struct progress {
    bool quiet, terminal, drawn;
    uint64_t first, last;          /* steps done before, and at the end */
    double began, shown;           /* seconds of a steady clock */
    uint64_t images;               /* of a step; 0 for plain rows */
    bool trains;                   /* so steps have losses */
    ddaebm_step_statistics smooth; /* these: means over some steps */
} progress;

void progress_begin(progress *state, uint64_t first, uint64_t last, uint64_t images, bool quiet);
void progress_step(progress *state, const ddaebm_step_statistics *statistics);

/* The same of steps without losses. */
void progress_count(progress *state, uint64_t step);

/* Leaves the last figures on a line of their own; further output may follow. */
void progress_end(progress *state, uint64_t step);

#endif
