/* A pool of threads that share the parts of a stage of work with the thread that called. Threads
 * take parts as they are free: the caller always takes part, waits only for parts that others have
 * taken, and can do all of them alone. */
#ifndef DD_THREADS_H
#define DD_THREADS_H

#include "base/ieee.h"

#include <ddaebm/context.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct dd_pool dd_pool;

/* Runs part `part`. `taker` is the number of the thread that took it, 0 for the caller; no two
 * parts run at the same time with the same number. */
typedef void (*dd_part_function)(void *argument, size_t part, int taker);

enum { DD_MOST_PARTS = 1024 };

/* A stage: parts that may run in any order and at the same time. What a part computes must not
 * depend on which thread runs it. */
typedef struct dd_work {
    size_t parts; /* at most DD_MOST_PARTS */
    int takers;   /* upper bound on the threads that take part; 0 for none */
    bool small;   /* too short to wake threads that sleep; those awake may help */
    dd_part_function function;
    void *argument;
} dd_work;

/* A caller's hold on a pool, for one stage after the other. */
typedef struct dd_team {
    dd_pool *pool; /* NULL: the caller runs alone */
} dd_team;

/* Makes a pool of `threads` threads, the caller's counted. The others start at the first call that
 * has work for them, and again in a child process after fork; a pool that another thread held at
 * the fork lets the child's callers run alone. A stage is shared among at most `processors`
 * threads, or, if that is 0, among as many as the process may use processors. The allocator is
 * copied. */
ddaebm_status dd_pool_create(dd_pool **out, const ddaebm_allocator *allocator, int threads,
                             int processors);

/* Ends the threads and frees the pool; NULL is fine. */
void dd_pool_free(dd_pool *pool);

/* Returns the number of threads, the caller's counted. */
int dd_pool_threads(const dd_pool *pool);

/* Holds the pool until dd_pool_leave. The caller runs alone if `alone` is set, or if the pool is
 * held already, by another thread or by a call further out. */
dd_team dd_pool_enter(dd_pool *pool, bool alone);
void dd_pool_leave(dd_team team);

/* Runs each part of a stage once and returns when all are done. Parts see what the caller wrote
 * before, and the caller sees afterwards what they wrote. */
void dd_team_run(dd_team team, const dd_work *stage);

/* Enters, runs one stage and leaves. */
void dd_pool_run(dd_pool *pool, bool alone, const dd_work *stage);

#endif
