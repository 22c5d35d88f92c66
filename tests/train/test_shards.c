/* Trainers that share a batch: what each draws is its part of what one trainer of the whole batch
 * draws, and gradients averaged over them are the whole batch's within rounding, but for batch
 * norms. And data that is replaced on the way. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

enum { SHARDS = 3, PART = 6, STEPS = 5 };

/* Sums of floats in another order; of a network's largest gradient. 2e-6 is what there is. */
#define ROUNDING 1e-5

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, size_t batch) {
    char text[512];
    ddaebm_trainer *trainer = NULL;
    (void)snprintf(text, sizeof text, "\"training.batch\":%zu%s%s", batch, *changes ? "," : "",
                   changes);
    ddaebm_model *model = small_model(context, text, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

static void train_shards(ddaebm_trainer *out[SHARDS], const char *changes,
                         const ddaebm_dataset *dataset) {
    for (size_t i = 0; i < SHARDS; i++) {
        out[i] = train(changes, dataset, PART);
        ASSERT_OK(ddaebm_trainer_set_shard(out[i], i, SHARDS));
    }
}

static void free_all(ddaebm_trainer *whole, ddaebm_trainer *shards[SHARDS]) {
    ddaebm_trainer_free(whole);
    for (size_t i = 0; i < SHARDS; i++)
        ddaebm_trainer_free(shards[i]);
}

static void compare_draws(const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_trainer *whole = train(changes, dataset, SHARDS * PART), *shards[SHARDS];
    train_shards(shards, changes, dataset);
    for (uint64_t step = 0; step < STEPS; step++) {
        whole->step = step;
        ASSERT_OK(dd_batch_draw(whole));
        for (size_t i = 0; i < SHARDS; i++) {
            shards[i]->step = step;
            ASSERT_OK(dd_batch_draw(shards[i]));
            for (int slot = 0; slot < DD_SLOT_INPUTS; slot++) {
                size_t size =
                    shards[i]->batch.size * dd_batch_row_size(dd_trainer_settings(shards[i]), slot);
                const float *part = whole->batch.inputs[slot] + i * size;
                ck_assert_msg(memcmp(shards[i]->batch.inputs[slot], part, size * sizeof(float)) ==
                                  0,
                              "slot %d of shard %zu", slot, i);
            }
        }
    }
    const float *a = shards[0]->batch.inputs[DD_SLOT_DROPOUT_SEED],
                *b = shards[1]->batch.inputs[DD_SLOT_DROPOUT_SEED];
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            ck_assert_msg(a[i] != b[k], "shards share bits");
    free_all(whole, shards);
}

static ddaebm_dataset *small_images(void) {
    uint8_t pixels[13 * 6 * 6];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 5);
    ASSERT_OK(ddaebm_dataset_create_images(&dataset, context, pixels, 13, 6, 6, 1));
    return dataset;
}

START_TEST(a_shard_draws_its_part_of_the_batch) {
    ddaebm_dataset *rows = small_rows(context, 41, 3), *named = NULL, *images = small_images();
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "pinwheel", 4));
    compare_draws("\"data.width\":3,\"network.latent_width\":5", rows); /* parts of odd size */
    compare_draws("\"training.first_timestep\":0.4", named);
    compare_draws("\"data.image_size\":8,\"data.padding\":1,\"data.flip\":true", images);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(named);
    ddaebm_dataset_free(images);
}
END_TEST

/* What a gradient hook over processes does. */
static void average(ddaebm_trainer *shards[SHARDS], int network) {
    for (size_t j = 0; j < shards[0]->model->parameters.totals[network][DD_ROLE_WEIGHT]; j++) {
        float sum = 0;
        for (size_t i = 0; i < SHARDS; i++)
            sum += shards[i]->planned.gradients[network][j];
        for (size_t i = 0; i < SHARDS; i++)
            shards[i]->planned.gradients[network][j] = sum / SHARDS;
    }
}

static double difference(const ddaebm_trainer *whole, const ddaebm_trainer *shard, int network) {
    double most = 0, largest = 0;
    for (size_t j = 0; j < whole->model->parameters.totals[network][DD_ROLE_WEIGHT]; j++) {
        largest = larger(largest, fabs((double)whole->planned.gradients[network][j]));
        most = larger(most, fabs((double)whole->planned.gradients[network][j] -
                                 (double)shard->planned.gradients[network][j]));
    }
    return most / largest;
}

static void step_together(ddaebm_trainer *whole, ddaebm_trainer *shards[SHARDS],
                          double differences[DD_NETWORKS]) {
    ASSERT_OK(ddaebm_trainer_energy_gradients(whole));
    for (size_t i = 0; i < SHARDS; i++)
        ASSERT_OK(ddaebm_trainer_energy_gradients(shards[i]));
    average(shards, DDAEBM_NETWORK_ENERGY);
    differences[DDAEBM_NETWORK_ENERGY] = difference(whole, shards[1], DDAEBM_NETWORK_ENERGY);
    ASSERT_OK(ddaebm_trainer_energy_update(whole));
    ASSERT_OK(ddaebm_trainer_generator_gradients(whole));
    for (size_t i = 0; i < SHARDS; i++) {
        ASSERT_OK(ddaebm_trainer_energy_update(shards[i]));
        ASSERT_OK(ddaebm_trainer_generator_gradients(shards[i]));
    }
    for (int n = DDAEBM_NETWORK_GENERATOR; n <= DDAEBM_NETWORK_ENCODER; n++) {
        average(shards, n);
        differences[n] = difference(whole, shards[1], n);
    }
    ASSERT_OK(ddaebm_trainer_generator_update(whole, NULL));
    for (size_t i = 0; i < SHARDS; i++)
        ASSERT_OK(ddaebm_trainer_generator_update(shards[i], NULL));
}

/* Adam with a large epsilon, which does not turn rounding into steps. */
#define WITHOUT_NORMS                                                                              \
    "\"generator.norm\":\"none\",\"encoder.norm\":\"none\",\"optimizer.epsilon\":1e-2,"            \
    "\"optimizer.energy_rate\":1e-3"

START_TEST(shards_follow_the_whole_without_batch_statistics) {
    ddaebm_dataset *rows = small_rows(context, 41, 2);
    ddaebm_trainer *whole = train(WITHOUT_NORMS, rows, SHARDS * PART), *shards[SHARDS];
    train_shards(shards, WITHOUT_NORMS, rows);
    for (int step = 0; step < STEPS; step++) {
        double differences[DD_NETWORKS];
        step_together(whole, shards, differences);
        for (int n = 0; n < DD_NETWORKS; n++)
            ck_assert_msg(differences[n] < ROUNDING, "step %d, network %d: %g", step, n,
                          differences[n]);
        for (size_t i = 1; i < SHARDS; i++) /* the same gradients: the same weights to the bit */
            for (int n = 0; n < DD_NETWORKS; n++)
                ck_assert_int_eq(
                    memcmp(shards[i]->model->weights.values[n][0],
                           shards[0]->model->weights.values[n][0],
                           whole->model->parameters.totals[n][DD_ROLE_WEIGHT] * sizeof(float)),
                    0);
    }
    free_all(whole, shards);
    ddaebm_dataset_free(rows);
}
END_TEST

START_TEST(batch_norms_see_their_part_alone) {
    ddaebm_dataset *rows = small_rows(context, 41, 2);
    ddaebm_trainer *whole = train("", rows, SHARDS * PART), *shards[SHARDS];
    double differences[DD_NETWORKS];
    train_shards(shards, "", rows);
    step_together(whole, shards, differences);
    ck_assert_double_gt(differences[DDAEBM_NETWORK_GENERATOR], 1e-2);
    ck_assert_int_ne(
        memcmp(shards[0]->model->weights.values[DDAEBM_NETWORK_GENERATOR][1],
               shards[1]->model->weights.values[DDAEBM_NETWORK_GENERATOR][1],
               whole->model->parameters.totals[DDAEBM_NETWORK_GENERATOR][DD_ROLE_STATISTIC] *
                   sizeof(float)),
        0);
    free_all(whole, shards);
    ddaebm_dataset_free(rows);
}
END_TEST

START_TEST(wrong_shards_are_refused) {
    ddaebm_dataset *rows = small_rows(context, 41, 2);
    ddaebm_trainer *trainer = train("", rows, PART);
    ASSERT_FAILS(ddaebm_trainer_set_shard(trainer, 0, 0), DDAEBM_OUT_OF_RANGE,
                 "count is 0; allowed: 1 to 65536");
    ASSERT_FAILS(ddaebm_trainer_set_shard(trainer, 0, 65537), DDAEBM_OUT_OF_RANGE,
                 "count is 65537");
    ASSERT_FAILS(ddaebm_trainer_set_shard(trainer, 2, 2), DDAEBM_OUT_OF_RANGE,
                 "index is 2; allowed: 0 to 1");
    ASSERT_FAILS(ddaebm_trainer_set_shard(NULL, 0, 1), DDAEBM_INVALID_ARGUMENT, "trainer");
    ck_assert_uint_eq(trainer->batch.shard, 0);
    ck_assert_uint_eq(trainer->batch.shards, 1);
    ASSERT_OK(ddaebm_trainer_set_shard(trainer, 65535, 65536));
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
}
END_TEST

/* --- Other data. --- */

START_TEST(data_may_be_replaced_between_steps) {
    ddaebm_dataset *rows = small_rows(context, 41, 2), *wide = small_rows(context, 41, 3),
                   *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "pinwheel", 4));
    ddaebm_trainer *trainer = train("", rows, PART);
    double mean[2];
    float row[2];
    memcpy(mean, trainer->model->mean, sizeof mean);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 2, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_set_dataset(trainer, named));
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    for (size_t i = 0; i < PART;
         i++) { /* the third batch of the new set, in the units of the old */
        ASSERT_OK(ddaebm_dataset_read(named, 2 * PART + i, 1, row));
        for (size_t j = 0; j < 2; j++)
            ck_assert_float_eq(trainer->batch.inputs[DD_SLOT_X0][2 * i + j],
                               (float)(((double)row[j] - mean[j]) / trainer->model->scale[j]));
    }
    ck_assert_int_eq(memcmp(mean, trainer->model->mean, sizeof mean), 0);
    ASSERT_FAILS(ddaebm_trainer_set_dataset(trainer, wide), DDAEBM_MISMATCH, "rows of 3 numbers");
    ASSERT_FAILS(ddaebm_trainer_set_dataset(trainer, NULL), DDAEBM_INVALID_ARGUMENT, "dataset");
    ASSERT_FAILS(ddaebm_trainer_set_dataset(NULL, rows), DDAEBM_INVALID_ARGUMENT, "trainer");
    ck_assert_ptr_eq(trainer->batch.dataset, named);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(wide);
    ddaebm_dataset_free(named);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("shards", a_shard_draws_its_part_of_the_batch,
                     shards_follow_the_whole_without_batch_statistics,
                     batch_norms_see_their_part_alone, wrong_shards_are_refused,
                     data_may_be_replaced_between_steps);
}
