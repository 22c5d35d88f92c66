/* What a run takes from its data before it begins: the smallest noise, by the distance between
 * neighbouring rows. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"
#include "train/fit.h"
#include "train/trainer.h"

#include <math.h>

enum { COUNT = 60, WIDTH = 3 };

/* Rows at the multiples of `step` on a line along all columns but the last, which does not vary;
 * each `copies` times. */
static ddaebm_dataset *ruler(float step, size_t copies) {
    float rows[COUNT * WIDTH];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < WIDTH; j++)
            rows[i * WIDTH + j] = j + 1 < WIDTH ? step * (float)(i / copies) : 7;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, COUNT, WIDTH));
    return dataset;
}

static double fitted(const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    double sigma = 0;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_config_real(ddaebm_trainer_config(trainer), "diffusion.sigma_min", &sigma));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 2, NULL, NULL));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    return sigma;
}

#define FITS                                                                                       \
    "\"data.width\":3,\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.2,\"diffusion."  \
    "fit\":true"
#define AS_IT_IS FITS ",\"data.standardize\":\"never\""

/* Two columns differ by the step, and three are counted where none is known to be constant. */
START_TEST(half_the_distance_of_neighbours) {
    ddaebm_dataset *fine = ruler(0.1f, 1), *coarse = ruler(0.4f, 1), *twins = ruler(0.4f, 3),
                   *same = ruler(0, 1);
    double step = 0.4 * sqrt(2.0 / 3);
    ck_assert_double_eq_tol(fitted(AS_IT_IS, coarse), step / 2, 1e-6);
    ck_assert_double_eq_tol(fitted(AS_IT_IS, fine), step / 8, 1e-6);
    ck_assert_double_eq_tol(fitted(AS_IT_IS, twins), step / 2,
                            1e-6);                    /* a row's copies are no neighbours */
    ck_assert_double_eq(fitted(AS_IT_IS, same), 0.2); /* nothing to go by */
    /* Standardised, both varying columns have steps of 1 / deviation, and the constant one is not
     * counted. */
    double deviation = sqrt((COUNT * COUNT - 1) / 12.0);
    ck_assert_double_eq_tol(fitted(FITS ",\"data.standardize\":\"always\"", coarse),
                            fmax(0.5 / deviation, 0.03), 1e-6);
    ddaebm_dataset_free(fine);
    ddaebm_dataset_free(coarse);
    ddaebm_dataset_free(twins);
    ddaebm_dataset_free(same);
}
END_TEST

START_TEST(within_bounds) {
    ddaebm_dataset *dense = ruler(0.001f, 1), *sparse = ruler(100, 1), *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "pinwheel", 4));
    ck_assert_double_eq(fitted(AS_IT_IS, dense), 0.03);
    ck_assert_double_eq(fitted(AS_IT_IS, sparse), 0.5);
    ck_assert_double_eq(fitted(AS_IT_IS ",\"diffusion.sigma_max\":0.6", sparse),
                        0.3); /* half of sigma_max */
    ck_assert_double_eq(
        fitted(
            "\"diffusion.schedule\":\"karras\",\"diffusion.fit\":true,\"diffusion.sigma_min\":0.2",
            named),
        0.03);
    ck_assert_double_eq(fitted("\"diffusion.sigma_min\":0.2", named), 0.2); /* not asked for */
    ddaebm_dataset_free(dense);
    ddaebm_dataset_free(sparse);
    ddaebm_dataset_free(named);
}
END_TEST

/* The noise of a step is that of the new schedule: a trainer made with the value by hand does the
 * same. */
START_TEST(the_plan_is_of_the_fitted_schedule) {
    ddaebm_dataset *coarse = ruler(0.4f, 1);
    ddaebm_model *model = small_model(context, AS_IT_IS, 3), *by_hand = NULL;
    ddaebm_config *config = small_config(context, AS_IT_IS);
    ddaebm_trainer *a = NULL, *b = NULL;
    double sigma = 0;
    ASSERT_OK(ddaebm_trainer_create(&a, model, coarse, 5));
    ASSERT_OK(ddaebm_config_real(ddaebm_trainer_config(a), "diffusion.sigma_min", &sigma));
    ASSERT_OK(ddaebm_config_set(config, "diffusion.fit", "false"));
    ASSERT_OK(ddaebm_config_set_real(config, "diffusion.sigma_min", sigma));
    ASSERT_OK(ddaebm_model_create(&by_hand, context, config, 3));
    ASSERT_OK(ddaebm_trainer_create(&b, by_hand, coarse, 5));
    ASSERT_OK(ddaebm_trainer_run_until(a, 3, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run_until(b, 3, NULL, NULL));
    for (int n = 0; n < DD_NETWORKS; n++)
        ck_assert_int_eq(memcmp(a->model->weights.values[n][0], b->model->weights.values[n][0],
                                a->model->parameters.totals[n][0] * sizeof(float)),
                         0);
    ddaebm_trainer_free(a);
    ddaebm_trainer_free(b);
    ddaebm_model_free(model);
    ddaebm_model_free(by_hand);
    ddaebm_config_free(config);
    ddaebm_dataset_free(coarse);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_dataset *coarse = ruler(0.4f, 1);
    ddaebm_model *model = small_model(context, AS_IT_IS, 3);
    ddaebm_trainer *trainer = NULL;
    SWEEP_ALLOCATIONS(counted, trainer, ddaebm_trainer_create(&trainer, model, coarse, 5));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(coarse);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("fit", half_the_distance_of_neighbours, within_bounds,
                     the_plan_is_of_the_fitted_schedule, memory_may_run_out);
}
