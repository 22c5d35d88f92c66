/* ddaebm evaluate. */
#include "commands.h"
#include "console.h"
#include "image_quality.h"
#include "inputs.h"
#include "outputs.h"
#include "quality.h"
#include "rowfile.h"
#include "signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The log-density of held-out data. ---- */

/* Mean and sum of squared distances from it, row by row (Welford, 1962). */
typedef struct moments {
    uint64_t count;
    double mean, squares;
} moments;

static void add(moments *m, double value) {
    double from_mean = value - m->mean;
    m->count++;
    m->mean += from_mean / (double)m->count;
    m->squares += from_mean * (value - m->mean);
}

static double standard_error(const moments *m) {
    if (m->count < 2)
        return NAN;
    return sqrt(m->squares / (double)(m->count - 1) / (double)m->count);
}

/* Scores of `count` rows, a block at a time. */
static int measure(moments *out, ddaebm_scorer *scorer, const ddaebm_dataset *dataset,
                   uint64_t count, const char *data) {
    size_t width = ddaebm_dataset_width(dataset),
           at_once = rows_at_once(width, ddaebm_scorer_block(scorer));
    double *rows = NULL;
    float *scores = NULL;
    int code = 0;

    if (count < at_once)
        at_once = (size_t)count;
    TRY(make_doubles(&rows, at_once, width));
    TRY(make_room(&scores, at_once, 1));

    for (uint64_t first = 0; first < count; first += at_once) {
        size_t here = count - first < at_once ? (size_t)(count - first) : at_once;
        TRY(checked(ddaebm_dataset_read_double(dataset, first, here, rows)));
        TRY(checked_or_stopped(
            ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, here, 0, scores), data));
        for (size_t i = 0; i < here; i++)
            add(out, (double)scores[i]);
    }

cleanup:
    free(rows);
    free(scores);
    return code;
}

/* A number as JSON, which has none for what is not finite. */
static void print_json(const char *name, double value) {
    if (isfinite(value))
        printf(", \"%s\": %.9g", name, value);
    else
        printf(", \"%s\": null", name);
}

/* The mean log-density with a 95% interval; with the normaliser's own error it is a little wider.
 */
static void print_likelihood(const moments *found, const ddaebm_normaliser *known, bool json) {
    double error = hypot(standard_error(found), known->standard_error);
    double low = found->mean - 1.96 * error, high = found->mean + 1.96 * error;
    if (json) {
        printf("\"rows\": %" PRIu64 ", \"log_likelihood\": %.9g", found->count, found->mean);
        print_json("standard_error", error);
        if (isfinite(error))
            printf(", \"interval\": [%.9g, %.9g]", low, high);
        else
            printf(", \"interval\": null");
        printf(", \"log_z\": %.9g, \"log_z_standard_error\": %.9g", known->log_z,
               known->standard_error);
        return;
    }

    printf("log-likelihood %.4f nats a row, ", found->mean);
    if (isfinite(error))
        printf("95%% interval %.4f to %.4f, %" PRIu64 " rows\n", low, high, found->count);
    else
        printf("%" PRIu64 " row, of which there is no interval\n", found->count);
    printf("normaliser: log Z %.4f, standard error %.4f\n", known->log_z, known->standard_error);
}

/* ---- The quality of samples. ---- */

/* Options and handles of the command. */
typedef struct work {
    const char *model_path, *data, *samples_path;
    number count, seed;
    data_options how;
    bool quality, json;
    ddaebm_context *context;
    ddaebm_model *model;
    ddaebm_dataset *dataset;
    ddaebm_scorer *scorer; /* NULL for a model without an energy */
} work;

/* Room for samples, data and other data, and their scores. */
typedef struct quality_rows {
    double *rows;  /* [3, count, width] */
    float *scores; /* [2, count]: of samples and data */
    compared_rows compared;
} quality_rows;

/* Refuses samples whose columns have other names than the data's. */
static int check_names(const work *w, const ddaebm_dataset *samples) {
    for (size_t j = 0; j < ddaebm_dataset_width(samples); j++) {
        const char *ours = ddaebm_dataset_column_name(samples, j),
                   *theirs = ddaebm_dataset_column_name(w->dataset, j);
        if (ours && theirs && strcmp(ours, theirs) != 0)
            return fail("column %zu of %.200s is '%.60s', that of %.200s '%.60s'; the columns must "
                        "have the same order",
                        j + 1, w->samples_path, ours, w->data, theirs);
    }
    return 0;
}

/* Reads samples from a file, of which there may be fewer than `count`. */
static int read_samples(const work *w, double *into, size_t *count) {
    ddaebm_dataset *samples = NULL;
    size_t width = ddaebm_dataset_width(w->dataset);
    int code = 0;
    TRY(open_data(&samples, w->context, w->samples_path, w->seed.value, &w->how));
    if (ddaebm_dataset_width(samples) != width) {
        code = fail("%.250s has rows of %zu numbers, %.250s of %zu", w->samples_path,
                    ddaebm_dataset_width(samples), w->data, width);
        goto cleanup;
    }
    TRY(check_names(w, samples));
    *count = (size_t)count_rows(samples, *count);
    TRY(checked(ddaebm_dataset_read_double(samples, 0, *count, into)));
cleanup:
    ddaebm_dataset_free(samples);
    return code;
}

static int draw_samples(const work *w, double *into, size_t count) {
    ddaebm_sampler *sampler = NULL;
    int code = 0;
    TRY(checked(ddaebm_sampler_create(&sampler, w->model)));
    TRY(checked(ddaebm_sampler_set_progress(sampler, cancel_on_signal, NULL)));
    TRY(checked_or_stopped(ddaebm_sampler_draw_double(sampler, w->seed.value, 0, count, into),
                           w->data));
cleanup:
    ddaebm_sampler_free(sampler);
    return code;
}

/* Reads data and samples: of a finite set, the first and the second half of at most 2 `count`
 * rows. */
static int collect(quality_rows *q, const work *w) {
    enum { LEAST = 100 };
    uint64_t all = ddaebm_dataset_rows(w->dataset), asked = w->count.given ? w->count.value : 10000;
    size_t width = ddaebm_dataset_width(w->dataset),
           count = (size_t)(all > 0 && all / 2 < asked ? all / 2 : asked);
    int code = 0;
    TRY(make_doubles(&q->rows, count + 1, 3 * width));
    if (w->samples_path)
        TRY(read_samples(w, q->rows, &count));
    else
        TRY(draw_samples(w, q->rows, count));
    if (count < LEAST) {
        code = fail("there are %zu samples for as many rows, and as many other rows; the least "
                    "that can be compared is %d",
                    count, (int)LEAST);
        goto cleanup;
    }

    double *data = q->rows + count * width;
    TRY(checked(ddaebm_dataset_read_double(w->dataset, 0, 2 * count, data)));
    q->compared = (compared_rows){q->rows, data, data + count * width, count, width};
cleanup:
    return code;
}

static int score_rows(const work *w, quality_rows *q) {
    size_t count = q->compared.count;
    int code = 0;
    TRY(make_room(&q->scores, count, 2));
    TRY(checked_or_stopped(ddaebm_scorer_score_double(w->scorer, DDAEBM_SCORE_ENERGY,
                                                      q->compared.samples, count, 0, q->scores),
                           w->data));
    TRY(checked_or_stopped(ddaebm_scorer_score_double(w->scorer, DDAEBM_SCORE_ENERGY,
                                                      q->compared.data, count, 0,
                                                      q->scores + count),
                           w->data));
cleanup:
    return code;
}

static void print_times(double found, double floor) {
    if (floor > 0)
        printf("%.5f, %.3f times the %.5f", found, found / floor, floor);
    else
        printf("%.5f, where there is none", found);
}

static void print_distances(const distances *found, size_t count, bool json) {
    if (json) {
        printf("\"samples\": %zu, \"sw1\": %.9g, \"sw1_floor\": %.9g", count, found->samples,
               found->floor);
        print_json("sw1_floors", found->samples / found->floor);
    } else {
        printf("sliced Wasserstein-1: ");
        print_times(found->samples, found->floor);
        printf(" between two sets of %zu rows\n", count);
    }
}

static void print_modes(const mode_shares *found, bool json) {
    if (json) {
        printf(", \"modes\": %zu, \"near_modes\": %.9g", found->modes, found->near);
        print_json("mode_spread", found->spread);
    } else {
        printf("modes: %zu of 25; %.4f of the samples within 3 standard deviations of one, spread "
               "%.3f times the mode's\n",
               found->modes, found->near, found->spread);
    }
}

/* Compares images in the features of a classifier, and prints the result. */
static int print_images(const quality_rows *q, image_shape shape, bool json) {
    image_measures found;
    int code = measure_images(&found, &q->compared, shape);
    if (code != 0)
        return code;
    if (json) {
        printf(", \"frechet\": %.9g, \"frechet_floor\": %.9g, \"precision\": %.9g, "
               "\"recall\": %.9g",
               found.frechet, found.frechet_floor, found.precision, found.recall);
    } else {
        printf("Frechet distance: ");
        print_times(found.frechet, found.frechet_floor);
        printf(" between two sets of data\nprecision %.4f, recall %.4f\n", found.precision,
               found.recall);
    }
    return 0;
}

/* Compares the scores of samples and data, and prints the result. */
static int print_scores(const work *w, quality_rows *q) {
    low_scores low;
    int code = 0;
    TRY(score_rows(w, q));
    TRY(measure_low_scores(&low, q->scores, q->scores + q->compared.count, q->compared.count));
    if (w->json)
        printf(", \"below_1\": %.9g, \"below_5\": %.9g", low.below_1, low.below_5);
    else
        printf("low scores: %.4f of the samples below the data's 1%% quantile, %.4f below the 5%% "
               "quantile\n",
               low.below_1, low.below_5);
cleanup:
    return code;
}

/* Compares the density with many rows of the data, and prints the result. */
static int print_variation(const work *w, size_t samples) {
    enum { MOST_ROWS = 1 << 19, TIMES_THE_SAMPLES = 50 };
    variation found;
    double *rows = NULL;
    size_t count = 0;
    int code = 0;
    TRY(read_rows(&rows, &count, w->dataset,
                  samples < MOST_ROWS / TIMES_THE_SAMPLES ? samples * TIMES_THE_SAMPLES
                                                          : MOST_ROWS));
    TRY(measure_variation(&found, w->model, rows, count));
    if (w->json)
        printf(", \"tv\": %.9g, \"tv_floor\": %.9g, \"tv_cells\": %zu", found.found, found.floor,
               found.side);
    else
        printf("total variation of the density: %.4f on %zu x %zu cells; %.4f for an exact one\n",
               found.found, found.side, found.side, found.floor);
cleanup:
    free(rows);
    return code;
}

static int print_quality(const work *w) {
    quality_rows q = {.rows = NULL};
    distances apart;
    int code = 0;
    TRY(collect(&q, w));
    TRY(measure_distances(&apart, &q.compared));
    print_distances(&apart, q.compared.count, w->json);
    if (strcmp(w->data, "25gaussians") == 0) {
        const mode_shares shares = measure_modes(&q.compared);
        print_modes(&shares, w->json);
    }
    image_shape shape = shape_of_data(w->dataset);
    if (shape.height > 0)
        TRY(print_images(&q, shape, w->json));
    if (w->scorer)
        TRY(print_scores(w, &q));
    if (w->scorer && q.compared.width == 2)
        TRY(print_variation(w, q.compared.count));
cleanup:
    free(q.rows);
    free(q.scores);
    return code;
}

/* ---- The command. ---- */

/* Opens what the command line names. */
static int open_all(work *w) {
    int code = 0;
    if (!w->model_path)
        return open_data(&w->dataset, w->context, w->data, w->seed.value, &w->how);
    TRY(checked(ddaebm_model_load(&w->model, w->context, w->model_path)));
    TRY(open_data_for(&w->dataset, w->context, w->model, w->data, w->seed.value, &w->how));
    ddaebm_status status = ddaebm_scorer_create(&w->scorer, w->model);
    if (status != DDAEBM_STATE) /* which says that the model has no energy */
        TRY(checked(status));
    if (w->scorer)
        TRY(checked(ddaebm_scorer_set_progress(w->scorer, cancel_on_signal, NULL)));
cleanup:
    return code;
}

/* Measures and prints all that is asked for and can be had. */
static int print_all(const work *w) {
    ddaebm_normaliser known = DDAEBM_NORMALISER_INIT;
    moments found = {0, 0, 0};
    int code = 0;
    bool normalised = w->model && ddaebm_model_normaliser(w->model, &known) == DDAEBM_OK;
    if (!normalised && !w->quality)
        return fail("%.250s is not normalised: its scores are log-densities up to a constant; run "
                    "ddaebm normalise first, or ask for --quality",
                    w->model_path);

    if (normalised)
        TRY(measure(&found, w->scorer, w->dataset, asked_rows(w->dataset, w->count), w->data));
    if (w->json)
        putchar('{');
    if (normalised)
        print_likelihood(&found, &known, w->json);
    if (w->quality && normalised && w->json)
        printf(", ");
    if (w->quality)
        TRY(print_quality(w));
    if (w->json)
        puts("}");
    TRY(finish_output());
cleanup:
    return code;
}

int command_evaluate(const command *self, int argc, char **argv) {
    work w = {.how = {.header = 0}};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        TEXT("model", "FILE", &w.model_path,
             "a model; that ddaebm normalise wrote, for log-densities"),
        REQUIRED("data", "NAME|PATH", &w.data, "held-out data: a named set, or a file or folder"),
        DATA_ROWS(&w.how),
        FLAG("quality", &w.quality, "measure samples of the model against the data"),
        TEXT("sampled", "FILE", &w.samples_path, "measure these samples, with or without a model"),
        NUMBER("count", &w.count, 2, UINT64_C(1) << 40,
               "the first N rows, and N samples; left out: all rows of a file, 10000 of a named "
               "set, and at most 10000 samples"),
        SEED_ROW(&w.seed, "of a named set, and of samples"),
        COMPUTE_ROWS(&compute),
        FLAG("json", &w.json, "print JSON"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    if (!w.model_path && !w.samples_path)
        return misuse(self->name, "evaluate needs --model, --sampled or both");

    w.quality = w.quality || w.samples_path;
    TRY(open_context(&w.context, &compute));
    TRY(open_all(&w));
    code = print_all(&w);
cleanup:
    ddaebm_scorer_free(w.scorer);
    ddaebm_dataset_free(w.dataset);
    ddaebm_model_free(w.model);
    ddaebm_context_free(w.context);
    return code;
}
