/* ddaebm plot: data, samples and learned density, side by side; or the runs of a table. */
#include "ascending.h"
#include "canvas.h"
#include "commands.h"
#include "console.h"
#include "dots.h"
#include "grid.h"
#include "inputs.h"
#include "outputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels: three panels of a side, between margins that hold title and numbers. */
enum { SIDE = 444, LEFT = 62, TOP = 46, GAP = 40, RIGHT = 22, BOTTOM = 48 };
enum { WIDTH = LEFT + 3 * SIDE + 2 * GAP + RIGHT, HEIGHT = TOP + SIDE + BOTTOM };
enum { POINTS = 20000 };

/* Chooses a square range that holds 99% of the numbers of each column, with a margin. */
static int choose_range(interval *range, const double *rows, size_t count) {
    double *column = NULL;
    double low[2], high[2];
    int code = make_doubles(&column, count, 1);
    if (code != 0)
        return code;

    for (size_t axis = 0; axis < 2; axis++) {
        for (size_t i = 0; i < count; i++)
            column[i] = rows[2 * i + axis];
        sort_ascending(column, count);
        low[axis] = column[count / 200];
        high[axis] = column[count - 1 - count / 200];
    }
    free(column);

    double least = fmin(low[0], low[1]), most = fmax(high[0], high[1]);
    double margin = most > least ? 0.12 * (most - least) : fmax(fabs(most), 1);
    *range = (interval){least - margin, most + margin, true};
    return 0;
}

static square panel_at(size_t index) {
    return (square){LEFT + index * (SIDE + GAP), TOP, SIDE};
}

static int draw_samples(canvas *drawn, const ddaebm_model *model, interval range, uint64_t seed,
                        size_t count) {
    ddaebm_sampler *sampler = NULL;
    double *samples = NULL;
    int code = 0;
    TRY(make_doubles(&samples, count, 2));
    TRY(checked(ddaebm_sampler_create(&sampler, model)));
    TRY(checked(ddaebm_sampler_draw_double(sampler, seed, 0, count, samples)));
    TRY(canvas_points(drawn, panel_at(1), range, samples, count));
cleanup:
    ddaebm_sampler_free(sampler);
    free(samples);
    return code;
}

static int draw_density(canvas *drawn, const ddaebm_model *model, interval range) {
    float *scores = NULL;
    int code = score_grid(&scores, model, range, SIDE);
    if (code == 0)
        code = canvas_density(drawn, panel_at(2), scores);
    free(scores);
    return code;
}

static void draw_frames(canvas *drawn, interval range, const char *data) {
    char first[40];
    const char *name = strrchr(data, '/') ? strrchr(data, '/') + 1 : data;
    (void)snprintf(first, sizeof first, strlen(name) < 28 ? "data: %s" : "data", name);
    const char *const titles[] = {first, "samples", "learned density"};
    for (size_t i = 0; i < 3; i++)
        canvas_frame(drawn, panel_at(i), range, titles[i], i == 0);
}

/* Options of the three panels. */
typedef struct panels {
    const char *path, *data;
    number count, seed;
    data_options how;
    interval range;
} panels;

static int draw_panels(const panels *asked, ddaebm_context *context, const char *out) {
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    canvas *drawn = NULL;
    interval range = asked->range;
    double *rows = NULL;
    size_t read = 0;
    int code = 0;
    TRY(checked(ddaebm_model_load(&model, context, asked->path)));
    TRY(check_plane(model, asked->path));

    TRY(open_data_for(&dataset, context, model, asked->data, asked->seed.value, &asked->how));
    TRY(read_rows(&rows, &read, dataset, asked->count.value));
    if (!range.given)
        TRY(choose_range(&range, rows, read));

    TRY(canvas_create(&drawn, WIDTH, HEIGHT));
    TRY(canvas_points(drawn, panel_at(0), range, rows, read));
    TRY(draw_samples(drawn, model, range, asked->seed.value, read));
    TRY(draw_density(drawn, model, range));
    draw_frames(drawn, range, asked->data);
    TRY(canvas_write(drawn, context, out));
cleanup:
    canvas_free(drawn);
    free(rows);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    return code;
}

/* Checks that the options ask for one of the two plots. */
static int check_options(const command *self, const panels *asked, const dots_options *dots) {
    bool of_table = dots->table || dots->label || dots->value || dots->logarithmic;
    if (of_table && (asked->path || asked->data))
        return misuse(self->name, "a plot is of --model and --data, or of a --table");
    if (of_table && (!dots->table || !dots->label || !dots->value))
        return misuse(self->name, "a plot of a table needs --table, --label and --value");
    if (!of_table && !asked->path)
        return misuse(self->name, "plot needs --model (or --table)");
    if (!of_table && !asked->data)
        return misuse(self->name, "plot needs --data");
    return 0;
}

int command_plot(const command *self, int argc, char **argv) {
    const char *out = NULL;
    panels asked = {.count = {POINTS, false}, .how = {.header = 0}};
    dots_options dots = {.logarithmic = false};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        TEXT("model", "FILE", &asked.path, "a model of rows of two numbers, or a checkpoint"),
        TEXT("data", "NAME|PATH", &asked.data, "a named set, or an NPY or CSV file"),
        TABLE_ROWS(&asked.how),
        INTERVAL("range", &asked.range, "the range of both axes; left out: chosen from the data"),
        NUMBER("count", &asked.count, 1, 100000000,
               "points of data and of samples; left out: 20000, or all of a smaller file"),
        SEED_ROW(&asked.seed, "of data and samples"),
        COMPUTE_ROWS(&compute),
        TEXT("table", "FILE.csv", &dots.table,
             "in place of a model: a table of runs, whose first line names its columns"),
        TEXT("label", "COLUMN", &dots.label, "of the table: a line of dots for each text in it"),
        TEXT("value", "COLUMN", &dots.value, "of the table: the number of each run"),
        FLAG("log", &dots.logarithmic, "of the table: a logarithmic axis"),
        REQUIRED("out", "FILE.png", &out, "the image"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    TRY(check_options(self, &asked, &dots));
    out = output_path(out);
    TRY(check_png_output(out, self));
    TRY(open_context(&context, &compute));
    code = dots.table ? draw_dots(&dots, context, out) : draw_panels(&asked, context, out);
cleanup:
    ddaebm_context_free(context);
    return code;
}
