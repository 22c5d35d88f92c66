/* What a model learns of its data's columns: whatever their units, whether they vary at all, and
 * what they are called. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/small.h"

#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/trainer.h>
#include <math.h>

enum { ROWS = 300, WIDTH = 3 };

static double table[ROWS * WIDTH];

/* Multiples of 2^-20, so that sums with powers of two up to 2^30 are exact. */
static void fill_table(void) {
    static float normals[ROWS * WIDTH];
    dd_rng_normals(normals, 5, dd_stream(DD_STREAM_DATA, 0), 0, ROWS * WIDTH);
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        table[i] = floor((double)normals[i] * 0x1p20 * (double)(i % WIDTH + 1)) * 0x1p-20;
}

static ddaebm_dataset *open_rows(const double *rows, size_t count, size_t width) {
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, rows, count, width));
    return dataset;
}

/* A model after a few steps on (x + shift) * factor. */
static ddaebm_model *train(double factor, double shift, const ddaebm_dataset **kept) {
    static double rows[ROWS * WIDTH];
    ddaebm_trainer *trainer = NULL;
    ddaebm_model *start =
                     small_model(context, "\"data.width\":3,\"data.standardize\":\"always\"", 3),
                 *model = NULL;
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        rows[i] = (table[i] + shift) * factor;
    ddaebm_dataset *dataset = open_rows(rows, ROWS, WIDTH);
    ASSERT_OK(ddaebm_trainer_create(&trainer, start, dataset, 7));
    ASSERT_OK(ddaebm_trainer_run_until(trainer, 12, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(start);
    *kept = dataset;
    return model;
}

static void draw(const ddaebm_model *model, double *rows, size_t count) {
    ddaebm_sampler *sampler = NULL;
    ASSERT_OK(ddaebm_sampler_create(&sampler, model));
    ASSERT_OK(ddaebm_sampler_draw_double(sampler, 9, 0, count, rows));
    ddaebm_sampler_free(sampler);
}

static void score(const ddaebm_model *model, const double *rows, size_t count, float *scores,
                  double *gradients) {
    ddaebm_scorer *scorer = NULL;
    ASSERT_OK(ddaebm_scorer_create(&scorer, model));
    ASSERT_OK(ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_ENERGY, rows, count, 0, scores));
    ASSERT_OK(ddaebm_scorer_gradient_double(scorer, rows, count, 0, gradients));
    ddaebm_scorer_free(scorer);
}

/* The same table in other units: weights, temperature, scores and, in its units, samples and
 * gradients. Powers of two leave every bit. */
START_TEST(units_and_offsets_change_nothing) {
    static const struct {
        double factor, shift;
    } rows[] = {{1, 0},       {0x1p-66, 0}, {0x1p40, 0},    {0x1p-900, 0},       {0x1p900, 0},
                {-0x1p-3, 0}, {1, 0x1p30},  {0x1p-66, 256}, {1e-20, 0},          {1e12, 0},
                {1e-200, 0},  {1e200, 0},   {1, 1e9},       {1e12, 1e-3},        {1e-20, 1e3},
                {1e-20, 1e9}, {1e12, -1e9}, {1e-300, 0},    {5e-324 * 0x1p60, 0}};
    static double samples[64 * WIDTH], expected[64 * WIDTH], data[64 * WIDTH], slopes[64 * WIDTH],
        slope[64 * WIDTH];
    static float scores[64], first_scores[64], inner[64 * WIDTH], first_inner[64 * WIDTH];
    fill_table();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double factor = rows[i].factor, shift = rows[i].shift, size = fabs(factor);
        const ddaebm_dataset *dataset = NULL;
        open_context(1);
        ddaebm_model *model = train(factor, shift, &dataset);
        /* A shift rounds the mean: a network that is trained so differs by what float32 makes of
         * that. */
        double near = shift != 0 ? 2e-2 : size < 1e-290 ? 1e-2 : 2e-5;
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 64, data));
        ASSERT_OK(dd_model_read(model, dataset, 0, 64, inner));
        draw(model, samples, 64);
        score(model, data, 64, scores, slopes);
        for (size_t k = 0; k < 64 * WIDTH; k++) {
            samples[k] = samples[k] / factor - shift;
            slopes[k] *= factor;
        }
        if (i == 0) {
            memcpy(expected, samples, sizeof samples);
            memcpy(first_scores, scores, sizeof scores);
            memcpy(slope, slopes, sizeof slopes);
            memcpy(first_inner, inner, sizeof inner);
        }
        for (size_t k = 0; k < 64; k++)
            ck_assert_msg(factor < 0 || fabs((double)scores[k] - (double)first_scores[k]) < near,
                          "%g + %g: score %zu is %g, not %g", factor, shift, k, (double)scores[k],
                          (double)first_scores[k]);
        for (size_t k = 0; k < 64 * WIDTH; k++) /* what the networks see */
            ck_assert_float_eq_tol(factor < 0 ? -inner[k] : inner[k], first_inner[k],
                                   size < 1e-290 ? 1e-5F : 1e-6F);
        for (size_t k = 0; k < 64 * WIDTH && factor > 0; k++) {
            ck_assert_msg(fabs(samples[k] - expected[k]) < near,
                          "%g + %g: sample %zu is %g, not %g", factor, shift, k, samples[k],
                          expected[k]);
            ck_assert_msg(fabs(slopes[k] - slope[k]) < near * (1 + fabs(slope[k])),
                          "%g + %g: slope %zu is %g, not %g", factor, shift, k, slopes[k],
                          slope[k]);
        }
        if (i > 0 && i < 5) { /* not one bit */
            ck_assert_int_eq(memcmp(scores, first_scores, sizeof scores), 0);
            ck_assert_int_eq(memcmp(samples, expected, sizeof samples), 0);
        }
        ddaebm_model_free(model);
        ddaebm_dataset_free((ddaebm_dataset *)(uintptr_t)dataset);
        close_context();
    }
}
END_TEST

static ddaebm_model *measured(const ddaebm_dataset *dataset) {
    char width[64];
    (void)snprintf(width, sizeof width, "\"diffusion.beta_max\":20,\"data.width\":%zu",
                   ddaebm_dataset_width(dataset));
    ddaebm_model *model = small_model(context, width, 1);
    ASSERT_OK(dd_model_name_columns(model, dataset));
    ASSERT_OK(dd_model_measure(model, dataset));
    return model;
}

/* SI units, places within metres, seconds of one hour, the smallest and the largest differences
 * that there are. */
START_TEST(columns_that_vary_are_not_constant) {
    static const struct {
        double middle, apart;
    } columns[] = {
        {1.6e-19, 2e-20}, {48.1375, 1e-5}, {11.5755, 1e-6}, {1.7e9, 1800}, {6.62607015e-34, 1e-40},
        {1e15, 0.25},     {0, 5e-324},     {0, 1e-160},     {0, 8e307},    {1, 0x1p-52},
        {1e300, 1e290},   {-273.15, 1e-9}};
    enum { COLUMNS = sizeof columns / sizeof *columns, FEW = 40 };
    static double rows[FEW * COLUMNS], inner_sum[COLUMNS];
    static float inner[FEW * COLUMNS];
    open_context(1);
    heard log = {0};
    ASSERT_OK(ddaebm_context_set_log(context, hear, &log, DDAEBM_LOG_WARNING));
    for (size_t i = 0; i < FEW * COLUMNS; i++)
        rows[i] = columns[i % COLUMNS].middle +
                  (i / COLUMNS % 2 ? columns[i % COLUMNS].apart : -columns[i % COLUMNS].apart);
    ddaebm_dataset *dataset = open_rows(rows, FEW, COLUMNS);
    ddaebm_model *model = measured(dataset);
    ck_assert_uint_eq(log.warnings, 0);
    ASSERT_OK(dd_model_read(model, dataset, 0, FEW, inner));
    for (size_t j = 0; j < COLUMNS; j++) {
        ck_assert_msg(model->scale[j] > 0, "column %zu", j);
        for (size_t i = 0; i < FEW; i++)
            inner_sum[j] += fabs((double)inner[i * COLUMNS + j]) / FEW;
        ck_assert_msg(fabs(inner_sum[j] - 1) < 0.51, "column %zu: %g", j,
                      inner_sum[j]); /* half an ulp may be all that there is */
    }
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

START_TEST(what_no_double_holds_is_refused) {
    const double rows[] = {1.7e308, -1.7e308};
    open_context(1);
    ddaebm_dataset *dataset = open_rows(rows, 2, 1);
    ddaebm_model *model = small_model(context, "\"data.width\":1", 1);
    ASSERT_FAILS(dd_model_measure(model, dataset), DDAEBM_NOT_FINITE, "column 1 (from 1)");
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* ---- Constant columns. ---- */

/* Columns 2 and 3 are constant. */
static ddaebm_dataset *half_constant(bool wide) {
    static double rows[ROWS * 4];
    static float narrow[ROWS * 4];
    fill_table();
    for (size_t i = 0; i < ROWS * 4; i++) {
        rows[i] = i % 4 == 1 ? 0.1 : i % 4 == 2 ? -7e22 : table[i / 4 * WIDTH + i % 4 / 2];
        narrow[i] = (float)rows[i];
    }
    ddaebm_dataset *dataset = NULL;
    if (wide)
        return open_rows(rows, ROWS, 4);
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, narrow, ROWS, 4));
    return dataset;
}

START_TEST(constants_come_back_and_are_missed) {
    for (int wide = 0; wide < 2; wide++) {
        static double samples[50 * 4], rows[4 * 4], slopes[4 * 4];
        static float floats[50 * 4], narrow[4 * 4], scores[4], narrow_scores[4], other[4];
        ddaebm_trainer *trainer = NULL;
        ddaebm_scorer *scorer = NULL;
        ddaebm_sampler *sampler = NULL;
        ddaebm_model *snapshot = NULL, *model = NULL;
        size_t size = 0;
        open_context(1);
        ddaebm_dataset *dataset = half_constant(wide);
        ddaebm_model *start =
            small_model(context, "\"data.width\":4,\"data.standardize\":\"always\"", 3);
        double constants[] = {wide ? 0.1 : (double)0.1f, wide ? -7e22 : (double)-7e22f},
               loss = log(ROWS + 2);

        ASSERT_OK(ddaebm_trainer_create(&trainer, start, dataset, 7));
        ASSERT_OK(ddaebm_trainer_run_until(trainer, 5, NULL, NULL));
        ASSERT_OK(ddaebm_trainer_snapshot(&snapshot, trainer));
        void *bytes = small_bytes(snapshot, &size); /* and all of it is in the file */
        ASSERT_OK(ddaebm_model_load_memory(&model, context, bytes, size));

        draw(model, samples, 50);
        ASSERT_OK(ddaebm_sampler_create(&sampler, model));
        ASSERT_OK(ddaebm_sampler_draw(sampler, 9, 0, 50, floats));
        for (size_t i = 0; i < 50; i++)
            for (size_t j = 0; j < 2; j++)
                ck_assert(samples[i * 4 + 1 + j] == constants[j] &&
                          floats[i * 4 + 1 + j] == (float)constants[j]);

        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 1, rows));
        for (size_t i = 1; i < 4; i++)
            memcpy(rows + i * 4, rows, 4 * sizeof *rows);
        rows[4 + 1] += 1e-3;                       /* one column differs */
        rows[2 * 4 + 1] = 99, rows[2 * 4 + 2] = 0; /* two do */
        rows[3 * 4 + 2] = -6.9e22;
        for (size_t i = 0; i < 16; i++)
            narrow[i] = (float)rows[i];
        score(model, rows, 4, scores, slopes);
        ASSERT_OK(ddaebm_scorer_create(&scorer, model));
        ASSERT_OK(ddaebm_scorer_score(scorer, DDAEBM_SCORE_ENERGY, narrow, 4, 0, narrow_scores));
        ASSERT_OK(
            ddaebm_scorer_score_double(scorer, DDAEBM_SCORE_RECONSTRUCTION, rows, 4, 1, other));
        static const double columns[] = {0, 1, 2, 1};
        for (size_t i = 0; i < 4; i++) {
            ck_assert_double_eq_tol((double)scores[0] - (double)scores[i], columns[i] * loss, 1e-4);
            ck_assert_double_eq_tol((double)narrow_scores[0] - (double)narrow_scores[i],
                                    columns[i] * loss, 1e-4);
            ck_assert_double_eq_tol((double)other[0] - (double)other[i], columns[i] * loss, 1e-4);
            ck_assert(slopes[i * 4 + 1] == 0 && slopes[i * 4 + 2] == 0 && slopes[i * 4] != 0);
        }

        free(bytes);
        ddaebm_sampler_free(sampler);
        ddaebm_scorer_free(scorer);
        ddaebm_trainer_free(trainer);
        ddaebm_model_free(model);
        ddaebm_model_free(snapshot);
        ddaebm_model_free(start);
        ddaebm_dataset_free(dataset);
        close_context();
    }
}
END_TEST

/* What a row loses whose one number is compared with a constant, log(4) or nothing: as a double,
 * and as a float. */
START_TEST(a_constant_is_the_same_in_other_precisions) {
    static const struct {
        double constant, number;
        bool same, same_as_float;
    } rows[] = {
        {0.1, 0.1, true, true},
        {0.1, (double)0.1f, true, true},
        {(double)0.1f, 0.1, true, true},
        {0.1, 0.1000000000000001, true, true},
        {0.1000000000000001, 0.1, true, true},
        {1.0 / 3, 0.333333333333333, true, true},
        {-1.6e-19, (double)-1.6e-19f, true, true},
        {(double)48.1375f, 48.1375, true, true},
        {1.23456789012345678, 1.23456789012346, true, true},
        {0.1, 0.10000001, false, false},
        {0.1, 0.100000003, false, true},
        {0.1, 0.1 + 1e-14, false, true},
        {1.7e9, 1.7e9 + 1, false, true},
        {1.7e9 + 1, 1.7e9, false, true},
        {1.7e9, 1.7e9 + 0.5, false, true},
        {1.7e9 + 0.5, 1.7e9, false, true},
        {1.7e15, 1.7e15 + 1, false, true},
        {1, 1 + 1e-9, false, true},
        {16777217, 16777216, false, true},
        {0, 1e-60, false, true},
        {1e-60, 0, false, true},
        {7, 8, false, false},
    };
    open_context(1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double twice[] = {rows[i].constant, rows[i].constant}, loss = log(4);
        const float narrow = (float)rows[i].number;
        ddaebm_dataset *dataset = open_rows(twice, 2, 1);
        ddaebm_model *model = measured(dataset);
        double wide_loss = dd_model_penalty(model, (dd_rows_in){.wide = &rows[i].number}, 0);
        double narrow_loss = dd_model_penalty(model, (dd_rows_in){.narrow = &narrow}, 0);
        ck_assert_msg(wide_loss == (rows[i].same ? 0 : loss), "row %zu: %g", i, wide_loss);
        ck_assert_msg(narrow_loss == (rows[i].same_as_float ? 0 : loss), "row %zu, 32 bits: %g", i,
                      narrow_loss);
        ddaebm_model_free(model);
        ddaebm_dataset_free(dataset);
    }
    close_context();
}
END_TEST

static ddaebm_dataset *open_text(const char *text) {
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder("t.csv"), text, strlen(text));
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, in_folder("t.csv")));
    return dataset;
}

START_TEST(one_line_warns_of_all_constant_columns) {
    enum { MANY = 230, FEW = 30 };
    static const struct {
        const char *text, *warning;
    } rows[] = {
        {"a,petal\n1,2\n3,2\n", "column 2 ('petal') of the data is constant"},
        {"a,b,c\n1,2,3\n1,2,4\n", "columns 1-2 ('a', 'b') of the data are constant"},
        {"9007199254740992,2\n9007199254740993,3\n",
         "column 1 of the data is constant (equal in double precision)"},
        {"3,-1700000000000000001\n4,-1700000000000000002\n",
         "column 2 of the data is constant (equal in double precision)"},
        {"1,2,3,5\n1,2,4,5\n", "columns 1-2, 4 of the data are constant"},
        {"a,b,c,d\n1,2,3,4\n", "columns 1-4 ('a', 'b', 'c', ...) of the data are constant"}};
    open_context(1);
    heard log = {0};
    ASSERT_OK(ddaebm_context_set_log(context, hear, &log, DDAEBM_LOG_WARNING));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ddaebm_dataset *dataset = open_text(rows[i].text);
        ddaebm_model_free(measured(dataset));
        ddaebm_dataset_free(dataset);
        ck_assert_uint_eq(log.warnings, i + 1);
        ck_assert_str_eq(log.last, rows[i].warning);
    }
    static double many[FEW * MANY]; /* every second column */
    for (size_t i = 0; i < FEW * MANY; i++)
        many[i] = i % MANY % 2 ? 5 : (double)i;
    ddaebm_dataset *dataset = open_rows(many, FEW, MANY);
    log.warnings = 0;
    ddaebm_model_free(measured(dataset));
    ck_assert_uint_eq(log.warnings, 1);
    ck_assert_str_eq(log.last,
                     "columns 2, 4, 6, 8, 10, 12, 14, 16 and 107 more of the data are constant");
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* Log-normal numbers from 1e-3 to 1e6 are warned of; two clusters, zeros and heavy but usual tails
 * are not. */
START_TEST(columns_spread_too_widely_are_warned_of) {
    enum { MANY = 2000, COLUMNS = 4 };
    static float normals[MANY * COLUMNS];
    static double rows[MANY * COLUMNS];
    open_context(1);
    heard log = {0};
    ASSERT_OK(ddaebm_context_set_log(context, hear, &log, DDAEBM_LOG_WARNING));
    dd_rng_normals(normals, 3, dd_stream(DD_STREAM_DATA, 1), 0, MANY * COLUMNS);
    for (size_t i = 0; i < MANY; i++) {
        double *row = rows + i * COLUMNS;
        const float *n = normals + i * COLUMNS;
        row[0] = (double)n[0];
        row[1] = 1e-20 * exp(4 * (double)n[1] + 3);
        row[2] = i % 20 == 0 ? 100 : 0;
        row[3] = (i % 2 ? 1000 : 0) + exp((double)n[3]);
    }
    ddaebm_dataset *dataset = open_rows(rows, MANY, COLUMNS);
    ddaebm_model_free(measured(dataset));
    ck_assert_uint_eq(log.warnings, 1);
    ck_assert_ptr_nonnull(strstr(log.last, "column 2 of the data is spread so widely"));
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* ---- Names. ---- */

START_TEST(names_go_with_the_model_and_are_held_against_data) {
    static const struct {
        const char *text, *why; /* NULL: fits */
    } rows[] = {{"a,b\n1,2\n3,5\n", NULL},
                {"1,2\n3,5\n", NULL},
                {"a,\n1,2\n3,5\n", NULL},
                {"b,a\n1,2\n3,5\n",
                 "column 1 of the data is 'b', the model's is 'a': the columns have another order"},
                {"a,c\n1,2\n3,5\n", "column 2 of the data is 'c', the model's is 'b'"}};
    open_context(1);
    ddaebm_dataset *dataset = open_text("a,b\n1,2\n3,5\n0,1\n");
    ddaebm_model *start = small_model(context, "", 1), *model = NULL, *back = NULL;
    ddaebm_trainer *trainer = NULL, *resumed = NULL;
    size_t size = 0, needed = 0;
    ck_assert_str_eq(ddaebm_dataset_column_name(dataset, 1), "b");
    ck_assert_ptr_null(ddaebm_dataset_column_name(dataset, 2));
    ck_assert_ptr_null(ddaebm_model_column_name(start, 0));
    ASSERT_OK(ddaebm_trainer_create(&trainer, start, dataset, 1));
    ASSERT_OK(ddaebm_trainer_snapshot(&model, trainer));
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&back, context, bytes, size));
    ck_assert_str_eq(ddaebm_model_column_name(back, 0), "a");
    ck_assert_int_eq(ddaebm_trainer_save_memory(trainer, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE);
    void *checkpoint = malloc(needed);
    ASSERT_OK(ddaebm_trainer_save_memory(trainer, checkpoint, needed, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ddaebm_dataset *other = open_text(rows[i].text);
        if (rows[i].why) {
            ASSERT_FAILS(ddaebm_model_check_columns(back, other), DDAEBM_MISMATCH, rows[i].why);
            ASSERT_FAILS(ddaebm_trainer_set_dataset(trainer, other), DDAEBM_MISMATCH, rows[i].why);
            ASSERT_FAILS(ddaebm_trainer_resume_memory(&resumed, context, checkpoint, needed, other),
                         DDAEBM_MISMATCH, rows[i].why);
        } else {
            ASSERT_OK(ddaebm_model_check_columns(back, other));
        }
        ddaebm_dataset_free(other);
    }
    ASSERT_FAILS(ddaebm_model_check_columns(NULL, dataset), DDAEBM_INVALID_ARGUMENT, "model");
    ASSERT_FAILS(ddaebm_model_check_columns(back, NULL), DDAEBM_INVALID_ARGUMENT, "dataset");
    free(bytes);
    free(checkpoint);
    ddaebm_trainer_free(trainer);
    ddaebm_model_free(back);
    ddaebm_model_free(model);
    ddaebm_model_free(start);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

START_TEST(a_model_may_have_a_column_without_a_name) {
    open_context(1);
    ddaebm_dataset *dataset = open_text("a,\n1,2\n3,5\n0,1\n"), *other = open_text("c,a\n1,2\n");
    ddaebm_model *model = small_model(context, "", 1);
    ASSERT_OK(dd_model_name_columns(model, dataset));
    ASSERT_FAILS(ddaebm_model_check_columns(model, other), DDAEBM_MISMATCH,
                 "column 1 of the data is 'c', the model's is 'a'");
    ddaebm_model_free(model);
    ddaebm_dataset_free(other);
    ddaebm_dataset_free(dataset);
    close_context();
}
END_TEST

/* A run on 1e9 + x that is stopped and resumed is the run that was not. */
START_TEST(a_resumed_run_has_the_same_statistics) {
    open_context(1);
    const ddaebm_dataset *dataset = NULL;
    ddaebm_trainer *whole = NULL, *part = NULL, *rest = NULL;
    size_t needed = 0;
    fill_table();
    ddaebm_model_free(train(1e-3, 1e9, &dataset));
    ddaebm_model *start =
        small_model(context, "\"data.width\":3,\"data.standardize\":\"always\"", 3);
    ASSERT_OK(ddaebm_trainer_create(&whole, start, dataset, 7));
    ASSERT_OK(ddaebm_trainer_create(&part, start, dataset, 7));
    ASSERT_OK(ddaebm_trainer_run_until(whole, 6, NULL, NULL));
    ASSERT_OK(ddaebm_trainer_run_until(part, 3, NULL, NULL));
    ck_assert_int_eq(ddaebm_trainer_save_memory(part, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE);
    void *checkpoint = malloc(needed);
    ASSERT_OK(ddaebm_trainer_save_memory(part, checkpoint, needed, NULL));
    ASSERT_OK(ddaebm_trainer_resume_memory(&rest, context, checkpoint, needed, dataset));
    ASSERT_OK(ddaebm_trainer_run_until(rest, 6, NULL, NULL));
    ck_assert(same_models(ddaebm_trainer_model(whole), ddaebm_trainer_model(rest)));
    free(checkpoint);
    ddaebm_trainer_free(whole);
    ddaebm_trainer_free(part);
    ddaebm_trainer_free(rest);
    ddaebm_model_free(start);
    ddaebm_dataset_free((ddaebm_dataset *)(uintptr_t)dataset);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(1);
    ddaebm_dataset *dataset = half_constant(true), *named = open_text("a,b\n1,2\n3,5\n");
    ddaebm_model *model = small_model(context, "\"data.width\":4", 1),
                 *other = small_model(context, "", 1);
    void *none = NULL;
    SWEEP_ALLOCATIONS(counted, none, dd_model_measure(model, dataset));
    for (size_t j = 0; j < 2; j++) { /* the names come once, and no failure leaves a part of them */
        ddaebm_model *fresh = small_model(context, "", 1);
        counted.fail_at = counted.calls + 1 + j;
        ck_assert_int_eq(dd_model_name_columns(fresh, named), DDAEBM_OUT_OF_MEMORY);
        counted.fail_at = 0;
        ck_assert_ptr_null(ddaebm_model_column_name(fresh, 0));
        ddaebm_model_free(fresh);
    }
    ddaebm_model_free(other);
    ddaebm_model_free(model);
    ddaebm_dataset_free(dataset);
    ddaebm_dataset_free(named);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS(
        "measure", units_and_offsets_change_nothing, columns_that_vary_are_not_constant,
        what_no_double_holds_is_refused, constants_come_back_and_are_missed,
        a_constant_is_the_same_in_other_precisions, one_line_warns_of_all_constant_columns,
        columns_spread_too_widely_are_warned_of, names_go_with_the_model_and_are_held_against_data,
        a_model_may_have_a_column_without_a_name, a_resumed_run_has_the_same_statistics,
        memory_may_run_out);
}
