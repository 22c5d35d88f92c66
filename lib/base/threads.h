/* A pool of threads that share the parts of a piece of work with the thread that has it. Parts are
 * taken by whoever is there: the caller always takes part, waits for nobody who has taken nothing,
 * and can do all of it alone. */
#ifndef DD_THREADS_H
#define DD_THREADS_H

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct dd_pool dd_pool;

/* Runs part `part`. Takers have numbers, 0 the caller's thread; no two parts run at the same time
 * under one number. */
typedef void (*dd_part_function)(void *argument, size_t part, int taker);

/* Parts that may run in any order and at the same time: what each does must not depend on who runs
 * it. */
typedef struct dd_work {
    size_t parts; /* up to DD_MOST_PARTS */
    int takers;   /* numbers from here on take nothing; 0 for no such bound */
    bool small;   /* not worth waking anybody for; those awake may help */
    dd_part_function function;
    void *argument;
} dd_work;

enum { DD_MOST_PARTS = 1024 };

/* One caller's use of a pool, for one stage after the other. */
typedef struct dd_team {
    dd_pool *pool; /* NULL: the caller is alone */
} dd_team;

/* Makes a pool of threads-1 threads, which start at the first call that has work for them; in a
 * child that forks, anew. A pool that another thread had when the process forked serves the child's
 * callers alone. At most as many share a stage as there are processors: those that the machine
 * gives, or `processors` if it is not 0. */
ddaebm_status dd_pool_create(dd_pool **out, ddaebm_context *context, int threads, int processors);

/* Ends the threads. NULL is fine. */
void dd_pool_free(dd_pool *pool, ddaebm_context *context);

int dd_pool_threads(const dd_pool *pool);

/* Has the pool until dd_pool_leave. The caller is alone if `alone` is set, or if another caller, or
 * one further out, has the pool. */
dd_team dd_pool_enter(dd_pool *pool, bool alone);
void dd_pool_leave(dd_team team);

/* Runs each part of a stage once and returns when all are done. What was written before is seen by
 * the parts, and what they wrote, after. */
void dd_team_run(dd_team team, const dd_work *stage);

/* Enters, runs one stage and leaves. */
void dd_pool_run(dd_pool *pool, bool alone, const dd_work *stage);

#endif
