/* ddaebm auroc: the area under the ROC curve of the scores of normal and anomalous rows. */
#include "ascending.h"
#include "commands.h"
#include "console.h"
#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scores {
    double *values; /* ascending */
    size_t count;
    char name[64]; /* of the column, empty for a file without a header */
} scores;

/* Reads one score a row, and sorts them. */
static int read_scores(scores *out, ddaebm_context *context, const char *path,
                       const data_options *how) {
    ddaebm_dataset *dataset = NULL;
    int code = 0;
    TRY(open_data(&dataset, context, path, 0, how));
    if (ddaebm_dataset_width(dataset) != 1) {
        code = fail(
            "%.250s has rows of %zu numbers; allowed: one score a row, as ddaebm score writes them",
            path, ddaebm_dataset_width(dataset));
        goto cleanup;
    }

    const char *column = ddaebm_dataset_column_name(dataset, 0);
    (void)snprintf(out->name, sizeof out->name, "%s", column ? column : "");
    TRY(read_rows(&out->values, &out->count, dataset, UINT64_MAX));
    sort_ascending(out->values, out->count);
cleanup:
    ddaebm_dataset_free(dataset);
    return code;
}

/* Refuses scores of two kinds, which have no common scale. */
static int check_names(const scores *normal, const scores *anomalous) {
    const char *first = normal->name, *second = anomalous->name;
    if (!*first || !*second || strcmp(first, second) == 0)
        return 0;
    return fail("the scores are of two kinds: %s in --normal, %s in --anomalous; give the same "
                "score of both",
                first, second);
}

/* Returns the Mann-Whitney statistic divided by the number of pairs: the fraction of pairs whose
 * normal member scores higher, where a tie counts one half. */
static double area(const scores *normal, const scores *anomalous) {
    uint64_t doubled = 0; /* twice the statistic */
    size_t below = 0, up_to = 0;
    for (size_t i = 0; i < normal->count; i++) {
        double score = normal->values[i];
        while (below < anomalous->count && anomalous->values[below] < score)
            below++;
        while (up_to < anomalous->count && anomalous->values[up_to] <= score)
            up_to++;
        doubled += below + up_to;
    }
    return (double)doubled / 2 / (double)normal->count / (double)anomalous->count;
}

int command_auroc(const command *self, int argc, char **argv) {
    const char *normal_path = NULL, *anomalous_path = NULL;
    data_options how = {.header = 0};
    compute_options compute = {{0, false}, false};
    const option_row options[] = {
        REQUIRED("normal", "FILE", &normal_path,
                 "scores of normal rows or images, one a row, NPY or CSV"),
        REQUIRED("anomalous", "FILE", &anomalous_path, "scores of anomalous rows or images"),
        LIMIT_ROW(&how.limit),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;

    ddaebm_context *context = NULL;
    scores normal = {NULL, 0, ""}, anomalous = {NULL, 0, ""};
    TRY(open_context(&context, &compute));
    TRY(read_scores(&normal, context, normal_path, &how));
    TRY(read_scores(&anomalous, context, anomalous_path, &how));
    TRY(check_names(&normal, &anomalous));
    printf("%.6f\n", area(&normal, &anomalous));
    TRY(finish_output());
cleanup:
    free(normal.values);
    free(anomalous.values);
    ddaebm_context_free(context);
    return code;
}
