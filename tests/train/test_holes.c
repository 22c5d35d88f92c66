/* Training on rows with missing values: what is learnt, that a run that is cut loses nothing, and
 * what is refused. */
#define _GNU_SOURCE
#include "model/model.h"
#include "support/counted.h"
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

enum { ROWS = 60, WIDTH = 2 };

#define LEARNS                                                                                     \
    EVERYTHING ",\"data.width\":2,\"data.whiten\":true,\"form.energy\":\"normal\","                \
               "\"training.steps\":128,\"training.held_out\":0.2"

/* The second column is the first, with some noise; a third of the values are missing. */
static ddaebm_dataset *holed(void) {
    double rows[ROWS][WIDTH];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        rows[i][0] = sin((double)(7 * i));
        rows[i][1] = 100 * rows[i][0] + 10 * sin((double)(i * i));
        if (i % 3 < 2)
            rows[i][i % 3] = NAN;
    }
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, context, &rows[0][0], ROWS, WIDTH));
    return dataset;
}

static ddaebm_trainer *make(const ddaebm_dataset *dataset, const char *changes) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

/* The trainer's own rows have the known values, and others that go with them. They are drawn anew
 * as training goes on. */
START_TEST(missing_values_are_drawn_and_drawn_again) {
    ddaebm_dataset *dataset = holed();
    ddaebm_trainer *trainer = make(dataset, LEARNS);
    double given[ROWS][WIDTH], first[ROWS][WIDTH], last[ROWS][WIDTH], product = 0;
    size_t moved = 0;
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, ROWS, &given[0][0]));
    ASSERT_OK(ddaebm_dataset_read_double(trainer->batch.dataset, 0, ROWS, &first[0][0]));
    ASSERT_OK(ddaebm_trainer_run(trainer, NULL, NULL));
    ASSERT_OK(ddaebm_dataset_read_double(trainer->batch.dataset, 0, ROWS, &last[0][0]));
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < WIDTH; j++) {
            if (!isnan(given[i][j]))
                ck_assert(first[i][j] == given[i][j] && last[i][j] == given[i][j]);
            else
                moved += first[i][j] != last[i][j];
            ck_assert(isfinite(first[i][j]) && isfinite(last[i][j]));
        }
        product += first[i][0] * first[i][1] / 100;
    }
    ck_assert_uint_gt(moved, 20); /* of 40; a chain may refuse all steps of a round */
    ck_assert_double_gt(product, 0.7 * ROWS / 2); /* the mean of sin^2 is 1/2 */
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* A run that is resumed twice is the run in one piece, bit for bit. */
START_TEST(a_resumed_run_is_the_same) {
    ddaebm_dataset *dataset = holed();
    ddaebm_trainer *whole = make(dataset, LEARNS), *parts = make(dataset, LEARNS);
    ddaebm_model *a = NULL, *b = NULL;
    ASSERT_OK(ddaebm_trainer_run(whole, NULL, NULL));
    for (uint64_t step = 30; step <= 128; step += 49) {
        ASSERT_OK(ddaebm_trainer_run_until(parts, step, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_save(parts, in_folder("run")));
        ddaebm_trainer_free(parts);
        ASSERT_OK(ddaebm_trainer_resume(&parts, context, in_folder("run"), dataset));
    }
    ASSERT_OK(ddaebm_trainer_snapshot(&a, whole));
    ASSERT_OK(ddaebm_trainer_snapshot(&b, parts));
    ck_assert(same_models(a, b));
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(parts);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Other settings than preset `impute` has: neither whitened nor standardised. */
START_TEST(any_configuration_of_rows_takes_them) {
    static const char *const settings[] = {
        "\"training.steps\":16", "\"training.steps\":16,\"data.standardize\":\"never\"",
        "\"training.steps\":16,\"form.energy\":\"density\",\"training.calibrate\":true"};
    ddaebm_dataset *dataset = holed();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        ddaebm_trainer *trainer = make(dataset, settings[i]);
        ddaebm_model *model = NULL;
        ASSERT_OK(ddaebm_trainer_run(trainer, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
        ddaebm_model_free(model);
        ddaebm_trainer_free(trainer);
    }
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(data_that_cannot_be_filled_is_refused) {
    const double empty[] = {1, NAN, 2, NAN, 3, NAN};
    ddaebm_dataset *dataset = holed(), *bad = NULL;
    ddaebm_model *model = small_model(context, LEARNS, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&bad, context, empty, 3, 2));
    ASSERT_FAILS(ddaebm_trainer_create(&trainer, model, bad, 1), DDAEBM_OUT_OF_RANGE,
                 "column 2 of the data has no value");
    ck_assert_ptr_null(trainer);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 1));
    ASSERT_FAILS(ddaebm_trainer_set_dataset(trainer, dataset), DDAEBM_UNSUPPORTED,
                 "values of the data are missing");
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(bad);
}
END_TEST

/* One allocation of eleven fails in turn, until none is left to. */
START_TEST(failed_allocations_lose_nothing) {
    ddaebm_dataset *dataset = holed();
    ddaebm_model *model = small_model(context, LEARNS, 3);
    ddaebm_trainer *trainer = NULL;
    size_t live = counted.live, failures = 0;
    for (size_t nth = 1; !trainer; nth += 11) {
        counted.fail_at = counted.calls + nth;
        ddaebm_status status = ddaebm_trainer_create(&trainer, model, dataset, 1);
        counted.fail_at = 0;
        if (status == DDAEBM_OK)
            break;
        ck_assert_int_eq(status, DDAEBM_OUT_OF_MEMORY);
        ck_assert_ptr_null(trainer);
        ck_assert_uint_eq(counted.live, live);
        failures++;
    }
    ck_assert_uint_gt(failures, 5);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("holes", missing_values_are_drawn_and_drawn_again, a_resumed_run_is_the_same,
                     any_configuration_of_rows_takes_them, data_that_cannot_be_filled_is_refused,
                     failed_allocations_lose_nothing);
}
