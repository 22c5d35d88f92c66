/* Checkpoints: a run that is cut goes on as if it had not been, bit for bit; and what is no
 * checkpoint is refused. */
#define _GNU_SOURCE
#include "base/error.h"
#include "support/counted.h"
#include "support/same_state.h"
#include "support/tamper.h"

#include <math.h>

static ddaebm_trainer *train(const char *changes, const ddaebm_dataset *dataset, uint64_t last) {
    ddaebm_model *model = small_model(context, changes, 3);
    ddaebm_trainer *trainer = NULL;
    ASSERT_OK(ddaebm_trainer_create(&trainer, model, dataset, UINT64_C(0xFEDCBA9876543210)));
    ASSERT_OK(ddaebm_trainer_run(trainer, last, NULL, NULL));
    ddaebm_model_free(model);
    return trainer;
}

static void *file_bytes(const char *path, size_t *size) {
    enum { MOST = 1 << 20 };
    char *bytes = malloc(MOST);
    *size = get_file(path, bytes, MOST);
    ck_assert_uint_lt(*size, MOST);
    return bytes;
}

/* A checkpoint holds the whole state, so two runs in the same state write the same bytes. */
static void assert_same_files(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    size_t size_a = 0, size_b = 0;
    ASSERT_OK(ddaebm_trainer_save(a, in_folder("a")));
    ASSERT_OK(ddaebm_trainer_save(b, in_folder("b")));
    void *bytes_a = file_bytes(in_folder("a"), &size_a),
         *bytes_b = file_bytes(in_folder("b"), &size_b);
    ck_assert_uint_eq(size_a, size_b);
    ck_assert_int_eq(memcmp(bytes_a, bytes_b, size_a), 0);
    free(bytes_a);
    free(bytes_b);
}

static void assert_same_state(const ddaebm_trainer *a, const ddaebm_trainer *b) {
    ck_assert_uint_eq(a->seed, b->seed);
    ck_assert(same_state(a, b));
}

enum { LAST = 14 };

/* k steps, a file, a new trainer in a new context, the rest. */
static void compare_resumed(const char *changes, const ddaebm_dataset *dataset) {
    static const uint64_t cuts[] = {0, 1, 2, 5, 7, 13, 14};
    ddaebm_trainer *straight = train(changes, dataset, LAST);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ddaebm_context *other = NULL;
        ddaebm_trainer *trainer = train(changes, dataset, cuts[i]), *resumed = NULL;
        ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
        ASSERT_OK(ddaebm_context_create(&other, NULL));
        ASSERT_OK(ddaebm_context_set_threads(other, 1));
        ASSERT_OK(ddaebm_trainer_resume(&resumed, other, in_folder("k"), dataset));
        ddaebm_context_free(other);
        ck_assert_uint_eq(ddaebm_trainer_steps(resumed), cuts[i]);
        assert_same_state(trainer, resumed);
        ASSERT_OK(ddaebm_trainer_run(resumed, LAST, NULL, NULL));
        assert_same_state(straight, resumed);
        assert_same_files(straight, resumed);
        ASSERT_OK(ddaebm_trainer_run(trainer, LAST, NULL, NULL)); /* saving changes nothing */
        assert_same_state(straight, trainer);
        ddaebm_trainer_free(trainer);
        ddaebm_trainer_free(resumed);
    }
    ddaebm_trainer_free(straight);
}

/* 21 rows and batches of 8: no epoch ends with a step. */
START_TEST(a_cut_run_goes_on_bit_for_bit) {
    ddaebm_dataset *rows = small_rows(context, 21, 2), *named = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&named, context, "pinwheel", 4));
    compare_resumed(EVERYTHING, rows);
    compare_resumed("", rows);
    compare_resumed(EVERYTHING, named);
    compare_resumed("\"objective.divergence\":\"reverse_kl\",\"optimizer.ema_decay\":0.5,\"energy."
                    "norm\":\"batch\"",
                    rows);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(named);
}
END_TEST

START_TEST(a_run_may_be_cut_again_and_again) {
    ddaebm_dataset *rows = small_rows(context, 21, 2);
    ddaebm_trainer *straight = train(EVERYTHING, rows, LAST), *trainer = train(EVERYTHING, rows, 0);
    for (uint64_t step = 1; step <= LAST; step++) {
        ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
        ddaebm_trainer_free(trainer);
        ASSERT_OK(ddaebm_trainer_resume(&trainer, context, in_folder("k"), rows));
        ASSERT_OK(ddaebm_trainer_run(trainer, step, NULL, NULL));
    }
    assert_same_state(straight, trainer);
    ck_assert_uint_eq(entries_in_folder(), 1);
    ddaebm_trainer_free(straight);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
}
END_TEST

/* Where beta1 is 0 the first moments are the gradients. Files of older libraries have them all the
 * same. */
START_TEST(first_moments_that_say_nothing_are_passed_over) {
    ddaebm_dataset *rows = small_rows(context, 21, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 5), *resumed = NULL;
    size_t with = 0, without = 0, weights = 0;
    ASSERT_OK(ddaebm_config_set_real(trainer->model->config, "optimizer.beta1", 0));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("old")));
    ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("old"), rows));
    for (int n = 0; n < DD_NETWORKS; n++) {
        weights += resumed->model->parameters.totals[n][DD_ROLE_WEIGHT];
        ck_assert_ptr_null(resumed->moments[n][0]);
    }
    ASSERT_OK(ddaebm_trainer_run(resumed, 6, NULL, NULL));
    ASSERT_OK(
        ddaebm_trainer_run(trainer, 6, NULL, NULL)); /* the memory that it has changes nothing */
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("old")));
    ASSERT_OK(ddaebm_trainer_save(resumed, in_folder("new")));
    free(file_bytes(in_folder("old"), &with));
    free(file_bytes(in_folder("new"), &without));
    ck_assert_uint_ge(with, without + weights * sizeof(float));
    ck_assert(same_models(trainer->model, resumed->model));
    ddaebm_trainer_free(trainer);
    ddaebm_trainer_free(resumed);
    ddaebm_dataset_free(rows);
}
END_TEST

/* The averaged weights, that is what a snapshot has. */
START_TEST(a_checkpoint_is_a_model) {
    static const char *const kinds[] = {EVERYTHING, ""};
    ddaebm_dataset *rows = small_rows(context, 21, 2);
    for (int i = 0; i < 2; i++) {
        ddaebm_trainer *trainer = train(kinds[i], rows, 5);
        ddaebm_model *snapshot = NULL, *loaded = NULL;
        ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
        ASSERT_OK(ddaebm_trainer_snapshot(trainer, &snapshot));
        ASSERT_OK(ddaebm_model_load(&loaded, context, in_folder("k")));
        ck_assert(same_models(snapshot, loaded));
        ck_assert_int_eq(same_models(trainer->model, loaded),
                         i == 1); /* without averages, the weights themselves */
        ddaebm_model_free(snapshot);
        ddaebm_model_free(loaded);
        ddaebm_trainer_free(trainer);
    }
    ddaebm_dataset_free(rows);
}
END_TEST

/* --- What is refused. --- */

static void refused(const char *path, const ddaebm_dataset *dataset, ddaebm_status status,
                    const char *text) {
    int elsewhere;
    ddaebm_trainer *const before = (ddaebm_trainer *)(void *)&elsewhere, *trainer = before;
    ASSERT_FAILS(ddaebm_trainer_resume(&trainer, context, path, dataset), status, text);
    ck_assert_ptr_eq(trainer, before);
}

START_TEST(what_is_no_checkpoint_is_refused) {
    ddaebm_dataset *rows = small_rows(context, 21, 2), *wide = small_rows(context, 21, 3);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 2);
    ddaebm_model *snapshot = NULL;
    ASSERT_OK(ddaebm_trainer_snapshot(trainer, &snapshot));
    ASSERT_OK(ddaebm_model_save(snapshot, in_folder("model")));
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    put_file(in_folder("text"), "no", 2);
    refused(in_folder("model"), rows, DDAEBM_FORMAT, "a model file cannot be resumed");
    refused(in_folder("text"), rows, DDAEBM_FORMAT, "/text");
    refused(in_folder("none"), rows, DDAEBM_NOT_FOUND, "/none");
    refused(in_folder("k"), wide, DDAEBM_MISMATCH, "rows of 3 numbers");
    refused(NULL, rows, DDAEBM_INVALID_ARGUMENT, "path");
    refused(in_folder("k"), NULL, DDAEBM_INVALID_ARGUMENT, "dataset");
    ASSERT_FAILS(ddaebm_trainer_resume(NULL, context, in_folder("k"), rows),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_trainer_save(NULL, in_folder("k")), DDAEBM_INVALID_ARGUMENT, "trainer");
    ASSERT_FAILS(ddaebm_trainer_save_memory(NULL, NULL, 0, NULL), DDAEBM_INVALID_ARGUMENT,
                 "trainer");
    ASSERT_FAILS(ddaebm_trainer_save(trainer, NULL), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_trainer_save(trainer, in_folder("none/k")), DDAEBM_IO, "/none");
    ASSERT_FAILS(ddaebm_trainer_save(trainer, "/dev/full"), DDAEBM_IO, "/dev/full");
    ck_assert_uint_eq(entries_in_folder(), 3);
    ddaebm_model_free(snapshot);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
    ddaebm_dataset_free(wide);
}
END_TEST

START_TEST(corrupt_checkpoints_are_refused) {
    static const struct {
        test_tamper change;
        ddaebm_status status;
        const char *text;
    } rows[] = {
        {{.drop = "trainer.state"}, DDAEBM_FORMAT, "trainer.state"},
        {{.drop = "trainer.adam.updates"}, DDAEBM_FORMAT, "trainer.adam.updates"},
        {{.drop = "trainer.adam.m.energy"}, DDAEBM_MISMATCH, "trainer.adam.m.energy"},
        {{.drop = "trainer.adam.v.encoder"}, DDAEBM_MISMATCH, "trainer.adam.v.encoder"},
        {{.drop = "trainer.energy.net.layers.0.weight"},
         DDAEBM_MISMATCH,
         "trainer.energy.net.layers.0.weight"},
        {{.drop = "energy.net.layers.0.weight"}, DDAEBM_MISMATCH, "energy.net.layers.0.weight"},
        {{.shorten = "trainer.state"}, DDAEBM_MISMATCH, "trainer.state"},
        {{.shorten = "trainer.adam.updates"}, DDAEBM_MISMATCH, "trainer.adam.updates"},
        {{.shorten = "trainer.adam.m.generator"}, DDAEBM_MISMATCH, "trainer.adam.m.generator has"},
        {{.shorten = "trainer.encoder.fc_mu.weight"}, DDAEBM_MISMATCH, "another shape"},
        {{.retype = "trainer.state"}, DDAEBM_MISMATCH, "trainer.state"},
        {{.retype = "trainer.adam.v.energy"}, DDAEBM_MISMATCH, "holds I32, not F32"},
        {{.poke = "trainer.adam.m.energy", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "trainer.adam.m.energy is nan"},
        {{.poke = "trainer.adam.v.generator", .value = (double)INFINITY},
         DDAEBM_NOT_FINITE,
         "trainer.adam.v.generator is inf"},
        {{.poke = "trainer.adam.v.generator", .value = -1e-3},
         DDAEBM_OUT_OF_RANGE,
         "trainer.adam.v.generator is -0.001"},
        {{.poke = "trainer.adam.updates", .value = -1},
         DDAEBM_OUT_OF_RANGE,
         "trainer.adam.updates is -1; allowed: 0 to 9007199254740992"},
        {{.poke = "trainer.adam.updates", .value = 0x1p54},
         DDAEBM_OUT_OF_RANGE,
         "trainer.adam.updates is 18014398509481984"},
        {{.scale = "trainer.state", .factor = 0x1p60},
         DDAEBM_OUT_OF_RANGE,
         "trainer.state is 3458764513820540928"},
        {{.poke = "trainer.encoder.net.layers_bn.0.num_batches_tracked", .value = -1},
         DDAEBM_OUT_OF_RANGE,
         "num_batches_tracked is -1"},
        {{.shorten = "trainer.rate_factors"}, DDAEBM_MISMATCH, "trainer.rate_factors"},
        {{.poke = "trainer.rate_factors", .value = -0.5},
         DDAEBM_OUT_OF_RANGE,
         "trainer.rate_factors is -0.5; allowed: 0 to 1e+06"},
        {{.retype = "trainer.rate_factors"}, DDAEBM_MISMATCH, "trainer.rate_factors"},
        {{.poke = "trainer.rate_factors", .value = 1.5e6},
         DDAEBM_OUT_OF_RANGE,
         "trainer.rate_factors is 1.5e+06"},
        {{.poke = "trainer.rate_factors", .value = (double)NAN},
         DDAEBM_OUT_OF_RANGE,
         "trainer.rate_factors is nan"},
        {{.scale = "trainer.state", .factor = -1}, DDAEBM_OUT_OF_RANGE, "trainer.state"},
        {{.poke = "trainer.energy.net.layers.0.bias", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "trainer.energy.net.layers.0.bias"},
        {{.poke = "energy.net.layers.0.bias", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "tensor energy.net.layers.0.bias"},
        {{.shorten = "trainer.data"},
         DDAEBM_MISMATCH,
         "trainer.data does not hold 3 whole numbers"},
        {{.retype = "trainer.data"}, DDAEBM_MISMATCH, "trainer.data does not hold 3 whole numbers"},
        {{.scale = "trainer.data", .factor = -1},
         DDAEBM_OUT_OF_RANGE,
         "element 0 of tensor trainer.data is -21"},
        {{.scale = "trainer.data", .factor = 0x1p60},
         DDAEBM_OUT_OF_RANGE,
         "element 0 of tensor trainer.data"},
        {{.scale = "trainer.data", .factor = 2},
         DDAEBM_MISMATCH,
         "trainer.data is of rows of 4 numbers, the model of 2"},
        {{.scale = "trainer.data", .factor = 0},
         DDAEBM_MISMATCH,
         "trainer.data is of rows of 0 numbers, the model of 2"},
        {{.poke = "trainer.data", .value = 5},
         DDAEBM_MISMATCH,
         "both have 21 rows of 2 numbers, but other numbers"},
        {{.metadata = "version", .text = "4"}, DDAEBM_UNSUPPORTED, "version 4"},
        {{.metadata = "config", .text = "{}"}, DDAEBM_MISMATCH, "shape"},
    };
    ddaebm_dataset *dataset = small_rows(context, 21, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 3), *same = NULL;
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_tamper_file(in_folder("k"), in_folder("changed"), &rows[i].change);
        refused(in_folder("changed"), dataset, rows[i].status, rows[i].text);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "/changed"));
    }
    test_tamper_file(in_folder("k"), in_folder("changed"),
                     &(test_tamper){0}); /* it was not the copying */
    ASSERT_OK(ddaebm_trainer_resume(&same, context, in_folder("changed"), dataset));
    assert_same_state(trainer, same);
    ddaebm_trainer_free(same);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Nor is one written that would be: the file that is there is worth more. */
START_TEST(what_could_not_be_resumed_is_not_saved) {
    ddaebm_dataset *rows = small_rows(context, 21, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, rows, 3), *resumed = NULL;
    struct {
        float *value;
        const char *name;
    } places[] = {
        {trainer->model->weights.values[1][DD_ROLE_WEIGHT], "tensor trainer.generator."},
        {trainer->model->weights.values[1][DD_ROLE_STATISTIC], "tensor trainer.generator."},
        {trainer->average.values[2][DD_ROLE_WEIGHT], "tensor encoder."},
        {trainer->moments[0][0], "element 0 of tensor trainer.adam.m.energy is inf"},
        {trainer->moments[2][1], "element 0 of tensor trainer.adam.v.encoder is inf"}};
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        float before = *places[i].value;
        *places[i].value = INFINITY;
        ASSERT_FAILS(ddaebm_trainer_save(trainer, in_folder("k")), DDAEBM_NOT_FINITE,
                     places[i].name);
        *places[i].value = before;
        ASSERT_OK(ddaebm_trainer_resume(&resumed, context, in_folder("k"), rows));
        assert_same_state(trainer, resumed);
        ddaebm_trainer_free(resumed);
    }
    (void)dd_fail(DDAEBM_STATE, "what failed last");
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    ck_assert_str_eq(ddaebm_error_message(), "what failed last"); /* a success says nothing */
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(rows);
}
END_TEST

START_TEST(truncated_checkpoints_are_refused) {
    size_t size = 0;
    ddaebm_dataset *dataset = small_rows(context, 21, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 3);
    ASSERT_OK(ddaebm_trainer_save(trainer, in_folder("k")));
    void *bytes = file_bytes(in_folder("k"), &size);
    for (size_t length = 0; length < size; length += 1 + size / 100) {
        put_file(in_folder("cut"), bytes, length);
        ddaebm_trainer *resumed = NULL;
        ck_assert_int_eq(ddaebm_trainer_resume(&resumed, context, in_folder("cut"), dataset),
                         DDAEBM_FORMAT);
        ck_assert_ptr_null(resumed);
    }
    free(bytes);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_dataset *dataset = small_rows(context, 21, 2);
    ddaebm_trainer *trainer = train(EVERYTHING, dataset, 3), *resumed = NULL;
    void *none = NULL;
    for (int on = 0; on < 2; on++) {
        SWEEP_ALLOCATIONS_FROM(counted, none, ddaebm_trainer_save(trainer, in_folder("k")), on);
        SWEEP_ALLOCATIONS_FROM(counted, resumed,
                               ddaebm_trainer_resume(&resumed, context, in_folder("k"), dataset),
                               on);
        assert_same_state(trainer, resumed);
        ddaebm_trainer_free(resumed);
        resumed = NULL;
    }
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("checkpoint", a_cut_run_goes_on_bit_for_bit, a_run_may_be_cut_again_and_again,
                     first_moments_that_say_nothing_are_passed_over, a_checkpoint_is_a_model,
                     what_is_no_checkpoint_is_refused, corrupt_checkpoints_are_refused,
                     what_could_not_be_resumed_is_not_saved, truncated_checkpoints_are_refused,
                     memory_may_run_out);
}
