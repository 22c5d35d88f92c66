#define _GNU_SOURCE /* pthread_sigmask, clock_gettime */
#include "base/threads.h"

#include "base/allocator.h"
#include "base/arithmetic.h"
#include "base/doze.h"
#include "base/pace.h"
#include "base/processors.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* In nanoseconds: how long a thread spins before it sleeps, how long an affinity mask once read is
 * taken to hold, and the unit in which the time that workers spend on parts is counted. */
enum { SPIN = 200000, MASK_HOLDS = 100000000, TICK = 64 };

enum { SPINS = 32 }; /* between two readings of the clock */

struct worker {
    dd_pool *pool;
    pthread_t thread;
    int index;
    unsigned seen; /* number of the last stage that it knows of */
    dd_sleeper sleeper;
};

/* Stages have even numbers. Slot p holds the stage's number while part p is free, and the next odd
 * number once it is taken. So a thread that comes late, with the number of a stage that is over,
 * finds nothing to take. */
struct dd_pool {
    /* Read and written by the caller alone, who holds `caller`. */
    int threads, started;
    int processors;         /* upper bound on the takers */
    bool fixed;             /* processors was given, and does not follow the affinity mask */
    int quota;              /* of the control group, in whole processors; 0 for none */
    int64_t mask_read;      /* time at which processors was last set */
    pid_t process;          /* that the threads belong to */
    struct worker *workers; /* threads - 1 of them */
    pthread_mutex_t caller;
    dd_pace pace;
    dd_sleeper caller_sleep;
    ddaebm_allocator allocator;

    /* Shared with the workers. */
    atomic_uint number;        /* of the present stage */
    atomic_int takers;         /* threads with an index below this may take parts */
    atomic_size_t parts, done; /* of the present stage */
    atomic_uint others;        /* ticks that workers spent on their parts */
    dd_part_function function; /* read only by a thread that has taken a part */
    void *argument;
    atomic_bool ending;
    atomic_uint slots[DD_MOST_PARTS];
};

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- Taking parts. --- */

/* Takes a part, if it is free in the stage of that number. */
static bool take(dd_pool *pool, size_t part, unsigned number) {
    unsigned free = number;
    return atomic_load_explicit(&pool->slots[part], memory_order_relaxed) == number &&
           atomic_compare_exchange_strong(&pool->slots[part], &free, number | 1);
}

/* Goes once through all parts and runs those that it can take; returns how many. Each taker starts
 * at a place of its own, so that the same parts tend to go to the same thread from stage to stage.
 */
static size_t run_parts(dd_pool *pool, int taker, unsigned number) {
    size_t parts = atomic_load_explicit(&pool->parts, memory_order_relaxed), mine = 0;
    size_t takers = (size_t)atomic_load_explicit(&pool->takers, memory_order_relaxed);
    size_t first = (size_t)taker < takers ? (size_t)taker * parts / takers : 0;

    for (size_t i = 0, part = first; i < parts; i++, part = part + 1 == parts ? 0 : part + 1)
        if (take(pool, part, number)) {
            pool->function(pool->argument, part, taker);
            mine++;
        }
    return mine;
}

/* --- Workers. --- */

/* Returns whether there is a stage that this worker may help with, or the pool ends. */
static bool is_called(const struct worker *self) {
    const dd_pool *pool = self->pool;
    return atomic_load(&pool->ending) ||
           (atomic_load(&pool->number) != self->seen &&
            self->index < atomic_load_explicit(&pool->takers, memory_order_relaxed));
}

/* Waits until the worker is called: spins for a while, then sleeps. */
static void await_call(struct worker *self) {
    for (int64_t start = now(); now() - start < SPIN;)
        for (int i = 0; i < SPINS; i++, pause_briefly())
            if (is_called(self))
                return;

    while (!is_called(self)) {
        dd_doze_announce(&self->sleeper);
        if (is_called(self))
            dd_doze_cancel(&self->sleeper);
        else
            dd_doze(&self->sleeper);
    }
}

/* Runs what parts it can take, and wakes the caller if these were the last. */
static void help(const struct worker *self) {
    dd_pool *pool = self->pool;
    int64_t begun = now();
    size_t mine = run_parts(pool, self->index, self->seen);
    if (mine == 0)
        return;

    atomic_fetch_add_explicit(&pool->others, (unsigned)((now() - begun) / TICK),
                              memory_order_relaxed);
    size_t parts = atomic_load_explicit(&pool->parts, memory_order_relaxed);
    if (atomic_fetch_add(&pool->done, mine) + mine == parts)
        (void)dd_doze_end(&pool->caller_sleep);
}

/* The body of a worker: helps with each stage until the pool ends. */
static void *work(void *argument) {
    struct worker *self = argument;
    dd_pool *pool = self->pool;
    (void)dd_arithmetic_enter(); /* a thread inherits its maker's floating-point environment */

    for (;;) {
        await_call(self);
        if (atomic_load(&pool->ending))
            return NULL;

        /* takers is that of this stage, or the stage is over and has no free part */
        self->seen = atomic_load(&pool->number);
        if (self->index < atomic_load_explicit(&pool->takers, memory_order_relaxed))
            help(self);
    }
}

/* --- Making and ending a pool. --- */

static void init_sleep(dd_pool *pool) {
    dd_doze_init(&pool->caller_sleep);
    for (int i = 0; i + 1 < pool->threads; i++)
        dd_doze_init(&pool->workers[i].sleeper);
}

ddaebm_status dd_pool_create(dd_pool **out, const ddaebm_allocator *allocator, int threads,
                             int processors) {
    dd_pool *pool = dd_allocator_take_zero(allocator, 1, sizeof *pool);
    if (!pool)
        return DDAEBM_OUT_OF_MEMORY;
    pool->workers = dd_allocator_take_zero(allocator, (size_t)threads, sizeof *pool->workers);
    if (!pool->workers) {
        dd_allocator_give_back(allocator, pool);
        return DDAEBM_OUT_OF_MEMORY;
    }

    pool->allocator = *allocator;
    pool->threads = threads;
    pool->fixed = processors > 0;
    pool->processors = processors;
    pthread_mutex_init(&pool->caller, NULL);
    init_sleep(pool);
    *out = pool;
    return DDAEBM_OK;
}

/* Returns whether this is a child's copy of a pool: fork copies memory, but no threads. */
static bool was_forked(const dd_pool *pool) {
    return pool->started > 0 && pool->process != getpid();
}

/* Prepares a child's copy for threads of its own. Whoever calls holds `caller`, so no other thread
 * held it when the process forked. */
static void begin_anew(dd_pool *pool) {
    init_sleep(pool);
    pool->started = 0;
}

/* Starts the threads, or as many as the system allows, with all signals blocked: signals are for
 * the program's own threads. */
static void start(dd_pool *pool) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    while (pool->started < pool->threads - 1) {
        struct worker *worker = &pool->workers[pool->started];
        worker->pool = pool;
        worker->index = pool->started + 1;
        worker->seen = atomic_load(&pool->number);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
        pool->started++;
    }

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->process = getpid();
}

static void end_threads(dd_pool *pool) {
    atomic_store(&pool->ending, true);
    for (int i = 0; i < pool->started; i++)
        (void)dd_doze_end(&pool->workers[i].sleeper);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    for (int i = 0; i + 1 < pool->threads; i++)
        dd_doze_destroy(&pool->workers[i].sleeper);
    dd_doze_destroy(&pool->caller_sleep);
    pthread_mutex_destroy(&pool->caller);
}

void dd_pool_free(dd_pool *pool) {
    if (!pool)
        return;
    if (!was_forked(pool))
        end_threads(pool);
    const ddaebm_allocator allocator = pool->allocator;
    dd_allocator_give_back(&allocator, pool->workers);
    dd_allocator_give_back(&allocator, pool);
}

int dd_pool_threads(const dd_pool *pool) {
    return pool->threads;
}

/* --- Calling. --- */

/* Sets the number of processors, now and then: an affinity mask may change while the program runs.
 */
static void look_at_processors(dd_pool *pool) {
    int64_t time = now();
    if (pool->fixed || (pool->processors > 0 && time - pool->mask_read < MASK_HOLDS))
        return;

    if (pool->processors == 0)
        pool->quota = dd_processors_quota();
    int allowed = dd_processors_allowed();
    pool->processors = pool->quota > 0 && pool->quota < allowed ? pool->quota : allowed;
    pool->mask_read = time;
}

dd_team dd_pool_enter(dd_pool *pool, bool alone) {
    if (alone || pool->threads == 1 || pthread_mutex_trylock(&pool->caller) != 0)
        return (dd_team){NULL};
    if (was_forked(pool))
        begin_anew(pool);
    if (pool->started == 0)
        start(pool);
    look_at_processors(pool);
    return (dd_team){pool};
}

void dd_pool_leave(dd_team team) {
    if (team.pool)
        pthread_mutex_unlock(&team.pool->caller);
}

static void run_alone(const dd_work *stage) {
    for (size_t part = 0; part < stage->parts; part++)
        stage->function(stage->argument, part, 0);
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Returns how many threads may take parts of a stage that begins now. */
static int choose_takers(dd_pool *pool, const dd_work *stage, int64_t time) {
    int most = least(pool->started + 1, pool->processors);
    if (stage->takers > 0)
        most = least(most, stage->takers);
    if (stage->parts < (size_t)most)
        most = (int)stage->parts;
    return most < 2 ? 1 : dd_pace_takers(&pool->pace, time, most);
}

/* Fills in a stage and then sets its number, by which workers that are awake see it. */
static unsigned publish(dd_pool *pool, const dd_work *stage, int takers) {
    unsigned number = atomic_load_explicit(&pool->number, memory_order_relaxed) + 2;

    for (size_t part = 0; part < stage->parts; part++)
        atomic_store_explicit(&pool->slots[part], number, memory_order_relaxed);
    pool->function = stage->function;
    pool->argument = stage->argument;
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->others, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->parts, stage->parts, memory_order_relaxed);
    atomic_store_explicit(&pool->takers, takers, memory_order_relaxed);
    atomic_store(&pool->number, number);
    return number;
}

/* Wakes the takers that sleep; returns whether any did. */
static bool wake(dd_pool *pool, int takers) {
    bool any = false;
    for (int i = 1; i < takers; i++)
        any = dd_doze_end(&pool->workers[i - 1].sleeper) || any;
    return any;
}

/* Waits until all parts are done: spins for a while, then sleeps. */
static void await_done(dd_pool *pool, size_t parts) {
    for (int64_t start = now(); now() - start < SPIN;)
        for (int i = 0; i < SPINS; i++, pause_briefly())
            if (atomic_load(&pool->done) == parts)
                return;

    while (atomic_load(&pool->done) != parts) {
        dd_doze_announce(&pool->caller_sleep);
        if (atomic_load(&pool->done) == parts)
            dd_doze_cancel(&pool->caller_sleep);
        else
            dd_doze(&pool->caller_sleep);
    }
}

/* Runs a stage together with the workers, and reports to the pace how that went. */
static void run_shared(dd_pool *pool, const dd_work *work, int takers, int64_t begun) {
    unsigned number = publish(pool, work, takers);
    dd_shared_stage seen = {
        .parts = work->parts, .takers = takers, .woke = !work->small && wake(pool, takers)};
    if (seen.woke)
        begun = now();

    seen.mine = run_parts(pool, 0, number);
    int64_t worked = begun, ended = begun;
    if (seen.mine < work->parts) {
        atomic_fetch_add(&pool->done, seen.mine);
        worked = now();
        await_done(pool, work->parts);
        ended = now();
    }

    seen.worked = worked - begun;
    seen.waited = ended - worked;
    seen.others = (int64_t)atomic_load_explicit(&pool->others, memory_order_relaxed) * TICK;
    dd_pace_note(&pool->pace, ended, &seen);
}

void dd_team_run(dd_team team, const dd_work *stage) {
    if (!team.pool || stage->parts < 2) {
        run_alone(stage);
        return;
    }
    int64_t begun = now();
    int takers = choose_takers(team.pool, stage, begun);
    if (takers > 1)
        run_shared(team.pool, stage, takers, begun);
    else
        run_alone(stage);
}

void dd_pool_run(dd_pool *pool, bool alone, const dd_work *stage) {
    dd_team team = dd_pool_enter(pool, alone || stage->parts < 2);
    dd_team_run(team, stage);
    dd_pool_leave(team);
}
