/* Finds the wrong stretch of a signal. A model learns windows of a chirp, whose frequency rises
 * from sample to sample; of another chirp, with a stretch replaced, each sample gets the weighted
 * mean of the scores of the windows that hold it: 13_signal [STEPS] */
#include <ddaebm/ddaebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

enum { SAMPLES = 4000, WINDOW = 32, HOP = 2, FIRST = 2400, LAST = 2440 };

/* sin(2 pi (n / 80 + n^2 / 160000)) with a little noise. */
static ddaebm_status make_chirp(ddaebm_dataset **out, int with_error) {
    static double chirp[SAMPLES];
    for (int n = 0; n < SAMPLES; n++) {
        double turns = n / 80.0 + (double)n * n / 160000.0;
        chirp[n] = sin(6.28318530717958648 * turns) + 0.05 * (rand() / (double)RAND_MAX - 0.5);
        if (with_error && n >= FIRST && n < LAST)
            chirp[n] = 0.5;
    }
    return ddaebm_dataset_create_rows_double(out, NULL, chirp, SAMPLES, 1);
}

/* Windows of a chirp. */
static ddaebm_status make_windows(ddaebm_dataset **out, int with_error) {
    ddaebm_dataset *chirp = NULL;
    ddaebm_status status;
    TRY(make_chirp(&chirp, with_error));
    TRY(ddaebm_dataset_create_windows(out, chirp, WINDOW, HOP));
cleanup:
    ddaebm_dataset_free(chirp);
    return status;
}

static ddaebm_status learn(ddaebm_model **out, int64_t steps) {
    ddaebm_config *config = NULL;
    ddaebm_dataset *windows = NULL;
    ddaebm_status status;
    TRY(make_windows(&windows, 0));
    TRY(ddaebm_config_create(&config, NULL, "vector"));
    TRY(ddaebm_config_set_integer(config, "data.width", WINDOW));
    TRY(ddaebm_config_set_integer(config, "training.steps", steps));
    TRY(ddaebm_config_set(config, "energy.hidden_layers", "[64, 64]"));
    TRY(ddaebm_train(out, NULL, config, windows, 1, NULL, NULL));
cleanup:
    ddaebm_config_free(config);
    ddaebm_dataset_free(windows);
    return status;
}

/* Sets a score for each sample: of a window, all its samples have the window's score. */
static ddaebm_status score_samples(ddaebm_scorer *scorer, const ddaebm_dataset *windows,
                                   double *scores) {
    static double weights[SAMPLES];
    ddaebm_windows shape = DDAEBM_WINDOWS_INIT;
    double row[WINDOW];
    float score;
    ddaebm_status status;
    TRY(ddaebm_dataset_windows(windows, &shape));
    for (uint64_t i = 0; i < ddaebm_dataset_rows(windows); i++) {
        TRY(ddaebm_dataset_read_double(windows, i, 1, row));
        TRY(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score));
        for (int k = 0; k < WINDOW; k++)
            row[k] = (double)score;
        TRY(ddaebm_windows_add(&shape, row, (size_t)i, 1, scores, weights));
    }
cleanup:
    return status;
}

int main(int argc, char **argv) {
    static double scores[SAMPLES];
    ddaebm_model *model = NULL;
    ddaebm_dataset *windows = NULL;
    ddaebm_scorer *scorer = NULL;
    int lowest = 0;
    ddaebm_status status;
    TRY(learn(&model, argc > 1 ? atol(argv[1]) : 1000));
    TRY(make_windows(&windows, 1));
    TRY(ddaebm_scorer_create(&scorer, model));
    TRY(score_samples(scorer, windows, scores));
    for (int n = 1; n < SAMPLES; n++)
        if (scores[n] < scores[lowest])
            lowest = n;
    printf("the stretch from %d to %d is wrong; sample %d scores lowest, %.1f\n", FIRST, LAST - 1,
           lowest, scores[lowest]);
cleanup:
    if (status != DDAEBM_OK)
        fprintf(stderr, "%s\n", ddaebm_error_message());
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(windows);
    ddaebm_model_free(model);
    return status == DDAEBM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
