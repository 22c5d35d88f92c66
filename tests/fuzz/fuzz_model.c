/* A model's file. What loads goes round to the same bytes, and scores a row where its networks are
 * small enough to be quick. */
#include "fuzz/fuzz.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* Multiplications, in about as many nanoseconds. */
enum { MOST_WORK = 1 << 22 };

static void *save(const ddaebm_model *model, size_t *size) {
    FUZZ_REQUIRE(ddaebm_model_save_memory(model, NULL, 0, size) == DDAEBM_OUT_OF_RANGE);
    void *bytes = malloc(*size);
    FUZZ_REQUIRE(bytes != NULL);
    FUZZ_REQUIRE(ddaebm_model_save_memory(model, bytes, *size, NULL) == DDAEBM_OK);
    return bytes;
}

static void go_round(const ddaebm_model *model) {
    ddaebm_model *again = fuzz_unset();
    size_t size = 0, size_again = 0;
    void *bytes = save(model, &size);
    ddaebm_status status = ddaebm_model_load_memory(&again, fuzz_context(), bytes, size);
    FUZZ_REQUIRE(fuzz_made(status, again));
    void *bytes_again = save(again, &size_again);
    FUZZ_REQUIRE(size == size_again && memcmp(bytes, bytes_again, size) == 0);
    free(bytes_again);
    free(bytes);
    ddaebm_model_free(again);
}

static bool is_quick(const ddaebm_model *model) {
    const dd_settings *settings = dd_model_settings(model);
    size_t weights = 0, side = (size_t)settings->data.image_size,
           times = ddaebm_model_timesteps(model) + side * side;
    for (int n = 0; n < DD_NETWORKS; n++)
        weights += model->parameters.totals[n][DD_ROLE_WEIGHT];
    return weights <= MOST_WORK / times;
}

/* Each score may run out of memory, and has no other reason to fail. */
static void score(const ddaebm_model *model) {
    size_t width = ddaebm_model_width(model);
    ddaebm_scorer *scorer = fuzz_unset();
    float value = 0, *row = calloc(width, sizeof *row);
    FUZZ_REQUIRE(row != NULL);
    ddaebm_status status = ddaebm_scorer_create(&scorer, model);
    if (fuzz_judge_hungry(status, scorer != fuzz_unset())) {
        status = ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1,
                                     ddaebm_model_timesteps(model) - 1, &value);
        FUZZ_REQUIRE(fuzz_judge_hungry(status, status == DDAEBM_OK) ||
                     status == DDAEBM_OUT_OF_MEMORY);
        ddaebm_scorer_free(scorer);
    }
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ddaebm_model *model = fuzz_unset();
    fuzz_begin();
    ddaebm_status status = ddaebm_model_load_memory(&model, fuzz_context(), data, size);
    if (fuzz_made(status, model)) {
        go_round(model);
        if (is_quick(model))
            score(model);
        ddaebm_model_free(model);
    }
    fuzz_end();
    return 0;
}
