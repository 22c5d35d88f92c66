/* What a step is fed: fractions of timesteps, and numbers fixed by seed and step. Fractions over
 * many draws are within four standard deviations of their expectation. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

enum { BATCH = 500, STEPS = 20, WIDTH = 2 };

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, uint64_t seed) {
    char text[512];
    ddaebm_trainer *trainer = NULL;
    (void)snprintf(text, sizeof text, "\"training.batch\":500,\"training.steps\":%d%s%s", STEPS,
                   *changes ? "," : "", changes);
    ddaebm_model *model = small_model(context, text, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, seed));
    ck_assert_uint_eq(trainer->batch.size, BATCH);
    ddaebm_model_free(model);
    return trainer;
}

/* The inputs of a step, without taking it. */
static void draw(ddaebm_trainer *trainer, uint64_t step) {
    trainer->step = step;
    ASSERT_OK(dd_batch_draw(trainer));
}

static void assert_fraction(double hits, double of, double fraction, const char *what) {
    double deviation = sqrt(fraction * (1 - fraction) / of);
    ck_assert_msg(fabs(hits / of - fraction) <= 4 * deviation, "%s: %g of %g, not a fraction of %g",
                  what, hits, of, fraction);
}

/* --- Timesteps. --- */

START_TEST(the_first_timestep_has_its_probability) {
    static const double probabilities[] = {0, 0.05, 0.25, 0.6, 0.99};
    ddaebm_dataset *dataset = small_rows(context, 50, WIDTH);
    for (size_t s = 0; s < sizeof probabilities / sizeof *probabilities; s++)
        for (size_t timesteps = 1; timesteps <= 5; timesteps += 2) {
            char changes[96];
            double hits[5] = {0};
            (void)snprintf(changes, sizeof changes,
                           "\"training.first_timestep\":%g,\"diffusion.timesteps\":%zu",
                           probabilities[s], timesteps);
            ddaebm_trainer *trainer = train(changes, dataset, 5);
            for (uint64_t step = 0; step < STEPS; step++) {
                draw(trainer, step);
                for (int i = 0; i < BATCH; i++) {
                    float timestep = trainer->batch.inputs[DD_SLOT_TIMESTEP][i];
                    ck_assert(timestep >= 0 && timestep < (float)timesteps &&
                              timestep == floorf(timestep));
                    hits[(int)timestep]++;
                }
            }
            double first = timesteps == 1         ? 1
                           : probabilities[s] > 0 ? probabilities[s]
                                                  : 1 / (double)timesteps;
            for (size_t timestep = 0; timestep < timesteps; timestep++)
                assert_fraction(hits[timestep], BATCH * STEPS,
                                timestep == 0 ? first : (1 - first) / (double)(timesteps - 1),
                                changes);
            ddaebm_trainer_free(trainer);
        }
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- All inputs. --- */

/* The inputs are those of (seed, step), whatever was drawn before; each is another's with another
 * step or seed. */
START_TEST(seed_and_step_fix_the_batch) {
    ddaebm_dataset *dataset = small_rows(context, 5000, WIDTH);
    static const char changes[] =
        "\"objective.transform_contrast\":1,\"objective.noise_contrast\":1,"
        "\"diffusion.noise\":\"student\"";
    ddaebm_trainer *a = train(changes, dataset, 5), *b = train(changes, dataset, 5),
                   *other = train(changes, dataset, 6);
    draw(a, 3);
    draw(b, 7);
    draw(other, 3);
    for (int again = 0; again < 2; again++) {
        for (int slot = 0; slot < DD_SLOT_INPUTS; slot++) {
            size_t bytes = a->batch.size * dd_batch_row_size(dd_model_settings(a->model), slot) *
                           sizeof(float);
            if (slot == DD_SLOT_NOISE_DENSITY) /* that of rows is always the same */
                continue;
            ck_assert_int_eq(memcmp(a->batch.inputs[slot], b->batch.inputs[slot], bytes) == 0,
                             again);
            ck_assert_int_ne(memcmp(a->batch.inputs[slot], other->batch.inputs[slot], bytes), 0);
            for (int further = slot + 1; further < DD_SLOT_INPUTS; further++)
                if (slot != DD_SLOT_TIMESTEP && further != DD_SLOT_TIMESTEP) /* no two alike */
                    ck_assert_int_ne(
                        memcmp(a->batch.inputs[slot], a->batch.inputs[further], 4 * sizeof(float)),
                        0);
        }
        draw(b, 3);
    }
    ddaebm_trainer_free(a);
    ddaebm_trainer_free(b);
    ddaebm_trainer_free(other);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* --- Images. --- */

enum { SIDE = 4, PADDING = 1, WHOLE = SIDE + 2 * PADDING, CHANNELS = 2, IMAGES = 7 };

static ddaebm_dataset *make_images(void) {
    uint8_t pixels[IMAGES * SIDE * SIDE * CHANNELS];
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i + 3);
    ASSERT_OK(
        ddaebm_dataset_create_images(&dataset, context, pixels, IMAGES, SIDE, SIDE, CHANNELS));
    return dataset;
}

static ddaebm_trainer *train_images(const ddaebm_dataset *dataset, bool flip, uint64_t seed) {
    char changes[160];
    (void)snprintf(changes, sizeof changes,
                   "\"data.image_size\":%d,\"data.padding\":%d,\"data.channels\":%d,\"data.flip\":%"
                   "s,\"data.standardize\":\"always\"",
                   WHOLE, PADDING, CHANNELS, flip ? "true" : "false");
    return train(changes, dataset, seed);
}

/* Pixel (y, x) of a padded image. */
static const float *pixel(const float *image, size_t y, size_t x) {
    return image + (y * WHOLE + x) * CHANNELS;
}

/* Whether b is a, or its mirror image, number by number. */
static bool is_same(const float *a, const float *b, bool mirrored) {
    for (size_t y = 0; y < WHOLE; y++)
        for (size_t x = 0; x < WHOLE; x++)
            if (memcmp(pixel(a, y, x), pixel(b, y, mirrored ? WHOLE - 1 - x : x),
                       CHANNELS * sizeof *a) != 0)
                return false;
    return true;
}

static void assert_border(const float *image) {
    for (size_t y = 0; y < WHOLE; y++)
        for (size_t x = 0; x < WHOLE; x++) {
            bool border = y == 0 || x == 0 || y == WHOLE - 1 || x == WHOLE - 1;
            ck_assert((*pixel(image, y, x) == -1) == border); /* no byte of the set is 0 */
        }
}

/* With flips each image is the one without or its mirror image, half of them each; seed and step
 * say which. */
START_TEST(half_the_images_are_mirrored) {
    ddaebm_dataset *dataset = make_images();
    ddaebm_trainer *plain = train_images(dataset, false, 5),
                   *flipped = train_images(dataset, true, 5);
    ddaebm_trainer *again = train_images(dataset, true, 5);
    size_t width = (size_t)WHOLE * WHOLE * CHANNELS, mirrored = 0, changes = 0;
    bool before[BATCH] = {false};
    for (uint64_t step = 0; step < STEPS; step++) {
        draw(plain, step);
        draw(again, STEPS - step);
        draw(again, step);
        draw(flipped, step);
        const float *a = plain->batch.inputs[DD_SLOT_X0], *b = flipped->batch.inputs[DD_SLOT_X0];
        ck_assert_int_eq(memcmp(b, again->batch.inputs[DD_SLOT_X0], BATCH * width * sizeof *b), 0);
        for (size_t i = 0; i < BATCH; i++) {
            bool mirror = is_same(a + i * width, b + i * width, true);
            assert_border(b + i * width);
            ck_assert(mirror != is_same(a + i * width, b + i * width, false));
            mirrored += mirror;
            changes += step > 0 && mirror != before[i];
            before[i] = mirror;
        }
    }
    assert_fraction((double)mirrored, BATCH * STEPS, 0.5, "mirrored");
    assert_fraction((double)changes, BATCH * (STEPS - 1), 0.5, "otherwise than in the step before");
    ddaebm_trainer_free(plain);
    ddaebm_trainer_free(flipped);
    ddaebm_trainer_free(again);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(images_are_not_standardised) {
    ddaebm_dataset *dataset = make_images();
    ddaebm_trainer *trainer = train_images(dataset, false, 5);
    for (size_t i = 0; i < ddaebm_model_width(trainer->model); i++)
        ck_assert(trainer->model->mean[i] == 0 && trainer->model->scale[i] == 1);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("batch", the_first_timestep_has_its_probability, seed_and_step_fix_the_batch,
                     half_the_images_are_mirrored, images_are_not_standardised);
}
