/* The progress of a run on stderr: a bar that is redrawn on a terminal, elsewhere a line every ten
 * seconds. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <ddaebm/ddaebm.h>
#include <stdbool.h>

typedef struct progress {
    bool quiet, terminal, drawn;
    uint64_t first, last;          /* the step it begins after, and the step it ends at */
    double began, shown;           /* seconds of the monotonic clock */
    uint64_t images;               /* in the batch of a step; 0 for plain rows */
    bool trains;                   /* so steps have losses */
    ddaebm_step_statistics smooth; /* running means of the losses */
} progress;

/* Begins a run of the steps first + 1 .. last. */
void progress_begin(progress *state, uint64_t first, uint64_t last, uint64_t images, bool quiet);

/* Takes the statistics of a step, and shows the progress when it is time. */
void progress_step(progress *state, const ddaebm_step_statistics *statistics);

/* The same for steps without losses. */
void progress_count(progress *state, uint64_t step);

/* Shows the last figures on a line of their own. */
void progress_end(progress *state, uint64_t step);

#endif
