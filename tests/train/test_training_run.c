/* Whole runs: to the configured end, and from a configuration to a trained model in one call. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/same_state.h"

enum { SEED = 5, STEPS = 6 };

/* A run that averages, holds rows out and calibrates. */
#define WHOLE                                                                                      \
    "\"training.steps\":6,\"training.held_out\":0.2,\"training.calibrate\":true,"                  \
    "\"optimizer.ema_decay\":0.5,\"data.standardize\":\"always\""

static ddaebm_config *config;
static ddaebm_dataset *dataset;

static void begin(void) {
    open_context(1);
    config = small_config(context, WHOLE);
    dataset = small_rows(context, 40, 2);
}

static void end(void) {
    ddaebm_config_free(config);
    ddaebm_dataset_free(dataset);
    close_context();
}

static ddaebm_trainer *make(void) {
    ddaebm_model *model = NULL;
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_model_create(&model, context, config, SEED));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, SEED));
    ddaebm_model_free(model);
    return trainer;
}

/* Counts the steps of a run; cancels after so many. */
typedef struct watch {
    uint64_t steps, last, cancel;
} watch;

static int look(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    watch *self = user;
    ck_assert_uint_eq(statistics->step, ++self->steps);
    self->last = last;
    return self->steps == self->cancel;
}

START_TEST(a_run_ends_where_it_is_configured_to) {
    ddaebm_trainer *trainer = make(), *by_steps = make();
    watch seen = {.cancel = 2};
    ASSERT_FAILS(ddaebm_trainer_run(trainer, look, &seen), DDAEBM_CANCELLED, "after step 2");
    ASSERT_OK(ddaebm_trainer_run(trainer, look, &seen));
    ASSERT_OK(ddaebm_trainer_run_until(by_steps, STEPS, NULL, NULL));
    ck_assert_uint_eq(seen.steps, STEPS);
    ck_assert_uint_eq(seen.last, STEPS);
    ck_assert(same_state(trainer, by_steps));

    ASSERT_OK(ddaebm_trainer_run(trainer, look, &seen)); /* there already */
    ck_assert_uint_eq(seen.steps, STEPS);
    ASSERT_OK(ddaebm_trainer_set_last_step(trainer, STEPS + 2));
    ASSERT_OK(ddaebm_trainer_run(trainer, look, &seen));
    ck_assert_uint_eq(ddaebm_trainer_steps(trainer), STEPS + 2);
    ck_assert_uint_eq(seen.last, STEPS + 2);
    ASSERT_FAILS(ddaebm_trainer_run(NULL, NULL, NULL), DDAEBM_INVALID_ARGUMENT, "trainer");
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(by_steps);
}
END_TEST

/* The same bits, chosen by the held-out rows and calibrated. */
START_TEST(training_is_the_four_calls) {
    ddaebm_model *model = NULL, *snapshot = NULL;
    ddaebm_trainer *trainer = make();
    watch seen = {.cancel = 0};
    ASSERT_OK(ddaebm_train(&model, context, config, dataset, SEED, look, &seen));
    ASSERT_OK(ddaebm_trainer_run(trainer, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
    ck_assert_uint_eq(seen.steps, STEPS);
    ck_assert_uint_eq(seen.last, STEPS);
    ck_assert_uint_gt(ddaebm_model_best_step(model), 0);

    ck_assert(same_models(model, snapshot));
    ddaebm_model_free(model);
    ddaebm_model_free(snapshot);
    ddaebm_trainer_free(trainer);
}
END_TEST

START_TEST(training_that_fails_makes_nothing) {
    ddaebm_model *model = NULL;
    ddaebm_dataset *wide = small_rows(context, 40, 3);
    watch seen = {.cancel = 2};
    ASSERT_FAILS(ddaebm_train(&model, context, config, dataset, SEED, look, &seen),
                 DDAEBM_CANCELLED, "after step 2");
    ASSERT_FAILS(ddaebm_train(&model, context, config, wide, SEED, NULL, NULL), DDAEBM_MISMATCH,
                 "rows of 3 numbers");
    ASSERT_FAILS(ddaebm_train(NULL, context, config, dataset, SEED, NULL, NULL),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_train(&model, context, NULL, dataset, SEED, NULL, NULL),
                 DDAEBM_INVALID_ARGUMENT, "config");
    ASSERT_FAILS(ddaebm_train(&model, context, config, NULL, SEED, NULL, NULL),
                 DDAEBM_INVALID_ARGUMENT, "dataset");
    ck_assert_ptr_null(model);
    ddaebm_dataset_free(wide);
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    return RUN_TESTS("training_run", a_run_ends_where_it_is_configured_to,
                     training_is_the_four_calls, training_that_fails_makes_nothing);
}
