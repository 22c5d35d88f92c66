/* Rows that a run keeps aside: which, when they are looked at, which weights they choose, and that
 * a run that is cut loses none of it. */
#define _GNU_SOURCE
#include "base/context.h"
#include "support/counted.h"
#include "support/same_state.h"
#include "support/small.h"
#include "support/tamper.h"
#include "train/marginal.h"

#include <math.h>

#define KEEPS "\"training.held_out\":0.25,\"data.standardize\":\"never\""
#define LEARNS EVERYTHING "," KEEPS ",\"training.steps\":96"

enum { ROWS = 41, KEPT = 10, LAST = 96, EVERY = 3 };

static ddaebm_trainer *make(const char *changes, const ddaebm_dataset *dataset) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ddaebm_model_free(model);
    return trainer;
}

/* A line, so that shuffled columns differ from rows. */
static ddaebm_dataset *line(size_t count) {
    float *rows = malloc(2 * count * sizeof *rows);
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < count; i++)
        rows[2 * i] = rows[2 * i + 1] = (float)i / (float)count - 0.5f;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, rows, count, 2));
    free(rows);
    return dataset;
}

/* ---- Which rows. ---- */

static void count_draws(size_t draws[ROWS], ddaebm_trainer *trainer, uint64_t first,
                        uint64_t last) {
    for (trainer->step = first; trainer->step < last; trainer->step++) {
        ASSERT_OK(dd_batch_draw(trainer));
        for (size_t i = 0; i < trainer->batch.size; i++)
            draws[lrintf((trainer->batch.inputs[DD_SLOT_X0][2 * i] + 0.5f) * ROWS)]++;
    }
}

/* 31 batches of 8 are 8 epochs of the 31 others. */
START_TEST(held_out_rows_are_not_trained_on) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(KEEPS, dataset);
    size_t draws[ROWS] = {0}, never = 0;
    count_draws(draws, trainer, 0, 31);
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert(draws[i] == 0 || draws[i] == 8);
        never += draws[i] == 0;
    }
    ck_assert_uint_eq(never, KEPT);
    for (uint64_t place = 0; place < KEPT; place++)
        ck_assert_uint_eq(draws[dd_held_out_row(trainer, place)], 0);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Too few to tell anything by, or no end of them. */
START_TEST(not_every_set_is_parted) {
    ddaebm_dataset *few = line(7), *enough = line(8), *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "pinwheel", 4));
    const struct {
        const ddaebm_dataset *dataset;
        const char *changes;
        uint64_t kept;
    } sets[] = {{few, KEEPS, 0},
                {enough, KEEPS, 2},
                {named, KEEPS, 0},
                {enough, "", 0},
                {enough, "\"training.held_out\":0.5", 4}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        ddaebm_trainer *trainer = make(sets[i].changes, sets[i].dataset);
        ddaebm_model *model = NULL;
        ck_assert_uint_eq(dd_held_out_count(trainer), sets[i].kept);
        ck_assert_int_eq(trainer->held_out != NULL, sets[i].kept > 0);
        ASSERT_OK(ddaebm_trainer_run_until(trainer, 20, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
        ck_assert_int_eq(ddaebm_model_best_step(model) > 0, sets[i].kept > 0);
        ddaebm_model_free(model);
        ddaebm_trainer_free(trainer);
    }
    ddaebm_dataset_free(few);
    ddaebm_dataset_free(enough);
    ddaebm_dataset_free(named);
}
END_TEST

/* ---- The choice. ---- */

/* Of two columns of 1,000 quantiles of a uniform and an exponential distribution, the density is
 * that of both with the kernel's noise, within its bias; a third, constant, changes nothing. */
START_TEST(marginals_are_those_of_the_columns) {
    enum { COUNT = 1000 };
    static float sample[3 * COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        double u = ((double)i + 0.5) / COUNT;
        sample[3 * i] = (float)(sqrt(3.0) * (2 * u - 1));
        sample[3 * i + 1] = (float)-log(1 - u);
        sample[3 * i + 2] = 7;
    }
    static double found[3 * COUNT];
    const double *zero = found + 3 * 500, *one = found + 3 * 632, *two = found + 3 * 864;
    dd_pool *pool = dd_context_pool(context);
    dd_marginal_log_density(found, sample, COUNT, 3, pool);
    ck_assert_double_eq_tol(zero[0] + one[1] + one[2], log(1 / sqrt(12.0)) - 1, 0.05);
    ck_assert_double_eq_tol(found[3 * 788] + two[1] + two[2], log(1 / sqrt(12.0)) - 2, 0.05);
    sample[1] = NAN; /* the column has none */
    dd_marginal_log_density(found, sample, COUNT, 3, pool);
    ck_assert_double_eq_tol(zero[0] + one[1] + one[2], log(1 / sqrt(12.0)), 0.05);
}
END_TEST

/* The same numbers the long way: scores of the held-out rows against those of rows whose columns
 * come from different rows. */
static double contrast_of(const ddaebm_trainer *trainer, const ddaebm_dataset *dataset,
                          double placements[2][KEPT]) {
    ddaebm_trainer *plain = make(EVERYTHING ",\"data.standardize\":\"never\"", dataset);
    ddaebm_scorer *scorer = NULL;
    float rows[2 * (KEPT + 1024)], scores[KEPT + 1024], all[2 * ROWS];
    double wins = 0, marginal[KEPT + 1024] = {0}, log_density[2 * ROWS];
    dd_weights_copy(&plain->model->weights, &trainer->optimizer.average,
                    &trainer->model->parameters);
    ASSERT_OK(ddaebm_scorer_create(&scorer, plain->model));
    for (uint64_t i = 0; i < ROWS; i++)
        ASSERT_OK(ddaebm_dataset_read(dataset, dd_held_out_row(trainer, i), 1, all + 2 * i));
    memcpy(rows, all, 2 * KEPT * sizeof *rows);
    dd_marginal_log_density(log_density, all, ROWS, 2, dd_context_pool(context));
    for (uint64_t i = 0; i < KEPT; i++)
        marginal[i] = log_density[2 * i] + log_density[2 * i + 1];
    for (uint64_t i = 0; i < 1024; i++)
        for (uint64_t j = 0; j < 2; j++) {
            uint64_t from =
                dd_rng_permute(i % ROWS, ROWS, 5, (UINT64_C(1) << 55) + 1 + i / ROWS * 2 + j);
            rows[2 * (KEPT + i) + j] = all[2 * from + j];
            marginal[KEPT + i] += log_density[2 * from + j];
        }
    /* in one call, as the trainer does: equal rows in other chunks may differ in the last bit */
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, rows, KEPT + 1024, 0, scores));
    for (int measure = 0; measure < 2; measure++)
        for (size_t i = 0; i < KEPT; i++) {
            double beaten = 0, mine = (double)scores[i] - measure * marginal[i];
            for (size_t j = KEPT; j < KEPT + 1024; j++) {
                double other = (double)scores[j] - measure * marginal[j];
                beaten += mine > other ? 1 : mine == other ? 0.5 : 0;
            }
            placements[measure][i] = beaten / 1024;
            wins += measure == 0 ? beaten : 0;
        }
    ddaebm_scorer_free(scorer);
    ddaebm_trainer_free(plain);
    return wins / (KEPT * 1024);
}

static double mean_difference(const double a[KEPT], const double b[KEPT]) {
    double sum = 0;
    for (size_t i = 0; i < KEPT; i++)
        sum += a[i] - b[i];
    return sum / KEPT;
}

/* Of that mean. */
static double standard_error(const double a[KEPT], const double b[KEPT]) {
    double squares = 0, mean = mean_difference(a, b);
    for (size_t i = 0; i < KEPT; i++)
        squares += (a[i] - b[i] - mean) * (a[i] - b[i] - mean);
    return sqrt(squares / (KEPT * (KEPT - 1)));
}

START_TEST(the_best_weights_are_kept) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(LEARNS, dataset);
    ddaebm_model *model = NULL, *expected = NULL;
    double highest[2][KEPT] = {{0}}, now[2][KEPT], most = 0, best = 0;
    uint64_t best_step = 0;
    int lower = 0; /* looks that were below the highest, and as good within the error */
    ASSERT_OK(ddaebm_trainer_run_until(trainer, EVERY - 1, NULL, NULL));
    ASSERT_OK(
        ddaebm_trainer_snapshot(&model, trainer)); /* before the first look: the present ones */
    ck_assert_uint_eq(ddaebm_model_best_step(model), 0);
    ck_assert_double_eq(ddaebm_model_held_out_contrast(model), 0);
    expected = small_model(context, LEARNS, 3);
    for (uint64_t step = EVERY; step <= LAST; step += EVERY) {
        ddaebm_model_free(model);
        ASSERT_OK(ddaebm_trainer_run_until(trainer, step, NULL, NULL));
        double contrast = contrast_of(trainer, dataset, now);
        bool good = false;
        for (int measure = 0; measure < 2; measure++) {
            double below = mean_difference(highest[measure], now[measure]);
            good = good || below <= standard_error(highest[measure], now[measure]);
            if (below <= 0)
                memcpy(highest[measure], now[measure], sizeof *now);
        }
        lower += good && contrast < most;
        most = fmax(most, contrast);
        if (good) {
            best = contrast;
            best_step = step;
            dd_weights_copy(&expected->weights, &trainer->optimizer.average, &expected->parameters);
        }
        ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
        ck_assert_uint_eq(ddaebm_model_best_step(model), best_step);
        ck_assert_double_eq_tol(ddaebm_model_held_out_contrast(model), best, 1e-9);
        for (int n = 0; n < DD_NETWORKS; n++)
            ck_assert_int_eq(memcmp(model->weights.values[n][0], expected->weights.values[n][0],
                                    model->parameters.totals[n][0] * sizeof(float)),
                             0);
    }
    ck_assert_double_gt(best, 0.5);
    ck_assert_int_gt(lower, 0);
    ddaebm_model_free(model);
    ddaebm_model_free(expected);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* There is no look after training.steps. */
START_TEST(looks_end_with_the_schedule) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(EVERYTHING "," KEEPS ",\"training.steps\":10", dataset);
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 40, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ck_assert_uint_ge(ddaebm_model_best_step(model), 1);
    ck_assert_uint_le(ddaebm_model_best_step(model), 10);
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(other_data_begins_anew) {
    ddaebm_dataset *dataset = line(ROWS), *other = small_rows(context, 30, 2),
                   *wide = small_rows(context, 30, 3);
    ddaebm_trainer *trainer = make(LEARNS, dataset);
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 6, NULL, NULL));
    ck_assert_int_eq(ddaebm_trainer_set_dataset(trainer, wide), DDAEBM_MISMATCH);
    dd_held_out *before = trainer->held_out;
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(ddaebm_trainer_set_dataset(trainer, other), DDAEBM_OUT_OF_MEMORY);
    counted.fail_at = 0;
    ck_assert_ptr_eq(trainer->held_out, before);
    ck_assert_ptr_eq(trainer->batch.dataset, dataset);
    ASSERT_OK(ddaebm_trainer_set_dataset(trainer, other));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ck_assert_uint_eq(ddaebm_model_best_step(model), 0);
    ddaebm_model_free(model);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 9, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ck_assert_uint_eq(ddaebm_model_best_step(model), 9);
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(other);
    ddaebm_dataset_free(wide);
}
END_TEST

/* ---- Files. ---- */

START_TEST(a_cut_run_keeps_its_choice) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *straight = make(LEARNS, dataset);
    ddaebm_model *expected = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(straight, LAST, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&expected, straight));
    ck_assert_uint_gt(ddaebm_model_best_step(expected), 0);
    for (uint64_t cut = 0; cut <= LAST; cut += 31) {
        ddaebm_trainer *first = make(LEARNS, dataset), *resumed = NULL;
        ddaebm_model *model = NULL;
        ASSERT_OK(ddaebm_trainer_run_until(first, cut, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_save(first, in_folder("k")));
        ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), dataset));
        ASSERT_OK(ddaebm_trainer_run_until(resumed, LAST, NULL, NULL));
        ck_assert(same_state(resumed, straight));
        ASSERT_OK(ddaebm_trainer_snapshot(&model, resumed));
        ck_assert(same_models(model, expected));
        ddaebm_model_free(model);
        ddaebm_trainer_free(first);
        ddaebm_trainer_free(resumed);
    }
    ddaebm_model_free(expected);
    ddaebm_trainer_free(straight);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(a_model_says_which_weights_it_has) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(LEARNS, dataset);
    ddaebm_model *model = NULL, *loaded = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, LAST, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ASSERT_OK(ddaebm_model_save(model, in_folder("m")));
    ASSERT_OK(ddaebm_model_load(&loaded, context, in_folder("m")));
    ck_assert(same_models(model, loaded));
    ck_assert_uint_eq(ddaebm_model_best_step(loaded), ddaebm_model_best_step(model));
    ck_assert_double_eq(ddaebm_model_held_out_contrast(loaded),
                        ddaebm_model_held_out_contrast(model));
    ddaebm_model_free(model);
    ddaebm_model_free(loaded);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(corrupt_files_are_refused) {
    static const struct {
        bool checkpoint;
        test_tamper change;
        ddaebm_status status;
        const char *text;
    } rows[] = {
        {true,
         {.shorten = "trainer.held_out"},
         DDAEBM_MISMATCH,
         "trainer.held_out does not hold 2 numbers"},
        {true,
         {.lengthen = "trainer.held_out"},
         DDAEBM_MISMATCH,
         "trainer.held_out does not hold 2 numbers"},
        {true, {.retype = "trainer.held_out"}, DDAEBM_MISMATCH, "trainer.held_out"},
        {true, {.poke = "trainer.held_out", .value = 1.5}, DDAEBM_OUT_OF_RANGE, "contrast 1.5"},
        {true,
         {.poke = "trainer.held_out", .value = (double)NAN},
         DDAEBM_OUT_OF_RANGE,
         "contrast nan"},
        {true,
         {.scale = "trainer.held_out", .factor = 0.3},
         DDAEBM_OUT_OF_RANGE,
         "trainer.held_out"},
        {true,
         {.scale = "trainer.held_out", .factor = 1e3},
         DDAEBM_OUT_OF_RANGE,
         "trainer.held_out"},
        {true,
         {.shorten = "trainer.held_out.placements"},
         DDAEBM_MISMATCH,
         "trainer.held_out.placements does not hold"},
        {true,
         {.retype = "trainer.held_out.placements"},
         DDAEBM_MISMATCH,
         "trainer.held_out.placements"},
        {true,
         {.poke = "trainer.held_out.placements", .value = 1.5},
         DDAEBM_OUT_OF_RANGE,
         "trainer.held_out.placements holds 1.5"},
        {true,
         {.poke = "trainer.held_out.placements", .value = (double)NAN},
         DDAEBM_OUT_OF_RANGE,
         "trainer.held_out.placements holds nan"},
        {true,
         {.drop = "trainer.best.energy.net.layers.0.weight"},
         DDAEBM_MISMATCH,
         "trainer.best.energy.net.layers.0.weight"},
        {true,
         {.poke = "trainer.best.energy.net.layers.0.bias", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "trainer.best.energy.net.layers.0.bias"},
        {false, {.metadata = "best_step", .text = "0"}, DDAEBM_OUT_OF_RANGE, "best_step 0"},
        {false, {.metadata = "best_step", .text = "2.5"}, DDAEBM_OUT_OF_RANGE, "best_step 2.5"},
        {false,
         {.metadata = "best_step", .text = "1e300"},
         DDAEBM_OUT_OF_RANGE,
         "best_step 1e+300"},
        {false, {.metadata = "best_step", .text = "first"}, DDAEBM_FORMAT, "best_step"},
        {false,
         {.metadata = "held_out_contrast", .text = "-0.5"},
         DDAEBM_OUT_OF_RANGE,
         "held_out_contrast -0.5"},
        {false, {.metadata = "held_out_contrast"}, DDAEBM_FORMAT, "held_out_contrast"},
    };
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(LEARNS, dataset), *resumed = NULL;
    ddaebm_model *model = NULL, *loaded = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 10, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ASSERT_OK(ddaebm_model_save(model, in_folder("m")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_tamper_file(in_folder(rows[i].checkpoint ? "k" : "m"), in_folder("changed"),
                         &rows[i].change);
        ddaebm_status status =
            rows[i].checkpoint
                ? ddaebm_trainer_resume(&resumed, context, in_folder("changed"), dataset)
                : ddaebm_model_load(&loaded, context, in_folder("changed"));
        ck_assert_msg(status == rows[i].status, "row %zu: status %d", i, (int)status);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), rows[i].text));
    }
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* An earlier version wrote no placements: the choice goes on from the contrast. */
START_TEST(placements_may_be_missing) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_trainer *trainer = make(LEARNS, dataset), *resumed = NULL;
    ddaebm_model *before = NULL, *after = NULL;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 10, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&before, trainer));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    test_tamper_file(in_folder("k"), in_folder("changed"),
                     &(test_tamper){.drop = "trainer.held_out.placements"});
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("changed"), dataset));
    ASSERT_OK(ddaebm_trainer_snapshot(&after, resumed));
    ck_assert(same_models(before, after));
    ASSERT_OK(ddaebm_trainer_run_until(resumed, LAST, NULL, NULL));
    ddaebm_model_free(before);
    ddaebm_model_free(after);
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(resumed);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* ---- Memory. ---- */

START_TEST(memory_may_run_out) {
    ddaebm_dataset *dataset = line(ROWS);
    ddaebm_model *model = small_model(context, LEARNS, 3), *snapshot = NULL;
    ddaebm_trainer *trainer = NULL, *resumed = NULL;
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, trainer, ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 1, NULL, NULL));
    size_t before = counted.calls;
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 12, NULL, NULL)); /* four looks */
    ck_assert_uint_eq(counted.calls, before);
    SWEEP_ALLOCATIONS(counted, none, ddaebm_trainer_save(trainer, in_folder("k")));
    SWEEP_ALLOCATIONS(counted, resumed,
                      ddaebm_trainer_resume(&resumed, context, in_folder("k"), dataset));
    SWEEP_ALLOCATIONS(counted, snapshot, ddaebm_trainer_snapshot(&snapshot, trainer));
    ck_assert(same_state(trainer, resumed));
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(snapshot);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("held_out", held_out_rows_are_not_trained_on, not_every_set_is_parted,
                     marginals_are_those_of_the_columns, the_best_weights_are_kept,
                     looks_end_with_the_schedule, other_data_begins_anew,
                     a_cut_run_keeps_its_choice, a_model_says_which_weights_it_has,
                     corrupt_files_are_refused, placements_may_be_missing, memory_may_run_out);
}
