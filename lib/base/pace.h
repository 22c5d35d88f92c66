/* How many threads it pays to share work among, judged by how long callers waited for what others
 * had taken, and by how often those had to be woken. Times are nanoseconds of any clock that does
 * not go back; nothing here reads one. */
#ifndef DD_PACE_H
#define DD_PACE_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dd_pace {
    int halvings;    /* of the takers, for the time being */
    int64_t balance; /* what waiting cost beyond what sharing saved */
    int64_t until;   /* when all may be tried again */
    int64_t restored, penalty;
    int factor; /* so many times a loss work goes on with fewer */
} dd_pace;

/* One stage that was shared: what its caller saw. */
typedef struct dd_shared_stage {
    size_t parts, mine; /* parts of the stage, and those that the caller ran itself */
    int takers;         /* that it was shared among, the caller included */
    bool woke;          /* some of them slept before */
    int64_t worked;     /* for its own parts */
    int64_t others;     /* for theirs, all together */
    int64_t waited;     /* after its own, until theirs were done */
} dd_shared_stage;

/* How many of up to `most` takers are to share the work that begins now; at least 1. */
int dd_pace_takers(dd_pace *pace, int64_t now, int most);

/* Learns from a stage that ended now. */
void dd_pace_note(dd_pace *pace, int64_t now, const dd_shared_stage *stage);

#endif
