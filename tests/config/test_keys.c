/* The table of keys: every key at its bounds and just outside, names, choices, suggestions, numbers
 * as text in every locale. */
#include "config/keys.h"
#include "support/runner.h"

#include <check.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dd_settings initial(void) {
    dd_settings settings = {0};
    for (size_t i = 0; i < dd_key_count(); i++)
        ck_assert_int_eq(dd_key_set_text(dd_key_at(i), &settings, dd_key_at(i)->initial),
                         DDAEBM_OK);
    return settings;
}

static const char *text_of(const dd_key *key, const dd_settings *settings) {
    static char text[DD_VALUE_ROOM];
    size_t length = dd_key_text(key, settings, text);
    ck_assert_uint_eq(length, strlen(text));
    return text;
}

/* The text is refused with the status, the message names key and value, and nothing has changed. */
static void refused(const dd_key *key, const char *text, ddaebm_status status) {
    dd_settings settings = initial();
    char before[DD_VALUE_ROOM];
    dd_key_text(key, &settings, before);
    ck_assert_msg(dd_key_set_text(key, &settings, text) == status, "%s = %s: %s", key->name, text,
                  ddaebm_error_message());
    ck_assert_ptr_eq(strstr(ddaebm_error_message(), key->name), ddaebm_error_message());
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "; allowed: "));
    ck_assert_ptr_null(strchr(ddaebm_error_message(), '\n'));
    ck_assert_str_eq(text_of(key, &settings), before);
}

static void accepted(const dd_key *key, const char *text, const char *read_back) {
    dd_settings settings = initial();
    ck_assert_msg(dd_key_set_text(key, &settings, text) == DDAEBM_OK, "%s = %s: %s", key->name,
                  text, ddaebm_error_message());
    ck_assert_str_eq(text_of(key, &settings), read_back);
    dd_settings again = initial();
    ck_assert_int_eq(dd_key_set_text(key, &again, read_back), DDAEBM_OK);
    ck_assert_str_eq(text_of(key, &again), read_back);
}

START_TEST(names_are_unique_short_and_have_one_dot) {
    ck_assert_uint_ge(dd_key_count(), 1);
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        ck_assert_uint_lt(strlen(key->name), DD_NAME_ROOM);
        ck_assert_ptr_nonnull(strchr(key->name, '.'));
        ck_assert_ptr_eq(strchr(key->name, '.'), strrchr(key->name, '.'));
        ck_assert_ptr_eq(dd_key_find(key->name), key); /* so no earlier key has this name */
        ck_assert(!dd_key_is_group(key->name));
    }
}
END_TEST

START_TEST(every_key_has_a_sentence_and_sane_bounds) {
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        size_t length = strlen(key->meaning);
        ck_assert(length > 10 && key->meaning[length - 1] == '.' && key->meaning[0] >= 'A' &&
                  key->meaning[0] <= 'Z');
        ck_assert((key->type == DDAEBM_TYPE_CHOICE) == (key->choices != NULL));
        ck_assert((key->type == DDAEBM_TYPE_INTEGERS) == (key->most_elements > 0));
        ck_assert_uint_le(key->most_elements, DD_MOST_INTEGERS);
        ck_assert(isfinite(key->least) && isfinite(key->most));
        ck_assert(key->least <= key->most && fabs(key->least) < 0x1p53 && fabs(key->most) < 0x1p53);
    }
}
END_TEST

START_TEST(fields_do_not_overlap) {
    dd_settings settings = initial();
    const size_t sizes[] = {sizeof(bool), sizeof(int64_t), sizeof(double), sizeof(int64_t),
                            sizeof(dd_integers)};
    bool taken[sizeof settings] = {false};
    for (size_t i = 0; i < dd_key_count(); i++) {
        const dd_key *key = dd_key_at(i);
        ck_assert_uint_le(key->offset + sizes[key->type], sizeof settings);
        for (size_t byte = 0; byte < sizes[key->type]; byte++) {
            ck_assert_msg(!taken[key->offset + byte], "%s", key->name);
            taken[key->offset + byte] = true;
        }
    }
}
END_TEST

static void integer_bounds(const dd_key *key, int64_t least, int64_t most) {
    char text[DD_REAL_ROOM];
    const int64_t good[] = {least, most}, bad[] = {least - 1, most + 1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "%lld", (long long)good[i]);
        accepted(key, text, text);
        dd_settings settings = initial();
        ck_assert_int_eq(dd_key_set_integer(key, &settings, good[i]), DDAEBM_OK);
        ck_assert_int_eq(dd_key_integer(key, &settings), good[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(text, sizeof text, "%lld", (long long)bad[i]);
        refused(key, text, DDAEBM_OUT_OF_RANGE);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), text));
        dd_settings settings = initial();
        int64_t before = dd_key_integer(key, &settings);
        ck_assert_int_eq(dd_key_set_integer(key, &settings, bad[i]), DDAEBM_OUT_OF_RANGE);
        ck_assert_int_eq(dd_key_integer(key, &settings), before);
    }
    refused(key, "99999999999999999999999", DDAEBM_OUT_OF_RANGE);
    refused(key, "4.5", DDAEBM_FORMAT);
    refused(key, "\"4\"", DDAEBM_FORMAT);
    refused(key, "four", DDAEBM_FORMAT);
    refused(key, "4,", DDAEBM_FORMAT);
}

static void real_bounds(const dd_key *key) {
    char text[DD_REAL_ROOM];
    const double good[] = {key->least, key->most};
    const double bad[] = {nextafter(key->least, -DBL_MAX), nextafter(key->most, DBL_MAX), -DBL_MAX,
                          DBL_MAX};
    const double no_numbers[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < 2; i++) {
        dd_real_text(good[i], text);
        accepted(key, text, text);
        dd_settings settings = initial();
        ck_assert_int_eq(dd_key_set_real(key, &settings, good[i]), DDAEBM_OK);
        ck_assert_double_eq(dd_key_real(key, &settings), good[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        dd_real_text(bad[i], text);
        refused(key, text, DDAEBM_OUT_OF_RANGE);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), text));
    }
    for (size_t i = 0; i < 3; i++) {
        dd_settings settings = initial();
        double before = dd_key_real(key, &settings);
        ck_assert_int_eq(dd_key_set_real(key, &settings, no_numbers[i]), DDAEBM_OUT_OF_RANGE);
        ck_assert_double_eq(dd_key_real(key, &settings), before);
    }
    refused(key, "1e999", DDAEBM_OUT_OF_RANGE);
    refused(key, "nan", DDAEBM_FORMAT);
    refused(key, "0,1", DDAEBM_FORMAT);
    refused(key, "0.1 0.2", DDAEBM_FORMAT);
    refused(key, "[0.1]", DDAEBM_FORMAT);
}

static void choice_words(const dd_key *key) {
    char words[256], quoted[256], padded[256];
    (void)snprintf(words, sizeof words, "%s", key->choices);
    int64_t index = 0;
    for (char *word = strtok(words, "|"); word; word = strtok(NULL, "|"), index++) {
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", word);
        (void)snprintf(padded, sizeof padded, " \t%s\n", word);
        accepted(key, word, quoted);
        accepted(key, quoted, quoted);
        accepted(key, padded, quoted);
        dd_settings settings = initial();
        ck_assert_int_eq(dd_key_set_text(key, &settings, word), DDAEBM_OK);
        ck_assert_int_eq(dd_key_integer(key, &settings), index);
        (void)snprintf(padded, sizeof padded, "%sx", word);
        refused(key, padded, DDAEBM_OUT_OF_RANGE);
        (void)snprintf(padded, sizeof padded, "%.*s", (int)strlen(word) - 1, word);
        refused(key, padded, DDAEBM_OUT_OF_RANGE);
    }
    refused(key, "", DDAEBM_OUT_OF_RANGE);
    refused(key, "|", DDAEBM_OUT_OF_RANGE);
    if (strchr(key->choices, '|'))
        refused(key, key->choices, DDAEBM_OUT_OF_RANGE);
    refused(key, "\"unfinished", DDAEBM_FORMAT);
    refused(key, "[\"vp\"]", DDAEBM_FORMAT);
}

static void list_bounds(const dd_key *key) {
    char text[DD_VALUE_ROOM + 8], longest[DD_VALUE_ROOM] = "[";
    const double good[] = {key->least, key->most}, bad[] = {key->least - 1, key->most + 1};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "[%.0f]", good[i]);
        accepted(key, text, text);
        (void)snprintf(text, sizeof text, "[%.0f, %.0f]", good[0], bad[i]);
        refused(key, text, DDAEBM_OUT_OF_RANGE);
    }
    for (size_t i = 0; i < key->most_elements; i++)
        (void)snprintf(longest + strlen(longest), sizeof longest - strlen(longest), "%s%.0f",
                       i ? ", " : "", key->most);
    (void)snprintf(text, sizeof text, "%s]", longest);
    accepted(key, text, text);
    (void)snprintf(text, sizeof text, "%s, 1]", longest);
    refused(key, text, DDAEBM_OUT_OF_RANGE);
    accepted(key, "[]", "[]");
    accepted(key, " [ 3,4 ] ", "[3, 4]");
    refused(key, "3", DDAEBM_FORMAT);
    refused(key, "[3, 4.5]", DDAEBM_FORMAT);
    refused(key, "[3, [4]]", DDAEBM_FORMAT);
    refused(key, "{\"a\": 1}", DDAEBM_FORMAT);
    refused(key, "[3", DDAEBM_FORMAT);
}

static void boolean_words(const dd_key *key) {
    accepted(key, "true", "true");
    accepted(key, " false ", "false");
    refused(key, "1", DDAEBM_FORMAT);
    refused(key, "yes", DDAEBM_FORMAT);
    refused(key, "\"true\"", DDAEBM_FORMAT);
}

START_TEST(every_key_takes_its_bounds_and_no_more) {
    const dd_key *key = dd_key_at((size_t)_i);
    refused(key, "null", key->type == DDAEBM_TYPE_CHOICE ? DDAEBM_OUT_OF_RANGE : DDAEBM_FORMAT);
    switch (key->type) {
    case DDAEBM_TYPE_BOOLEAN:
        boolean_words(key);
        return;
    case DDAEBM_TYPE_INTEGER:
        integer_bounds(key, (int64_t)key->least, (int64_t)key->most);
        return;
    case DDAEBM_TYPE_REAL:
        real_bounds(key);
        return;
    case DDAEBM_TYPE_CHOICE:
        choice_words(key);
        return;
    case DDAEBM_TYPE_INTEGERS:
        list_bounds(key);
        return;
    }
    ck_abort_msg("%s has no known type", key->name);
}
END_TEST

/* The words in keys.c against the enumerations in settings.h. */
START_TEST(choices_stand_in_the_order_of_their_enumerations) {
    const struct {
        const char *key, *word;
        int64_t value;
    } rows[] = {
        {"data.standardize", "always", DD_STANDARDIZE_ALWAYS},
        {"data.standardize", "files", DD_STANDARDIZE_FILES},
        {"data.standardize", "never", DD_STANDARDIZE_NEVER},
        {"diffusion.schedule", "vp", DD_SCHEDULE_VP},
        {"diffusion.schedule", "geometric", DD_SCHEDULE_GEOMETRIC},
        {"diffusion.grid", "uniform", DD_GRID_UNIFORM},
        {"diffusion.grid", "lsun", DD_GRID_LSUN},
        {"diffusion.precision", "float32", DD_PRECISION_FLOAT32},
        {"diffusion.precision", "float64", DD_PRECISION_FLOAT64},
        {"network.family", "mlp", DD_FAMILY_MLP},
        {"energy.norm", "none", DD_NORM_NONE},
        {"generator.norm", "batch", DD_NORM_BATCH},
        {"encoder.activation", "prelu", DD_ACTIVATION_PRELU},
        {"energy.activation", "silu", DD_ACTIVATION_SILU},
        {"objective.divergence", "jeffrey", DD_DIVERGENCE_JEFFREY},
        {"objective.divergence", "reverse_kl", DD_DIVERGENCE_REVERSE_KL},
        {"objective.reconstruction", "gaussian_nll", DD_RECONSTRUCTION_GAUSSIAN_NLL},
        {"objective.reconstruction", "weighted_gaussian_nll",
         DD_RECONSTRUCTION_WEIGHTED_GAUSSIAN_NLL},
        {"objective.reconstruction", "mse_prior", DD_RECONSTRUCTION_MSE_PRIOR},
        {"objective.reconstruction", "mse_posterior", DD_RECONSTRUCTION_MSE_POSTERIOR},
        {"optimizer.rate_schedule", "constant", DD_RATE_CONSTANT},
        {"optimizer.rate_schedule", "cosine", DD_RATE_COSINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_settings settings = initial();
        const dd_key *key = dd_key_find(rows[i].key);
        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(dd_key_set_text(key, &settings, rows[i].word), DDAEBM_OK);
        ck_assert_msg(dd_key_integer(key, &settings) == rows[i].value, "%s = %s", rows[i].key,
                      rows[i].word);
    }
}
END_TEST

START_TEST(an_unknown_name_gets_the_nearest) {
    const struct {
        const char *name, *suggestion;
    } rows[] = {
        {"diffusion.timestep", "\"diffusion.timesteps\""},
        {"difusion.timesteps", "\"diffusion.timesteps\""},
        {"timesteps", "\"diffusion.timesteps\""},
        {"Data.Width", "\"data.width\""},
        {"optimizer.beta_1", "\"optimizer.beta1\""},
        {"gama", "\"objective.gamma\""},
        {"energy.feature_layer", "\"energy.feature_layers\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_ptr_null(dd_key_find(rows[i].name));
        ck_assert_int_eq(dd_key_unknown(rows[i].name), DDAEBM_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), rows[i].name));
        ck_assert_msg(strstr(ddaebm_error_message(), rows[i].suggestion) != NULL, "%s",
                      ddaebm_error_message());
    }
    ck_assert_int_eq(dd_key_unknown("something else altogether"), DDAEBM_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "none has a name like it"));
    ck_assert_int_eq(dd_key_unknown(""), DDAEBM_NOT_FOUND);
    ck_assert_int_eq(dd_key_unknown("diffusion"), DDAEBM_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "is a group of keys"));
}
END_TEST

START_TEST(any_name_can_be_shown) {
    char shown[DD_SHOWN_ROOM], name[400];
    for (size_t length = 0; length < sizeof name;
         length++) { /* of two-byte letters, so that some cuts fall within one */
        for (size_t i = 0; i < length; i++)
            name[i] = i == 0 ? 'x' : i % 2 ? '\xC3' : '\xA9';
        name[length] = '\0';
        ck_assert_int_eq(dd_key_unknown(name), DDAEBM_NOT_FOUND);
        size_t kept = strlen(dd_shown(shown, name));
        ck_assert_uint_lt(kept, DD_SHOWN_ROOM);
        if (length >= DD_SHOWN_ROOM) {
            ck_assert_str_eq(shown + kept - 3, "...");
            ck_assert((unsigned char)shown[kept - 4] == 0xA9);
        } else if (length < DD_SHOWN_ROOM - 4) {
            ck_assert_str_eq(shown, name);
        }
    }
    memset(name, '\x80', sizeof name - 1); /* no letter to cut at */
    ck_assert_str_eq(dd_shown(shown, name), "...");
    dd_settings settings = initial();
    memset(name, 'x', sizeof name - 1);
    ck_assert_int_eq(dd_key_set_text(dd_key_find("diffusion.grid"), &settings, name),
                     DDAEBM_OUT_OF_RANGE);
    ck_assert_int_eq(dd_key_set_text(dd_key_find("data.width"), &settings, name), DDAEBM_FORMAT);
}
END_TEST

static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0, "0"},
    {1, "1"},
    {20, "20"},
    {-20, "-20"},
    {0.1, "0.1"},
    {1e-4, "0.0001"},
    {1.5e-5, "0.000015"},
    {1e-8, "1e-8"},
    {-2.5e-8, "-2.5e-8"},
    {0.30000000000000004, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {0x1.fffffffffffffp-1, "0.9999999999999999"},
    {123456.75, "123456.75"},
    {9007199254740993.0, "9007199254740992"},
    {1e16, "1e16"},
    {1e22, "1e22"},
    {DBL_MAX, "1.7976931348623157e308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {0x1p-1074, "5e-324"},
};

static void check_numbers(void) {
    char text[DD_REAL_ROOM];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t length = dd_real_text(numbers[i].value, text);
        ck_assert_str_eq(text, numbers[i].text);
        ck_assert_uint_eq(length, strlen(text));
    }
    const dd_key *key = dd_key_find("optimizer.energy_rate");
    dd_settings settings = initial();
    ck_assert_int_eq(dd_key_set_text(key, &settings, "1.25e-3"), DDAEBM_OK);
    ck_assert_double_eq(dd_key_real(key, &settings), 1.25e-3);
    ck_assert_str_eq(text_of(key, &settings), "0.00125");
    refused(key, "1,25e-3", DDAEBM_FORMAT);
    ck_assert_int_eq(dd_key_set_real(key, &settings, 1.5), DDAEBM_OUT_OF_RANGE);
    ck_assert_str_eq(ddaebm_error_message(),
                     "optimizer.energy_rate is 1.5; allowed: a number from 0 to 1");
}

START_TEST(numbers_are_short_and_exact) {
    check_numbers();
    uint64_t bits = 1;
    for (int i = 0; i < 100000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double value = 0;
        char text[DD_REAL_ROOM];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        dd_real_text(value, text);
        ck_assert_double_eq(strtod(text, NULL), value);
    }
}
END_TEST

START_TEST(numbers_are_taken_as_people_type_them) {
    static const struct {
        const char *key, *text, *value; /* value NULL: refused */
    } cases[] = {
        {"training.steps", "1e2", "100"},
        {"training.steps", "2.5e3", "2500"},
        {"training.steps", "1E+2", "100"},
        {"training.steps", "100.", "100"},
        {"training.steps", "+7", "7"},
        {"training.steps", " 7 ", "7"},
        {"training.steps", "1000e-1", "100"},
        {"training.steps", "1e-2", NULL},
        {"training.steps", "1e10", NULL},
        {"training.steps", "1e300", NULL},
        {"training.steps", ".", NULL},
        {"training.steps", "+-7", NULL},
        {"training.steps", "0x10", NULL},
        {"training.steps", "7 7", NULL},
        {"optimizer.beta1", ".001", "0.001"},
        {"optimizer.beta1", "0.", "0"},
        {"optimizer.beta1", "+.5", "0.5"},
        {"optimizer.beta1", ".5e-2", "0.005"},
        {"optimizer.beta1", "5.e-2", "0.05"},
        {"optimizer.beta1", "-.5", NULL},
        {"optimizer.beta1", "..5", NULL},
        {"optimizer.beta1", ".e5", NULL},
        {"optimizer.beta1", "+", NULL},
        {"optimizer.beta1", "1.5.", NULL},
        {"energy.hidden_layers", "[1e2]", "[100]"},
        {"energy.hidden_layers", "[.5]", NULL},
        {"energy.hidden_layers", "[1e1, 2.0]", "[10, 2]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dd_settings settings = initial();
        const dd_key *key = dd_key_find(cases[i].key);
        ddaebm_status status = dd_key_set_text(key, &settings, cases[i].text);
        ck_assert_msg((status == DDAEBM_OK) == (cases[i].value != NULL), "%s = %s", cases[i].key,
                      cases[i].text);
        if (cases[i].value)
            ck_assert_str_eq(text_of(key, &settings), cases[i].value);
        else
            ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "; allowed: "));
    }
    char lengthy[400];
    memset(lengthy, '0', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    lengthy[1] = '.';
    /* longer than any number is typed: still read */
    accepted(dd_key_find("optimizer.beta1"), lengthy, "0");
}
END_TEST

START_TEST(minus_zero_becomes_zero) {
    const dd_key *key = dd_key_find("objective.gamma");
    dd_settings settings = initial();
    ck_assert_int_eq(dd_key_set_text(key, &settings, "-0.0"), DDAEBM_OK);
    ck_assert(!signbit(dd_key_real(key, &settings)));
    ck_assert_str_eq(text_of(key, &settings), "0");
}
END_TEST

/* Whether a locale that writes a comma is there to be set. */
static bool comma_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0)
            return true;
    (void)setlocale(LC_ALL, "C");
    return false;
}

START_TEST(numbers_are_the_same_where_a_comma_is_the_mark) {
    ck_assert(comma_locale());
    check_numbers();
    if (setlocale(LC_ALL, "ps_AF.UTF-8")) /* two bytes */
        check_numbers();
    (void)setlocale(LC_ALL, "C");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config/keys");
    TCase *tests = tcase_create("keys");
    tcase_add_test(tests, names_are_unique_short_and_have_one_dot);
    tcase_add_test(tests, every_key_has_a_sentence_and_sane_bounds);
    tcase_add_test(tests, fields_do_not_overlap);
    tcase_add_loop_test(tests, every_key_takes_its_bounds_and_no_more, 0, (int)dd_key_count());
    tcase_add_test(tests, choices_stand_in_the_order_of_their_enumerations);
    tcase_add_test(tests, an_unknown_name_gets_the_nearest);
    tcase_add_test(tests, any_name_can_be_shown);
    tcase_add_test(tests, numbers_are_short_and_exact);
    tcase_add_test(tests, numbers_are_taken_as_people_type_them);
    tcase_add_test(tests, minus_zero_becomes_zero);
    int skipped = !comma_locale();
    if (skipped)
        printf("SKIPPED: numbers_are_the_same_where_a_comma_is_the_mark: install the locale "
               "de_DE.UTF-8\n");
    else
        tcase_add_test(tests, numbers_are_the_same_where_a_comma_is_the_mark);
    (void)setlocale(LC_ALL, "C");
    suite_add_tcase(suite, tests);
    int failed = run_suite(suite);
    printf("skipped: %d\n", skipped);
    return failed;
}
