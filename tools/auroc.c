/* ddaebm auroc. */
#include "ascending.h"
#include "commands.h"
#include "console.h"
#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct scores {
    double *values; /* ascending */
    size_t count;
} scores;

static int read_scores(scores *out, const char *path) {
    ddaebm_dataset *dataset = NULL;
    int code = 0;
    TRY(checked(ddaebm_dataset_open(&dataset, NULL, path)));
    if (ddaebm_dataset_width(dataset) != 1) {
        code = fail("%.250s has rows of %zu numbers; allowed: one score a row, as ddaebm score writes them", path,
                    ddaebm_dataset_width(dataset));
        goto cleanup;
    }
    TRY(read_rows(&out->values, &out->count, dataset, UINT64_MAX));
    sort_ascending(out->values, out->count);
cleanup:
    ddaebm_dataset_free(dataset);
    return code;
}

/* The Mann-Whitney statistic over the number of pairs: the share of pairs whose ordinary member scores higher, ties one half. */
static double area(const scores *ordinary, const scores *anomalous) {
    uint64_t halves = 0; /* twice the statistic */
    size_t below = 0, up_to = 0;
    for (size_t i = 0; i < ordinary->count; i++) {
        double score = ordinary->values[i];
        while (below < anomalous->count && anomalous->values[below] < score)
            below++;
        while (up_to < anomalous->count && anomalous->values[up_to] <= score)
            up_to++;
        halves += below + up_to;
    }
    return (double)halves / 2 / (double)ordinary->count / (double)anomalous->count;
}

int command_auroc(const command *self, int argc, char **argv) {
    const char *ordinary_path = NULL, *anomalous_path = NULL;
    const option_row options[] = {
        REQUIRED("ordinary", "FILE", &ordinary_path, "scores of ordinary rows, one a row, NPY or CSV"),
        REQUIRED("anomalous", "FILE", &anomalous_path, "scores of anomalous rows"),
    };
    int code = options_parse(self, options, sizeof options / sizeof *options, argc, argv);
    if (code != OPTIONS_READ)
        return code;
    scores ordinary = {NULL, 0}, anomalous = {NULL, 0};
    TRY(read_scores(&ordinary, ordinary_path));
    TRY(read_scores(&anomalous, anomalous_path));
    printf("%.6f\n", area(&ordinary, &anomalous));
    TRY(finish_output());
cleanup:
    free(ordinary.values);
    free(anomalous.values);
    return code;
}
