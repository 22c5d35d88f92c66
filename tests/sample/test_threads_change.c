/* A context's number of threads may change under samplers, scorers and trainers: they go on, and
 * give the bits that they would have given. (How work is cut is fixed when they are made.) */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>

/* Several chunks of rows, and a few rows alone. */
enum { COUNT = 1500, FEW = 3, WIDTH = 2, STEPS = 6 };

#define SIZES EVERYTHING ",\"training.batch\":64,\"energy.hidden_layers\":[160,160]"

/* From the first number of threads to the others, one after the other. */
static const int changes[][4] = {
    {1, 8, 8, 8}, {8, 1, 1, 1}, {1, 8, 1, 8}, {8, 1, 8, 2}, {3, 2, 5, 1}};

enum { CHANGES = sizeof changes / sizeof *changes };

/* --- Draws and scores. --- */

typedef struct answers {
    float samples[COUNT * WIDTH], few_samples[FEW * WIDTH];
    float scores[COUNT], few_scores[FEW];
    float gradients[COUNT * WIDTH], few_gradients[FEW * WIDTH];
} answers;

static void ask(answers *a, ddaebm_sampler *sampler, ddaebm_scorer *scorer) {
    memset(a, 0, sizeof *a);
    ASSERT_OK(ddaebm_sampler_draw(sampler, 5, 0, COUNT, a->samples));
    ASSERT_OK(ddaebm_sampler_draw(sampler, 5, 9, FEW, a->few_samples));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, a->samples, COUNT, 1, a->scores));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, a->samples, FEW, 1, a->few_scores));
    ASSERT_OK(ddaebm_scorer_gradient(scorer, a->samples, COUNT, 0, a->gradients));
    ASSERT_OK(ddaebm_scorer_gradient(scorer, a->samples, FEW, 0, a->few_gradients));
}

START_TEST(draws_and_scores_go_on) {
    static answers before, after;
    open_context(changes[_i][0]);
    ddaebm_model *model = small_model(context, SIZES, 3);
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ask(&before, sampler, scorer);
    for (int k = 1; k < 4; k++) {
        ASSERT_OK(ddaebm_context_set_threads(context, changes[_i][k]));
        size_t calls = counted.calls;
        ask(&after, sampler, scorer);
        ck_assert_msg(memcmp(&before, &after, sizeof before) == 0,
                      "from %d threads to %d: other bits", changes[_i][0], changes[_i][k]);
        ck_assert_uint_eq(counted.calls, calls); /* what was made is used */
    }
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* Before their first call, too: threads start with it. */
START_TEST(the_first_call_may_come_after) {
    static answers before, after;
    for (int k = 0; k < 2; k++) {
        open_context(changes[_i][0]);
        ddaebm_model *model = small_model(context, SIZES, 3);
        ddaebm_sampler *sampler = NULL;
        ddaebm_scorer *scorer = NULL;
        ASSERT_OK(ddaebm_sampler_create(&sampler, model));
        ASSERT_OK(ddaebm_scorer_create(&scorer, model));
        ASSERT_OK(ddaebm_context_set_threads(context, changes[_i][k]));
        ask(k == 0 ? &before : &after, sampler, scorer);
        ddaebm_sampler_free(sampler);
        ddaebm_scorer_free(scorer);
        ddaebm_model_free(model);
        close_context();
    }
    ck_assert_int_eq(memcmp(&before, &after, sizeof before), 0);
}
END_TEST

/* Progress reaches the end whoever works. */
static int watch(void *user, uint64_t done, uint64_t total) {
    uint64_t *most = user;
    ck_assert_uint_eq(total, COUNT);
    ck_assert_uint_le(done, total);
    *most = done > *most ? done : *most;
    return 0;
}

START_TEST(progress_is_still_told) {
    open_context(changes[_i][0]);
    ddaebm_model *model = small_model(context, "", 3);
    ddaebm_sampler *sampler = NULL;
    float samples[COUNT * WIDTH];
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    for (int k = 0; k < 4; k++) {
        uint64_t most = 0;
        ASSERT_OK(ddaebm_sampler_set_progress(sampler, watch, &most));
        ASSERT_OK(ddaebm_context_set_threads(context, changes[_i][k]));
        ASSERT_OK(ddaebm_sampler_draw(sampler, 5, 0, COUNT, samples));
        ck_assert(most > 0 ||
                  changes[_i][k] > 1); /* the caller may come too late for a chunk of its own */
    }
    ddaebm_sampler_free(sampler);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- Steps. --- */

static ddaebm_trainer *train(const ddaebm_dataset *dataset) {
    ddaebm_model *model = small_model(context, SIZES, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

static ddaebm_model *trained(ddaebm_trainer *trainer, int row, bool changing) {
    ddaebm_model *snapshot = NULL;
    for (int step = 0; step < STEPS; step++) {
        if (changing && step > 0)
            ASSERT_OK(ddaebm_context_set_threads(context, changes[row][1 + step % 3]));
        ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
        ASSERT_OK(ddaebm_trainer_energy_update(trainer));
        if (changing) /* within a step, too */
            ASSERT_OK(ddaebm_context_set_threads(context, changes[row][1 + (step + 1) % 3]));
        ASSERT_OK(ddaebm_trainer_generator_gradients(trainer));
        ASSERT_OK(ddaebm_trainer_generator_update(trainer, NULL));
    }
    ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
    return snapshot;
}

START_TEST(steps_go_on) {
    open_context(changes[_i][0]);
    ddaebm_dataset *dataset = small_rows(context, 300, WIDTH);
    ddaebm_trainer *steady = train(dataset), *changed = train(dataset);
    ddaebm_model *expected = trained(steady, _i, false), *found = trained(changed, _i, true);
    ck_assert_msg(same_models(expected, found), "from %d threads: other bits", changes[_i][0]);
    ddaebm_model_free(expected);
    ddaebm_model_free(found);
    ddaebm_trainer_free(steady);
    ddaebm_trainer_free(changed);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {draws_and_scores_go_on, the_first_call_may_come_after,
                                  progress_is_still_told, steps_go_on};
    return run_loop_tests("change of threads", tests, sizeof tests / sizeof *tests, CHANGES);
}
