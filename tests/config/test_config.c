/* The handle through its public functions: every status, and memory that runs out. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/config.h"

#include "config/settings_check.h"
#include "support/config_text.h"
#include "support/harness.h"

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
    assert_message("toy, points, vector, impute, cifar10, celeba64, lsun128, fashion");
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

/* ---- Lists of keys. ---- */

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

int main(void) {
    return RUN_TESTS("config/config", create_takes_every_preset, create_and_copy_refuse,
                     a_copy_is_its_own, memory_that_runs_out_loses_nothing,
                     values_go_in_and_out_without_the_allocator, set_takes_words_and_json,
                     set_refuses_and_says_what_is_allowed, typed_setters_and_getters,
                     typed_setters_and_getters_refuse, get_text_asks_for_room, keys_are_listed);
}
