/* ddaebm impute: trains on a table with missing values, or takes a model, and fills them in. */
#include "commands.h"
#include "console.h"
#include "image_options.h"
#include "inputs.h"
#include "outputs.h"
#include "progress.h"
#include "runconfig.h"
#include "signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Preset where the command line names none. */
#define PRESET "impute"

typedef struct impute_options {
    const char *data, *model, *model_out;
    data_options how;
    config_options config;
    number draws, seed;
    output_options output;
    compute_options compute;
    bool integers, quiet;
} impute_options;

/* A run of the command. */
typedef struct run {
    const impute_options *asked;
    ddaebm_context *context;
    ddaebm_dataset *dataset;
    ddaebm_model *model;
    output to;
    double *rows;   /* [count, width], NaN where a value is missing */
    double *filled; /* [draws, count, width], or [count, width] for the mean */
    size_t count, width;
    progress progress;
} run;

static size_t draws_of(const run *self) {
    return self->asked->draws.given ? (size_t)self->asked->draws.value : 1;
}

/* ---- Training. ---- */

static int after_step(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    run *self = user;
    (void)last;
    progress_step(&self->progress, statistics);
    return ending_signal() != 0;
}

/* Trains a model on the table. */
static int train(run *self, const command *called) {
    const impute_options *asked = self->asked;
    config_options config_of = asked->config;
    ddaebm_config *config = NULL;
    int64_t steps = 0;
    int code = 0;
    config_of.preset = config_of.preset ? config_of.preset : PRESET;
    TRY(config_build(&config, self->context, &config_of, called, self->dataset, asked->data));
    TRY(checked(ddaebm_config_integer(config, "training.steps", &steps)));
    progress_begin(&self->progress, 0, (uint64_t)steps, 0, asked->quiet);
    ddaebm_status status = ddaebm_train(&self->model, self->context, config, self->dataset,
                                        asked->seed.value, after_step, self);
    if (status == DDAEBM_OK)
        progress_end(&self->progress, (uint64_t)steps);
    TRY(checked_or_stopped(status, self->to.path));
    if (asked->model_out)
        TRY(checked(ddaebm_model_save(self->model, asked->model_out)));
cleanup:
    ddaebm_config_free(config);
    return code;
}

static int load(run *self) {
    const impute_options *asked = self->asked;
    int code = 0;
    TRY(checked(ddaebm_model_load(&self->model, self->context, asked->model)));
    TRY(check_data_for(self->dataset, self->model, asked->data));
cleanup:
    return code;
}

/* ---- Filling in. ---- */

static int watch_rows(void *user, uint64_t done, uint64_t total) {
    run *self = user;
    progress_count(&self->progress, done * 1000 / total);
    return cancel_on_signal(NULL, done, total);
}

/* Fills in all rows. */
static int fill(run *self) {
    const impute_options *asked = self->asked;
    ddaebm_fill_options options = DDAEBM_FILL_OPTIONS_INIT;
    ddaebm_restorer *restorer = NULL;
    bool draws = asked->draws.given;
    int code = 0;
    if (draws)
        options.draws = draws_of(self);
    options.seed = asked->seed.value;
    TRY(checked(ddaebm_restorer_create(&restorer, self->model)));
    TRY(checked(ddaebm_restorer_set_progress(restorer, watch_rows, self)));
    progress_begin(&self->progress, 0, 1000, 0, true);
    TRY(checked_or_stopped(ddaebm_restorer_fill(restorer, self->rows, self->count, &options,
                                                draws ? NULL : self->filled,
                                                draws ? self->filled : NULL),
                           self->to.path));
cleanup:
    ddaebm_restorer_free(restorer);
    return code;
}

/* Returns whether all known values of a column are whole. */
static bool is_whole(const run *self, size_t column) {
    for (size_t i = 0; i < self->count; i++) {
        double value = self->rows[i * self->width + column];
        if (!isnan(value) && value != floor(value))
            return false;
    }
    return true;
}

/* Rounds what was filled in, in columns of whole numbers. */
static void round_integers(const run *self) {
    size_t numbers = self->count * self->width;
    for (size_t j = 0; j < self->width; j++)
        for (size_t at = j; is_whole(self, j) && at < draws_of(self) * numbers; at += self->width)
            if (isnan(self->rows[at % numbers]))
                self->filled[at] = nearbyint(self->filled[at]);
}

/* ---- Writing. ---- */

/* Writes the rows under the names of their columns: of several draws NPY has an axis, and CSV the
 * rows of one after those of another. */
static int write_rows(const run *self) {
    const size_t draws = draws_of(self);
    const bool stacked = self->asked->draws.given && self->to.format == FORMAT_NPY;
    const size_t shape[] = {draws, self->count, self->width},
                 flat[] = {draws * self->count, self->width};
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    ddaebm_row_writer *rows = NULL;
    const char **names = malloc(self->width * sizeof *names);
    int code = 0;
    if (!names)
        return fail("no memory for the names of %zu columns", self->width);
    for (size_t j = 0; j < self->width; j++)
        names[j] = ddaebm_dataset_column_name(self->dataset, j);

    writer.path = self->to.path;
    options.format = self->to.format == FORMAT_NPY   ? DDAEBM_ROWS_NPY
                     : self->to.format == FORMAT_CSV ? DDAEBM_ROWS_CSV
                                                     : DDAEBM_ROWS_CSV_GZIP;
    options.wide = true;
    options.names = names;
    TRY(checked(ddaebm_row_writer_create(&rows, self->context, &writer, &options, stacked ? 3 : 2,
                                         stacked ? shape : flat)));
    TRY(checked(ddaebm_row_writer_append_double(rows, self->filled, stacked ? draws : flat[0])));
    TRY(check_signals(self->to.path));
    TRY(checked(ddaebm_row_writer_finish(rows)));
cleanup:
    ddaebm_row_writer_free(rows);
    free(names);
    return code;
}

/* ---- The whole. ---- */

static int open_table(run *self) {
    const impute_options *asked = self->asked;
    data_options how = asked->how;
    size_t count = 0;
    int code = 0;
    how.missing = how.missing ? how.missing : "allow";
    if (is_named_set(asked->data))
        return fail("%s is a named set, in which nothing is missing; give a file (./%s is a file "
                    "of that name)",
                    asked->data, asked->data);
    TRY(open_data(&self->dataset, self->context, asked->data, 0, &how));
    if (shape_of_data(self->dataset).height > 0)
        return fail("%.250s holds images; impute is for tables", asked->data);
    TRY(read_rows(&self->rows, &count, self->dataset, UINT64_MAX));
    self->count = count;
    self->width = ddaebm_dataset_width(self->dataset);
    TRY(make_doubles(&self->filled, (uint64_t)draws_of(self) * count, self->width));
cleanup:
    return code;
}

/* Copies a table in which nothing is missing. */
static void copy_rows(const run *self) {
    size_t numbers = self->count * self->width;
    for (size_t i = 0; i < draws_of(self) * numbers; i++)
        self->filled[i] = self->rows[i % numbers];
}

static int impute(run *self, const command *called) {
    const impute_options *asked = self->asked;
    int code = 0;
    TRY(find_output(&self->to, &asked->output, false, called));
    if (asked->model_out)
        TRY(check_output(asked->model_out));
    TRY(open_context(&self->context, &asked->compute));
    if (asked->quiet)
        TRY(hear_warnings_alone(self->context));
    TRY(open_table(self));
    catch_signals();

    const uint64_t missing = ddaebm_dataset_missing(self->dataset);
    if (asked->model)
        TRY(load(self));
    else if (missing > 0 || asked->model_out)
        TRY(train(self, called));
    if (missing > 0)
        TRY(fill(self));
    else
        copy_rows(self);
    if (missing == 0 && !asked->quiet)
        complain("note: no value of %.250s is missing", asked->data);
    if (asked->integers)
        round_integers(self);
    code = write_rows(self);
cleanup:
    return code;
}

int command_impute(const command *self, int argc, char **argv) {
    enum { MOST_DRAWS = 10000 };
    static impute_options asked; /* too large for the stack */
    const option_row options[] = {
        REQUIRED("data", "PATH", &asked.data, "the table, CSV or NPY"),
        TABLE_ROWS(&asked.how),
        MISSING_ROW(&asked.how, "; left out: allow"),
        TEXT("model", "FILE", &asked.model,
             "fill in by this model, or checkpoint; left out: train one on the table"),
        CONFIG_ROWS(&asked.config, PRESET),
        TEXT("model-out", "MODEL.safetensors", &asked.model_out, "the model that was trained"),
        NUMBER("draws", &asked.draws, 1, MOST_DRAWS,
               "write N draws of what is missing, one table after another (NPY: [N, rows, "
               "columns]); left out: one table with its mean"),
        SEED_ROW(&asked.seed, "of training and draws"),
        FLAG("integers", &asked.integers,
             "round what is filled into columns whose known values are whole"),
        COMPUTE_ROWS(&asked.compute),
        OUTPUT_ROWS(&asked.output,
                    "FILE.npy, .csv or .csv.gz, the whole table; - for standard output"),
        FLAG("quiet", &asked.quiet, "print warnings and errors alone, no progress and no notes"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    if (asked.model && (config_given(&asked.config) || asked.model_out))
        return misuse(self->name, "--model fills in by a model that is there; --preset, --config, "
                                  "--set and --model-out are for training one");

    run now = {.asked = &asked};
    code = impute(&now, self);
    free(now.rows);
    free(now.filled);
    ddaebm_model_free(now.model);
    ddaebm_dataset_free(now.dataset);
    ddaebm_context_free(now.context);
    return code;
}
