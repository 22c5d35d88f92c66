/* Long calls tell their progress and can be cancelled; the handle then works as before. Loads are
 * in test_load_save.c. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>

enum { COUNT = 2000, WIDTH = 2 };

static ddaebm_model *model;
static ddaebm_dataset *data;
static float rows[COUNT * WIDTH], out[COUNT * WIDTH], expected[COUNT * WIDTH];

static void begin(void) {
    open_context(1);
    data = small_rows(context, COUNT, WIDTH);
    model = small_model(context, "\"diffusion.beta_max\":20", 3);
    ASSERT_OK(ddaebm_dataset_read(data, 0, COUNT, rows));
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
}

static void end(void) {
    ddaebm_model_free(model);
    ddaebm_dataset_free(data);
    close_context();
}

typedef struct watch {
    uint64_t calls, done, total, stop_at;
} watch;

static int look(void *user, uint64_t done, uint64_t total) {
    watch *self = user;
    ck_assert_uint_gt(done, self->done);
    ck_assert_uint_le(done, total);
    self->calls++;
    self->done = done;
    self->total = total;
    return self->calls == self->stop_at;
}

/* Sampling, plain, refined and guided, the gradient, and the four scores. */
enum { SAMPLE, REFINED, GUIDED, SLOPE, SCORES, CALLS = SCORES + 4 };
enum { REFINE_STEPS = 4, REFINE_TIMESTEPS = 2 };

static ddaebm_status call(int which, ddaebm_sampler *sampler, ddaebm_scorer *scorer, float *to) {
    if (which <= GUIDED)
        return ddaebm_sampler_draw(sampler, 1, 0, COUNT, to);
    if (which == SLOPE)
        return ddaebm_scorer_gradient(scorer, rows, COUNT, 0, to);
    return ddaebm_scorer_measure(scorer, (ddaebm_score)(which - SCORES), rows, COUNT, 0, to);
}

/* Passes over each row that a call reports. */
static size_t passes(int which) {
    if (which == REFINED || which == GUIDED)
        return 1 + REFINE_STEPS * REFINE_TIMESTEPS;
    return which == SCORES + DDAEBM_SCORE_TYPICALITY ? ddaebm_model_timesteps(model) : 1;
}

START_TEST(samples_and_scores) {
    ddaebm_sampler *sampler = NULL;
    ddaebm_scorer *scorer = NULL;
    watch w = {0};
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    if (passes(_i) > 1)
        ASSERT_OK(ddaebm_sampler_set_refinement(sampler, REFINE_STEPS, REFINE_TIMESTEPS));
    if (_i == GUIDED)
        ASSERT_OK(ddaebm_sampler_set_guidance(sampler, no_guidance, NULL));
    ASSERT_OK(call(_i, sampler, scorer, expected));
    ASSERT_OK(ddaebm_sampler_set_progress(sampler, look, &w));
    ASSERT_OK(ddaebm_scorer_set_progress(scorer, look, &w));
    ASSERT_OK(call(_i, sampler, scorer, out));
    size_t times = passes(_i);
    ck_assert(w.total == COUNT * times && w.done == w.total && w.calls >= 5 * times);
    for (uint64_t stop = 1, all = w.calls; stop < all; stop++) {
        w = (watch){.stop_at = stop};
        ASSERT_FAILS(call(_i, sampler, scorer, out), DDAEBM_CANCELLED, "cancelled after");
        ck_assert(w.calls == stop && w.done < w.total);
    }
    ASSERT_OK(ddaebm_sampler_set_progress(sampler, NULL, NULL));
    ASSERT_OK(ddaebm_scorer_set_progress(scorer, NULL, NULL));
    w = (watch){0};
    memset(out, 0, sizeof out);
    ASSERT_OK(call(_i, sampler, scorer, out));
    ck_assert_int_eq(memcmp(out, expected, COUNT * sizeof *out), 0);
    ck_assert_uint_eq(w.calls, 0);
    ASSERT_FAILS(ddaebm_scorer_set_progress(NULL, look, &w), DDAEBM_INVALID_ARGUMENT, "scorer");
    ddaebm_sampler_free(sampler);
    ddaebm_scorer_free(scorer);
}
END_TEST

/* Called after a step; stops a run at one. */
static int stop_at(void *user, const ddaebm_step_statistics *statistics, uint64_t last) {
    const uint64_t *step = user;
    ck_assert_uint_eq(last, 8);
    return statistics->step == *step;
}

/* Even one row can be left, between two steps of its refinement. */
START_TEST(one_refined_sample) {
    for (int threads = 1; threads <= 2; threads++) {
        ASSERT_OK(ddaebm_context_set_threads(context, threads));
        ddaebm_sampler *sampler = NULL;
        watch w = {0};
        ASSERT_OK(ddaebm_sampler_create(&sampler, model));
        ASSERT_OK(ddaebm_sampler_set_refinement(sampler, 100, 1));
        ASSERT_OK(ddaebm_sampler_set_progress(sampler, look, &w));
        ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 7, 1, expected));
        ck_assert(w.calls == 101 && w.done == 101 && w.total == 101);
        for (uint64_t stop = 1; stop <= 100; stop += 33) {
            w = (watch){.stop_at = stop};
            ASSERT_FAILS(ddaebm_sampler_draw(sampler, 1, 7, 1, out), DDAEBM_CANCELLED,
                         "cancelled after 0 of 1 rows");
            ck_assert_uint_eq(w.calls, stop);
        }
        w = (watch){0};
        ASSERT_OK(ddaebm_sampler_draw(sampler, 1, 7, 1, out));
        ck_assert_int_eq(memcmp(out, expected, WIDTH * sizeof *out), 0);
        ddaebm_sampler_free(sampler);
    }
}
END_TEST

START_TEST(training) {
    ddaebm_trainer *straight = NULL, *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&straight, model, data, 9));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, data, 9));
    ASSERT_OK(ddaebm_trainer_run(straight, 8, NULL, NULL));
    for (uint64_t step = 1; step <= 8; step += 2) {
        ASSERT_FAILS(ddaebm_trainer_run(trainer, 8, stop_at, &step), DDAEBM_CANCELLED,
                     "cancelled after step");
        ck_assert_uint_eq(ddaebm_trainer_steps(trainer), step);
    }
    ASSERT_OK(ddaebm_trainer_run(trainer, 8, NULL, NULL));
    ddaebm_model *a = NULL, *b = NULL;
    ASSERT_OK(ddaebm_trainer_snapshot(straight, &a));
    ASSERT_OK(ddaebm_trainer_snapshot(trainer, &b));
    ck_assert(same_models(a, b));
    ddaebm_model_free(a);
    ddaebm_model_free(b);
    ddaebm_trainer_free(straight);
    ddaebm_trainer_free(trainer);
}
END_TEST

int main(void) {
    use_fixture(begin, end);
    const TTest *const calls[] = {samples_and_scores}, *const once[] = {one_refined_sample,
                                                                        training};
    return run_loop_tests("cancel calls", calls, 1, CALLS) |
           run_tests("cancel samples and training", once, 2);
}
