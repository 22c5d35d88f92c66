/* The normaliser of an energy: where the integral is known, by a formula or by a sum over a grid;
 * that scores become log-densities; that files keep it and changes forget it. */
#define _GNU_SOURCE
#include "diffusion/noise_schedule.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/normaliser.h>
#include <ddaebm/scorer.h>
#include <math.h>

/* --- Energies. --- */

#define DISTANCE                                                                                   \
    "\"form.energy\":\"distance\",\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.1,"  \
    "\"diffusion.sigma_max\":12"

static ddaebm_model *distance_model(size_t width, uint64_t seed) {
    char changes[256];
    (void)snprintf(changes, sizeof changes, DISTANCE ",\"data.width\":%zu", width);
    ddaebm_model *model = small_model(context, changes, seed);
    ASSERT_OK(ddaebm_model_set_temperature(model, 1));
    return model;
}

/* All weights of the energy times a factor: with 0, f is a normal distribution's log-density, up to
 * a constant. */
static void scale_energy(ddaebm_model *model, float factor) {
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        ASSERT_OK(ddaebm_model_parameter_info(model, i, &info));
        if (strncmp(info.name, "energy.", 7) != 0)
            continue;
        float *values = malloc(info.elements * sizeof *values);
        ASSERT_OK(ddaebm_model_parameter(model, info.name, values, info.elements));
        for (size_t k = 0; k < info.elements; k++)
            values[k] *= factor;
        ASSERT_OK(ddaebm_model_set_parameter(model, info.name, values, info.elements));
        free(values);
    }
}

/* log of the integral of exp(-|x|^2 / (2 h)). */
static double normal_log_z(const ddaebm_model *model) {
    dd_noise_schedule schedule = {0};
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    double sigma = schedule.sigma_cum[0], h = sigma * sigma + 0.01;
    dd_noise_schedule_free(&schedule);
    return 0.5 * (double)ddaebm_model_width(model) * log(2 * 3.14159265358979323846 * h);
}

static ddaebm_normaliser told(const ddaebm_model *model) {
    ddaebm_normaliser info = DDAEBM_NORMALISER_INIT;
    ASSERT_OK(ddaebm_model_normaliser(model, &info));
    return info;
}

static ddaebm_normaliser fit(ddaebm_model *model, size_t samples, uint64_t seed) {
    ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT;
    options.samples = samples;
    options.seed = seed;
    ASSERT_OK(ddaebm_model_fit_normaliser(model, &options, NULL, NULL));
    return told(model);
}

/* --- Known integrals. --- */

static const size_t widths[] = {1, 2, 10, 30};

static void check_normal(size_t width) {
    open_context(2);
    ddaebm_model *model = distance_model(width, 3);
    scale_energy(model, 0);
    ddaebm_normaliser found = fit(model, 512, 1);
    double error = found.log_z - normal_log_z(model);
    ck_assert_msg(fabs(error) < 4 * found.standard_error + 1e-3 && found.standard_error < 0.05,
                  "width %zu: log Z is off by %g, standard error %g, effective samples %g", width,
                  error, found.standard_error, found.effective_samples);
    ck_assert_msg(found.effective_samples > 256, "%g", found.effective_samples);
    ddaebm_model_free(model);
    close_context();
}

START_TEST(a_normal_distribution_has_the_integral_of_its_formula) {
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        check_normal(widths[i]);
}
END_TEST

/* Midpoints of a grid of [-LIMIT, LIMIT] squared. */
enum { ACROSS = 500 };
static const double limit = 6;

static double grid_sum(const ddaebm_model *model) {
    static float points[ACROSS * ACROSS][2], scores[ACROSS * ACROSS];
    ddaebm_scorer *scorer = NULL;
    double side = 2 * limit / ACROSS, largest = -1e300, sum = 0;
    for (size_t i = 0; i < ACROSS * ACROSS; i++) {
        points[i][0] = (float)(-limit + side * ((double)(i % ACROSS) + 0.5));
        points[i][1] = (float)(-limit + side * ((double)(i / ACROSS) + 0.5));
    }
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, &points[0][0], ACROSS * ACROSS, 0,
                                  scores));
    ddaebm_scorer_free(scorer);
    for (size_t i = 0; i < ACROSS * ACROSS; i++)
        largest = (double)scores[i] > largest ? (double)scores[i] : largest;
    for (size_t i = 0; i < ACROSS * ACROSS; i++)
        sum += exp((double)scores[i] - largest);
    return largest + log(sum * side * side);
}

static void check_grid(uint64_t seed) {
    open_context(2);
    ddaebm_model *model = distance_model(2, seed);
    scale_energy(model, 2);
    double sum = grid_sum(model);
    ddaebm_normaliser found = fit(model, 1024, 2);
    double error = found.log_z - sum;
    ck_assert_msg(fabs(error) < 4 * found.standard_error + 1e-3 && found.standard_error < 0.04,
                  "log Z is off by %g, standard error %g, gap %g", error, found.standard_error,
                  found.gap);
    ck_assert_msg(fabs(grid_sum(model)) < 4 * found.standard_error + 1e-3,
                  "the density of scores sums to exp(%g)", grid_sum(model));
    ddaebm_model_free(model);
    close_context();
}

START_TEST(any_energy_has_the_integral_of_a_grid) {
    for (uint64_t seed = 10; seed < 13; seed++)
        check_grid(seed);
}
END_TEST

/* Of many seeds, about 95% are within 1.96 standard errors: by the binomial distribution, of 40 at
 * least 33 with a probability of 0.998, of 8 at least 5 with one of 0.9996. */
START_TEST(bars_hold_the_truth) {
    open_context(2);
    ddaebm_model *model = distance_model(2, 4);
    enum { SEEDS = 40 };
    int within = 0, seeds = sampled() ? 8 : SEEDS;
    scale_energy(model, 2);
    double sum = grid_sum(model);
    for (uint64_t seed = 0; seed < (uint64_t)seeds; seed++) {
        ddaebm_normaliser found = fit(model, 64, seed);
        within += fabs(found.log_z - sum) < 1.96 * found.standard_error;
        ASSERT_OK(ddaebm_model_set_temperature(model, 1));
    }
    ck_assert_msg(within >= (sampled() ? 5 : 33), "%d of %d", within, seeds);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- Units. --- */

/* Data of other units and a constant column: the density is of the columns that move. */
START_TEST(scores_are_in_the_datas_units) {
    open_context(1);
    ddaebm_model *model = distance_model(3, 5);
    scale_energy(model, 0);
    const double scales[] = {10, 0.5, 0};
    for (int j = 0; j < 3; j++) {
        model->mean[j] = 7;
        model->scale[j] = scales[j];
    }
    ddaebm_normaliser found = fit(model, 256, 1);

    ddaebm_scorer *scorer = NULL;
    float row[] = {7, 7, 7}, score = 0;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, row, 1, 0, &score));
    double h = exp(normal_log_z(model) * 2 / 3) / (2 * 3.14159265358979323846);
    double wanted = -log(2 * 3.14159265358979323846 * h) - log(10 * 0.5);
    ck_assert_msg(fabs((double)score - wanted) < 4 * found.standard_error + 1e-3,
                  "log-density %g, not %g", (double)score, wanted);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- What keeps it and what forgets it. --- */

static bool is_normalised(const ddaebm_model *model) {
    ddaebm_normaliser info = DDAEBM_NORMALISER_INIT;
    return ddaebm_model_normaliser(model, &info) == DDAEBM_OK;
}

START_TEST(files_keep_it) {
    open_context(1);
    ddaebm_model *model = distance_model(2, 6), *copy = NULL;
    size_t size = 0;
    ck_assert(!is_normalised(model));
    ddaebm_normaliser found = fit(model, 32, 1);
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&copy, context, bytes, size));
    ddaebm_normaliser kept = told(copy);
    ck_assert_double_eq(kept.log_z, found.log_z);
    ck_assert_double_eq(kept.standard_error, found.standard_error);
    ck_assert_double_eq(kept.gap, found.gap);
    ck_assert_double_eq(kept.effective_samples, found.effective_samples);
    free(bytes);
    ddaebm_model_free(copy);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(changes_forget_it) {
    open_context(1);
    ddaebm_model *model = distance_model(2, 6);
    (void)fit(model, 32, 1);
    ASSERT_OK(ddaebm_model_set_temperature(model, 2));
    ck_assert(!is_normalised(model));
    (void)fit(model, 32, 1);
    scale_energy(model, 1);
    ck_assert(!is_normalised(model));
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* --- Failures. --- */

static int cancel_at(void *user, uint64_t done, uint64_t total) {
    const uint64_t *at = user;
    ck_assert_uint_le(done, total);
    return done >= *at && total > 1;
}

START_TEST(it_cancels_and_leaves_the_model) {
    open_context(2);
    ddaebm_model *model = distance_model(2, 6);
    ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT;
    options.samples = 32;
    uint64_t at = 3;
    ck_assert_int_eq(ddaebm_model_fit_normaliser(model, &options, cancel_at, &at),
                     DDAEBM_CANCELLED);
    ck_assert(!is_normalised(model));
    ddaebm_model_free(model);
    close_context();
}
END_TEST

START_TEST(options_are_checked) {
    open_context(1);
    ddaebm_model *model = distance_model(2, 6);
    ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT;
    options.samples = 1;
    ck_assert_int_eq(ddaebm_model_fit_normaliser(model, &options, NULL, NULL), DDAEBM_OUT_OF_RANGE);
    options.samples = 2000000;
    ck_assert_int_eq(ddaebm_model_fit_normaliser(model, &options, NULL, NULL), DDAEBM_OUT_OF_RANGE);
    options = (ddaebm_normaliser_options){0};
    ck_assert_int_eq(ddaebm_model_fit_normaliser(model, &options, NULL, NULL),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_model_fit_normaliser(NULL, NULL, NULL, NULL), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_model_normaliser(model, NULL), DDAEBM_INVALID_ARGUMENT);
    ddaebm_model_free(model);
    close_context();
}
END_TEST

/* The same numbers from any number of threads, and from the same seed. */
START_TEST(a_seed_fixes_it) {
    double log_z[2];
    for (int k = 0; k < 2; k++) {
        open_context(1 + k);
        ddaebm_model *model = distance_model(2, 6);
        log_z[k] = fit(model, 200, 9).log_z;
        ddaebm_model_free(model);
        close_context();
    }
    ck_assert_double_eq_tol(log_z[0], log_z[1], 1e-6);
}
END_TEST

int main(void) {
    return RUN_TESTS("normaliser", a_normal_distribution_has_the_integral_of_its_formula,
                     any_energy_has_the_integral_of_a_grid, bars_hold_the_truth,
                     scores_are_in_the_datas_units, files_keep_it, changes_forget_it,
                     it_cancels_and_leaves_the_model, options_are_checked, a_seed_fixes_it);
}
