/* Lanes of a step: the threads divide the batch, and gradients and losses are those of the whole
 * batch within rounding. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/extremes.h"
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

/* Sums of floats in another order; of a network's largest gradient. */
#define ROUNDING 1e-5

#define NO_BATCH_NORM                                                                              \
    "\"energy.norm\":\"none\",\"generator.norm\":\"none\",\"encoder.norm\":\"none\""
#define IMAGES                                                                                     \
    "\"network.family\":\"ncsnpp\",\"data.image_size\":16,\"data.channels\":1,"                    \
    "\"energy.channels\":8,\"energy.multipliers\":[1,1],\"energy.blocks\":1,"                      \
    "\"energy.attention\":[],\"generator.channels\":8,\"generator.multipliers\":[1,1],"            \
    "\"generator.blocks\":1,\"generator.attention\":[],\"encoder.channels\":8,"                    \
    "\"image.dropout\":0"

static ddaebm_trainer *train(const char *changes, size_t batch, int threads,
                             const ddaebm_dataset *dataset) {
    char text[768];
    ddaebm_trainer *trainer = NULL;
    (void)snprintf(text, sizeof text, "%s,\"training.batch\":%zu", changes, batch);
    ASSERT_OK(ddaebm_context_set_threads(context, threads));
    ddaebm_model *model = small_model(context, text, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

static void expect_same_gradients(const ddaebm_trainer *a, const ddaebm_trainer *b, int network) {
    double most = 0, largest = 0;
    for (size_t i = 0; i < a->model->parameters.totals[network][DD_ROLE_WEIGHT]; i++) {
        double x = (double)a->planned.gradients[network][i];
        largest = larger(largest, fabs(x));
        most = larger(most, fabs(x - (double)b->planned.gradients[network][i]));
    }
    ck_assert_double_gt(largest, 0);
    ck_assert_double_le(most, ROUNDING * largest);
}

/* Compares the gradients of two steps, and the losses of the first. The energy is not updated in
 * between, so that rounding does not grow. */
static void compare_steps(ddaebm_trainer *a, ddaebm_trainer *b) {
    for (uint64_t step = 0; step < 2; step++) {
        a->step = b->step = step;
        ASSERT_OK(ddaebm_trainer_energy_gradients(a));
        ASSERT_OK(ddaebm_trainer_energy_gradients(b));
        expect_same_gradients(a, b, DDAEBM_NETWORK_ENERGY);
        ASSERT_OK(ddaebm_trainer_generator_gradients(a));
        ASSERT_OK(ddaebm_trainer_generator_gradients(b));
        expect_same_gradients(a, b, DDAEBM_NETWORK_GENERATOR);
        expect_same_gradients(a, b, DDAEBM_NETWORK_ENCODER);
        for (int i = 0; i < DD_LOSSES; i++)
            ck_assert_double_eq_tol((double)a->planned.losses[i], (double)b->planned.losses[i],
                                    ROUNDING * (1 + fabs((double)a->planned.losses[i])));
    }
}

static void compare(const char *changes, size_t batch, int threads, size_t lanes,
                    const ddaebm_dataset *dataset) {
    ddaebm_trainer *whole = train(changes, batch, 1, dataset),
                   *divided = train(changes, batch, threads, dataset);
    ck_assert_uint_eq(whole->planned.lane_count, 1);
    ck_assert_uint_eq(divided->planned.lane_count, lanes);
    compare_steps(whole, divided);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(divided);
}

START_TEST(lanes_of_rows_give_the_gradients_of_the_batch) {
    ddaebm_dataset *dataset = small_rows(context, 300, 2);
    compare(NO_BATCH_NORM, 96, 2, 2, dataset);
    compare(NO_BATCH_NORM, 98, 3, 3, dataset); /* of 33, 33 and 32 rows */
    compare(NO_BATCH_NORM, 98, 16, 3, dataset);
    compare(NO_BATCH_NORM ",\"objective.energy_score\":3,\"objective.noise_contrast\":2,"
                          "\"objective.timestep_contrast\":2,\"form.energy\":\"density\"",
            67, 2, 2, dataset);
    compare(NO_BATCH_NORM, 40, 4, 1, dataset);               /* too few rows */
    compare("\"energy.norm\":\"batch\"", 96, 2, 1, dataset); /* rows depend on each other */
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(lanes_of_images_give_the_gradients_of_the_batch) {
    uint8_t pixels[13 * 16 * 16];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 5);
    ASSERT_OK(ddaebm_dataset_create_images(&dataset, context, pixels, 13, 16, 16, 1));
    compare(IMAGES, 11, 2, 2, dataset);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* The gradient of 3 times the mean of squares of the generated samples. */
static ddaebm_status pull(void *user, const ddaebm_generated_batch *batch, float *gradients) {
    (void)user;
    for (size_t i = 0; i < batch->count * batch->width; i++)
        gradients[i] = 6 * batch->samples[i] / (float)batch->count;
    return DDAEBM_OK;
}

START_TEST(a_custom_loss_counts_in_every_lane) {
    ddaebm_dataset *dataset = small_rows(context, 300, 2);
    ddaebm_trainer *whole = train(NO_BATCH_NORM, 99, 1, dataset),
                   *divided = train(NO_BATCH_NORM, 99, 2, dataset);
    ASSERT_OK(ddaebm_context_set_threads(context, 1));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(whole, pull, NULL));
    ASSERT_OK(ddaebm_context_set_threads(context, 2));
    ASSERT_OK(ddaebm_trainer_set_sample_hook(divided, pull, NULL));
    ck_assert_uint_eq(divided->planned.lane_count, 2);
    compare_steps(whole, divided);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(divided);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Each lane drops out by a seed of its own: two lanes with the same rows differ. */
START_TEST(lanes_have_dropout_seeds_of_their_own) {
    ddaebm_dataset *dataset = small_rows(context, 300, 2);
    ddaebm_trainer *trainer = train(NO_BATCH_NORM, 64, 2, dataset);
    ASSERT_OK(dd_batch_draw(trainer));
    const float *seeds = trainer->batch.inputs[DD_SLOT_DROPOUT_SEED];
    size_t first = trainer->planned.lanes[1].first;
    ck_assert_uint_eq(first, 32);
    ck_assert_int_ne(memcmp(seeds, seeds + 4 * first, 4 * sizeof *seeds), 0);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("lanes", lanes_of_rows_give_the_gradients_of_the_batch,
                     lanes_of_images_give_the_gradients_of_the_batch,
                     a_custom_loss_counts_in_every_lane, lanes_have_dropout_seeds_of_their_own);
}
