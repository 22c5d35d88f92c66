#define _GNU_SOURCE /* sched_setaffinity, prctl */
/* Trains on `moons` for 150 steps with 1, 2, 4 and 8 threads, beside processes that occupy the
 * processors, and on a single processor. Each run is a process of its own. Its time is compared
 * with the better of two: the time of one thread in the same place, and the time of as many threads
 * on an idle machine divided by the fraction of the machine that is left. */
#include "busy.h"

#include <ddaebm/ddaebm.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 150, RUNS = 3, MOST_NEIGHBOURS = 2 };

static const int thread_counts[] = {1, 2, 4, 8};
enum { COUNTS = sizeof thread_counts / sizeof *thread_counts };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- Neighbours: processes that compute until this process ends, however it ends. --- */

static pid_t start_neighbour(void) {
    pid_t parent = getpid(), child = fork();
    if (child != 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (volatile unsigned long i = 0;; i++) {
    }
}

static void end_neighbour(pid_t process) {
    if (process <= 0)
        return;
    (void)kill(process, SIGKILL);
    (void)waitpid(process, NULL, 0);
}

/* --- A run. --- */

/* Trains once; reports a failure on stderr. */
static bool train(int threads) {
    ddaebm_context *context = NULL;
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_trainer *trainer = NULL;
    bool done = ddaebm_context_create(&context, NULL) == DDAEBM_OK &&
                ddaebm_context_set_threads(context, threads) == DDAEBM_OK &&
                ddaebm_config_create(&config, context, "points") == DDAEBM_OK &&
                ddaebm_config_set_integer(config, "training.steps", STEPS) == DDAEBM_OK &&
                ddaebm_model_create(&model, context, config, 1) == DDAEBM_OK &&
                ddaebm_dataset_create_named(&dataset, context, "moons", 1) == DDAEBM_OK &&
                ddaebm_trainer_create(&trainer, model, dataset, 1) == DDAEBM_OK &&
                ddaebm_trainer_run_until(trainer, STEPS, NULL, NULL) == DDAEBM_OK;

    if (!done)
        fprintf(stderr, "ddaebm-bench: %s\n", ddaebm_error_message());
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    ddaebm_config_free(config);
    ddaebm_context_free(context);
    return done;
}

/* Binds the process to the first of its processors. */
static bool stay_on_one(void) {
    cpu_set_t set, one;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return false;
    size_t first = 0;
    while (first < CPU_SETSIZE && !CPU_ISSET(first, &set))
        first++;

    CPU_ZERO(&one);
    CPU_SET(first, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

/* Returns the seconds of a training run in a process of its own; below 0 if it failed. */
static double time_process(int threads, bool one_processor) {
    double start = now();
    pid_t child = fork();
    int code = 1;
    if (child == 0)
        _exit(!(one_processor && !stay_on_one()) && train(threads) ? 0 : 1);
    if (child < 0 || waitpid(child, &code, 0) != child || code != 0)
        return -1;
    return now() - start;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Returns the median time of RUNS runs beside the neighbours; below 0 if one failed. */
static double time_case(int threads, int neighbours, bool one_processor) {
    pid_t others[MOST_NEIGHBOURS] = {0};
    double times[RUNS];
    for (int i = 0; i < neighbours; i++)
        others[i] = start_neighbour();

    for (int i = 0; i < RUNS; i++)
        times[i] = time_process(threads, one_processor);
    for (int i = 0; i < neighbours; i++)
        end_neighbour(others[i]);

    qsort(times, RUNS, sizeof *times, ascending);
    return times[0] < 0 ? -1 : times[RUNS / 2];
}

/* --- The table. --- */

static double least(double a, double b) {
    return a < b ? a : b;
}

/* Returns the fraction of the machine that `threads` threads can have: the processors that nobody
 * else uses, or an equal share among all. */
static double fraction_left(int processors, int threads, int neighbours, bool one_processor) {
    if (one_processor)
        return 1.0 / processors;
    double mine = least(threads, processors), free = (double)(processors - neighbours) / processors,
           equal = mine / (mine + neighbours);
    return free > equal ? free : equal;
}

typedef struct place {
    const char *name;
    int neighbours;
    bool one_processor;
} place;

/* Times and prints one place. idle[i] is the idle time of thread_counts[i], which the first place
 * fills in. */
static bool run_place(const place *p, double idle[COUNTS], int processors, bool json) {
    double alone = 0;
    for (int i = 0; i < COUNTS; i++) {
        double taken = time_case(thread_counts[i], p->neighbours, p->one_processor);
        if (taken < 0)
            return false;
        if (i == 0)
            alone = taken;
        if (p->neighbours == 0 && !p->one_processor)
            idle[i] = taken;

        double best = least(alone, idle[i] / fraction_left(processors, thread_counts[i],
                                                           p->neighbours, p->one_processor));
        printf(json ? "{\"case\": \"busy\", \"place\": \"%s\", \"threads\": %d, \"median_s\": "
                      "%.3f, \"best_s\": %.3f, \"ratio\": "
                      "%.2f}\n"
                    : "| %s | %d | %.2f | %.2f | %.2f |\n",
               p->name, thread_counts[i], taken, best, taken / best);
        fflush(stdout);
    }
    return true;
}

int busy_run(bool json) {
    static const place places[] = {{"idle", 0, false},
                                   {"one busy loop", 1, false},
                                   {"two busy loops", 2, false},
                                   {"on one processor", 0, true}};
    double idle[COUNTS] = {0};
    cpu_set_t set;
    int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (!json)
        printf("| Beside | Threads | Seconds | Better of the two | Ratio |\n| --- | --- | --- | "
               "--- | --- |\n");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!run_place(&places[i], idle, processors, json))
            return 1;
    return 0;
}
