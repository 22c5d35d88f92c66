/* The other scores: what they are made of, and that typicality is Mahalanobis's distance from the data that it was fitted to. */
#define _GNU_SOURCE
#include "diffusion/noise_schedule.h"
#include "sample/statistics.h"
#include "support/counted.h"
#include "support/small.h"
#include "support/tamper.h"

#include <ddaebm/scorer.h>
#include <math.h>

enum { ROWS = 300, WIDTH = 2, LEVELS = 4, STATISTICS = LEVELS * DD_STATISTIC_COUNT };

static ddaebm_model *model;
static ddaebm_dataset *data;
static ddaebm_scorer *scorer;
static float rows[ROWS * WIDTH], scores[ROWS];

static void begin(void) {
    open_context(2);
    model = small_model(context, "\"diffusion.beta_max\":20", 3);
    data = small_rows(context, ROWS, WIDTH);
    ASSERT_OK(ddaebm_dataset_read(data, 0, ROWS, rows));
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
}

static void end(void) {
    ddaebm_scorer_free(scorer);
    ddaebm_dataset_free(data);
    ddaebm_model_free(model);
    close_context();
}

START_TEST(scores_have_names) {
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_ENERGY), "energy");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_GRADIENT), "gradient");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_RECONSTRUCTION), "reconstruction");
    ck_assert_str_eq(ddaebm_score_name(DDAEBM_SCORE_TYPICALITY), "typicality");
    ck_assert_ptr_null(ddaebm_score_name(4));
}
END_TEST

/* The same noise for every row, here taken from where the library takes it. */
START_TEST(statistics_are_their_formulas) {
    static const uint64_t shared_seed = 0x5EED;
    begin();
    dd_noise_schedule schedule;
    dd_statistics *statistics = NULL;
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    ASSERT_OK(dd_statistics_create(&statistics, model));
    double temperature = ddaebm_model_temperature(model);
    for (size_t t = 0; t < LEVELS; t++) {
        float noise[WIDTH], diffused[ROWS * WIDTH], gradients[ROWS * WIDTH], energies[ROWS], all[ROWS * DD_STATISTIC_COUNT];
        dd_rng_normals(noise, shared_seed, dd_stream(DD_STREAM_SAMPLE_NOISE, t), 0, WIDTH);
        for (size_t i = 0; i < ROWS * WIDTH; i++)
            diffused[i] = (float)schedule.a_cum[t] * rows[i] + (float)schedule.sigma_cum[t] * noise[i % WIDTH];
        ASSERT_OK(ddaebm_scorer_score(scorer, diffused, ROWS, t, energies));
        ASSERT_OK(ddaebm_scorer_gradient(scorer, diffused, ROWS, t, gradients));
        ASSERT_OK(dd_statistics_measure(
            statistics,
            &(dd_measurement){.rows = {.narrow = rows}, .count = ROWS, .level = t, .out = all, .stride = DD_STATISTIC_COUNT}));
        for (size_t i = 0; i < ROWS; i++) {
            double square = 0;
            for (size_t j = 0; j < WIDTH; j++)
                square += pow(schedule.sigma_cum[t] * temperature * (double)gradients[i * WIDTH + j], 2) / WIDTH;
            const float *one = all + i * DD_STATISTIC_COUNT;
            ck_assert_double_eq_tol((double)one[DD_STATISTIC_ENERGY], temperature * (double)energies[i], 1e-4);
            ck_assert_double_eq_tol((double)one[DD_STATISTIC_GRADIENT], log(square + 1e-12), 1e-3);
            ck_assert(isfinite(one[DD_STATISTIC_RECONSTRUCTION]));
        }
    }
    dd_statistics_free(statistics);
    dd_noise_schedule_free(&schedule);
    end();
}
END_TEST

/* Each score of one row is what it is among many, and the energy is ddaebm_scorer_score. */
START_TEST(scores_do_not_depend_on_company) {
    begin();
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    for (int kind = DDAEBM_SCORE_ENERGY; kind <= DDAEBM_SCORE_TYPICALITY; kind++) {
        float one = 0;
        ASSERT_OK(ddaebm_scorer_measure(scorer, (ddaebm_score)kind, rows, ROWS, 1, scores));
        for (size_t i = 0; i < ROWS; i += 37) {
            ASSERT_OK(ddaebm_scorer_measure(scorer, (ddaebm_score)kind, rows + i * WIDTH, 1, 1, &one));
            ck_assert_double_eq_tol((double)one, (double)scores[i], 1e-3 * (1 + fabs((double)scores[i])));
        }
    }
    float energies[ROWS];
    ASSERT_OK(ddaebm_scorer_score(scorer, rows, ROWS, 2, energies));
    ASSERT_OK(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_ENERGY, rows, ROWS, 2, scores));
    ck_assert_mem_eq(energies, scores, sizeof scores);
    end();
}
END_TEST

/* Over the rows of the fit, the mean of the squared distance is the number of statistics, but for the ridge and one row. */
START_TEST(typicality_is_a_distance_from_the_data) {
    begin();
    ASSERT_FAILS(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores), DDAEBM_STATE, "fit_typicality");
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ASSERT_OK(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores));
    double mean = 0, far = 0;
    for (size_t i = 0; i < ROWS; i++)
        mean += -2 * (double)scores[i] / ROWS;
    ck_assert_double_gt(mean, 0.5 * STATISTICS); /* the ridge counts where statistics say much the same */
    ck_assert_double_lt(mean, 1.02 * STATISTICS);
    float shifted[ROWS * WIDTH];
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        shifted[i] = rows[i] + 20;
    ASSERT_OK(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_TYPICALITY, shifted, ROWS, 0, scores));
    for (size_t i = 0; i < ROWS; i++)
        far += -2 * (double)scores[i] / ROWS;
    ck_assert_double_gt(far, 10 * mean);
    end();
}
END_TEST

START_TEST(typicality_travels_in_the_file) {
    begin();
    ddaebm_model *loaded = NULL;
    ddaebm_scorer *other = NULL;
    float again[ROWS];
    ASSERT_OK(ddaebm_model_fit_typicality(model, data));
    ASSERT_OK(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, scores));
    ASSERT_OK(ddaebm_model_save(model, in_folder("typical.safetensors")));
    ASSERT_OK(ddaebm_model_load(&loaded, context, in_folder("typical.safetensors")));
    ck_assert(same_models(model, loaded));
    ASSERT_OK(ddaebm_scorer_create(&other, loaded));
    ASSERT_OK(ddaebm_scorer_measure(other, DDAEBM_SCORE_TYPICALITY, rows, ROWS, 0, again));
    ck_assert_mem_eq(scores, again, sizeof scores);
    ddaebm_scorer_free(other);
    ddaebm_model_free(loaded);
    loaded = NULL;
    static const test_tamper changes[] = {{.drop = "typicality.mean"},
                                          {.drop = "typicality.precision"},
                                          {.shorten = "typicality.mean"},
                                          {.poke = "typicality.precision", .value = NAN}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        test_tamper_file(in_folder("typical.safetensors"), in_folder("changed.safetensors"), &changes[i]);
        ASSERT_FAILS(ddaebm_model_load(&loaded, context, in_folder("changed.safetensors")),
                     i < 3 ? DDAEBM_MISMATCH : DDAEBM_NOT_FINITE, "typicality.");
        ck_assert_ptr_null(loaded);
    }
    end();
}
END_TEST

START_TEST(what_cannot_be_fitted_or_measured_is_refused) {
    begin();
    ddaebm_dataset *few = small_rows(context, STATISTICS, WIDTH), *wide = small_rows(context, ROWS, WIDTH + 1);
    ASSERT_FAILS(ddaebm_model_fit_typicality(model, few), DDAEBM_OUT_OF_RANGE, "rows");
    ASSERT_FAILS(ddaebm_model_fit_typicality(model, wide), DDAEBM_MISMATCH, "3");
    ASSERT_FAILS(ddaebm_model_fit_typicality(NULL, data), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_scorer_measure(scorer, (ddaebm_score)9, rows, ROWS, 0, scores), DDAEBM_INVALID_ARGUMENT, "9");
    ASSERT_FAILS(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_GRADIENT, rows, ROWS, LEVELS, scores), DDAEBM_OUT_OF_RANGE, "level");
    rows[5] = NAN;
    ASSERT_FAILS(ddaebm_scorer_measure(scorer, DDAEBM_SCORE_RECONSTRUCTION, rows, ROWS, 0, scores), DDAEBM_NOT_FINITE, "row 2");
    ddaebm_dataset_free(few);
    ddaebm_dataset_free(wide);
    end();
}
END_TEST

START_TEST(memory_may_run_out_in_a_fit) {
    begin();
    size_t live = counted.live, nth = 0;
    ddaebm_status status;
    do {
        counted.fail_at = counted.calls + ++nth;
        status = ddaebm_model_fit_typicality(model, data);
        counted.fail_at = 0;
        ck_assert(status == DDAEBM_OK || status == DDAEBM_OUT_OF_MEMORY);
        if (status != DDAEBM_OK)
            ck_assert_uint_eq(counted.live, live);
    } while (status != DDAEBM_OK);
    ck_assert_uint_gt(nth, 10);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {scores_have_names,
                                  statistics_are_their_formulas,
                                  scores_do_not_depend_on_company,
                                  typicality_is_a_distance_from_the_data,
                                  typicality_travels_in_the_file,
                                  what_cannot_be_fitted_or_measured_is_refused,
                                  memory_may_run_out_in_a_fit};
    return run_tests("typicality", tests, sizeof tests / sizeof *tests);
}
