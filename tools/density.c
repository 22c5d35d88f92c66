/* ddaebm density: scores a grid of points. */
#include "canvas.h"
#include "commands.h"
#include "console.h"
#include "grid.h"
#include "inputs.h"
#include "outputs.h"
#include "rowfile.h"

#include <stdlib.h>
#include <string.h>

typedef struct grid {
    const float *scores; /* [side, side] */
    size_t side;
} grid;

/* A row_source: rows of the grid. */
static int copy_rows(void *user, uint64_t first, size_t count, void *block) {
    const grid *all = user;
    memcpy(block, all->scores + (size_t)first * all->side, count * all->side * sizeof *all->scores);
    return 0;
}

/* Writes the scores as numbers, or exp of them as an image. */
static int write_grid(ddaebm_context *context, output to, const float *scores, size_t side) {
    grid all = {scores, side};
    const row_file file = {.to = to, .count = side, .width = side};
    if (to.format != FORMAT_PNG)
        return write_row_file(context, &file, rows_at_once(side, 1), copy_rows, &all);

    canvas *drawn = NULL;
    int code = 0;
    TRY(canvas_create(&drawn, side, side));
    TRY(canvas_density(drawn, (square){0, 0, side}, scores));
    TRY(canvas_write(drawn, context, to.path));
cleanup:
    canvas_free(drawn);
    return code;
}

int command_density(const command *self, int argc, char **argv) {
    const char *path = NULL;
    interval range = {0, 0, false};
    number side = {0, false};
    compute_options compute = {{0, false}, false};
    output_options asked = {NULL, FORMAT_AUTO};
    const option_row options[] = {
        REQUIRED("model", "FILE", &path, "a model of rows of two numbers, or a checkpoint"),
        REQUIRED_INTERVAL("range", &range, "the range of both axes, in the data's units"),
        REQUIRED_NUMBER("grid", &side, 2, 8192, "points along a side, ends included"),
        COMPUTE_ROWS(&compute),
        OUTPUT_ROWS(&asked, "FILE.npy, .csv or .csv.gz for the numbers, FILE.png for exp of them "
                            "as an image; - for standard output"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    float *scores = NULL;
    output to = {NULL, FORMAT_AUTO};
    TRY(find_output(&to, &asked, WRITES_IMAGES, self));
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    TRY(check_plane(model, path));

    TRY(score_grid(&scores, model, range, (size_t)side.value));
    TRY(write_grid(context, to, scores, (size_t)side.value));
cleanup:
    free(scores);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
