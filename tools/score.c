/* ddaebm score: scores rows. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"
#include "reasons.h"
#include "rowfile.h"
#include "series.h"
#include "signals.h"

#include <stdlib.h>
#include <string.h>

/* A run of the command: which score, of which rows. */
typedef struct question {
    ddaebm_score score;
    size_t timestep;
    const ddaebm_dataset *dataset;
    ddaebm_scorer *scorer;
    double *rows; /* the block that is scored */
    const char *path;
    const command *command;
} question;

/* A row_source: the scores of the rows of the data. */
static int score_rows(void *user, uint64_t first, size_t count, void *scores) {
    const question *asked = user;
    int code = checked(ddaebm_dataset_read_double(asked->dataset, first, count, asked->rows));
    if (code != 0)
        return code;
    return checked_or_stopped(ddaebm_scorer_score_double(asked->scorer, asked->score, asked->rows,
                                                         count, asked->timestep, scores),
                              asked->path);
}

/* Returns the name of the column of scores where the columns of the data have names, so that CSV
 * has a first line of names if and only if the data has one. */
static const char *score_name(const void *user, size_t index) {
    const question *asked = user;
    (void)index;
    for (size_t j = 0; j < ddaebm_dataset_width(asked->dataset); j++)
        if (ddaebm_dataset_column_name(asked->dataset, j))
            return ddaebm_score_name(asked->score);
    return NULL;
}

/* Scores the rows block by block into the output. */
static int write_scores(question *asked, ddaebm_context *context, output to, uint64_t count) {
    size_t width = ddaebm_dataset_width(asked->dataset),
           at_once = rows_at_once(width, ddaebm_scorer_block(asked->scorer));
    const row_file file = {
        .to = to, .count = count, .width = 1, .name = score_name, .owner = asked};
    int code = 0;
    TRY(checked(ddaebm_scorer_set_progress(asked->scorer, cancel_on_signal, NULL)));
    TRY(make_doubles(&asked->rows, count < 2 * (uint64_t)at_once ? count : 2 * (uint64_t)at_once,
                     width));
    TRY(write_row_file(context, &file, at_once, score_rows, asked));
cleanup:
    free(asked->rows);
    return code;
}

/* Scores the rows block by block as a file of scores has them. */
static int make_scores(float **out, question *asked, uint64_t count) {
    const size_t width = ddaebm_dataset_width(asked->dataset);
    const uint64_t at_once = rows_at_once(width, ddaebm_scorer_block(asked->scorer));
    float *scores = NULL;
    int code = 0;
    TRY(make_room(&scores, count, 1));
    TRY(make_doubles(&asked->rows, count < 2 * at_once ? count : 2 * at_once, width));
    for (uint64_t done = 0, here; done < count; done += here) {
        here = count - done < 2 * at_once ? count - done : at_once;
        TRY(score_rows(asked, done, (size_t)here, scores + done));
        TRY(check_signals(asked->path));
    }
    *out = scores;
    scores = NULL;
cleanup:
    free(scores);
    free(asked->rows);
    asked->rows = NULL;
    return code;
}

/* Scores all rows, then writes those that are asked for with their numbers and reasons. */
static int write_reasons(question *asked, ddaebm_context *context, output to, uint64_t count,
                         uint64_t lowest, size_t reasons) {
    float *scores = NULL;
    int code = 0;
    catch_signals();
    TRY(checked(ddaebm_scorer_set_progress(asked->scorer, cancel_on_signal, NULL)));
    TRY(make_scores(&scores, asked, count));
    TRY(write_explained(context, &(explanation){.scorer = asked->scorer,
                                                .dataset = asked->dataset,
                                                .scores = scores,
                                                .count = count,
                                                .lowest = lowest,
                                                .reasons = reasons,
                                                .timestep = asked->timestep,
                                                .to = to,
                                                .command = asked->command->name}));
cleanup:
    free(scores);
    return code;
}

/* ---- Windows of a series. ---- */

/* Adds the score of each window to all its samples. */
static int spread_scores(series *signal, const float *scores, uint64_t windows) {
    double *row = NULL;
    int code = make_doubles(&row, signal->shape.window, 1);
    for (uint64_t i = 0; i < windows && code == 0; i++) {
        for (size_t k = 0; k < signal->shape.window; k++)
            row[k] = (double)scores[i];
        code = series_add(signal, i, 1, row);
    }
    free(row);
    return code;
}

/* Writes a score for each sample of the series that the rows are windows of. */
static int write_sample_scores(question *asked, ddaebm_context *context, output to) {
    const uint64_t windows = ddaebm_dataset_rows(asked->dataset);
    series signal = {.samples = NULL};
    float *scores = NULL;
    int code = 0;
    catch_signals();
    TRY(checked(ddaebm_scorer_set_progress(asked->scorer, cancel_on_signal, NULL)));
    TRY(series_open(&signal, asked->dataset, 1));
    TRY(make_scores(&scores, asked, windows));
    TRY(spread_scores(&signal, scores, windows));
    code = series_write(&signal, context, to, false);
cleanup:
    free(scores);
    series_close(&signal);
    return code;
}

int command_score(const command *self, int argc, char **argv) {
    const char *path = NULL, *data = NULL, *name = "energy";
    number timestep = {0, false}, count = {0, false}, seed = {0, false}, explain = {0, false},
           lowest = {0, false};
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    output_options output_asked = {NULL, FORMAT_AUTO};
    const option_row options[] = {
        REQUIRED("model", "FILE", &path, "the model, or a checkpoint"),
        REQUIRED("data", "NAME|PATH", &data, "a named set, or a file or folder of data"),
        DATA_ROWS(&how),
        WINDOW_ROWS(&how),
        TEXT("score", "NAME", &name,
             "energy, gradient, reconstruction or typicality; left out: energy, f(x, timestep) / "
             "temperature"),
        NUMBER("timestep", &timestep, 0, 999999,
               "the timestep t of the energy, from 0, the data, to T-1; left out: 0"),
        NUMBER("count", &count, 1, UINT64_C(1) << 40,
               "score the first N rows; left out: all of a file, 10000 of a named set"),
        NUMBER("lowest", &lowest, 1, UINT64_C(1) << 40,
               "write the N rows of the lowest scores, lowest first, with their numbers from 1"),
        NUMBER("explain", &explain, 1, 1 << 20,
               "name for each row the N columns that lower its energy most: the value, the one "
               "expected and what the score would gain by it"),
        SEED_ROW(&seed, "of a named set"),
        COMPUTE_ROWS(&compute),
        OUTPUT_ROWS(&output_asked, "FILE.npy, .csv or .csv.gz, one float32 a row, or a line of "
                                   "float64 with --lowest and --explain; - for standard output"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    size_t kind = 0;
    while (ddaebm_score_name(kind) && strcmp(ddaebm_score_name(kind), name) != 0)
        kind++;
    if (!ddaebm_score_name(kind))
        return misuse(self->name,
                      "--score is %.60s; allowed: energy, gradient, reconstruction or typicality",
                      name);

    if (how.window.given && (count.given || lowest.given || explain.given))
        return misuse(self->name, "--window scores every sample; leave out --count, --lowest and "
                                  "--explain");
    if (explain.given && kind != DDAEBM_SCORE_ENERGY)
        return misuse(self->name, "--explain explains the energy; leave out --score %.60s", name);

    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    output to = {NULL, FORMAT_AUTO};
    TRY(find_output(&to, &output_asked, 0, self));
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    if (timestep.value >= ddaebm_model_timesteps(model)) {
        code = misuse(self->name, "--timestep is %llu; allowed for this model: 0 to %zu",
                      (unsigned long long)timestep.value, ddaebm_model_timesteps(model) - 1);
        goto cleanup;
    }
    TRY(open_data_for(&dataset, context, model, data, seed.value, &how));

    TRY(checked(ddaebm_scorer_create(&scorer, model)));
    question asked = {
        (ddaebm_score)kind, (size_t)timestep.value, dataset, scorer, NULL, to.path, self};
    const uint64_t rows = asked_rows(dataset, count);
    if (how.window.given)
        TRY(write_sample_scores(&asked, context, to));
    else if (explain.given || lowest.given)
        TRY(write_reasons(&asked, context, to, rows, lowest.value, (size_t)explain.value));
    else
        TRY(write_scores(&asked, context, to, rows));
cleanup:
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
