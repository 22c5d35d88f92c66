/* Chooses how many threads share a stage of work. Where other programs want the processors too, a
 * thread may lose its own in the middle of a part, and the caller waits for it. So the time that
 * callers waited is compared with the time that sharing saved, and waking threads counts as a cost;
 * when the balance is bad, half the takers are left out for a while. Times are nanoseconds of any
 * clock that does not go back; nothing here reads one. */
#ifndef DD_PACE_H
#define DD_PACE_H

#include "base/ieee.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dd_pace {
    int halvings;     /* of the takers, at present */
    int64_t balance;  /* time that waiting and waking cost, less the time that sharing saved */
    int64_t until;    /* time at which all takers are tried again */
    int64_t restored; /* time at which they last were */
    int64_t penalty;  /* how long the last reduction lasts */
    int factor;       /* of that to the loss that caused it */
} dd_pace;

/* What the caller of a shared stage saw. */
typedef struct dd_shared_stage {
    size_t parts, mine; /* parts of the stage, and those that the caller ran itself */
    int takers;         /* threads that might take parts, the caller included */
    bool woke;          /* some of them slept before */
    int64_t worked;     /* time on the caller's parts */
    int64_t others;     /* time on all other parts, summed over threads */
    int64_t waited;     /* time from the end of the caller's parts to the end of all */
} dd_shared_stage;

/* Returns how many of up to `most` takers share the stage that begins now; at least 1. */
int dd_pace_takers(dd_pace *pace, int64_t now, int most);

/* Takes a stage that ended now into account. */
void dd_pace_note(dd_pace *pace, int64_t now, const dd_shared_stage *stage);

#endif
