/* ddaebm score. */
#include "commands.h"
#include "console.h"
#include "inputs.h"
#include "outputs.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_OF_A_NAMED_SET = 10000 };

/* Room for the rows that are in memory at once, in numbers. */
enum { NUMBERS_AT_ONCE = 1 << 22 };

/* What is asked of the scorer. */
typedef struct question {
    ddaebm_score score;
    size_t level;
} question;

static int score_rows(ddaebm_scorer *scorer, question asked, const ddaebm_dataset *dataset, size_t count, float *scores,
                      const command *self) {
    size_t width = ddaebm_dataset_width(dataset), room = NUMBERS_AT_ONCE / width > 0 ? NUMBERS_AT_ONCE / width : 1;
    double *rows = NULL;
    int code = make_doubles(&rows, room < count ? room : count, width);
    for (size_t first = 0; first < count && code == 0; first += room) {
        size_t now = count - first < room ? count - first : room;
        TRY(checked(ddaebm_dataset_read_double(dataset, first, now, rows)));
        TRY(checked_option(ddaebm_scorer_measure_double(scorer, asked.score, rows, now, asked.level, scores + first), self->name,
                           "--level"));
    }
cleanup:
    free(rows);
    return code;
}

int command_score(const command *self, int argc, char **argv) {
    const char *path = NULL, *data = NULL, *out = NULL, *name = "energy";
    number level = {0, false}, count = {0, false}, seed = {0, false};
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        REQUIRED("model", "FILE", &path, "the model, or a checkpoint"),
        REQUIRED("data", "NAME|PATH", &data, "a named set, or a file or folder of data"),
        DATA_ROWS(&how),
        TEXT("score", "NAME", &name, "energy, gradient, reconstruction or typicality; left out: energy, f(x, level) / temperature"),
        NUMBER("level", &level, 0, 999999, "0, the data itself, to T-1; left out: 0"),
        NUMBER("count", &count, 1, UINT64_C(1) << 40, "score the first N rows; left out: all of a file, 10000 of a named set"),
        SEED_ROW(&seed, "of a named set"),
        COMPUTE_ROWS(&compute),
        REQUIRED("out", "FILE.npy", &out, "one float32 a row"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    size_t kind = 0;
    while (ddaebm_score_name(kind) && strcmp(ddaebm_score_name(kind), name) != 0)
        kind++;
    if (!ddaebm_score_name(kind))
        return misuse(self->name, "--score is %.60s; allowed: energy, gradient, reconstruction or typicality", name);
    ddaebm_context *context = NULL;
    ddaebm_model *model = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_scorer *scorer = NULL;
    float *scores = NULL;
    TRY(check_output(out));
    TRY(open_context(&context, &compute));
    TRY(checked(ddaebm_model_load(&model, context, path)));
    TRY(open_data_for(&dataset, context, model, data, seed.value, &how));
    uint64_t all = is_named_set(data) ? ROWS_OF_A_NAMED_SET : UINT64_MAX;
    const size_t rows = (size_t)count_rows(dataset, count.given ? count.value : all);
    TRY(make_room(&scores, rows, 1));
    TRY(checked(ddaebm_scorer_create(&scorer, model)));
    TRY(score_rows(scorer, (question){(ddaebm_score)kind, (size_t)level.value}, dataset, rows, scores, self));
    TRY(checked(ddaebm_array_write_npy(context, out, scores, 1, &rows)));
cleanup:
    free(scores);
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(dataset);
    ddaebm_model_free(model);
    ddaebm_context_free(context);
    return code;
}
