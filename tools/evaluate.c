/* ddaebm evaluate. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "rowfile.h"
#include "signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
    TRY(checked(ddaebm_scorer_set_progress(scorer, cancel_on_signal, NULL)));
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

/* The mean log-density with a 95% interval; with the normaliser's own error it is a little wider.
 */
static int print(const moments *found, const ddaebm_normaliser *known, bool json) {
    double error = hypot(standard_error(found), known->standard_error);
    double low = found->mean - 1.96 * error, high = found->mean + 1.96 * error;
    if (json)
        printf("{\"rows\": %" PRIu64 ", \"log_likelihood\": %.9g, \"standard_error\": %.9g, "
               "\"interval\": [%.9g, %.9g], \"log_z\": %.9g, \"log_z_standard_error\": %.9g}\n",
               found->count, found->mean, error, low, high, known->log_z, known->standard_error);
    else
        printf("log-likelihood %.4f nats a row, 95%% interval %.4f to %.4f, %" PRIu64 " rows\n"
               "normaliser: log Z %.4f, standard error %.4f\n",
               found->mean, low, high, found->count, known->log_z, known->standard_error);
    return finish_output();
}

int command_evaluate(const command *self, int argc, char **argv) {
    const char *path = NULL, *data = NULL;
    number count = {0, false}, seed = {0, false};
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    bool json = false;
    const option_row options[] = {
        REQUIRED("model", "FILE", &path, "a model that ddaebm normalise wrote"),
        REQUIRED("data", "NAME|PATH", &data, "held-out data: a named set, or a file or folder"),
        DATA_ROWS(&how),
        NUMBER("count", &count, 2, UINT64_C(1) << 40,
               "the first N rows; left out: all of a file, 10000 of a named set"),
        SEED_ROW(&seed, "of a named set"),
        COMPUTE_ROWS(&compute),
        FLAG("json", &json, "print JSON"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    ddaebm_normaliser known = DDAEBM_NORMALISER_INIT;
    moments found = {0, 0, 0};
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    if (ddaebm_model_normaliser(model, &known) != DDAEBM_OK) {
        code = fail("%.250s is not normalised: its scores are log-densities up to a constant; run "
                    "ddaebm normalise first",
                    path);
        goto cleanup;
    }
    TRY(open_data_for(&dataset, context, model, data, seed.value, &how));
    TRY(checked(ddaebm_scorer_create(&scorer, model)));
    TRY(measure(&found, scorer, dataset, asked_rows(dataset, count), data));
    code = print(&found, &known, json);
cleanup:
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
