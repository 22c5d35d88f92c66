/* A run's checkpoint. What resumes goes round to the same bytes, and takes a step where that is
 * quick. */
#include "fuzz/fuzz.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

/* Multiplications of a pass, of which a step makes some ten. */
enum { ROWS = 4, WIDTH = 2, MOST_WORK = 1 << 18 };

static const ddaebm_dataset *dataset(void) {
    static const float rows[ROWS * WIDTH] = {0.5f, -0.5f, 0.25f, 1, -1, 0.125f, 0, 0.75f};
    static ddaebm_dataset *made;
    if (!made)
        FUZZ_REQUIRE(ddaebm_dataset_create_rows(&made, fuzz_context(), rows, ROWS, WIDTH) ==
                     DDAEBM_OK);
    return made;
}

static ddaebm_status resume(ddaebm_trainer **out, const void *data, size_t size) {
    return ddaebm_trainer_resume_memory(out, fuzz_context(), data, size, dataset());
}

static void *save(const ddaebm_trainer *trainer, size_t *size) {
    FUZZ_REQUIRE(ddaebm_trainer_save_memory(trainer, NULL, 0, size) == DDAEBM_OUT_OF_RANGE);
    void *bytes = malloc(*size);
    FUZZ_REQUIRE(bytes != NULL);
    FUZZ_REQUIRE(ddaebm_trainer_save_memory(trainer, bytes, *size, NULL) == DDAEBM_OK);
    return bytes;
}

/* Two trainers at a time may be more than the context has memory for. */
static void go_round(const ddaebm_trainer *trainer) {
    ddaebm_trainer *again = fuzz_unset();
    size_t size = 0, size_again = 0;
    void *bytes = save(trainer, &size);
    ddaebm_status status = resume(&again, bytes, size);
    if (fuzz_judge_hungry(status, again != fuzz_unset())) {
        void *bytes_again = save(again, &size_again);
        FUZZ_REQUIRE(size == size_again && memcmp(bytes, bytes_again, size) == 0);
        free(bytes_again);
        ddaebm_trainer_free(again);
    }
    FUZZ_REQUIRE(status == DDAEBM_OK || status == DDAEBM_OUT_OF_MEMORY);
    free(bytes);
}

static bool is_quick(const ddaebm_trainer *trainer) {
    size_t weights = 0, times = trainer->batch.size + ddaebm_model_timesteps(trainer->model);
    for (int n = 0; n < DD_NETWORKS; n++)
        weights += trainer->model->parameters.totals[n][DD_ROLE_WEIGHT];
    return weights <= MOST_WORK / times;
}

/* Weights and moments from a stranger may be so large that a loss is not finite. */
static void step(ddaebm_trainer *trainer) {
    ddaebm_status status = ddaebm_trainer_step(trainer, NULL);
    FUZZ_REQUIRE(fuzz_judge(status, status == DDAEBM_OK) || status == DDAEBM_NOT_FINITE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ddaebm_trainer *trainer = fuzz_unset();
    (void)dataset();
    fuzz_begin();
    ddaebm_status status = resume(&trainer, data, size);
    if (fuzz_judge_hungry(status, trainer != fuzz_unset())) { /* its batch is what it says */
        go_round(trainer);
        if (is_quick(trainer))
            step(trainer);
        ddaebm_trainer_free(trainer);
    }
    fuzz_end();
    return 0;
}
