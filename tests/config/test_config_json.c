/* Configurations as JSON: names, what is refused, round trips, memory that runs out, locales. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/config.h"

#include "support/comma_locale.h"
#include "support/config_text.h"
#include "support/harness.h"

#include <jansson.h>

/* jansson has its memory from functions of its own; these let n calls succeed. */
static size_t json_calls, json_allowed;

static void *json_allocate(size_t size) {
    return json_calls++ < json_allowed ? malloc(size) : NULL;
}

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
    ck_assert_int_eq(dd_config_settings(first)->energy.mlp.norm, DD_NORM_BATCH);
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

START_TEST(text_is_the_same_where_a_comma_is_the_mark) {
    ddaebm_config *config = unusual();
    char *text = text_of(config, NULL);
    ck_assert(set_comma_locale());
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

int main(void) {
    bool with_locale = has_comma_locale("text_is_the_same_where_a_comma_is_the_mark");
    const TTest *const tests[] = {names_of_earlier_files_are_read,
                                  one_key_by_two_names_is_given_twice,
                                  nested_and_dotted_names_are_the_same,
                                  a_long_or_deep_text_is_refused,
                                  text_comes_back_as_it_went,
                                  the_whole_text_is_json_in_the_order_of_the_keys,
                                  a_model_file_needs_no_preset,
                                  jansson_without_memory_is_a_status,
                                  text_is_the_same_where_a_comma_is_the_mark};
    const TTest *const looped[] = {a_bad_text_changes_nothing};
    int failed = run_tests("config/json", tests, sizeof tests / sizeof *tests - !with_locale);
    failed += run_loop_tests("config/json refused", looped, 1,
                             (int)(sizeof bad_texts / sizeof *bad_texts));
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
