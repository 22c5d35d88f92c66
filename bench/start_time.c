#define _POSIX_C_SOURCE 200809L /* clock_gettime, mkstemp */
/* ddaebm-start-time [PRESET]: times the start of a process up to its first sample of a saved model.
 * The program starts itself repeatedly; the child loads the model, draws one sample and reports
 * when it reached main and when it had the sample. Prints the least and the median. */
#include <ddaebm/ddaebm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 101 };

typedef struct moments {
    double main, sample; /* on the monotonic clock, in seconds */
    double processor;    /* processor time up to the sample, in seconds */
} moments;

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

static void must(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    fprintf(stderr, "ddaebm-start-time: %s\n", ddaebm_error_message());
    exit(1);
}

static void must_not_fail(int result, const char *what) {
    if (result >= 0)
        return;
    perror(what);
    exit(1);
}

/* Runs the child, the process whose start is timed. */
static int child(const char *path) {
    moments m = {.main = now()};
    ddaebm_model *model = NULL;
    ddaebm_sampler *sampler = NULL;
    must(ddaebm_model_load(&model, NULL, path));
    must(ddaebm_sampler_create(&sampler, model));
    float *row = malloc(ddaebm_model_width(model) * sizeof *row);
    if (!row)
        return 1;

    must(ddaebm_sampler_draw(sampler, 1, 0, 1, row));
    m.sample = now();
    m.processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

    free(row);
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    return write(STDOUT_FILENO, &m, sizeof m) == (ssize_t)sizeof m ? 0 : 1;
}

/* Starts a child, and returns its moments relative to its start. */
static moments run_once(const char *self, const char *path) {
    int ends[2], status = 0;
    moments m;
    must_not_fail(pipe(ends), "pipe");
    double start = now();
    pid_t process = fork();
    must_not_fail(process, "fork");
    if (process == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl(self, self, "--child", path, (char *)NULL);
        _exit(127);
    }

    close(ends[1]);
    ssize_t got = read(ends[0], &m, sizeof m);
    close(ends[0]);
    must_not_fail(waitpid(process, &status, 0), "waitpid");
    if (got != (ssize_t)sizeof m || status != 0) {
        fprintf(stderr, "ddaebm-start-time: the child failed\n");
        exit(1);
    }
    return (moments){m.main - start, m.sample - start, m.processor};
}

static void save_model(const char *preset, const char *path) {
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    must(ddaebm_config_create(&config, NULL, preset));
    must(ddaebm_model_create(&model, NULL, config, 1));
    must(ddaebm_model_save(model, path));
    ddaebm_model_free(model);
    ddaebm_config_free(config);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double times[RUNS]) {
    qsort(times, RUNS, sizeof *times, ascending);
    printf("%-24s least %6.2f ms, median %6.2f ms\n", what, 1e3 * times[0], 1e3 * times[RUNS / 2]);
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "--child") == 0)
        return child(arguments[2]);

    char path[] = "ddaebm-start-time-XXXXXX";
    int file = mkstemp(path);
    must_not_fail(file, path);
    close(file);
    save_model(count > 1 ? arguments[1] : "points", path);

    double to_main[RUNS], to_sample[RUNS], processor[RUNS];
    for (int i = 0; i < RUNS; i++) {
        moments m = run_once("/proc/self/exe", path);
        to_main[i] = m.main;
        to_sample[i] = m.sample;
        processor[i] = m.processor;
    }
    remove(path);
    report("start to main", to_main);
    report("start to first sample", to_sample);
    report("of it, processor time", processor);
    return 0;
}
