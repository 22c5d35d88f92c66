/* Timesteps that move: towards equal hardness, within bounds, not in the last third; and that a run
 * that is cut loses none of it. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/same_state.h"
#include "support/small.h"
#include "train/adapt.h"
#include "train/trainer.h"

#include <math.h>

#define ADAPTS(kind, timesteps)                                                                    \
    "\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.05,\"diffusion.sigma_max\":8,"    \
    "\"diffusion.timesteps\":" timesteps ",\"diffusion.adapt\":\"" kind "\""
#define RUN EVERYTHING ",\"training.steps\":96,"
enum { STEPS = 5, LAST = 96, FROZEN = 64 };

static ddaebm_trainer *make(const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

static dd_reals levels_of(const ddaebm_trainer *trainer) {
    return dd_trainer_settings(trainer)->diffusion.levels;
}

static bool same_levels(const dd_reals *a, const dd_reals *b) {
    return a->count == b->count && memcmp(a->values, b->values, a->count * sizeof *a->values) == 0;
}

/* ---- The rule. ---- */

/* Hardness of an interval of a density in the logarithm of the ratio. */
static void measure(const dd_reals *levels, double peak, double *hardness) {
    for (size_t i = 0; i + 1 < levels->count; i++) {
        hardness[i] = 0;
        double from = log(levels->values[i]), to = log(levels->values[i + 1]);
        for (int k = 0; k < 200; k++) {
            double at = from + (to - from) * (k + 0.5) / 200;
            hardness[i] += (to - from) / 200 / (0.1 + (at - peak) * (at - peak));
        }
    }
}

START_TEST(moves_end_where_steps_are_equally_hard) {
    for (double peak = -3; peak <= 2; peak += 2.5) {
        dd_reals levels = {.count = 7, .values = {0.02, 0.05, 0.1, 0.3, 1, 2, 12}};
        double hardness[7];
        for (int i = 0; i < 200; i++) {
            dd_reals before = levels;
            measure(&levels, peak, hardness);
            dd_adapt_equalise(&levels, hardness);
            ck_assert_double_eq(levels.values[0], 0.02);
            ck_assert_double_eq(levels.values[6], 12);
            for (size_t k = 1; k < 6; k++) {
                double up = before.values[k + 1] / before.values[k],
                       down = before.values[k - 1] / before.values[k],
                       way = levels.values[k] / before.values[k];
                ck_assert_double_gt(levels.values[k], levels.values[k - 1]);
                ck_assert_double_le(way, pow(up, 0.25) * (1 + 1e-12));
                ck_assert_double_ge(way, pow(down, 0.25) * (1 - 1e-12));
            }
        }
        measure(&levels, peak, hardness);
        for (size_t k = 1; k < 6; k++)
            ck_assert_double_eq_tol(hardness[k] / hardness[0], 1, 0.01);
    }
}
END_TEST

START_TEST(nothing_to_go_by_moves_nothing) {
    const dd_reals levels = {.count = 4, .values = {0.1, 0.2, 0.5, 3}};
    const double none[3] = {0, 0, 0}, wrong[3] = {1, INFINITY, 1};
    dd_reals after = levels;
    dd_adapt_equalise(&after, none);
    dd_adapt_equalise(&after, wrong);
    ck_assert(same_levels(&after, &levels));
}
END_TEST

/* ---- A run. ---- */

static const char *const kinds[] = {RUN ADAPTS("divergence", "5"),
                                    RUN ADAPTS("reconstruction", "5"),
                                    RUN ADAPTS("energy_gap", "5")};

START_TEST(a_run_moves_them_and_then_leaves_them) {
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_trainer *trainer = make(kinds[_i], dataset);
    dd_reals first = levels_of(trainer);
    ck_assert_int_eq(dd_trainer_settings(trainer)->diffusion.schedule, DD_SCHEDULE_LEVELS);
    ck_assert_uint_eq(first.count, STEPS + 1);
    ck_assert_double_eq_tol(first.values[0], 0.05, 1e-5);
    ck_assert_double_eq_tol(first.values[STEPS], 8, 1e-3);

    ASSERT_OK(ddaebm_trainer_run_until(trainer, FROZEN + 1, NULL, NULL));
    dd_reals moved = levels_of(trainer);
    ck_assert_double_eq(moved.values[0], first.values[0]);
    ck_assert_double_eq(moved.values[STEPS], first.values[STEPS]);
    for (size_t i = 1; i < STEPS; i++) {
        ck_assert(moved.values[i] != first.values[i]);
        ck_assert_double_gt(moved.values[i], moved.values[i - 1]);
    }
    ASSERT_OK(ddaebm_trainer_run_until(trainer, LAST, NULL, NULL));
    dd_reals last = levels_of(trainer);
    ck_assert(same_levels(&last, &moved));
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* The model's file has the moved timesteps, and samples by them. */
START_TEST(the_model_keeps_them) {
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_trainer *trainer = make(kinds[0], dataset);
    ddaebm_model *model = NULL, *loaded = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, LAST, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    size_t size = 0;
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&loaded, context, bytes, size));
    dd_reals trained = levels_of(trainer), kept = dd_model_settings(loaded)->diffusion.levels;
    ck_assert(same_levels(&trained, &kept));
    ck_assert(same_models(model, loaded));
    free(bytes);
    ddaebm_model_free(loaded);
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

static ddaebm_trainer *resumed(const ddaebm_trainer *trainer, const ddaebm_dataset *dataset) {
    ddaebm_trainer *again = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("checkpoint")));
    ASSERT_OK(ddaebm_trainer_resume(&again, context, in_folder("checkpoint"), dataset));
    return again;
}

/* Cut before a move, between two, at the step of one, and in the last third. */
START_TEST(a_run_that_is_cut_is_the_same) {
    const uint64_t cuts[] = {1, 2, 31, 40, 64, 65, 80};
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_trainer *whole = make(kinds[_i], dataset);
    ASSERT_OK(ddaebm_trainer_run_until(whole, LAST, NULL, NULL));
    ddaebm_model *expected = NULL;
    ASSERT_OK(ddaebm_trainer_snapshot(&expected, whole));
    ddaebm_trainer *parts = make(kinds[_i], dataset);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ASSERT_OK(ddaebm_trainer_run_until(parts, cuts[i], NULL, NULL));
        ddaebm_trainer *again = resumed(parts, dataset);
        ddaebm_trainer_free(parts);
        parts = again;
    }
    ASSERT_OK(ddaebm_trainer_run_until(parts, LAST, NULL, NULL));
    ddaebm_model *found = NULL;
    ASSERT_OK(ddaebm_trainer_snapshot(&found, parts));
    ck_assert(same_models(expected, found));
    ddaebm_model_free(expected);
    ddaebm_model_free(found);
    ddaebm_trainer_free(parts);
    ddaebm_trainer_free(whole);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* A checkpoint between the stages of the step that begins with a move. */
START_TEST(a_step_moves_them_once) {
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_trainer *trainer = make(kinds[0], dataset);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 4, NULL, NULL));
    dd_reals before = levels_of(trainer);
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    dd_reals once = levels_of(trainer);
    ck_assert(!same_levels(&before, &once));
    ASSERT_OK(ddaebm_trainer_energy_gradients(trainer));
    dd_reals twice = levels_of(trainer);
    ck_assert(same_levels(&once, &twice));
    ddaebm_trainer *again = resumed(trainer, dataset);
    ASSERT_OK(ddaebm_trainer_step(again, NULL));
    ASSERT_OK(ddaebm_trainer_step(trainer, NULL));
    dd_reals of_both[] = {levels_of(trainer), levels_of(again)};
    ck_assert(same_levels(&of_both[0], &of_both[1]));
    ck_assert(same_levels(&of_both[0], &once));
    ddaebm_trainer_free(again);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* ---- Refusals. ---- */

START_TEST(what_makes_no_sense_is_refused) {
    static const char *const cases[][2] = {
        {"\"diffusion.adapt\":\"divergence\"", "needs diffusion.schedule karras"},
        {ADAPTS("divergence", "1"), "it must be from 2 to"},
        {ADAPTS("divergence", "64"), "it must be from 2 to"},
        {ADAPTS("divergence", "5") ",\"diffusion.grid\":\"lsun\"", "diffusion.grid uniform"},
        {ADAPTS("energy_gap", "5") ",\"objective.kind\":\"logistic\"",
         "diffusion.adapt energy_gap"},
        {"\"diffusion.schedule\":\"levels\"", "it must have 5"},
        {"\"diffusion.schedule\":\"levels\",\"diffusion.timesteps\":2,\"diffusion.levels\":[1,1,2]",
         "does not ascend at its number 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ddaebm_config *config = small_config(context, cases[i][0]);
        ddaebm_model *model = NULL;
        ck_assert_int_eq(ddaebm_model_create(&model, context, config, 0), DDAEBM_OUT_OF_RANGE);
        ck_assert_msg(strstr(ddaebm_error_message(), cases[i][1]) != NULL, "%s",
                      ddaebm_error_message());
        ddaebm_config_free(config);
    }
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_trainer *trainer = make(kinds[0], dataset);
    ck_assert_int_eq(ddaebm_trainer_set_shard(trainer, 0, 2), DDAEBM_STATE);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

static ddaebm_status create(ddaebm_trainer **out, const ddaebm_model *model,
                            const ddaebm_dataset *dataset) {
    return ddaebm_trainer_create(out, model, dataset, 5);
}

START_TEST(memory_may_run_out) {
    ddaebm_dataset *dataset = small_rows(context, 50, 2);
    ddaebm_model *model = small_model(context, kinds[0], 3);
    ddaebm_trainer *trainer = NULL;
    void *none = NULL;
    SWEEP_ALLOCATIONS_FROM(counted, trainer, create(&trainer, model, dataset), false);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 4, NULL, NULL));
    dd_reals before = levels_of(trainer);
    counted.fail_at = counted.calls + 3; /* in the plan of a step with moved timesteps */
    ck_assert_int_eq(ddaebm_trainer_energy_gradients(trainer), DDAEBM_OUT_OF_MEMORY);
    dd_reals after = levels_of(trainer);
    ck_assert(same_levels(&before, &after));
    SWEEP_ALLOCATIONS(counted, none, ddaebm_trainer_energy_gradients(trainer));
    after = levels_of(trainer);
    ck_assert(!same_levels(&before, &after));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    const TTest *const each[] = {a_run_moves_them_and_then_leaves_them,
                                 a_run_that_is_cut_is_the_same};
    const TTest *const once[] = {moves_end_where_steps_are_equally_hard,
                                 nothing_to_go_by_moves_nothing,
                                 the_model_keeps_them,
                                 a_step_moves_them_once,
                                 what_makes_no_sense_is_refused,
                                 memory_may_run_out};
    int failed = run_loop_tests("adapt, each kind", each, 2, 3);
    return run_tests("adapt", once, sizeof once / sizeof *once) || failed;
}
