/* The handle through its public functions: every status, round trips, all or nothing, memory that
 * runs out, locales. */
#define _POSIX_C_SOURCE 200809L /* mkstemp */
#include "config/config.h"

#include "config/keys.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Memory that is counted, and that runs out when told to. ---- */

typedef struct counter {
    size_t calls, live;
    size_t allowed; /* calls that succeed */
} counter;

static void *counted_allocate(void *user, size_t size) {
    counter *count = user;
    if (count->calls++ >= count->allowed)
        return NULL;
    void *block = malloc(size);
    ck_assert_ptr_nonnull(block);
    count->live++;
    return block;
}

static void counted_release(void *user, void *pointer) {
    ck_assert_ptr_nonnull(pointer);
    ((counter *)user)->live--;
    free(pointer);
}

static ddaebm_context *counted_context(counter *count) {
    *count = (counter){0, 0, SIZE_MAX};
    ddaebm_allocator allocator = DDAEBM_ALLOCATOR_INIT;
    allocator.allocate = counted_allocate;
    allocator.release = counted_release;
    allocator.user = count;
    ddaebm_context *context = NULL;
    ck_assert_int_eq(ddaebm_context_create(&context, &allocator), DDAEBM_OK);
    return context;
}

/* jansson has its memory from functions of its own; these let n calls succeed. */
static size_t json_calls, json_allowed;

static void *json_allocate(size_t size) {
    return json_calls++ < json_allowed ? malloc(size) : NULL;
}

/* ---- Shorthand. ---- */

static ddaebm_config *create(const char *preset) {
    ddaebm_config *config = NULL;
    ck_assert_int_eq(ddaebm_config_create(&config, NULL, preset), DDAEBM_OK);
    return config;
}

static ddaebm_status parse(ddaebm_config *config, const char *text) {
    return ddaebm_config_parse(config, text, strlen(text));
}

/* To be freed. */
static char *text_of(const ddaebm_config *config, const char *key) {
    size_t needed = 0;
    ck_assert_int_eq(ddaebm_config_text(config, key, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE);
    char *text = malloc(needed);
    ck_assert_ptr_nonnull(text);
    size_t again = 0;
    ck_assert_int_eq(ddaebm_config_text(config, key, text, needed, &again), DDAEBM_OK);
    ck_assert_uint_eq(again, needed);
    ck_assert_uint_eq(strlen(text) + 1, needed);
    return text;
}

static void assert_text(const ddaebm_config *config, const char *key, const char *expected) {
    char *text = text_of(config, key);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void assert_same(const ddaebm_config *a, const ddaebm_config *b) {
    char *text_a = text_of(a, NULL), *text_b = text_of(b, NULL);
    ck_assert_str_eq(text_a, text_b);
    free(text_a);
    free(text_b);
    for (size_t i = 0; i < dd_key_count(); i++)
        if (dd_key_at(i)->type == DDAEBM_TYPE_REAL)
            ck_assert_double_eq(dd_key_real(dd_key_at(i), dd_config_settings(a)),
                                dd_key_real(dd_key_at(i), dd_config_settings(b)));
}

static void assert_message(const char *part) {
    ck_assert_msg(strstr(ddaebm_error_message(), part) != NULL, "\"%s\" lacks \"%s\"",
                  ddaebm_error_message(), part);
    ck_assert_ptr_null(strchr(ddaebm_error_message(), '\n'));
}

/* ---- Creation. ---- */

START_TEST(create_takes_every_preset) {
    size_t count = 0;
    for (; ddaebm_config_preset(count); count++) {
        ddaebm_config *config = create(ddaebm_config_preset(count));
        ck_assert_int_eq(dd_settings_check(dd_config_settings(config)), DDAEBM_OK);
        ddaebm_config_free(config);
    }
    ck_assert_uint_ge(count, 3);
    ck_assert_ptr_null(ddaebm_config_preset(SIZE_MAX));
    ddaebm_config *none = create(NULL), *points = create("points");
    assert_same(none, points);
    ddaebm_config_free(none);
    ddaebm_config_free(points);
    ddaebm_config_free(NULL);
}
END_TEST

START_TEST(create_and_copy_refuse) {
    ddaebm_config *config = NULL;
    ck_assert_int_eq(ddaebm_config_create(&config, NULL, "toys"), DDAEBM_NOT_FOUND);
    assert_message("\"toys\"");
    assert_message("toy, points, vector, cifar10, celeba64, lsun128, fashion");
    ck_assert_ptr_null(config);
    ck_assert_int_eq(ddaebm_config_create(NULL, NULL, "toy"), DDAEBM_INVALID_ARGUMENT);
    assert_message("out");
    ck_assert_int_eq(ddaebm_config_copy(&config, NULL), DDAEBM_INVALID_ARGUMENT);
    ck_assert_ptr_null(config);
    config = create("toy");
    ck_assert_int_eq(ddaebm_config_copy(NULL, config), DDAEBM_INVALID_ARGUMENT);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(a_copy_is_its_own) {
    ddaebm_config *config = create("toy"), *copy = NULL;
    ck_assert_int_eq(ddaebm_config_set(config, "data.width", "7"), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_copy(&copy, config), DDAEBM_OK);
    assert_same(config, copy);
    ck_assert_int_eq(ddaebm_config_set(config, "data.width", "8"), DDAEBM_OK);
    ddaebm_config_free(config);
    assert_text(copy, "data.width", "7");
    ddaebm_config_free(copy);
}
END_TEST

START_TEST(memory_that_runs_out_loses_nothing) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    size_t idle = count.live;
    ddaebm_config *config = NULL, *copy = NULL, *read = NULL;
    for (size_t step = 0; step < 3; step++) {
        ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
        for (size_t allowed = 0; status != DDAEBM_OK; allowed++) {
            size_t live = count.live;
            count.calls = 0;
            count.allowed = allowed;
            status = step == 0   ? ddaebm_config_create(&config, context, "vector")
                     : step == 1 ? ddaebm_config_copy(&copy, config)
                                 : dd_config_create_from_json(&read, context, "{}", 2);
            if (status == DDAEBM_OK)
                ck_assert_uint_ge(allowed, 1);
            else {
                ck_assert_int_eq(status, DDAEBM_OUT_OF_MEMORY);
                ck_assert_uint_eq(count.live, live);
                ck_assert_ptr_null(step == 0 ? config : step == 1 ? copy : read);
            }
            ck_assert_uint_lt(allowed, 10);
        }
    }
    count.allowed = 0;
    ck_assert_int_eq(ddaebm_config_load(config, "/dev/null"), DDAEBM_OUT_OF_MEMORY);
    ddaebm_context_free(context);
    ddaebm_config_free(config);
    ddaebm_config_free(read);
    ck_assert_uint_ge(count.live, idle); /* the copy still holds the context */
    ddaebm_config_free(copy);
    ck_assert_uint_eq(count.live, 0);
}
END_TEST

/* Setting, parsing and reading take nothing from the context's allocator; jansson's own memory is
 * the documented exception. */
START_TEST(values_go_in_and_out_without_the_allocator) {
    counter count;
    ddaebm_context *context = counted_context(&count);
    ddaebm_config *config = NULL;
    ck_assert_int_eq(ddaebm_config_create(&config, context, NULL), DDAEBM_OK);
    size_t calls = count.calls;
    int64_t integer = 0;
    double real = 0;
    ck_assert_int_eq(ddaebm_config_set(config, "energy.hidden_layers", "[1, 2]"), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_set_integer(config, "data.width", 3), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_set_real(config, "objective.gamma", 0.5), DDAEBM_OK);
    ck_assert_int_eq(parse(config, "{\"diffusion\": {\"timesteps\": 5}}"), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_integer(config, "data.width", &integer), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_real(config, "objective.gamma", &real), DDAEBM_OK);
    assert_text(config, "diffusion.timesteps", "5");
    free(text_of(config, NULL));
    ck_assert_uint_eq(count.calls, calls);
    ddaebm_config_free(config);
    ddaebm_context_free(context);
    ck_assert_uint_eq(count.live, 0);
}
END_TEST

START_TEST(jansson_without_memory_is_a_status) {
    ddaebm_config *config = create("toy"), *original = create("toy"), *made = NULL;
    static const char text[] =
        "{\"diffusion\": {\"timesteps\": 5, \"beta_max\": 20.5}, \"energy.norm\": \"batch\", "
        "\"energy.hidden_layers\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}";
    json_set_alloc_funcs(json_allocate, free);
    for (int step = 0; step < 3; step++) {
        ddaebm_status status = DDAEBM_OUT_OF_MEMORY;
        for (size_t allowed = 0; status != DDAEBM_OK; allowed++) {
            json_calls = 0;
            json_allowed = allowed;
            status = step == 0   ? ddaebm_config_set(config, "energy.hidden_layers",
                                                     "[1, 2, 3, 4, 5, 6, 7, 8, 9]")
                     : step == 1 ? parse(config, text)
                                 : ddaebm_config_create(&made, NULL, "points");
            if (status != DDAEBM_OK) {
                ck_assert_msg(status == DDAEBM_OUT_OF_MEMORY, "step %d, %zu calls: %s", step,
                              allowed, ddaebm_error_message());
                ck_assert_ptr_null(made);
                if (step < 2)
                    assert_same(config, original);
            }
            ck_assert_uint_lt(allowed, 10000);
        }
        json_allowed = SIZE_MAX;
        if (step == 0)
            ck_assert_int_eq(
                ddaebm_config_set(original, "energy.hidden_layers", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"),
                DDAEBM_OK);
    }
    json_set_alloc_funcs(malloc, free);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
    ddaebm_config_free(made);
}
END_TEST

/* ---- One value. ---- */

START_TEST(set_takes_words_and_json) {
    const char *const rows[][3] = {
        {"diffusion.timesteps", " 8 ", "8"},
        {"diffusion.beta_max", "20", "20"},
        {"diffusion.beta_max", "0.15", "0.15"},
        {"diffusion.beta_max", "2e-1", "0.2"},
        {"diffusion.schedule", "geometric", "\"geometric\""},
        {"diffusion.schedule", "\"vp\"", "\"vp\""},
        {"training.calibrate", "true", "true"},
        {"energy.feature_layers", "[20,12]", "[20, 12]"},
        {"energy.feature_layers", "[]", "[]"},
    };
    ddaebm_config *config = create("toy");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(ddaebm_config_set(config, rows[i][0], rows[i][1]), DDAEBM_OK);
        assert_text(config, rows[i][0], rows[i][2]);
    }
    ck_assert_int_eq(dd_config_settings(config)->diffusion.timesteps, 8);
    ck_assert_int_eq(dd_config_settings(config)->diffusion.schedule, DD_SCHEDULE_VP);
    ck_assert(dd_config_settings(config)->training.calibrate);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(set_refuses_and_says_what_is_allowed) {
    const struct {
        const char *key, *value;
        ddaebm_status status;
        const char *message;
    } rows[] = {
        {"diffusion.timestep", "4", DDAEBM_NOT_FOUND,
         "no key \"diffusion.timestep\"; the nearest is \"diffusion.timesteps\""},
        {"diffusion", "4", DDAEBM_NOT_FOUND, "\"diffusion\" is a group"},
        {"diffusion.timesteps", "0", DDAEBM_OUT_OF_RANGE,
         "diffusion.timesteps is 0; allowed: an integer from 1 to 1000"},
        {"diffusion.timesteps", "4.5", DDAEBM_FORMAT,
         "diffusion.timesteps is 4.5; allowed: an integer from 1 to 1000"},
        {"diffusion.timesteps", "four", DDAEBM_FORMAT, "diffusion.timesteps is four; allowed"},
        {"diffusion.timesteps", "", DDAEBM_FORMAT, "diffusion.timesteps is empty; allowed"},
        {"diffusion.timesteps", "\"a\\nb\"", DDAEBM_FORMAT,
         "diffusion.timesteps is \"a\\nb\"; allowed"},
        {"diffusion.schedule", "linear", DDAEBM_OUT_OF_RANGE,
         "diffusion.schedule is \"linear\"; allowed: vp|geometric"},
        {"diffusion.schedule", "\"linear\"", DDAEBM_OUT_OF_RANGE,
         "diffusion.schedule is \"linear\"; allowed: vp|geometric"},
        {"optimizer.ema_decay", "1", DDAEBM_OUT_OF_RANGE,
         "optimizer.ema_decay is 1; allowed: a number from 0 to 0.9999999999999999"},
        {"optimizer.epsilon", "1e-400", DDAEBM_OUT_OF_RANGE, "optimizer.epsilon is "},
        {"training.calibrate", "1", DDAEBM_FORMAT,
         "training.calibrate is 1; allowed: true or false"},
        {"energy.hidden_layers", "[300, 0]", DDAEBM_OUT_OF_RANGE,
         "energy.hidden_layers is [300,0]; allowed: a list of at most 16 integers from 1 to 65536"},
        {"energy.hidden_layers", "300", DDAEBM_FORMAT,
         "energy.hidden_layers is 300; allowed: a list"},
    };
    ddaebm_config *config = create("toy"), *original = create("toy");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(ddaebm_config_set(config, rows[i].key, rows[i].value) == rows[i].status,
                      "%s = %s", rows[i].key, rows[i].value);
        assert_message(rows[i].message);
        assert_same(config, original);
    }
    ck_assert_int_eq(ddaebm_config_set(NULL, "data.width", "2"), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set(config, NULL, "2"), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set(config, "data.width", NULL), DDAEBM_INVALID_ARGUMENT);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
}
END_TEST

START_TEST(typed_setters_and_getters) {
    ddaebm_config *config = create("toy");
    int64_t integer = -1;
    double real = -1;
    ck_assert_int_eq(ddaebm_config_set_integer(config, "training.steps", 1000000000), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_integer(config, "training.steps", &integer), DDAEBM_OK);
    ck_assert_int_eq(integer, 1000000000);
    ck_assert_int_eq(ddaebm_config_set(config, "training.calibrate", "true"), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_integer(config, "training.calibrate", &integer), DDAEBM_OK);
    ck_assert_int_eq(integer, 1);
    ck_assert_int_eq(ddaebm_config_set_real(config, "objective.gamma", 1.0 / 3), DDAEBM_OK);
    ck_assert_int_eq(ddaebm_config_real(config, "objective.gamma", &real), DDAEBM_OK);
    ck_assert_double_eq(real, 1.0 / 3);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(typed_setters_and_getters_refuse) {
    ddaebm_config *config = create("toy"), *original = create("toy");
    int64_t integer = -1;
    double real = -1;
    ck_assert_int_eq(ddaebm_config_set_integer(config, "data.width", 0), DDAEBM_OUT_OF_RANGE);
    assert_message("data.width is 0; allowed: an integer from 1 to 1048576");
    ck_assert_int_eq(ddaebm_config_set_integer(config, "data.widths", 1), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_set_integer(config, "objective.gamma", 1),
                     DDAEBM_INVALID_ARGUMENT);
    assert_message("objective.gamma is a real, not an integer");
    ck_assert_int_eq(ddaebm_config_set_integer(config, "training.calibrate", 1),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set_integer(config, "energy.norm", 1), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set_integer(NULL, "data.width", 1), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set_integer(config, NULL, 1), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set_real(config, "objective.gamma", -0.5), DDAEBM_OUT_OF_RANGE);
    assert_message("objective.gamma is -0.5; allowed: a number from 0 to 1000000");
    ck_assert_int_eq(ddaebm_config_set_real(config, "objective.gamma", (double)NAN),
                     DDAEBM_OUT_OF_RANGE);
    ck_assert_int_eq(ddaebm_config_set_real(config, "objective.gamma", (double)INFINITY),
                     DDAEBM_OUT_OF_RANGE);
    ck_assert_int_eq(ddaebm_config_set_real(config, "gamma", 1), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_set_real(config, "data.width", 1), DDAEBM_INVALID_ARGUMENT);
    assert_message("data.width is an integer, not a real");
    ck_assert_int_eq(ddaebm_config_set_real(NULL, "objective.gamma", 1), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_set_real(config, NULL, 1), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_integer(config, "objective.gamma", &integer),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_integer(config, "energy.norm", &integer),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_integer(config, "energy.hidden_layers", &integer),
                     DDAEBM_INVALID_ARGUMENT);
    assert_message("energy.hidden_layers is a list of integers, not");
    ck_assert_int_eq(ddaebm_config_integer(config, "nothing", &integer), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_integer(NULL, "data.width", &integer), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_integer(config, NULL, &integer), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_integer(config, "data.width", NULL), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_real(config, "data.width", &real), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_real(config, "nothing", &real), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_real(NULL, "objective.gamma", &real), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_real(config, NULL, &real), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_real(config, "objective.gamma", NULL), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(integer, -1);
    ck_assert_double_eq(real, -1);
    assert_same(config, original);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
}
END_TEST

/* ---- JSON. ---- */

START_TEST(names_of_earlier_files_are_read) {
    static const char *const texts[] = {
        "{\"picture.patch\": 2, \"training.first_level\": 0.25}",
        "{\"picture\": {\"patch\": 2}, \"training\": {\"first_level\": 0.25}}",
        "{\"image\": {\"patch\": 2}, \"training.first_timestep\": 0.25}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ddaebm_config *config = create("toy");
        int64_t patch = 0;
        double share = 0;
        ck_assert_int_eq(ddaebm_config_parse(config, texts[i], strlen(texts[i])), DDAEBM_OK);
        ck_assert_int_eq(ddaebm_config_integer(config, "image.patch", &patch), DDAEBM_OK);
        ck_assert_int_eq(ddaebm_config_real(config, "training.first_level", &share), DDAEBM_OK);
        ck_assert_int_eq(patch, 2);
        ck_assert_double_eq(share, 0.25);
        ddaebm_config_free(config);
    }
}
END_TEST

START_TEST(one_key_by_two_names_is_given_twice) {
    static const char text[] = "{\"picture.patch\": 2, \"image.patch\": 2}";
    ddaebm_config *config = create("toy");
    ck_assert_int_eq(ddaebm_config_parse(config, text, strlen(text)), DDAEBM_FORMAT);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(nested_and_dotted_names_are_the_same) {
    const char *const texts[] = {
        "{\"diffusion.timesteps\": 6, \"diffusion.beta_max\": 20, \"energy.norm\": \"batch\"}",
        "{\"diffusion\": {\"timesteps\": 6, \"beta_max\": 20.0}, \"energy\": {\"norm\": "
        "\"batch\"}}",
        "{\"diffusion\": {\"timesteps\": 6}, \"energy\": {}, \"diffusion.beta_max\": 2e1,\n "
        "\"energy.norm\": \"batch\"}\n",
    };
    ddaebm_config *first = create("toy");
    ck_assert_int_eq(parse(first, texts[0]), DDAEBM_OK);
    ck_assert_int_eq(dd_config_settings(first)->diffusion.timesteps, 6);
    ck_assert_int_eq(dd_config_settings(first)->energy.norm, DD_NORM_BATCH);
    ck_assert_int_eq(dd_config_settings(first)->training.batch, 200);
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        ddaebm_config *other = create("toy");
        ck_assert_int_eq(parse(other, texts[i]), DDAEBM_OK);
        assert_same(first, other);
        ddaebm_config_free(other);
    }
    ck_assert_int_eq(ddaebm_config_parse(first, "{}garbage", 2),
                     DDAEBM_OK); /* length, not a NUL, ends the text */
    ddaebm_config_free(first);
}
END_TEST

#define LONG_WORD                                                                                  \
    "a word of many letters, longer than what a message has room for; and longer, too"             \
    ", than the block where the message is made of JSON's text, which has 143 of them"

static const struct {
    const char *text;
    ddaebm_status status;
    const char *message;
} bad_texts[] = {
    {"", DDAEBM_FORMAT, "line 1: "},
    {"   \n\n", DDAEBM_FORMAT, "line "},
    {"{\"data.width\": 3,\n\"data.width\" 4}", DDAEBM_FORMAT, "line 2: "},
    {"{\n\n\"data.width\": }", DDAEBM_FORMAT, "line 3: "},
    {"{\"data.width\": 3", DDAEBM_FORMAT, "line 1: "},
    {"{\"data.width\": 3} x", DDAEBM_FORMAT, "line 1: "},
    {"{\"data.width\": 3, \"data.width\": 4}", DDAEBM_FORMAT, "duplicate"},
    {"{\"data.width\": 3, \"data\": {\"width\": 4}}", DDAEBM_FORMAT, "data.width is given twice"},
    {"{\"objective.gamma\": NaN}", DDAEBM_FORMAT, "line 1: "},
    {"{\"objective.gamma\": 0,5}", DDAEBM_FORMAT, "line 1: "},
    {"{\n\"objective.gamma\": 1e999}", DDAEBM_OUT_OF_RANGE, "line 2: "},
    {"{\"data.width\": 99999999999999999999}", DDAEBM_OUT_OF_RANGE, "line 1: "},
    {"{\"data.width\": \"\xFF\"}", DDAEBM_FORMAT, "line 1: "},
    {"{\"data.width\": \"\\u0000\"}", DDAEBM_FORMAT, "line 1: "},
    {"[4]", DDAEBM_FORMAT, "must be a JSON object"},
    {"4", DDAEBM_FORMAT, "must be a JSON object"},
    {"{\"training.batch\": 3, \"data.width\": 0}", DDAEBM_OUT_OF_RANGE,
     "data.width is 0; allowed: an integer from 1 to 1048576"},
    {"{\"training.batch\": 3, \"data.width\": 2.5}", DDAEBM_FORMAT, "data.width is 2.5; allowed"},
    {"{\"training.batch\": 3, \"data.width\": {\"a\": 1}}", DDAEBM_FORMAT,
     "data.width is {\"a\":1}; allowed"},
    {"{\"data.width\": [\"" LONG_WORD "\", 1]}", DDAEBM_FORMAT,
     "data.width is [\"a word of many letters, longer than what a message has room for; a...; "
     "allowed"},
    {"{\"training.batch\": 3, \"diffusion.schedule\": 4}", DDAEBM_FORMAT,
     "diffusion.schedule is 4; allowed: vp|geometric"},
    {"{\"training.batch\": 3, \"energy.norm\": \"layer\"}", DDAEBM_OUT_OF_RANGE,
     "energy.norm is \"layer\"; allowed: none|batch"},
    {"{\"training.batch\": 3, \"training.batches\": 3}", DDAEBM_NOT_FOUND,
     "the nearest is \"training.batch\""},
    {"{\"training\": {\"batch\": 3, \"bach\": 3}}", DDAEBM_NOT_FOUND,
     "\"training.bach\"; the nearest is \"training.batch\""},
    {"{\"training\": {\"batch\": 3, \"training.batch\": 3}}", DDAEBM_NOT_FOUND,
     "\"training.training.batch\""},
    {"{\"training\": 3}", DDAEBM_NOT_FOUND, "\"training\" is a group of keys"},
    {"{\"trainings\": {}}", DDAEBM_NOT_FOUND, "\"trainings\""},
    {"{\"\": {\"\": {\"\": 1}}}", DDAEBM_NOT_FOUND, "no key \"\""},
    {"{\"a\\nb\": 1}", DDAEBM_NOT_FOUND, "\"a?b\""},
};

START_TEST(a_bad_text_changes_nothing) {
    ddaebm_config *config = create("toy"), *original = create("toy"), *made = NULL;
    ck_assert_msg(parse(config, bad_texts[_i].text) == bad_texts[_i].status, "%s: %s",
                  bad_texts[_i].text, ddaebm_error_message());
    assert_message(bad_texts[_i].message);
    assert_same(config, original);
    ck_assert_int_eq(
        dd_config_create_from_json(&made, NULL, bad_texts[_i].text, strlen(bad_texts[_i].text)),
        bad_texts[_i].status);
    ck_assert_ptr_null(made);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
}
END_TEST

START_TEST(a_long_or_deep_text_is_refused) {
    enum { DEPTH = 5000 };
    ddaebm_config *config = create("toy");
    char text[DEPTH * 2 + 64];
    memset(text, '[', DEPTH);
    ck_assert_int_eq(ddaebm_config_parse(config, text, DEPTH), DDAEBM_OUT_OF_RANGE);
    assert_message("brackets nest deeper than 8 levels");
    int used = snprintf(text, sizeof text, "{\"energy.hidden_layers\": ");
    memset(text + used, '[', 1000);
    memset(text + used + 1000, ']', 1000);
    (void)snprintf(text + used + 2000, 2, "}");
    ck_assert_int_eq(parse(config, text), DDAEBM_OUT_OF_RANGE);
    assert_message("brackets nest deeper than 8 levels");
    used = snprintf(text, sizeof text, "{\"data.width.");
    memset(text + used, 'x', DEPTH);
    (void)snprintf(text + used + DEPTH, 8, "\": 1}");
    ck_assert_int_eq(parse(config, text), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_parse(NULL, "{}", 2), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_parse(config, NULL, 0), DDAEBM_INVALID_ARGUMENT);
    ddaebm_config_free(config);
}
END_TEST

/* Every value away from where "toy" has it, then out as text and in again. */
static ddaebm_config *unusual(void) {
    ddaebm_config *config = create("toy");
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        char text[DD_VALUE_ROOM] = "";
        if (key->type == DDAEBM_TYPE_REAL)
            dd_real_text(key->least + (key->most - key->least) / 3, text);
        else if (key->type == DDAEBM_TYPE_INTEGER)
            (void)snprintf(text, sizeof text, "%.0f", key->most - 1);
        else if (key->type == DDAEBM_TYPE_INTEGERS)
            (void)snprintf(text, sizeof text, "[%.0f, %.0f, 3]", key->most, key->least);
        else if (key->type == DDAEBM_TYPE_BOOLEAN)
            (void)snprintf(text, sizeof text, "true");
        else
            (void)snprintf(text, sizeof text, "%s",
                           strrchr(key->choices, '|') ? strrchr(key->choices, '|') + 1
                                                      : key->choices);
        ck_assert_msg(ddaebm_config_set(config, key->name, text) == DDAEBM_OK, "%s",
                      ddaebm_error_message());
    }
    return config;
}

static void check_round_trip(void) {
    ddaebm_config *config = unusual(), *parsed = create("points"), *made = NULL,
                  *set = create("vector");
    char *text = text_of(config, NULL);
    ck_assert_int_eq(parse(parsed, text), DDAEBM_OK);
    assert_same(config, parsed);
    ck_assert_int_eq(dd_config_create_from_json(&made, NULL, text, strlen(text)), DDAEBM_OK);
    assert_same(config, made);
    free(text);
    for (size_t i = 0; i < dd_key_count(); i++) {
        text = text_of(config, dd_key_at(i)->name);
        ck_assert_int_eq(ddaebm_config_set(set, dd_key_at(i)->name, text), DDAEBM_OK);
        free(text);
    }
    assert_same(config, set);
    ddaebm_config_free(config);
    ddaebm_config_free(parsed);
    ddaebm_config_free(made);
    ddaebm_config_free(set);
}

START_TEST(text_comes_back_as_it_went) {
    check_round_trip();
}
END_TEST

START_TEST(the_whole_text_is_json_in_the_order_of_the_keys) {
    ddaebm_config *config = create("points");
    char *text = text_of(config, NULL);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(object);
    ck_assert_uint_eq(json_object_size(object), dd_key_count());
    const char *place = text;
    for (size_t i = 0; i < dd_key_count(); i++) {
        char quoted[DD_NAME_ROOM + 2];
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", dd_key_at(i)->name);
        ck_assert_ptr_nonnull(json_object_get(object, dd_key_at(i)->name));
        place = strstr(place, quoted);
        ck_assert_ptr_nonnull(place);
    }
    json_decref(object);
    free(text);
    ddaebm_config_free(config);
}
END_TEST

START_TEST(a_model_file_needs_no_preset) {
    ddaebm_config *config = NULL, *toy = create("toy");
    ck_assert_int_eq(dd_config_create_from_json(&config, NULL, "{}", 2), DDAEBM_OK);
    assert_same(config, toy);
    ddaebm_config_free(config);
    ddaebm_config_free(toy);
}
END_TEST

START_TEST(get_text_asks_for_room) {
    ddaebm_config *config = create("toy");
    char text[8] = "before";
    size_t needed = 0;
    ck_assert_int_eq(ddaebm_config_text(config, "training.batch", text, 3, &needed),
                     DDAEBM_OUT_OF_RANGE);
    assert_message("capacity is 3; training.batch takes 4 bytes");
    ck_assert_str_eq(text, "before");
    ck_assert_uint_eq(needed, 4);
    ck_assert_int_eq(ddaebm_config_text(config, NULL, text, sizeof text, NULL),
                     DDAEBM_OUT_OF_RANGE);
    ck_assert_str_eq(text, "before");
    ck_assert_int_eq(ddaebm_config_text(config, "training.batch", text, 4, NULL), DDAEBM_OK);
    ck_assert_str_eq(text, "200");
    needed = 77;
    ck_assert_int_eq(ddaebm_config_text(config, "batch", text, sizeof text, &needed),
                     DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_text(config, "training.batch", NULL, 4, &needed),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_text(NULL, "training.batch", text, sizeof text, &needed),
                     DDAEBM_INVALID_ARGUMENT);
    ck_assert_uint_eq(needed, 77);
    ck_assert_str_eq(text, "200");
    ddaebm_config_free(config);
}
END_TEST

/* ---- Files. ---- */

static char file_path[] = "/tmp/ddaebm-test-config-XXXXXX";

static void make_file(void) {
    int file = mkstemp(file_path);
    ck_assert_int_ge(file, 0);
    (void)close(file);
}

static void remove_file(void) {
    (void)remove(file_path);
}

static void write_file(const char *text, size_t blanks) {
    FILE *file = fopen(file_path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    for (size_t i = 0; i < blanks; i++)
        (void)fputc(' ', file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(load_reads_a_file) {
    ddaebm_config *config = create("toy");
    write_file("{\"training.batch\": 3}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OK);
    assert_text(config, "training.batch", "3");
    write_file("{\"training.batch\": 5}", (1 << 20) - 21);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OK);
    assert_text(config, "training.batch", "5");
    ddaebm_config_free(config);
}
END_TEST

/* As editors of some systems save it. */
START_TEST(load_skips_a_byte_order_mark) {
    ddaebm_config *config = create("toy");
    write_file("\xEF\xBB\xBF{\"training.batch\": 5}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OK);
    assert_text(config, "training.batch", "5");
    write_file("\xEF\xBB\xBF\r\n{\r\n\"training.batch\": 1e1}\r\n", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OK);
    assert_text(config, "training.batch", "10");
    static const char *const bad[] = {"\xEF\xBB\xBF", "\xEF\xBB{}", "\xEF\xBB\xBF\xEF\xBB\xBF{}",
                                      "{}\xEF\xBB\xBF", "\xFF\xFE{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(bad[i], 0);
        ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_FORMAT);
    }
    ddaebm_config_free(config);
}
END_TEST

START_TEST(load_refuses) {
    ddaebm_config *config = create("toy"), *original = create("toy");
    write_file("{\"training.batch\": 5}", (1 << 20) - 20);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OUT_OF_RANGE);
    assert_message("at most 1048576 are allowed");
    write_file("{\"training.batch\": 3,\n\n x", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_FORMAT);
    assert_message(file_path);
    assert_message("line 3: ");
    write_file("{\"training.batch\": 1}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_OUT_OF_RANGE);
    write_file("{\"training.batsh\": 1}", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_NOT_FOUND);
    write_file("", 0);
    ck_assert_int_eq(ddaebm_config_load(config, file_path), DDAEBM_FORMAT);
    ck_assert_int_eq(ddaebm_config_load(config, "/nonexistent/config.json"), DDAEBM_NOT_FOUND);
    assert_message("cannot open /nonexistent/config.json: ");
    ck_assert_int_eq(ddaebm_config_load(config, "/dev/null/config.json"), DDAEBM_NOT_FOUND);
    char lengthy[5000];
    memset(lengthy, 'n', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    ck_assert_int_eq(ddaebm_config_load(config, lengthy), DDAEBM_IO);
    ck_assert_int_eq(ddaebm_config_load(config, "/"), DDAEBM_IO);
    assert_message("cannot read /: it is a folder");
    ck_assert_int_eq(ddaebm_config_load(NULL, file_path), DDAEBM_INVALID_ARGUMENT);
    ck_assert_int_eq(ddaebm_config_load(config, NULL), DDAEBM_INVALID_ARGUMENT);
    assert_same(config, original);
    ddaebm_config_free(config);
    ddaebm_config_free(original);
}
END_TEST

/* ---- What there is. ---- */

START_TEST(keys_are_listed) {
    for (size_t i = 0; i < dd_key_count(); i++) {
        ddaebm_key_info info = DDAEBM_KEY_INFO_INIT;
        ck_assert_int_eq(ddaebm_config_key_info(i, &info), DDAEBM_OK);
        const dd_key *key = dd_key_at(i);
        ck_assert(info.struct_size == sizeof info && info.name == key->name &&
                  info.meaning == key->meaning);
        ck_assert(info.type == key->type && info.choices == key->choices &&
                  info.most_elements == key->most_elements);
        ck_assert_double_eq(info.least, key->least);
        ck_assert_double_eq(info.most, key->most);
    }
    ddaebm_key_info info = DDAEBM_KEY_INFO_INIT;
    ck_assert_int_eq(ddaebm_config_key_info(dd_key_count(), &info), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(ddaebm_config_key_info(SIZE_MAX, &info), DDAEBM_NOT_FOUND);
    info.struct_size = 1;
    ck_assert_int_eq(ddaebm_config_key_info(0, &info), DDAEBM_INVALID_ARGUMENT);
    assert_message("DDAEBM_KEY_INFO_INIT");
    ck_assert_ptr_null(info.name);
    ck_assert_int_eq(ddaebm_config_key_info(0, NULL), DDAEBM_INVALID_ARGUMENT);
}
END_TEST

/* ---- Locales. ---- */

static bool comma_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0)
            return true;
    (void)setlocale(LC_ALL, "C");
    return false;
}

START_TEST(text_is_the_same_where_a_comma_is_the_mark) {
    ddaebm_config *config = unusual();
    char *text = text_of(config, NULL);
    ck_assert(comma_locale());
    ddaebm_config *again = unusual();
    char *with_comma = text_of(again, NULL);
    ck_assert_str_eq(with_comma, text);
    check_round_trip();
    ck_assert_int_eq(parse(config, "{\"objective.gamma\": 0.25}"), DDAEBM_OK);
    assert_text(config, "objective.gamma", "0.25");
    ck_assert_int_eq(ddaebm_config_set(config, "objective.gamma", "0,25"), DDAEBM_FORMAT);
    (void)setlocale(LC_ALL, "C");
    free(text);
    free(with_comma);
    ddaebm_config_free(config);
    ddaebm_config_free(again);
}
END_TEST

static Suite *config_suite(bool with_locale) {
    Suite *suite = suite_create("config/config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, create_takes_every_preset);
    tcase_add_test(tests, create_and_copy_refuse);
    tcase_add_test(tests, a_copy_is_its_own);
    tcase_add_test(tests, memory_that_runs_out_loses_nothing);
    tcase_add_test(tests, values_go_in_and_out_without_the_allocator);
    tcase_add_test(tests, jansson_without_memory_is_a_status);
    tcase_add_test(tests, set_takes_words_and_json);
    tcase_add_test(tests, set_refuses_and_says_what_is_allowed);
    tcase_add_test(tests, typed_setters_and_getters);
    tcase_add_test(tests, typed_setters_and_getters_refuse);
    tcase_add_test(tests, names_of_earlier_files_are_read);
    tcase_add_test(tests, one_key_by_two_names_is_given_twice);
    tcase_add_test(tests, nested_and_dotted_names_are_the_same);
    tcase_add_loop_test(tests, a_bad_text_changes_nothing, 0,
                        (int)(sizeof bad_texts / sizeof *bad_texts));
    tcase_add_test(tests, a_long_or_deep_text_is_refused);
    tcase_add_test(tests, text_comes_back_as_it_went);
    tcase_add_test(tests, the_whole_text_is_json_in_the_order_of_the_keys);
    tcase_add_test(tests, a_model_file_needs_no_preset);
    tcase_add_test(tests, get_text_asks_for_room);
    tcase_add_test(tests, keys_are_listed);
    if (with_locale)
        tcase_add_test(tests, text_is_the_same_where_a_comma_is_the_mark);
    suite_add_tcase(suite, tests);
    TCase *files = tcase_create("files");
    tcase_add_unchecked_fixture(files, make_file, remove_file);
    tcase_add_test(files, load_reads_a_file);
    tcase_add_test(files, load_skips_a_byte_order_mark);
    tcase_add_test(files, load_refuses);
    suite_add_tcase(suite, files);
    return suite;
}

int main(void) {
    bool with_locale = comma_locale();
    (void)setlocale(LC_ALL, "C");
    if (!with_locale)
        printf("SKIPPED: text_is_the_same_where_a_comma_is_the_mark: install the locale "
               "de_DE.UTF-8\n");
    SRunner *runner = srunner_create(config_suite(with_locale));
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    printf("skipped: %d\n", !with_locale);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
