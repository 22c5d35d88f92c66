/* A run is resumed with the data that it had, unless other data is allowed. */
#define _GNU_SOURCE
#include "support/counted.h"
#include "support/same_state.h"
#include "support/small.h"
#include "support/tamper.h"

#include <ddaebm/stream.h>

enum { ROWS = 21 };

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, uint64_t last) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, 5));
    ASSERT_OK(ddaebm_trainer_run(trainer, last, NULL, NULL));
    ddaebm_model_free(model);
    return trainer;
}

/* Every row of a set by `change`: its numbers times `factor`, more rows by `count`, the last row
 * first. */
static ddaebm_dataset *variant(size_t count, double factor, bool turned) {
    ddaebm_dataset *plain = small_rows(context, count, 2), *changed = NULL;
    double rows[2 * 64];
    ASSERT_OK(ddaebm_dataset_read_double(plain, turned ? 1 : 0, turned ? count - 1 : count, rows));
    if (turned)
        ASSERT_OK(ddaebm_dataset_read_double(plain, 0, 1, rows + 2 * (count - 1)));
    for (size_t i = 0; i < 2 * count; i++)
        rows[i] *= factor;
    ASSERT_OK(ddaebm_dataset_create_rows_double(&changed, context, rows, count, 2));
    ddaebm_dataset_free(plain);
    return changed;
}

static ddaebm_status resume_with(ddaebm_trainer **out, const ddaebm_dataset *dataset,
                                 ddaebm_resume_data data) {
    ddaebm_reader reader = DDAEBM_READER_INIT;
    ddaebm_resume_options options = DDAEBM_RESUME_OPTIONS_INIT;
    reader.path = in_folder("k");
    options.data = data;
    return ddaebm_trainer_resume_with(out, context, &reader, dataset, &options);
}

START_TEST(other_data_is_refused_and_may_be_allowed) {
    static const struct {
        size_t count;
        double factor;
        bool turned;
        const char *text;
    } others[] = {{ROWS, 1.5, false, "both have 21 rows of 2 numbers, but other numbers"},
                  {ROWS, 1 + 0x1p-52, false, "but other numbers"},
                  {ROWS, 1, true, "or the same in another order"},
                  {ROWS + 1, 1, false, "has 22 rows, and that of the run to resume 21"},
                  {ROWS - 1, 1, false, "has 20 rows, and that of the run to resume 21"}};
    ddaebm_dataset *rows = small_rows(context, ROWS, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 3), *resumed = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ddaebm_dataset *other = variant(others[i].count, others[i].factor, others[i].turned);
        ASSERT_FAILS(ddaebm_trainer_resume(&resumed, context, in_folder("k"), other),
                     DDAEBM_MISMATCH, others[i].text);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "DDAEBM_RESUME_OTHER_DATA"));
        ASSERT_FAILS(resume_with(&resumed, other, DDAEBM_RESUME_SAME_DATA), DDAEBM_MISMATCH,
                     others[i].text);
        ck_assert_ptr_null(resumed);

        ASSERT_OK(resume_with(&resumed, other, DDAEBM_RESUME_OTHER_DATA));
        ck_assert(same_state(trainer, resumed));
        ck_assert_int_eq(memcmp(trainer->model->mean, resumed->model->mean, 2 * sizeof(double)), 0);
        ck_assert_int_eq(memcmp(trainer->model->scale, resumed->model->scale, 2 * sizeof(double)),
                         0);
        ASSERT_OK(ddaebm_trainer_run(resumed, 5, NULL, NULL));

        /* what it saves knows the other data */
        ddaebm_trainer *third = NULL;
        ASSERT_OK(ddaebm_trainer_save(resumed, in_folder("other")));
        ASSERT_OK(ddaebm_trainer_resume(&third, context, in_folder("other"), other));
        ddaebm_trainer_free(third);
        ddaebm_trainer_free(resumed);
        resumed = NULL;
        ASSERT_FAILS(ddaebm_trainer_resume(&third, context, in_folder("other"), rows),
                     DDAEBM_MISMATCH, "the run to resume");
        ddaebm_dataset_free(other);
    }
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
}
END_TEST

/* As float32 and as float64; allowed or not. */
START_TEST(the_same_data_is_the_same_run) {
    ddaebm_dataset *rows = small_rows(context, ROWS, 2), *wide = variant(ROWS, 1, false);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 3), *resumed = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_OK(ddaebm_trainer_run(trainer, 8, NULL, NULL));
    for (int i = 0; i < 4; i++) {
        ASSERT_OK(resume_with(&resumed, i % 2 ? rows : wide, (ddaebm_resume_data)(i / 2)));
        ASSERT_OK(ddaebm_trainer_run(resumed, 8, NULL, NULL));
        ck_assert(same_state(trainer, resumed));
        ddaebm_trainer_free(resumed);
    }
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(wide);
}
END_TEST

START_TEST(sets_without_end_have_a_name_and_a_seed) {
    ddaebm_dataset *moons = NULL, *seed = NULL, *rings = NULL;
    ddaebm_trainer *resumed = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&moons, context, "moons", 1));
    ASSERT_OK(ddaebm_dataset_create_named(&seed, context, "moons", 2));
    ASSERT_OK(ddaebm_dataset_create_named(&rings, context, "circles", 1));
    ddaebm_trainer *trainer = train("", moons, 2);
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), moons));
    ddaebm_trainer_free(resumed);
    ASSERT_FAILS(ddaebm_trainer_resume(&resumed, context, in_folder("k"), seed), DDAEBM_MISMATCH,
                 "moons with seed 2");
    ASSERT_FAILS(ddaebm_trainer_resume(&resumed, context, in_folder("k"), rings), DDAEBM_MISMATCH,
                 "the named set circles");
    ASSERT_OK(resume_with(&resumed, rings, DDAEBM_RESUME_OTHER_DATA));
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(moons);
    ddaebm_dataset_free(seed);
    ddaebm_dataset_free(rings);
}
END_TEST

START_TEST(damaged_names_are_refused) {
    static const struct {
        const char *text;
        ddaebm_status status;
        const char *said;
    } names[] = {{NULL, DDAEBM_FORMAT, "the file's metadata has no trainer.data_name"},
                 {"", DDAEBM_OUT_OF_RANGE, "trainer.data_name of 0 bytes; allowed: 1 to 31"},
                 {"a name of more bytes than any set has", DDAEBM_OUT_OF_RANGE,
                  "trainer.data_name of 37 bytes"},
                 {"moon\n", DDAEBM_MISMATCH, "had the named set moon"},
                 {"moon", DDAEBM_MISMATCH, "had the named set moon"}};
    ddaebm_dataset *moons = NULL;
    ddaebm_trainer *resumed = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&moons, context, "moons", UINT64_MAX));
    ddaebm_trainer *trainer = train("", moons, 2);
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        test_tamper_file(in_folder("k"), in_folder("changed"),
                         &(test_tamper){.metadata = "trainer.data_name", .text = names[i].text});
        ASSERT_FAILS(ddaebm_trainer_resume(&resumed, context, in_folder("changed"), moons),
                     names[i].status, names[i].said);
        ck_assert_ptr_null(strchr(ddaebm_error_message(), '\n'));
    }
    ASSERT_OK(
        ddaebm_trainer_resume(&resumed, context, in_folder("k"), moons)); /* a seed of 64 bits */
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(moons);
}
END_TEST

/* A file that does not know its data takes any, and a caller's source is taken for any file. */
static ddaebm_status read_rows(void *user, uint64_t first, size_t count, float *out) {
    return ddaebm_dataset_read(user, first, count, out);
}

START_TEST(what_is_not_known_is_not_checked) {
    ddaebm_dataset *rows = small_rows(context, ROWS, 2), *other = variant(ROWS, 2, false),
                   *own = NULL;
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    source.width = 2;
    source.rows = ROWS;
    source.read = read_rows;
    source.user = other;
    ASSERT_OK(ddaebm_dataset_create_source(&own, context, &source));
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 3), *of_source = train(EVERYTHING, own, 3),
                   *resumed = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    test_tamper_file(in_folder("k"), in_folder("old"), &(test_tamper){.drop = "trainer.data"});
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("old"), other));
    ddaebm_trainer_free(resumed);
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), own));
    ddaebm_trainer_free(resumed);
    ASSERT_OK(ddaebm_trainer_save(of_source, in_folder("k")));
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), rows));
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(of_source);
    ddaebm_dataset_free(own);
    ddaebm_dataset_free(other);
    ddaebm_dataset_free(rows);
}
END_TEST

/* ddaebm_trainer_set_dataset, too, is remembered. */
START_TEST(data_that_is_replaced_is_the_runs) {
    ddaebm_dataset *rows = small_rows(context, ROWS, 2), *other = variant(ROWS, 2, false);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 3), *resumed = NULL;
    ASSERT_OK(ddaebm_trainer_set_dataset(trainer, other));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_FAILS(ddaebm_trainer_resume(&resumed, context, in_folder("k"), rows), DDAEBM_MISMATCH,
                 "other numbers");
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), other));
    ck_assert(same_state(trainer, resumed));
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(other);
}
END_TEST

/* Rows that are held out are the other data's, so what was best by the old ones is forgotten. */
START_TEST(the_best_weights_are_those_of_the_data) {
    static const char holds_out[] = EVERYTHING ",\"training.held_out\":0.25";
    ddaebm_dataset *rows = small_rows(context, ROWS, 2), *other = variant(ROWS, 2, false);
    ddaebm_trainer *trainer = train(holds_out, rows, 3), *resumed = NULL;
    ddaebm_model *model = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ASSERT_OK(resume_with(&resumed, rows, DDAEBM_RESUME_OTHER_DATA));
    ASSERT_OK(ddaebm_trainer_snapshot(resumed, &model));
    ck_assert_uint_gt(ddaebm_model_best_step(model), 0);
    ddaebm_model_free(model);
    ddaebm_trainer_free(resumed);
    ASSERT_OK(resume_with(&resumed, other, DDAEBM_RESUME_OTHER_DATA));
    ASSERT_OK(ddaebm_trainer_snapshot(resumed, &model));
    ck_assert_uint_eq(ddaebm_model_best_step(model), 0);
    ddaebm_model_free(model);
    ddaebm_trainer_free(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(other);
}
END_TEST

START_TEST(options_are_checked) {
    ddaebm_dataset *rows = small_rows(context, ROWS, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 1), *resumed = NULL;
    ddaebm_reader reader = DDAEBM_READER_INIT;
    ddaebm_resume_options options = DDAEBM_RESUME_OPTIONS_INIT;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    reader.path = in_folder("k");
    ASSERT_FAILS(resume_with(&resumed, rows, (ddaebm_resume_data)2), DDAEBM_OUT_OF_RANGE,
                 "data of the options is 2; allowed: 0");
    ASSERT_FAILS(ddaebm_trainer_resume_with(&resumed, context, &reader, rows, NULL),
                 DDAEBM_INVALID_ARGUMENT, "options");
    ASSERT_FAILS(ddaebm_trainer_resume_with(NULL, context, &reader, rows, &options),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_trainer_resume_with(&resumed, context, NULL, rows, &options),
                 DDAEBM_INVALID_ARGUMENT, "reader");
    ASSERT_FAILS(ddaebm_trainer_resume_with(&resumed, context, &reader, NULL, &options),
                 DDAEBM_INVALID_ARGUMENT, "dataset");
    options.struct_size = 3;
    ASSERT_FAILS(ddaebm_trainer_resume_with(&resumed, context, &reader, rows, &options),
                 DDAEBM_INVALID_ARGUMENT, "DDAEBM_RESUME_OPTIONS_INIT");
    ck_assert_ptr_null(resumed);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_dataset *rows = small_rows(context, ROWS, 2), *other = variant(ROWS, 2, false);
    ddaebm_trainer *trainer = train(EVERYTHING ",\"training.held_out\":0.25", rows, 3),
                   *resumed = NULL;
    void *none = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    for (int on = 0; on < 2; on++) {
        SWEEP_ALLOCATIONS_FROM(counted, resumed,
                               resume_with(&resumed, other, DDAEBM_RESUME_OTHER_DATA), on);
        ddaebm_trainer_free(resumed);
        resumed = NULL;
        SWEEP_ALLOCATIONS_FROM(counted, none,
                               ddaebm_trainer_set_dataset(trainer, on ? rows : other), on);
        ck_assert(dd_fingerprint_is_same(&trainer->data, &trainer->data));
    }
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(other);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("data of a run", other_data_is_refused_and_may_be_allowed,
                     the_same_data_is_the_same_run, sets_without_end_have_a_name_and_a_seed,
                     damaged_names_are_refused, what_is_not_known_is_not_checked,
                     data_that_is_replaced_is_the_runs, the_best_weights_are_those_of_the_data,
                     options_are_checked, memory_may_run_out);
}
