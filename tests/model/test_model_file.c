/* Models as files: back bit for bit, and every way in which a file can be wrong. */
#define _GNU_SOURCE
#include "model/model_file.h"
#include "support/counted.h"
#include "support/small.h"
#include "support/tamper.h"

#include <math.h>
#include <sys/stat.h>

/* A model of which nothing has its first value. */
static ddaebm_model *lived_in(void) {
    ddaebm_model *model = small_model(context, "\"data.width\":3,\"objective.gamma\":0.1", 11);
    for (size_t j = 0; j < 3; j++) {
        model->mean[j] = 0.1 * (double)j - 7.3;
        model->scale[j] = 0.3 * (double)j; /* the first column is constant */
    }
    model->measured = 12345;
    ASSERT_OK(
        dd_column_names_parse(&model->columns, context, "[\"a\",null,\"\xC3\xA4 \\\"b\\\"\"]", 3));
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->role == DD_ROLE_COUNTER)
            model->weights.counters[p->network][p->offset] = INT64_C(5000000000) + (int64_t)i;
        else
            dd_weights_at(&model->weights, p)[0] = (float)i / 3;
    }
    ASSERT_OK(ddaebm_model_set_temperature(model, 0.123456789));
    return model;
}

static void assert_same(const ddaebm_model *a, const ddaebm_model *b) {
    ck_assert(same_models(a, b)); /* file against file; and, lest the writer leave something out: */
    ck_assert_double_eq(ddaebm_model_temperature(a), ddaebm_model_temperature(b));
    ck_assert_int_eq(memcmp(a->mean, b->mean, 3 * sizeof(double)), 0);
    ck_assert_int_eq(memcmp(a->scale, b->scale, 3 * sizeof(double)), 0);
    ck_assert_uint_eq(a->measured, b->measured);
    for (size_t j = 0; j < 4; j++) {
        const char *left = ddaebm_model_column_name(a, j), *right = ddaebm_model_column_name(b, j);
        ck_assert(left && right ? strcmp(left, right) == 0 : left == right);
    }
    ck_assert_int_eq(memcmp(dd_model_settings(a), dd_model_settings(b), sizeof(dd_settings)), 0);
    ck_assert_uint_eq(a->parameters.count, b->parameters.count);
    for (int n = 0; n < DD_NETWORKS; n++) {
        for (int role = 0; role < 2; role++)
            ck_assert_int_eq(memcmp(a->weights.values[n][role], b->weights.values[n][role],
                                    a->parameters.totals[n][role] * sizeof(float)),
                             0);
        ck_assert_int_eq(memcmp(a->weights.counters[n], b->weights.counters[n],
                                a->parameters.totals[n][DD_ROLE_COUNTER] * sizeof(int64_t)),
                         0);
    }
}

START_TEST(memory_gives_back_what_it_was_given) {
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0;
    void *bytes = small_bytes(model, &size);
    ASSERT_OK(ddaebm_model_load_memory(&back, context, bytes, size));
    assert_same(model, back);
    ddaebm_model_free(back);
    ASSERT_OK(ddaebm_model_load_memory(&back, NULL, bytes, size)); /* in a context of its own */
    assert_same(model, back);
    ddaebm_model_free(back);
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(so_does_a_file) {
    ddaebm_model *model = lived_in(), *other = small_model(context, "", 1), *back = NULL;
    size_t size = 0;
    char *bytes = small_bytes(model, &size), *read = malloc(size + 1);
    ASSERT_OK(ddaebm_model_save(other, in_folder("m")));
    ASSERT_OK(ddaebm_model_save(model, in_folder("m"))); /* replaces */
    ck_assert_uint_eq(get_file(in_folder("m"), read, size + 1), size);
    ck_assert_int_eq(memcmp(bytes, read, size), 0);
    ASSERT_OK(ddaebm_model_load(&back, context, in_folder("m")));
    assert_same(model, back);
    ck_assert_uint_eq(entries_in_folder(), 1);
    ddaebm_model_free(back);
    ddaebm_model_free(other);
    ddaebm_model_free(model);
    free(bytes);
    free(read);
}
END_TEST

/* Within half a unit of the eleventh bit, statistics and counters too; and what no float16 can hold
 * is refused. */
START_TEST(half_the_bytes_come_back_rounded) {
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0;
    free(small_bytes(model, &size));
    ASSERT_OK(ddaebm_model_save_half(model, in_folder("m")));
    size_t numbers = 0;
    for (int n = 0; n < DD_NETWORKS; n++)
        numbers += model->parameters.totals[n][DD_ROLE_WEIGHT] +
                   model->parameters.totals[n][DD_ROLE_STATISTIC];
    char *read = malloc(size);
    ck_assert_uint_le(get_file(in_folder("m"), read, size) + numbers * 2,
                      size); /* the header may shrink, too */
    ASSERT_OK(ddaebm_model_load(&back, context, in_folder("m")));
    for (size_t i = 0; i < model->parameters.count; i++) {
        const dd_parameter *p = &model->parameters.items[i];
        if (p->role == DD_ROLE_COUNTER) {
            ck_assert_int_eq(model->weights.counters[p->network][p->offset],
                             back->weights.counters[p->network][p->offset]);
            continue;
        }
        const float *was = dd_weights_at(&model->weights, p),
                    *is = dd_weights_at(&back->weights, p);
        for (size_t j = 0; j < p->elements; j++)
            ck_assert_float_le(fabsf(is[j] - was[j]), fabsf(was[j]) / 2048 + 3e-8f);
    }
    ck_assert_int_eq(memcmp(model->mean, back->mean, 3 * sizeof(double)), 0);
    dd_weights_at(&model->weights, &model->parameters.items[0])[0] = 70000;
    ASSERT_FAILS(ddaebm_model_save_half(model, in_folder("m")), DDAEBM_OUT_OF_RANGE,
                 "is 70000, beyond float16");
    ASSERT_FAILS(ddaebm_model_save_half(model, NULL), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_model_save_half(NULL, "m"), DDAEBM_INVALID_ARGUMENT, "model");
    free(read);
    ddaebm_model_free(back);
    ddaebm_model_free(model);
}
END_TEST

/* Of the three largest, which take seconds, one stands for all. Sampled: toy and fashion. */
static bool is_passed_over(const char *preset) {
    return !thorough() && (strcmp(preset, "celeba64") == 0 || strcmp(preset, "lsun128") == 0);
}

START_TEST(every_preset_comes_back) {
    for (size_t i = 0; ddaebm_config_preset(i); i += sweep_step(6)) {
        if (is_passed_over(ddaebm_config_preset(i)))
            continue;
        ddaebm_config *config = NULL;
        ddaebm_model *model = NULL, *back = NULL;
        ASSERT_OK(ddaebm_config_create(&config, context, ddaebm_config_preset(i)));
        ASSERT_OK(ddaebm_model_create(&model, context, config, i));
        ASSERT_OK(ddaebm_model_save(model, in_folder("m")));
        ASSERT_OK(ddaebm_model_load(&back, context, in_folder("m")));
        ck_assert(same_models(model, back));
        ddaebm_model_free(back);
        ddaebm_model_free(model);
        ddaebm_config_free(config);
    }
}
END_TEST

START_TEST(a_small_buffer_is_left_alone) {
    ddaebm_model *model = lived_in();
    size_t size = 0, needed = 0;
    free(small_bytes(model, &size));
    char *buffer = malloc(size);
    memset(buffer, 'x', size);
    ck_assert_int_eq(ddaebm_model_save_memory(model, buffer, size - 1, &needed),
                     DDAEBM_OUT_OF_RANGE);
    ck_assert_uint_eq(needed, size);
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(buffer[i], 'x');
    ASSERT_OK(ddaebm_model_save_memory(model, buffer, size, &needed));
    ck_assert_uint_eq(needed, size);
    free(buffer);
    ddaebm_model_free(model);
}
END_TEST

/* --- Files that are wrong. --- */

/* Loading these bytes fails so, from memory and from a file, and leaves the result alone. */
static void refused(const void *bytes, size_t size, ddaebm_status status, const char *why) {
    int elsewhere;
    ddaebm_model *const before = (ddaebm_model *)(void *)&elsewhere, *model = before;
    ASSERT_FAILS(ddaebm_model_load_memory(&model, context, bytes, size), status, why);
    ck_assert_ptr_eq(model, before);
    put_file(in_folder("bad"), bytes, size);
    ASSERT_FAILS(ddaebm_model_load(&model, context, in_folder("bad")), status, why);
    ck_assert_ptr_eq(model, before);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "/bad"));
}

START_TEST(what_does_not_fit_its_configuration_is_refused) {
    static const struct {
        test_tamper change;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {{.drop = "energy.net.layers.0.weight"},
         DDAEBM_MISMATCH,
         "no tensor energy.net.layers.0.weight"},
        {{.drop = "generator.net.layers_bn.0.running_mean"},
         DDAEBM_MISMATCH,
         "no tensor generator.net.layers_bn.0.running_mean"},
        {{.drop = "encoder.net.layers_bn.1.num_batches_tracked"},
         DDAEBM_MISMATCH,
         "no tensor encoder.net.layers_bn.1.num_batches_tracked"},
        {{.drop = "data.mean"}, DDAEBM_MISMATCH, "data.mean"},
        {{.drop = "data.scale"}, DDAEBM_MISMATCH, "data.scale"},
        {{.add = "energy.net.layers.9.weight"},
         DDAEBM_MISMATCH,
         "a tensor energy.net.layers.9.weight"},
        {{.add = "stranger"}, DDAEBM_MISMATCH, "a tensor stranger"},
        {{.add = "two\nlines"}, DDAEBM_MISMATCH, "a tensor two?lines"},
        {{.shorten = "energy.net.layers.0.weight"},
         DDAEBM_MISMATCH,
         "energy.net.layers.0.weight has another shape"},
        {{.shorten = "data.mean"}, DDAEBM_MISMATCH, "data.mean has 2 elements"},
        {{.reshape = "energy.net.layers.0.bias"},
         DDAEBM_MISMATCH,
         "energy.net.layers.0.bias has another shape"},
        {{.reshape = "encoder.net.layers_bn.1.num_batches_tracked"},
         DDAEBM_MISMATCH,
         "another shape"},
        {{.retype = "encoder.fc_mu.weight"},
         DDAEBM_MISMATCH,
         "encoder.fc_mu.weight holds I32, not F32"},
        {{.retype = "encoder.net.layers_bn.1.num_batches_tracked"},
         DDAEBM_MISMATCH,
         "holds F64, not I64"},
        {{.retype = "data.scale"}, DDAEBM_MISMATCH, "data.scale holds I64, not F64"},
        {{.poke = "encoder.fc_mu.weight", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "of tensor encoder.fc_mu.weight is nan"},
        {{.poke = "energy.net.layers.0.bias", .value = (double)-INFINITY},
         DDAEBM_NOT_FINITE,
         "element 7 of tensor energy.net.layers.0.bias is -inf"},
        {{.poke = "generator.net.layers_bn.0.running_var", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "running_var"},
        {{.poke = "data.mean", .value = (double)NAN},
         DDAEBM_NOT_FINITE,
         "element 2 of tensor data.mean"},
        {{.poke = "encoder.net.layers_bn.1.num_batches_tracked", .value = 0x1p62},
         DDAEBM_OUT_OF_RANGE,
         "num_batches_tracked is 4611686018427387904; allowed: 0 to 9007199254740992"},
        {{.poke = "data.scale", .value = (double)NAN}, DDAEBM_NOT_FINITE, "data.scale is nan"},
        {{.poke = "data.rows", .value = -1}, DDAEBM_OUT_OF_RANGE, "data.rows is -1"},
        {{.retype = "data.rows"}, DDAEBM_MISMATCH, "data.rows does not hold one whole number"},
        {{.metadata = "columns", .text = "["}, DDAEBM_FORMAT, "the names of columns are not valid"},
        {{.metadata = "columns", .text = "[\"a\"]"}, DDAEBM_MISMATCH, "not a list of 3"},
        {{.metadata = "columns", .text = "{}"}, DDAEBM_MISMATCH, "not a list of 3"},
        {{.metadata = "columns", .text = "[\"a\",1,null]"},
         DDAEBM_FORMAT,
         "the name of column 2 is not a string"},
        {{.metadata = "columns", .text = "[\"a\",\"b\",\"\"]"},
         DDAEBM_FORMAT,
         "the name of column 3"},
        {{.poke = "data.scale", .value = -1}, DDAEBM_OUT_OF_RANGE, "data.scale is -1"},
        {{.metadata = "format", .text = "other"}, DDAEBM_FORMAT, "\"other\""},
        {{.metadata = "format", .text = "\x1B[31m\n"}, DDAEBM_FORMAT, "\"?[31m?\""},
        {{.metadata = "format"}, DDAEBM_FORMAT, "no model of this library"},
        {{.metadata = "version", .text = "4"}, DDAEBM_UNSUPPORTED, "version 4"},
        {{.metadata = "version", .text = "1.5"}, DDAEBM_UNSUPPORTED, "version 1.5"},
        {{.metadata = "version", .text = "0"}, DDAEBM_UNSUPPORTED, "version 0"},
        {{.metadata = "version", .text = "one"}, DDAEBM_FORMAT, "version \"one\""},
        {{.metadata = "version", .text = "1\n2"}, DDAEBM_FORMAT, "version \"1?2\""},
        {{.metadata = "version"}, DDAEBM_FORMAT, "no version"},
        {{.metadata = "temperature"}, DDAEBM_FORMAT, "no temperature"},
        {{.metadata = "temperature", .text = ""}, DDAEBM_FORMAT, "temperature \"\""},
        {{.metadata = "temperature", .text = "nan"}, DDAEBM_FORMAT, "temperature \"nan\""},
        {{.metadata = "temperature", .text = "-1"}, DDAEBM_OUT_OF_RANGE, "temperature is -1"},
        {{.metadata = "config"}, DDAEBM_FORMAT, "no config"},
        {{.metadata = "config", .text = "{"}, DDAEBM_FORMAT, ""},
        {{.metadata = "config", .text = "[]"}, DDAEBM_FORMAT, ""},
        {{.metadata = "config", .text = "{}"}, DDAEBM_MISMATCH, "data.mean has 3 elements"},
        {{.metadata = "config", .text = "{\"data.width\":3}"}, DDAEBM_MISMATCH, "another shape"},
        {{.metadata = "config", .text = "{\"diffusion.timesteps\":0}"},
         DDAEBM_OUT_OF_RANGE,
         "diffusion.timesteps"},
        {{.metadata = "config", .text = "{\"diffusion.timesteps\":\"four\"}"},
         DDAEBM_FORMAT,
         "diffusion.timesteps"},
        {{.metadata = "config", .text = "{\"diffusion.beta_min\":9,\"diffusion.beta_max\":8}"},
         DDAEBM_OUT_OF_RANGE,
         "diffusion.beta_min"},
        {{.metadata = "config", .text = "{\"form.future\":1}"},
         DDAEBM_UNSUPPORTED,
         "newer version"},
    };
    ddaebm_model *model = lived_in();
    size_t size = 0, new_size = 0;
    void *bytes = small_bytes(model, &size);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *changed = test_tamper_bytes(bytes, size, &rows[i].change, &new_size);
        refused(changed, new_size, rows[i].status, rows[i].why);
        free(changed);
    }
    void *same =
        test_tamper_bytes(bytes, size, &(test_tamper){0}, &new_size); /* it was not the copying */
    ddaebm_model *back = NULL;
    ASSERT_OK(ddaebm_model_load_memory(&back, context, same, new_size));
    assert_same(model, back);
    ddaebm_model_free(back);
    free(same);
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

/* What the context says of files holds for what is read, and for what is written. */
START_TEST(the_contexts_limits_hold) {
    static const struct {
        ddaebm_limit limit;
        const char *why;
    } rows[] = {{DDAEBM_LIMIT_FILE_BYTES, "allowed"},
                {DDAEBM_LIMIT_HEADER_BYTES, "allowed"},
                {DDAEBM_LIMIT_TENSORS, "tensors"}};
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0, needed = 0;
    void *bytes = small_bytes(model, &size);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t before = ddaebm_context_limit(context, rows[i].limit);
        ASSERT_OK(ddaebm_context_set_limit(context, rows[i].limit, 5));
        refused(bytes, size, DDAEBM_OUT_OF_RANGE, rows[i].why);
        ASSERT_FAILS(ddaebm_model_save_memory(model, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE,
                     "allowed");
        ASSERT_OK(ddaebm_context_set_limit(context, rows[i].limit, before));
    }
    /* A file of just the size is read, of one byte more is not. */
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, size));
    ASSERT_OK(ddaebm_model_load_memory(&back, context, bytes, size));
    ddaebm_model_free(back);
    uint64_t header = 0;
    memcpy(&header, bytes, 8);
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 8 + header - 1));
    refused(bytes, size, DDAEBM_OUT_OF_RANGE, "its header alone takes more than the");
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, size - 1));
    refused(bytes, size, DDAEBM_FORMAT, "outside any file that is allowed");
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(weights_that_are_not_finite_may_be_asked_for) {
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0, new_size = 0;
    float bias[8] = {0};
    void *bytes = small_bytes(model, &size);
    const test_tamper weight = {.poke = "energy.net.layers.0.bias", .value = (double)NAN},
                      mean = {.poke = "data.mean", .value = (double)NAN};
    void *changed = test_tamper_bytes(bytes, size, &weight, &new_size);
    ASSERT_OK(ddaebm_context_set_accept_not_finite(context, 1));
    ASSERT_OK(ddaebm_model_load_memory(&back, context, changed, new_size));
    ASSERT_OK(ddaebm_model_parameter(back, "energy.net.layers.0.bias", bias, 8));
    ck_assert(isnan(bias[7]));
    ASSERT_OK(ddaebm_model_save(back, in_folder("odd")));
    ASSERT_OK(ddaebm_context_set_accept_not_finite(context,
                                                   0)); /* what would not be loaded is not saved */
    ASSERT_FAILS(ddaebm_model_save(back, in_folder("odd")), DDAEBM_NOT_FINITE,
                 "tensor energy.net.layers.0.bias is nan");
    ASSERT_OK(ddaebm_context_set_accept_not_finite(context, 1));
    ddaebm_model_free(back);
    free(changed);
    changed =
        test_tamper_bytes(bytes, size, &mean, &new_size); /* what is no weight stays refused */
    refused(changed, new_size, DDAEBM_NOT_FINITE, "data.mean");
    free(changed);
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

/* What its configuration builds is compared with the file before memory is allocated for it. */
START_TEST(a_small_file_cannot_ask_for_much) {
    static const char *const texts[] = {
        "{\"data.width\":3,\"energy.hidden_layers\":[65536,65536,65536,65536]}",
        "{\"data.width\":3,\"network.time_width\":65536,\"diffusion.timesteps\":1000}",
        ("{\"data.width\":3,\"energy.frequencies\":64,\"network.latent_width\":65536,"
         "\"generator.feature_layers\":[65536]}"),
    };
    enum { MUCH = 4 << 20 };
    ddaebm_model *model = lived_in();
    size_t size = 0, new_size = 0;
    void *bytes = small_bytes(model, &size);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        void *changed = test_tamper_bytes(
            bytes, size, &(test_tamper){.metadata = "config", .text = texts[i]}, &new_size);
        counted.most = counted.bytes;
        refused(changed, new_size, DDAEBM_MISMATCH, "another shape");
        ck_assert_uint_lt(counted.most, MUCH);
        free(changed);
    }
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

/* A trainer's own tensors do not hinder: a checkpoint is a model. */
START_TEST(a_trainers_tensors_are_passed_over) {
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0, new_size = 0;
    void *bytes = small_bytes(model, &size),
         *more =
             test_tamper_bytes(bytes, size, &(test_tamper){.add = "trainer.something"}, &new_size);
    ASSERT_OK(ddaebm_model_load_memory(&back, context, more, new_size));
    assert_same(model, back);
    ddaebm_model_free(back);
    ddaebm_model_free(model);
    free(bytes);
    free(more);
}
END_TEST

/* Every length near the ends and at the header's end, and many in between. */
START_TEST(a_truncated_file_is_refused) {
    ddaebm_model *model = lived_in();
    size_t size = 0;
    unsigned char *bytes = small_bytes(model, &size);
    size_t header = 8 + (size_t)bytes[0] + 256 * (size_t)bytes[1] + 65536 * (size_t)bytes[2];
    ck_assert_uint_lt(header, size);
    for (size_t length = 0; length < size;) {
        int elsewhere;
        ddaebm_model *const before = (ddaebm_model *)(void *)&elsewhere, *back = before;
        unsigned char *part =
            malloc(length + 1); /* of just that length, for who watches over memory */
        memcpy(part, bytes, length);
        ddaebm_status status = ddaebm_model_load_memory(&back, context, part, length);
        ck_assert_msg(status == DDAEBM_FORMAT || status == DDAEBM_OUT_OF_RANGE,
                      "%zu of %zu bytes: status %d", length, size, (int)status);
        ck_assert_ptr_eq(back, before);
        free(part);
        bool fine =
            length < 64 || length + 64 > size || (length + 16 > header && length < header + 16);
        length += fine ? 1 : 29;
    }
    bytes = realloc(bytes, size + 1);
    bytes[size] = 0;
    refused(bytes, size + 1, DDAEBM_FORMAT, "end at byte");
    put_file(in_folder("cut"), bytes, header + 5);
    ddaebm_model *back = NULL;
    ASSERT_FAILS(ddaebm_model_load(&back, context, in_folder("cut")), DDAEBM_FORMAT, "/cut");
    ck_assert_ptr_null(back);
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

/* One bit at a time in the length and the header: refused, or the change was in a name or number
 * that means as much. Never a crash.
 */
START_TEST(a_flipped_bit_in_the_framing_does_no_harm) {
    ddaebm_model *model = lived_in();
    size_t size = 0, loaded = 0, tried = 0;
    unsigned char *bytes = small_bytes(model, &size);
    size_t header = 8 + (size_t)bytes[0] + 256 * (size_t)bytes[1];
    for (size_t bit = 0; bit < 8 * header; bit += bit < 512 ? 1 : 37) {
        ddaebm_model *back = NULL;
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        loaded += ddaebm_model_load_memory(&back, context, bytes, size) == DDAEBM_OK;
        tried++;
        ddaebm_model_free(back);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_uint_lt(loaded, tried / 2); /* digits of the configuration and of the temperature */
    free(bytes);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(places_that_cannot_be_are_refused) {
    ddaebm_model *model = lived_in(), *back = NULL;
    ASSERT_FAILS(ddaebm_model_load(&back, context, in_folder("none")), DDAEBM_NOT_FOUND, "/none");
    ASSERT_FAILS(ddaebm_model_load(&back, context, in_folder("none/m")), DDAEBM_NOT_FOUND,
                 "/none/m");
    ASSERT_FAILS(ddaebm_model_load(&back, context, folder), DDAEBM_IO, folder);
    ASSERT_FAILS(ddaebm_model_load(&back, context, "/dev/null"), DDAEBM_FORMAT, "/dev/null");
    ASSERT_FAILS(ddaebm_model_save(model, in_folder("none/m")), DDAEBM_IO, "/none");
    ASSERT_FAILS(ddaebm_model_save(model, folder), DDAEBM_IO, folder);
    ASSERT_FAILS(ddaebm_model_save(model, ""), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_model_save(model, "/dev/full"), DDAEBM_IO, "/dev/full");
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "free some space"));
    ck_assert_uint_eq(entries_in_folder(), 0);
    ck_assert_ptr_null(back);
    ddaebm_model_free(model);
}
END_TEST

START_TEST(memory_may_run_out) {
    ddaebm_model *model = lived_in(), *back = NULL;
    size_t size = 0;
    void *bytes = small_bytes(model, &size), *none = NULL;
    for (int on = 0; on < 2; on++) {
        SWEEP_ALLOCATIONS_FROM(counted, back, ddaebm_model_load_memory(&back, context, bytes, size),
                               on);
        ck_assert(same_models(model, back));
        ddaebm_model_free(back);
        back = NULL;
        SWEEP_ALLOCATIONS_FROM(counted, none, ddaebm_model_save_memory(model, bytes, size, NULL),
                               on);
        SWEEP_ALLOCATIONS_FROM(counted, none, ddaebm_model_save_half(model, in_folder("m")), on);
        SWEEP_ALLOCATIONS_FROM(counted, none, ddaebm_model_save(model, in_folder("m")), on);
        ck_assert_uint_eq(entries_in_folder(), 1);
        SWEEP_ALLOCATIONS_FROM(counted, back, ddaebm_model_load(&back, context, in_folder("m")),
                               on);
        ddaebm_model_free(back);
        back = NULL;
    }
    /* A failed save leaves the file that was there. */
    counted.from_there_on = true;
    counted.fail_at = counted.calls + 3;
    ck_assert_int_eq(ddaebm_model_save(model, in_folder("m")), DDAEBM_OUT_OF_MEMORY);
    counted.fail_at = 0;
    ASSERT_OK(ddaebm_model_load(&back, context, in_folder("m")));
    ck_assert(same_models(model, back));
    ddaebm_model_free(back);
    ddaebm_model_free(model);
    free(bytes);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("model_file", the_contexts_limits_hold,
                     weights_that_are_not_finite_may_be_asked_for,
                     memory_gives_back_what_it_was_given, so_does_a_file,
                     half_the_bytes_come_back_rounded, every_preset_comes_back,
                     a_small_buffer_is_left_alone, what_does_not_fit_its_configuration_is_refused,
                     a_small_file_cannot_ask_for_much, a_trainers_tensors_are_passed_over,
                     a_truncated_file_is_refused, a_flipped_bit_in_the_framing_does_no_harm,
                     places_that_cannot_be_are_refused, memory_may_run_out);
}
