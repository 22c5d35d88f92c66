/* Explanations of scores: where contributions are known by a formula, where a column is known to be
 * wrong, and what is refused. */
#define _GNU_SOURCE
#include "diffusion/noise_schedule.h"
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/scorer.h>
#include <math.h>

/* f without its weights is -|x|^2 / (2 h) in standardised numbers. */
#define NORMAL                                                                                     \
    "\"form.energy\":\"distance\",\"diffusion.schedule\":\"karras\",\"diffusion.sigma_min\":0.1,"  \
    "\"diffusion.sigma_max\":12,\"data.width\":4"

enum { WIDTH = 4 };
static const double means[WIDTH] = {100, -5, 0, 7}, scales[WIDTH] = {10, 0.5, 1e-3, 0};

static ddaebm_model *normal_model_with(const char *changes) {
    ddaebm_model *model = small_model(context, changes, 3);
    ASSERT_OK(ddaebm_model_set_temperature(model, 1));
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
        ASSERT_OK(ddaebm_model_parameter_info(model, i, &info));
        float *zeros = calloc(info.elements, sizeof *zeros);
        if (strncmp(info.name, "energy.", 7) == 0)
            ASSERT_OK(ddaebm_model_set_parameter(model, info.name, zeros, info.elements));
        free(zeros);
    }
    for (size_t j = 0; j < WIDTH; j++) {
        model->mean[j] = means[j];
        model->scale[j] = scales[j];
    }
    model->measured = 98;
    return model;
}

static ddaebm_model *normal_model(void) {
    return normal_model_with(NORMAL);
}

static double variance_of(const ddaebm_model *model) {
    dd_noise_schedule schedule = {0};
    ASSERT_OK(dd_noise_schedule_make(&schedule, context, dd_model_settings(model)));
    double sigma = schedule.sigma_cum[0];
    dd_noise_schedule_free(&schedule);
    return sigma * sigma + 0.01;
}

static ddaebm_scorer *open_scorer(const ddaebm_model *model) {
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    return scorer;
}

/* Where columns are mapped, a restored number is one of the data: the number mapped to the mean. */
START_TEST(restored_numbers_are_of_the_data) {
    ddaebm_model *model = normal_model_with(NORMAL ",\"data.transform\":\"log\"");
    for (size_t j = 0; j + 1 < WIDTH; j++) {
        model->mean[j] = 1 + (double)j;
        model->scale[j] = 0.5;
    }
    ddaebm_scorer *scorer = open_scorer(model);
    const double row[WIDTH] = {exp(1.0), exp(2.0 - 1.5), exp(3.0), 7};
    double values[WIDTH];
    size_t columns[WIDTH];
    float contributions[WIDTH];
    ASSERT_OK(ddaebm_scorer_explain_double(scorer, row, 1, 0, 1, columns, contributions, values));
    ck_assert_uint_eq(columns[0], 1);
    ck_assert_double_eq_tol(values[0] / exp(2.0), 1, 1e-3);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* Standard deviations from the mean: the contribution is half their square over h, restored is the
 * mean. The last column was constant, and 98 rows had its number: log(100). */
START_TEST(contributions_are_those_of_the_formula) {
    static const double off[WIDTH] = {0.5, -3, 1, 0};
    ddaebm_model *model = normal_model();
    ddaebm_scorer *scorer = open_scorer(model);
    double row[WIDTH], values[WIDTH], h = variance_of(model);
    size_t columns[WIDTH];
    float contributions[WIDTH];
    for (size_t j = 0; j < WIDTH; j++)
        row[j] = means[j] + off[j] * scales[j];
    row[3] = 8;
    ASSERT_OK(
        ddaebm_scorer_explain_double(scorer, row, 1, 0, WIDTH, columns, contributions, values));

    double wanted[WIDTH];
    for (size_t j = 0; j < 3; j++)
        wanted[j] = off[j] * off[j] / (2 * h);
    wanted[3] = log(100);
    double before = INFINITY;
    for (size_t k = 0; k < WIDTH; k++) {
        size_t j = columns[k];
        ck_assert_uint_lt(j, WIDTH);
        ck_assert_double_eq_tol((double)contributions[k], wanted[j], 0.01 + 1e-3 * wanted[j]);
        ck_assert_double_le((double)contributions[k], before);
        before = (double)contributions[k];
        ck_assert_double_le(fabs(values[k] - means[j]), 0.01 * scales[j]);
    }
    ck_assert_uint_eq(columns[0], 1);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* A row at the mode: nothing to gain, and each column keeps its number. */
START_TEST(a_typical_row_has_no_reasons) {
    ddaebm_model *model = normal_model();
    ddaebm_scorer *scorer = open_scorer(model);
    double values[WIDTH];
    size_t columns[WIDTH];
    float contributions[WIDTH];
    ASSERT_OK(
        ddaebm_scorer_explain_double(scorer, means, 1, 0, WIDTH, columns, contributions, values));
    bool named[WIDTH] = {false};
    for (size_t k = 0; k < WIDTH; k++) {
        ck_assert(!named[columns[k]]);
        named[columns[k]] = true;
        ck_assert_double_lt((double)contributions[k], 1e-3);
        ck_assert_double_le(fabs(values[k] - means[columns[k]]), 0.01 * scales[columns[k]]);
    }
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* --- A trained model. --- */

enum { TABLE = 1000, ROWS = 200, FACTORS = 2, WIDE = 6 };

/* Rows of a mixture of two normal distributions, whose columns are sums of two hidden numbers and a
 * little noise. */
static void draw_rows(double *rows, size_t count, uint64_t seed) {
    static const double weights[2][FACTORS][WIDE] = {
        {{1, 1, 0, 0.5, 0, -1}, {0, 0.5, 1, 1, -1, 0}},
        {{1, -1, 0.5, 0, 1, 0}, {0, 1, 0, -0.5, 1, 1}}};
    enum { DRAWS = 1 + FACTORS + WIDE };
    float *normals = malloc(count * DRAWS * sizeof *normals);
    dd_rng_normals(normals, seed, dd_stream(DD_STREAM_DATA, 2), 0, count * DRAWS);
    for (size_t i = 0; i < count; i++) {
        const float *own = normals + i * DRAWS;
        int part = own[0] > 0;
        for (size_t j = 0; j < WIDE; j++) {
            double sum = 0.15 * (double)own[1 + FACTORS + j] + (part ? 1 : -1);
            for (size_t f = 0; f < FACTORS; f++)
                sum += weights[part][f][j] * (double)own[1 + f];
            rows[i * WIDE + j] = sum;
        }
    }
    free(normals);
}

static ddaebm_model *train_on_mixture(void) {
    static double rows[TABLE * WIDE];
    ddaebm_dataset *dataset = NULL;
    ddaebm_config *config = NULL;
    ddaebm_model *model = NULL;
    ddaebm_trainer *trainer = NULL;
    draw_rows(rows, TABLE, 1);
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, rows, TABLE, WIDE));
    ASSERT_OK(ddaebm_config_create(&config, context, "vector"));
    ASSERT_OK(ddaebm_config_set_integer(config, "data.width", WIDE));
    ASSERT_OK(ddaebm_config_set_integer(config, "training.steps", 1500));
    ASSERT_OK(ddaebm_config_set_integer(config, "training.batch", 64));
    ASSERT_OK(ddaebm_config_set(config, "energy.hidden_layers", "[64, 64]"));
    ASSERT_OK(ddaebm_model_create(&model, context, config, 1));
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 1));
    ddaebm_model_free(model);
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 1500, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ddaebm_trainer_free(trainer);
    ddaebm_config_free(config);
    ddaebm_dataset_free(dataset);
    return model;
}

/* In each row one column is off by four of its standard deviations: that one is named. */
START_TEST(a_wrong_column_is_named) {
    static double rows[ROWS * WIDE];
    size_t columns[ROWS], right = 0;
    float contributions[ROWS];
    ddaebm_model *model = train_on_mixture();
    ddaebm_scorer *scorer = open_scorer(model);
    draw_rows(rows, ROWS, 2);
    for (size_t i = 0; i < ROWS; i++)
        rows[i * WIDE + i % WIDE] += (i / WIDE % 2 ? 4 : -4) * model->scale[i % WIDE];
    ASSERT_OK(ddaebm_scorer_explain_double(scorer, rows, ROWS, 0, 1, columns, contributions, NULL));
    for (size_t i = 0; i < ROWS; i++)
        right += columns[i] == i % WIDE;
    ck_assert_msg(right >= ROWS * 9 / 10, "%zu of %d", right, ROWS);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

/* --- The call. --- */

START_TEST(contributions_add_up_and_calls_can_be_divided) {
    enum { COUNT = 9, MOST = 3, COLUMNS = 5 };
    ddaebm_model *model =
        small_model(context, "\"data.width\":5,\"energy.activation\":\"silu\"", 8);
    ddaebm_scorer *scorer = open_scorer(model);
    float rows[COUNT * COLUMNS], contributions[COUNT * MOST], values[COUNT * MOST], alone[MOST],
        scores[2];
    size_t columns[COUNT * MOST], again[MOST];
    dd_rng_normals(rows, 5, dd_stream(DD_STREAM_DATA, 1), 0, COUNT * COLUMNS);
    for (size_t timestep = 0; timestep < 2; timestep++) {
        ASSERT_OK(ddaebm_scorer_explain(scorer, rows, COUNT, timestep, MOST, columns, contributions,
                                        values));
        for (size_t i = 0; i < COUNT; i++) {
            float pair[2][COLUMNS];
            double sum = 0;
            memcpy(pair[0], rows + i * COLUMNS, sizeof pair[0]);
            memcpy(pair[1], pair[0], sizeof pair[0]);
            for (size_t k = i * MOST; k < (i + 1) * MOST; k++) {
                pair[1][columns[k]] = values[k];
                sum += (double)contributions[k];
            }
            ASSERT_OK(
                ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, pair[0], 2, timestep, scores));
            ck_assert_double_eq_tol((double)scores[1] - (double)scores[0], sum,
                                    1e-4 * (1 + fabs(sum) + fabs((double)scores[0])));
            ASSERT_OK(
                ddaebm_scorer_explain(scorer, pair[0], 1, timestep, MOST, again, alone, NULL));
            ck_assert_int_eq(memcmp(again, columns + i * MOST, sizeof again), 0);
            ck_assert_int_eq(memcmp(alone, contributions + i * MOST, sizeof alone), 0);
        }
    }
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(arguments_are_checked) {
    ddaebm_model *model = normal_model();
    ddaebm_scorer *scorer = open_scorer(model);
    double row[WIDTH] = {100, -5, 0, 7}, far[WIDTH] = {1e300, -5, 0, 7},
           nan[WIDTH] = {100, NAN, 0, 7};
    float one[WIDTH];
    size_t columns[WIDTH];
#define EXPLAIN(row, most, timestep)                                                               \
    ddaebm_scorer_explain_double(scorer, row, 1, timestep, most, columns, one, NULL)
    ASSERT_FAILS(EXPLAIN(row, 0, 0), DDAEBM_OUT_OF_RANGE, "allowed: 1 to 4");
    ASSERT_FAILS(EXPLAIN(row, 5, 0), DDAEBM_OUT_OF_RANGE, "allowed: 1 to 4");
    ASSERT_FAILS(EXPLAIN(row, 1, 99), DDAEBM_OUT_OF_RANGE, "timestep");
    ASSERT_FAILS(EXPLAIN(nan, 1, 0), DDAEBM_NOT_FINITE, "row 0");
    ASSERT_FAILS(EXPLAIN(far, 1, 0), DDAEBM_OUT_OF_RANGE, "row 0, column 0");
    ASSERT_FAILS(EXPLAIN(NULL, 1, 0), DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_OK(ddaebm_scorer_explain(scorer, NULL, 0, 0, 1, NULL, NULL, NULL));
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(images_are_refused) {
    ddaebm_model *model = small_model(
        context, "\"data.image_size\":4,\"data.channels\":1,\"network.latent_width\":2", 1);
    ddaebm_scorer *scorer = open_scorer(model);
    float row[16] = {0}, contribution;
    size_t column;
    ASSERT_FAILS(ddaebm_scorer_explain(scorer, row, 1, 0, 1, &column, &contribution, NULL),
                 DDAEBM_UNSUPPORTED, "images");
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

static int stop_at_second(void *user, uint64_t done, uint64_t total) {
    size_t *calls = user;
    ck_assert_uint_eq(total, 3);
    ck_assert_uint_eq(done, ++*calls);
    return done == 2;
}

START_TEST(it_cancels_and_allocates_once) {
    ddaebm_model *model = normal_model();
    ddaebm_scorer *scorer = open_scorer(model);
    float rows[3 * WIDTH] = {0}, contributions[3];
    size_t columns[3], calls = 0;
    ASSERT_OK(ddaebm_scorer_set_progress(scorer, stop_at_second, &calls));
    ASSERT_FAILS(ddaebm_scorer_explain(scorer, rows, 3, 0, 1, columns, contributions, NULL),
                 DDAEBM_CANCELLED, "2 of 3");
    ASSERT_OK(ddaebm_scorer_set_progress(scorer, NULL, NULL));
    size_t allocations = counted.calls;
    ASSERT_OK(ddaebm_scorer_explain(scorer, rows, 3, 0, 1, columns, contributions, NULL));
    ck_assert_uint_eq(counted.calls, allocations);
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(no_memory_is_reported) {
    ddaebm_model *model = normal_model();
    ddaebm_scorer *scorer = open_scorer(model);
    float row[WIDTH] = {0}, contribution;
    size_t column;
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, none,
                      ddaebm_scorer_explain(scorer, row, 1, 0, 1, &column, &contribution, NULL));
    ddaebm_scorer_free(scorer);
    ddaebm_model_free(model);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("explain", contributions_are_those_of_the_formula,
                     restored_numbers_are_of_the_data, a_typical_row_has_no_reasons,
                     a_wrong_column_is_named, contributions_add_up_and_calls_can_be_divided,
                     arguments_are_checked, images_are_refused, it_cancels_and_allocates_once,
                     no_memory_is_reported);
}
