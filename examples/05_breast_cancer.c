/* 05: anomalies in real rows. Trains on half of the benign rows of the Wisconsin breast-cancer
 * table, then scores the other half against the malignant ones; five random splits.
 *
 *     05_breast_cancer data/breast_cancer.csv [KEY=VALUE...]
 *
 * KEY=VALUE changes the preset "vector". Prints the area under the ROC curve of each split, and
 * their mean. */
#include <ddaebm/ddaebm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 30, SPLITS = 5 };

static void check(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    fprintf(stderr, "05_breast_cancer: %s\n", ddaebm_error_message());
    exit(1);
}

/* Rows of one class, [count, COLUMNS]. */
typedef struct rows {
    float *values;
    size_t count;
} rows;

static rows rows_of_class(const float *table, size_t count, float benign) {
    rows out = {malloc(count * COLUMNS * sizeof(float)), 0};
    if (!out.values)
        exit(1);
    for (size_t i = 0; i < count; i++)
        if (table[i * (COLUMNS + 1) + COLUMNS] == benign)
            memcpy(out.values + out.count++ * COLUMNS, table + i * (COLUMNS + 1),
                   COLUMNS * sizeof(float));
    return out;
}

/* A shuffle fixed by the seed, whatever the machine. */
static void shuffle(rows *r, uint64_t seed) {
    uint64_t state = seed * 2 + 1;
    for (size_t i = r->count - 1; i > 0; i--) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t j = (size_t)((state >> 33) % (i + 1));
        float row[COLUMNS];
        memcpy(row, r->values + i * COLUMNS, sizeof row);
        memcpy(r->values + i * COLUMNS, r->values + j * COLUMNS, sizeof row);
        memcpy(r->values + j * COLUMNS, row, sizeof row);
    }
}

/* The fraction of pairs in which the normal row scores higher (the area under the ROC curve). */
static double area(const float *normal, size_t normal_count, const float *anomalous,
                   size_t anomalous_count) {
    double wins = 0;
    for (size_t i = 0; i < normal_count; i++)
        for (size_t j = 0; j < anomalous_count; j++)
            wins += normal[i] > anomalous[j] ? 1.0 : normal[i] == anomalous[j] ? 0.5 : 0.0;
    return wins / ((double)normal_count * (double)anomalous_count);
}

static ddaebm_model *train(const ddaebm_config *config, const rows *data, uint64_t seed) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *trained = NULL;
    check(ddaebm_dataset_create_rows(&dataset, NULL, data->values, data->count, COLUMNS));
    check(ddaebm_train(&trained, NULL, config, dataset, seed, NULL, NULL));
    ddaebm_dataset_free(dataset);
    return trained;
}

static double run_split(const ddaebm_config *config, rows *benign, const rows *malignant,
                        uint64_t seed) {
    shuffle(benign, seed);
    rows half = {benign->values, benign->count / 2};
    rows rest = {benign->values + half.count * COLUMNS, benign->count - half.count};

    ddaebm_model *model = train(config, &half, seed);
    ddaebm_scorer *scorer = NULL;
    float *scores = malloc((rest.count + malignant->count) * sizeof *scores);
    if (!scores)
        exit(1);
    check(ddaebm_scorer_create(&scorer, model));
    check(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rest.values, rest.count, 0, scores));
    check(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, malignant->values, malignant->count, 0,
                              scores + rest.count));

    double result = area(scores, rest.count, scores + rest.count, malignant->count);
    free(scores);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    return result;
}

static ddaebm_config *configure(int count, char **settings) {
    ddaebm_config *config = NULL;
    check(ddaebm_config_create(&config, NULL, "vector"));
    check(ddaebm_config_set_integer(config, "data.width", COLUMNS));
    for (int i = 0; i < count; i++) {
        char *equals = strchr(settings[i], '=');
        if (equals) {
            *equals = '\0';
            check(ddaebm_config_set(config, settings[i], equals + 1));
        }
    }
    return config;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: 05_breast_cancer FILE.csv [KEY=VALUE...]\n");
        return 2;
    }
    ddaebm_dataset *table = NULL;
    check(ddaebm_dataset_open(&table, NULL, arguments[1]));
    size_t all = (size_t)ddaebm_dataset_rows(table);
    float *values = malloc(all * (COLUMNS + 1) * sizeof *values);
    if (!values || ddaebm_dataset_width(table) != COLUMNS + 1)
        return 1;
    check(ddaebm_dataset_read(table, 0, all, values));
    rows benign = rows_of_class(values, all, 1), malignant = rows_of_class(values, all, 0);
    ddaebm_config *config = configure(count - 2, arguments + 2);
    double mean = 0;

    for (uint64_t seed = 1; seed <= SPLITS; seed++) {
        double result = run_split(config, &benign, &malignant, seed);
        printf("split %d: %.4f\n", (int)seed, result);
        mean += result / SPLITS;
    }

    printf("mean AUROC of %d splits: %.4f\n", SPLITS, mean);
    ddaebm_config_free(config);
    ddaebm_dataset_free(table);
    free(benign.values);
    free(malignant.values);
    free(values);
    return 0;
}
