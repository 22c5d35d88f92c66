#define _POSIX_C_SOURCE 200809L /* clock_gettime */
/* ddaebm-bench CASE [--threads N] [--seconds S] [--json | --brief]: times training steps, sampling
 * and scoring.
 *
 * CASE is toy-step, toy-sample[-COUNT], toy-score[-COUNT], and likewise for the other presets, for
 * instance fashion-step or cifar10-sample-16. Prints the median of many calls, the arithmetic rate,
 * and what fraction that is of the rate of a large sgemm on this machine and of the processor's
 * peak; with --brief, the median alone, and no other rate is measured.
 *
 * PRESET-curve prints the best time a row, drawn and scored, of calls with 1 to 10,000 rows
 * (images: 1 to 16). `busy` trains beside other processes (busy.c). */
#include "base/context.h"
#include "busy.h"
#include "peak.h"
#include "sample/evaluator.h"
#include "tensor/exec/computation.h"
#include "tensor/kernels/blas_matmul.h"
#include "tensor/kernels/instructions.h"
#include "train/trainer.h"

#include <ddaebm/ddaebm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { WARM_UPS = 2, LEAST_RUNS = 5, MOST_RUNS = 1000, CURVE_ROWS = 10000, CURVE_IMAGES = 16 };

typedef struct bench {
    char name[64], preset[32], what[16];
    size_t count;
    int threads;
    double seconds;
    bool json, brief;
    ddaebm_context *context;
    ddaebm_config *config;
    ddaebm_model *model;
    ddaebm_dataset *dataset;
    ddaebm_trainer *trainer;
    ddaebm_sampler *sampler;
    ddaebm_scorer *scorer;
    float *rows, *scores;
} bench;

static void must(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    fprintf(stderr, "ddaebm-bench: %s\n", ddaebm_error_message());
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long peak_kilobytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* --- The cases. --- */

/* Splits a case into preset, word and count. The preset's name may have dashes of its own, so the
 * first of the words ends it. */
static void parse_case(bench *b, const char *text) {
    static const char *const words[] = {"-step", "-sample", "-score", "-curve"};
    (void)snprintf(b->name, sizeof b->name, "%s", text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strstr(text, words[i]);
        const char *rest = at ? at + strlen(words[i]) : "?";
        if (!at || (*rest && *rest != '-') || (size_t)(at - text) >= sizeof b->preset)
            continue;
        (void)snprintf(b->preset, sizeof b->preset, "%.*s", (int)(at - text), text);
        (void)snprintf(b->what, sizeof b->what, "%s", words[i] + 1);
        b->count = *rest ? strtoull(rest + 1, NULL, 10) : 0;
        return;
    }

    fprintf(stderr,
            "ddaebm-bench: %s is no case: PRESET-step, PRESET-sample[-COUNT], PRESET-score[-COUNT] "
            "or PRESET-curve\n",
            text);
    exit(2);
}

/* Chooses the number of rows where the case does not give it. */
static void choose_count(bench *b) {
    bool images = dd_model_settings(b->model)->data.image_size > 0;
    int64_t batch = 0;
    must(ddaebm_config_integer(b->config, "training.batch", &batch));
    if (strcmp(b->what, "step") == 0)
        b->count = (size_t)batch;
    else if (strcmp(b->what, "curve") == 0)
        b->count = images ? CURVE_IMAGES : CURVE_ROWS;
    else if (b->count == 0)
        b->count = images ? 16 : 10000;
}

/* Reduces the batch of presets that are made for several GPUs. */
static void choose_batch(bench *b) {
    if (strcmp(b->preset, "cifar10") == 0)
        must(ddaebm_config_set_integer(b->config, "training.batch", 4));
}

/* Creates everything that the calls need, with random rows. */
static void prepare(bench *b) {
    must(ddaebm_context_create(&b->context, NULL));
    if (b->threads > 0)
        must(ddaebm_context_set_threads(b->context, b->threads));
    b->threads = ddaebm_context_threads(b->context);

    must(ddaebm_config_create(&b->config, b->context, b->preset));
    choose_batch(b);
    must(ddaebm_model_create(&b->model, b->context, b->config, 1));
    choose_count(b);

    size_t width = ddaebm_model_width(b->model);
    b->rows = malloc(b->count * width * sizeof *b->rows);
    b->scores = malloc(b->count * sizeof *b->scores);
    if (!b->rows || !b->scores)
        exit(1);
    for (size_t i = 0; i < b->count * width; i++)
        b->rows[i] = (float)rand() / (float)RAND_MAX * 2 - 1;
    must(ddaebm_dataset_create_rows(&b->dataset, b->context, b->rows, b->count, width));
}

/* Makes one call of the case; the first one creates its handle. */
static void call(bench *b) {
    if (strcmp(b->what, "step") == 0) {
        if (!b->trainer)
            must(ddaebm_trainer_create(&b->trainer, b->model, b->dataset, 1));
        must(ddaebm_trainer_step(b->trainer, NULL));
    } else if (strcmp(b->what, "sample") == 0) {
        if (!b->sampler)
            must(ddaebm_sampler_create(&b->sampler, b->model));
        must(ddaebm_sampler_draw(b->sampler, 1, 0, b->count, b->rows));
    } else {
        if (!b->scorer)
            must(ddaebm_scorer_create(&b->scorer, b->model));
        must(ddaebm_scorer_score(b->scorer, DDAEBM_SCORE_ENERGY, b->rows, b->count, 0, b->scores));
    }
}

/* --- Arithmetic. --- */

/* Returns the multiply-adds of one row in the generator (of a sampler) or the energy, without those
 * that are computed once for all rows. */
static double forward_multiply_adds(const bench *b) {
    enum { X, TIMESTEP, LATENT, OUT, SLOTS };
    const dd_settings *settings = dd_model_settings(b->model);
    dd_parameters parameters = b->model->parameters;
    dd_graph *graph = NULL;
    dd_plan *plan = NULL;
    must(dd_graph_create(&graph, b->context));

    dd_builder builder = {
        .graph = graph, .settings = settings, .parameters = &parameters, .first_slot = SLOTS};
    dd_node x = dd_input(graph, X, dd_network_data_shape(settings, 1), 1),
            timestep = dd_input(graph, TIMESTEP, dd_shape_rows(1, 1), 1);
    dd_node z = dd_input(graph, LATENT, dd_shape_rows(1, dd_settings_latent_width(settings)), 1);
    dd_output(graph,
              b->sampler ? dd_network_generator(&builder, x, timestep, z)
                         : dd_network_energy(&builder, x, timestep),
              OUT, 1);

    must(dd_plan_create(&plan, graph, (dd_plan_options){.phases = 2, .prepare = true, .parts = 1}));
    double total = dd_plan_multiply_adds(plan, 1);
    dd_plan_free(plan);
    return total;
}

/* Returns the multiply-adds of the matrix products and convolutions of one call. */
static double multiply_adds(const bench *b) {
    if (b->trainer)
        return dd_planned_step_multiply_adds(b->trainer);
    return forward_multiply_adds(b) * (double)b->count *
           (b->sampler ? (double)ddaebm_model_timesteps(b->model) : 1);
}

typedef struct product {
    dd_matmul_call call;
    size_t parts;
} product;

static void run_product(void *argument, size_t part, int taker) {
    (void)taker;
    const product *p = argument;
    dd_matmul_run_part(&p->call, part, p->parts);
}

/* Returns the GFLOP/s of a large matrix product with the same threads. */
static double sgemm_rate(const bench *b) {
    enum { SIZE = 1536, RUNS = 5 };
    float *block = calloc(3 * (size_t)SIZE * SIZE, sizeof *block);
    product p = {
        {.m = SIZE, .n = SIZE, .k = SIZE, .a_stride = SIZE, .b_stride = SIZE, .c_stride = SIZE},
        (size_t)b->threads};
    double best = 1e30;
    if (!block)
        return 0;
    p.call.a = block;
    p.call.b = block + (size_t)SIZE * SIZE;
    p.call.c = block + 2 * (size_t)SIZE * SIZE;

    dd_computation_begin();
    for (int i = 0; i < RUNS; i++) {
        double start = now();
        dd_pool_run(dd_context_pool(b->context), false,
                    &(dd_work){.parts = p.parts, .function = run_product, .argument = &p});
        double taken = now() - start;
        best = taken < best ? taken : best;
    }
    dd_computation_end();

    free(block);
    return 2e-9 * SIZE * SIZE * SIZE / best;
}

/* --- The measurement. --- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Times calls of one size, and prints a line. */
static void measure(bench *b) {
    static double times[MOST_RUNS];
    int runs = 0;
    long before = peak_kilobytes();
    for (int i = 0; i < WARM_UPS; i++)
        call(b);

    for (double start = now();
         runs < LEAST_RUNS || (now() - start < b->seconds && runs < MOST_RUNS); runs++) {
        double from = now();
        call(b);
        times[runs] = now() - from;
    }
    long peak = peak_kilobytes();

    qsort(times, (size_t)runs, sizeof *times, ascending);
    double median = runs % 2 ? times[runs / 2] : (times[runs / 2 - 1] + times[runs / 2]) / 2;
    if (b->brief) {
        printf("%.6g\n", median);
        return;
    }

    double rate = 2e-9 * multiply_adds(b) / median, best = sgemm_rate(b),
           most = peak_rate(b->context, (size_t)b->threads);
    const char *format =
        b->json ? "{\"case\": \"%s\", \"side\": \"libddaebm %s\", \"threads\": %d, \"n\": %zu, "
                  "\"median_s\": %.6g, \"min_s\": %.6g, "
                  "\"per_s\": %.6g, \"runs\": %d, \"peak_bytes\": %ld, \"gflops\": %.4g, "
                  "\"sgemm_gflops\": %.4g, "
                  "\"sgemm_share\": %.3g, \"instructions\": \"%s\", \"peak_gflops\": %.4g, "
                  "\"peak_share\": %.3g}\n"
                : "%s, libddaebm %s, %d threads, %zu rows: median %.6g s, best %.6g s, %.6g rows/s "
                  "over %d calls; memory grew by "
                  "%ld bytes; %.4g GFLOP/s; a large sgemm reaches %.4g here: share %.3g; "
                  "multiply-adds of %s alone %.4g: share %.3g\n";
    printf(format, b->name, ddaebm_version_text(), b->threads, b->count, median, times[0],
           (double)b->count / median, runs, (peak - before) * 1024, rate, best, rate / best,
           dd_instructions_choose()->name, most, rate / most);
}

/* --- A curve: the time a row takes in calls of many sizes. --- */

/* Returns the best time of calls made for some seconds, in microseconds a row. */
static double best_of(bench *b, const char *what, size_t rows, double seconds) {
    double best = 1e30;
    int runs = 0;
    b->count = rows;
    (void)snprintf(b->what, sizeof b->what, "%s", what);
    call(b); /* warms up */
    for (double start = now(); runs < LEAST_RUNS || (now() - start < seconds && runs < MOST_RUNS);
         runs++) {
        double from = now();
        call(b);
        double taken = now() - from;
        best = taken < best ? taken : best;
    }
    return 1e6 * best / (double)rows;
}

/* Prints the curve, at the sizes of chunks and beside them. */
static void draw_curve(bench *b) {
    static const size_t sizes[] = {1,   2,   3,   4,   5,    6,    7,    8,    9,    10,   12,
                                   15,  16,  17,  31,  32,   33,   50,   64,   99,   100,  101,
                                   128, 150, 199, 200, 201,  300,  399,  400,  401,  450,  500,
                                   600, 799, 800, 801, 1000, 1200, 1500, 2000, 3000, 5000, 10000};
    size_t most = b->count, points = 0;

    while (points < sizeof sizes / sizeof *sizes && sizes[points] <= most)
        points++;

    for (size_t i = 0; i < points; i++) {
        double sample = best_of(b, "sample", sizes[i], b->seconds / (2 * (double)points));
        double score = best_of(b, "score", sizes[i], b->seconds / (2 * (double)points));
        printf(b->json ? "{\"case\": \"%s\", \"side\": \"libddaebm %s\", \"threads\": %d, \"n\": "
                         "%zu, \"sample_us\": %.6g, \"score_us\": "
                         "%.6g}\n"
                       : "%s, libddaebm %s, %d threads, %5zu rows: %9.3f us a row drawn, %9.3f us "
                         "a row scored\n",
               b->name, ddaebm_version_text(), b->threads, sizes[i], sample, score);
    }
}

int main(int count, char **arguments) {
    bench b = {.seconds = 10};
    const char *name = NULL;
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], "--json") == 0)
            b.json = true;
        else if (strcmp(arguments[i], "--brief") == 0)
            b.brief = true;
        else if (strcmp(arguments[i], "--threads") == 0 && i + 1 < count)
            b.threads = atoi(arguments[++i]);
        else if (strcmp(arguments[i], "--seconds") == 0 && i + 1 < count)
            b.seconds = atof(arguments[++i]);
        else
            name = arguments[i];

    if (!name || name[0] == '-') {
        fprintf(stderr,
                "usage: ddaebm-bench CASE [--threads N] [--seconds S] [--json | --brief]\n");
        return 2;
    }
    if (strcmp(name, "busy") == 0)
        return busy_run(b.json);

    parse_case(&b, name);
    prepare(&b);
    if (strcmp(b.what, "curve") == 0)
        draw_curve(&b);
    else
        measure(&b);

    ddaebm_scorer_free(b.scorer);
    ddaebm_sampler_free(b.sampler);
    ddaebm_trainer_free(b.trainer);
    ddaebm_dataset_free(b.dataset);
    ddaebm_model_free(b.model);
    ddaebm_config_free(b.config);
    ddaebm_context_free(b.context);
    free(b.rows);
    free(b.scores);
    return 0;
}
