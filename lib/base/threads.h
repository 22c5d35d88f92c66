/* A pool of threads that run one function together, each knowing its number, with barriers between its stages. */
#ifndef DD_THREADS_H
#define DD_THREADS_H

#include <ddaebm/context.h>
#include <stdbool.h>

typedef struct dd_pool dd_pool;

/* Those who run one call together. */
typedef struct dd_team dd_team;

/* index runs from 0 to dd_team_size(team)-1; index 0 is the caller's thread. */
typedef void (*dd_team_function)(void *argument, dd_team *team, int index);

/* Makes a pool of threads-1 threads, which start at the first call that has work for them; in a child that forks, anew. A pool that another
 * thread had when the process forked serves the child's callers alone. */
ddaebm_status dd_pool_create(dd_pool **out, ddaebm_context *context, int threads);

/* Ends the threads. NULL is fine. */
void dd_pool_free(dd_pool *pool, ddaebm_context *context);

int dd_pool_threads(const dd_pool *pool);

/* Runs function on a team and returns when all have. The team is the whole pool, or the caller alone if another caller has the
 * pool or `alone` is set: cut work by a number of parts of your own, not by the team's size, where bits matter. */
void dd_pool_run(dd_pool *pool, bool alone, dd_team_function function, void *argument);

int dd_team_size(const dd_team *team);

/* Waits until all of the team have come here. */
void dd_team_wait(dd_team *team);

#endif
