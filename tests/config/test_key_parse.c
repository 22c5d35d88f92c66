/* Values by key: every key at its bounds and just outside, and text as people type it. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "config/key_parse.h"

#include "base/real_text.h"
#include "config/key_print.h"
#include "support/harness.h"

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

/* Checks that a text is refused with the status, that the message names the key, and that the value
 * stays. */
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

static void reals_bounds(const dd_key *key) {
    char text[DD_VALUE_ROOM + 8] = "[", number[DD_REAL_ROOM];
    (void)dd_real_text(key->most, number);
    for (size_t i = 0; i < key->most_elements; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? ", " : "",
                       number);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "]");
    accepted(key, text, text);
    (void)snprintf(text + strlen(text) - 1, 8, ", 1]");
    refused(key, text, DDAEBM_OUT_OF_RANGE);

    accepted(key, "[]", "[]");
    accepted(key, " [ 0.1,0.30000000000000004, 2 ] ", "[0.1, 0.30000000000000004, 2]");
    refused(key, "[-1]", DDAEBM_OUT_OF_RANGE);
    refused(key, "[1e300]", DDAEBM_OUT_OF_RANGE);
    refused(key, "0.5", DDAEBM_FORMAT);
    refused(key, "[0.5, \"a\"]", DDAEBM_FORMAT);
    refused(key, "[0.5, [4]]", DDAEBM_FORMAT);
    refused(key, "[0.5", DDAEBM_FORMAT);
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
    case DDAEBM_TYPE_REALS:
        reals_bounds(key);
        return;
    }
    ck_abort_msg("%s has no known type", key->name);
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
    memset(lengthy, 'x', sizeof lengthy - 1);
    refused(dd_key_find("diffusion.grid"), lengthy, DDAEBM_OUT_OF_RANGE);
    refused(dd_key_find("data.width"), lengthy, DDAEBM_FORMAT);
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

int main(void) {
    const TTest *const tests[] = {numbers_are_taken_as_people_type_them, minus_zero_becomes_zero};
    const TTest *const looped[] = {every_key_takes_its_bounds_and_no_more};
    int failed = run_tests("config/key_parse", tests, sizeof tests / sizeof *tests);
    return failed + run_loop_tests("config/key_parse bounds", looped, 1, (int)dd_key_count());
}
