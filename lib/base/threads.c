#define _POSIX_C_SOURCE 200809L /* pthread_sigmask */
#include "base/threads.h"

#include "base/arithmetic.h"
#include "base/context.h"
#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* How often a waiting thread looks before it gives its processor away; about 50 microseconds. */
enum { SPINS = 4000 };

struct dd_team {
    int size;
    atomic_int arrived;
    atomic_uint round;
};

struct worker {
    dd_pool *pool;
    pthread_t thread;
    int index;
    unsigned seen; /* the last job that it knows of */
};

struct dd_pool {
    int threads, started;
    pid_t process;          /* whose threads they are */
    struct worker *workers; /* threads - 1 of them */
    pthread_mutex_t caller; /* held by the one whose call runs */
    pthread_mutex_t lock;   /* guards the sleep of the workers */
    pthread_cond_t wake;
    atomic_uint job; /* number of the job in hand */
    atomic_bool ending;
    dd_team team;
    dd_team_function function;
    void *argument;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

int dd_team_size(const dd_team *team) {
    return team->size;
}

void dd_team_wait(dd_team *team) {
    if (team->size == 1)
        return;
    unsigned round = atomic_load_explicit(&team->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->size - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->round, round + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&team->round, memory_order_acquire) == round;)
        if (++spins < SPINS)
            pause_briefly();
        else
            sched_yield();
}

static void *work(void *argument) {
    struct worker *self = argument;
    dd_pool *pool = self->pool;
    (void)dd_arithmetic_enter(); /* for good: a thread begins with its maker's */
    for (unsigned seen = self->seen;;) {
        for (int spins = 0; spins < SPINS && atomic_load_explicit(&pool->job, memory_order_acquire) == seen; spins++)
            pause_briefly();
        if (atomic_load_explicit(&pool->job, memory_order_acquire) == seen) {
            pthread_mutex_lock(&pool->lock);
            while (atomic_load(&pool->job) == seen)
                pthread_cond_wait(&pool->wake, &pool->lock);
            pthread_mutex_unlock(&pool->lock);
        }
        seen++;
        if (atomic_load(&pool->ending))
            return NULL;
        pool->function(pool->argument, &pool->team, self->index);
        dd_team_wait(&pool->team);
    }
}

/* Tells the workers of a new job. */
static void announce(dd_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->job, 1, memory_order_release);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static void make_sleep(dd_pool *pool) {
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
}

/* A fork copies a pool without its threads, and its lock as they held it. Those in the child begin anew. */
static bool was_forked(const dd_pool *pool) {
    return pool->started > 0 && pool->process != getpid();
}

/* By the one who holds `caller`, with which nobody was inside when the process forked. */
static void begin_anew(dd_pool *pool) {
    make_sleep(pool);
    pool->started = 0;
}

ddaebm_status dd_pool_create(dd_pool **out, ddaebm_context *context, int threads) {
    dd_pool *pool = dd_alloc_zero(context, 1, sizeof *pool);
    if (!pool)
        return DDAEBM_OUT_OF_MEMORY;
    pool->workers = dd_alloc_zero(context, (size_t)threads, sizeof *pool->workers);
    if (!pool->workers) {
        dd_free(context, pool);
        return DDAEBM_OUT_OF_MEMORY;
    }
    pool->threads = threads;
    pool->team.size = threads;
    pthread_mutex_init(&pool->caller, NULL);
    make_sleep(pool);
    *out = pool;
    return DDAEBM_OK;
}

/* Starts the threads at the first call that has work for them: a context that only reads files costs none. If the system gives
 * fewer, the team is that much smaller. */
static void start(dd_pool *pool) {
    int wanted = pool->threads - 1;
    sigset_t all, before; /* signals are for the host's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->started < wanted) {
        struct worker *worker = &pool->workers[pool->started];
        worker->pool = pool;
        worker->index = pool->started + 1;
        worker->seen = atomic_load(&pool->job);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->team.size = pool->started + 1;
    pool->process = getpid();
}

static void end_threads(dd_pool *pool) {
    atomic_store(&pool->ending, true);
    announce(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
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

void dd_pool_run(dd_pool *pool, bool alone, dd_team_function function, void *argument) {
    if (alone || pool->threads == 1 || pthread_mutex_trylock(&pool->caller) != 0) {
        dd_team self = {.size = 1};
        function(argument, &self, 0);
        return;
    }
    if (was_forked(pool))
        begin_anew(pool);
    if (pool->started == 0)
        start(pool);
    pool->function = function;
    pool->argument = argument;
    announce(pool);
    function(argument, &pool->team, 0);
    dd_team_wait(&pool->team);
    pthread_mutex_unlock(&pool->caller);
}
