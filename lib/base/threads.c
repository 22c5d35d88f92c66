#define _GNU_SOURCE /* pthread_sigmask, clock_gettime */
#include "base/threads.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/doze.h"
#include "base/error.h"
#include "base/pace.h"
#include "base/processors.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds: how long a thread looks for what it waits for before it sleeps, how often the
 * affinity mask is read, and the unit of what is counted up. */
enum { SPIN = 200000, LOOK_AT_PROCESSORS = 100000000, TICK = 64 };

struct worker {
    dd_pool *pool;
    pthread_t thread;
    int index;
    unsigned seen; /* the last stage that it knows of */
    dd_sleeper sleeper;
};

/* A stage has an even number. Slot p holds it while part p is free, and the next odd one once it is
 * taken; so a thread that is late, and means a stage that is over, finds nothing to take. */
struct dd_pool {
    int threads, started;
    int processors;         /* that may be used at once */
    bool fixed;             /* and do not follow the affinity mask */
    int quota;              /* of the control group, in whole processors; 0: none */
    int64_t looked;         /* at the mask */
    pid_t process;          /* whose threads they are */
    struct worker *workers; /* threads - 1 of them */
    pthread_mutex_t caller; /* held by the one whose call runs */
    dd_pace pace;           /* the caller's, like what is above */
    dd_sleeper caller_sleep;

    atomic_uint number; /* of the stage in hand */
    atomic_int takers;  /* whose numbers are below */
    atomic_size_t parts, done;
    atomic_uint others;        /* ticks that their parts took */
    dd_part_function function; /* for those who have taken a part */
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

static bool take(dd_pool *pool, size_t part, unsigned number) {
    unsigned free = number;
    return atomic_load_explicit(&pool->slots[part], memory_order_relaxed) == number &&
           atomic_compare_exchange_strong(&pool->slots[part], &free, number | 1);
}

/* Goes once through all parts, from a place of its own on, so that neighbours in memory go to the
 * same thread from stage to stage. */
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

static bool is_called(const struct worker *self) {
    const dd_pool *pool = self->pool;
    return atomic_load(&pool->ending) ||
           (atomic_load(&pool->number) != self->seen &&
            self->index < atomic_load_explicit(&pool->takers, memory_order_relaxed));
}

/* Looks for a while, then sleeps. */
static void await_call(struct worker *self) {
    enum { LOOKS = 32 }; /* between two at the clock */
    for (int64_t start = now(); now() - start < SPIN;)
        for (int i = 0; i < LOOKS; i++, pause_briefly())
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

static void *work(void *argument) {
    struct worker *self = argument;
    dd_pool *pool = self->pool;
    (void)dd_arithmetic_enter(); /* for good: a thread begins with its maker's */
    for (;;) {
        await_call(self);
        if (atomic_load(&pool->ending))
            return NULL;
        self->seen = atomic_load(&pool->number);
        if (self->index <
            atomic_load_explicit(&pool->takers,
                                 memory_order_relaxed)) /* of this stage, or it is over */
            help(self);
    }
}

/* --- Making and ending a pool. --- */

static void init_sleep(dd_pool *pool) {
    dd_doze_init(&pool->caller_sleep);
    for (int i = 0; i + 1 < pool->threads; i++)
        dd_doze_init(&pool->workers[i].sleeper);
}

ddaebm_status dd_pool_create(dd_pool **out, ddaebm_context *context, int threads, int processors) {
    dd_pool *pool = dd_alloc_zero(context, 1, sizeof *pool);
    if (!pool)
        return DDAEBM_OUT_OF_MEMORY;
    pool->workers = dd_alloc_zero(context, (size_t)threads, sizeof *pool->workers);
    if (!pool->workers) {
        dd_free(context, pool);
        return DDAEBM_OUT_OF_MEMORY;
    }
    pool->threads = threads;
    pool->fixed = processors > 0;
    pool->processors = processors;
    pthread_mutex_init(&pool->caller, NULL);
    init_sleep(pool);
    *out = pool;
    return DDAEBM_OK;
}

/* A fork copies a pool without its threads. Those in the child begin anew. */
static bool was_forked(const dd_pool *pool) {
    return pool->started > 0 && pool->process != getpid();
}

/* By the one who holds `caller`, with which nobody was inside when the process forked. */
static void begin_anew(dd_pool *pool) {
    init_sleep(pool);
    pool->started = 0;
}

/* Starts the threads at the first call that has work for them: a context that only reads files
 * costs none. If the system gives fewer, those do. */
static void start(dd_pool *pool) {
    sigset_t all, before; /* signals are for the host's own threads */
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

void dd_pool_free(dd_pool *pool, ddaebm_context *context) {
    if (!pool)
        return;
    if (!was_forked(pool))
        end_threads(pool);
    dd_free(context, pool->workers);
    dd_free(context, pool);
}

int dd_pool_threads(const dd_pool *pool) {
    return pool->threads;
}

/* --- Calling. --- */

/* An affinity mask may change while the program runs. */
static void look_at_processors(dd_pool *pool) {
    int64_t time = now();
    if (pool->fixed || (pool->processors > 0 && time - pool->looked < LOOK_AT_PROCESSORS))
        return;
    if (pool->processors == 0)
        pool->quota = dd_processors_quota();
    int allowed = dd_processors_allowed();
    pool->processors = pool->quota > 0 && pool->quota < allowed ? pool->quota : allowed;
    pool->looked = time;
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

/* Who may take parts of a stage that begins now: numbers below this. */
static int choose_takers(dd_pool *pool, const dd_work *stage, int64_t time) {
    int most = least(pool->started + 1, pool->processors);
    if (stage->takers > 0)
        most = least(most, stage->takers);
    if (stage->parts < (size_t)most)
        most = (int)stage->parts;
    return most < 2 ? 1 : dd_pace_takers(&pool->pace, time, most);
}

/* Shows a stage to those workers who are awake. */
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

/* Whether any of them slept. */
static bool wake(dd_pool *pool, int takers) {
    bool any = false;
    for (int i = 1; i < takers; i++)
        any = dd_doze_end(&pool->workers[i - 1].sleeper) || any;
    return any;
}

/* Waits for what others have taken. */
static void await_done(dd_pool *pool, size_t parts) {
    enum { LOOKS = 32 };
    for (int64_t start = now(); now() - start < SPIN;)
        for (int i = 0; i < LOOKS; i++, pause_briefly())
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
