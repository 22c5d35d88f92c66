/* What a step is fed: levels in their shares, and numbers that seed and step fix. Shares over many draws are within four deviations
 * of what they should be. */
#define _GNU_SOURCE
#include "support/small.h"
#include "train/trainer.h"

#include <math.h>

enum { BATCH = 500, STEPS = 20, WIDTH = 2 };

static fussy counted;
static ddaebm_context *context;

static void begin(void) {
    context = fussy_context(&counted);
    ASSERT_OK(ddaebm_context_set_threads(context, 1));
}

static void end(void) {
    ddaebm_context_free(context);
    ck_assert_uint_eq(counted.live, 0);
}

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, uint64_t seed) {
    char text[512];
    ddaebm_trainer *trainer = NULL;
    (void)snprintf(text, sizeof text, "\"training.batch\":500,\"training.steps\":%d%s%s", STEPS, *changes ? "," : "", changes);
    ddaebm_model *model = small_model(context, text, 3);
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, seed));
    ck_assert_uint_eq(trainer->batch, BATCH);
    ddaebm_model_free(model);
    return trainer;
}

/* The inputs of a step, without taking it. */
static void draw(ddaebm_trainer *trainer, uint64_t step) {
    trainer->step = step;
    ASSERT_OK(dd_trainer_draw(trainer));
}

static void assert_share(double hits, double of, double share, const char *what) {
    double deviation = sqrt(share * (1 - share) / of);
    ck_assert_msg(fabs(hits / of - share) <= 4 * deviation, "%s: %g of %g, not a share of %g", what, hits, of, share);
}

/* --- Levels. --- */

START_TEST(the_first_level_has_its_share) {
    static const double shares[] = {0, 0.05, 0.25, 0.6, 0.99};
    begin();
    ddaebm_dataset *dataset = small_rows(context, 50, WIDTH);
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++)
        for (size_t levels = 1; levels <= 5; levels += 2) {
            char changes[96];
            double hits[5] = {0};
            (void)snprintf(changes, sizeof changes, "\"training.first_level\":%g,\"diffusion.timesteps\":%zu", shares[s], levels);
            ddaebm_trainer *trainer = train(changes, dataset, 5);
            for (uint64_t step = 0; step < STEPS; step++) {
                draw(trainer, step);
                for (int i = 0; i < BATCH; i++) {
                    float level = trainer->inputs[DD_SLOT_LEVEL][i];
                    ck_assert(level >= 0 && level < (float)levels && level == floorf(level));
                    hits[(int)level]++;
                }
            }
            double first = levels == 1 ? 1 : shares[s] > 0 ? shares[s] : 1 / (double)levels;
            for (size_t level = 0; level < levels; level++)
                assert_share(hits[level], BATCH * STEPS, level == 0 ? first : (1 - first) / (double)(levels - 1), changes);
            ddaebm_trainer_free(trainer);
        }
    ddaebm_dataset_free(dataset);
    end();
}
END_TEST

/* --- All inputs. --- */

/* The inputs are those of (seed, step), whatever was drawn before; each is another's with another step or seed. */
START_TEST(seed_and_step_fix_the_batch) {
    begin();
    ddaebm_dataset *dataset = small_rows(context, 5000, WIDTH);
    ddaebm_trainer *a = train("", dataset, 5), *b = train("", dataset, 5), *other = train("", dataset, 6);
    draw(a, 3);
    draw(b, 7);
    draw(other, 3);
    for (int again = 0; again < 2; again++) {
        for (int slot = 0; slot < DD_SLOT_INPUTS; slot++) {
            size_t bytes = BATCH * dd_trainer_input_width(dd_model_settings(a->model), slot) * sizeof(float);
            ck_assert_int_eq(memcmp(a->inputs[slot], b->inputs[slot], bytes) == 0, again);
            ck_assert_int_ne(memcmp(a->inputs[slot], other->inputs[slot], bytes), 0);
            for (int further = slot + 1; further < DD_SLOT_INPUTS; further++)
                if (slot != DD_SLOT_LEVEL && further != DD_SLOT_LEVEL) /* no two alike */
                    ck_assert_int_ne(memcmp(a->inputs[slot], a->inputs[further], 64 * sizeof(float)), 0);
        }
        draw(b, 3);
    }
    ddaebm_trainer_free(a);
    ddaebm_trainer_free(b);
    ddaebm_trainer_free(other);
    ddaebm_dataset_free(dataset);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {the_first_level_has_its_share, seed_and_step_fix_the_batch};
    return run_tests("batch", tests, sizeof tests / sizeof *tests);
}
