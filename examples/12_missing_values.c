/* 12: missing values. Erases 30% of the values of the Wisconsin breast-cancer table, trains preset
 * "impute" on what is left, fills in what was erased, and compares with the truth.
 *
 *     12_missing_values data/breast_cancer.csv [KEY=VALUE...]
 *
 * KEY=VALUE changes the preset. Prints the root mean square error, in standard deviations of the
 * columns, of the columns' means and of what was filled in, and how many of the erased values lie
 * in the interval between the 5% and 95% quantiles of 100 draws. */
#include <ddaebm/ddaebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 100, LOW = 4, HIGH = 95 }; /* places of the quantiles among the sorted draws */

static void check(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    fprintf(stderr, "12_missing_values: %s\n", ddaebm_error_message());
    exit(1);
}

static double *room(size_t count) {
    double *numbers = malloc(count * sizeof *numbers);
    if (!numbers)
        exit(1);
    return numbers;
}

/* A copy in which three values of ten are NaN, whatever the machine. */
static double *erase(const double *table, size_t count) {
    double *holed = room(count);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        holed[i] = (state >> 33) % 10 < 3 ? NAN : table[i];
    }
    return holed;
}

/* Trains on rows with holes. */
static ddaebm_model *train(const double *holed, size_t rows, size_t columns, char **changes) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *dataset = NULL;
    ddaebm_model *model = NULL;
    check(ddaebm_config_create(&config, NULL, "impute"));
    check(ddaebm_config_set_integer(config, "data.width", (int64_t)columns));
    for (; *changes; changes++) {
        char *equals = strchr(*changes, '=');
        if (!equals)
            exit(2);
        *equals = '\0';
        check(ddaebm_config_set(config, *changes, equals + 1));
    }
    check(ddaebm_dataset_create_rows_missing(&dataset, NULL, holed, rows, columns));
    check(ddaebm_train(&model, NULL, config, dataset, 1, NULL, NULL));
    ddaebm_dataset_free(dataset);
    ddaebm_config_free(config);
    return model;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Adds up the errors of a column: of its mean, of what was filled in, and those within the interval
 * of the draws. */
static void compare(double sums[4], const double *table, const double *holed, const double *means,
                    const double *draws, size_t rows, size_t columns, size_t column) {
    double mean = 0, square = 0, known = 0, known_mean = 0, sorted[DRAWS];
    for (size_t i = column; i < rows * columns; i += columns) {
        mean += table[i] / (double)rows;
        known += isnan(holed[i]) ? 0 : 1;
        known_mean += isnan(holed[i]) ? 0 : holed[i];
    }
    for (size_t i = column; i < rows * columns; i += columns)
        square += (table[i] - mean) * (table[i] - mean) / (double)rows;
    for (size_t i = column; i < rows * columns; i += columns) {
        if (!isnan(holed[i]))
            continue;
        for (size_t k = 0; k < DRAWS; k++)
            sorted[k] = draws[k * rows * columns + i];
        qsort(sorted, DRAWS, sizeof *sorted, ascending);
        sums[0] += 1;
        sums[1] += pow(known_mean / known - table[i], 2) / square;
        sums[2] += pow(means[i] - table[i], 2) / square;
        sums[3] += table[i] >= sorted[LOW] && table[i] <= sorted[HIGH];
    }
}

int main(int argc, char **argv) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_restorer *restorer = NULL;
    ddaebm_read_options how = DDAEBM_READ_OPTIONS_INIT;
    ddaebm_fill_options options = DDAEBM_FILL_OPTIONS_INIT;
    if (argc < 2) {
        fprintf(stderr, "usage: 12_missing_values data/breast_cancer.csv [KEY=VALUE...]\n");
        return 2;
    }
    how.columns = "1-30";
    check(ddaebm_dataset_open_with(&dataset, NULL, argv[1], &how));
    size_t rows = (size_t)ddaebm_dataset_rows(dataset), columns = ddaebm_dataset_width(dataset);
    double *table = room(rows * columns), *means = room(rows * columns),
           *draws = room(DRAWS * rows * columns), sums[4] = {0, 0, 0, 0};
    check(ddaebm_dataset_read_double(dataset, 0, rows, table));

    double *holed = erase(table, rows * columns);
    ddaebm_model *model = train(holed, rows, columns, argv + 2);
    options.draws = DRAWS;
    check(ddaebm_restorer_create(&restorer, model));
    check(ddaebm_restorer_fill(restorer, holed, rows, &options, means, draws));
    for (size_t j = 0; j < columns; j++)
        compare(sums, table, holed, means, draws, rows, columns, j);
    printf("%.0f values erased; error of the means %.3f, filled in %.3f; %.1f%% lie within\n",
           sums[0], sqrt(sums[1] / sums[0]), sqrt(sums[2] / sums[0]), 100 * sums[3] / sums[0]);

    ddaebm_restorer_free(restorer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    free(table);
    free(holed);
    free(means);
    free(draws);
    return 0;
}
