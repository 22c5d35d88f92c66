/* JSON is read as jansson reads it, byte for byte of what is written back and mistake for mistake. */
#define _GNU_SOURCE
#include "io/json.h"
#include "support/harness.h"

#include <locale.h>

static const char *const texts[] = {
    "{}",
    "[]",
    " [ ] ",
    "{\"a\": 1, \"b\": [true, false, null], \"c\": {\"d\": \"x\"}}",
    "{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"b\": \"\\u00e4\"}",
    "{\"long_name_of_more_than_sixteen\": \"a value that is longer than that, and escaped: \\\"\"}",
    "[0, -0, 1, -1, 9223372036854775807, -9223372036854775808, 0.5, -1.25e-3, 1E5, 0.30000000000000004, 1e-400]",
    "[9223372036854775808]",
    "[1e999]",
    "[01]",
    "[1.]",
    "[.5]",
    "[+1]",
    "[1e]",
    "[1,]",
    "{\"a\": 1,}",
    "{\"a\" 1}",
    "{\"a\": 1, \"a\": 2}",
    "{a: 1}",
    "[tru]",
    "[truex]",
    "[\"a\nb\"]",
    "[\"a\x7F\"]",
    "[\"\\u0000\"]",
    "[\"\\x\"]",
    "[\"ä\"]",
    "[\"\xFF\"]",
    "[1] 2",
    "1",
    "\"a\"",
    "true",
    "",
    " ",
    "[[[[[1]]]]]",
    "[1234567890123456789012345678901234567890123456789012345678901234567890.5]",
};
enum { TEXTS = sizeof texts / sizeof *texts, CHANGES = 3000 };

static void assert_same(const char *text, size_t length, size_t flags) {
    json_error_t error = {0}, expected_error = {0};
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    json_t *value = dd_json_read(exact, length, flags, &error), *expected = json_loadb(exact, length, flags, &expected_error);
    ck_assert_msg(!value == !expected, "'%.*s' is read by one alone", (int)length, text);
    if (expected) {
        char *a = json_dumps(value, JSON_ENCODE_ANY), *b = json_dumps(expected, JSON_ENCODE_ANY);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
    } else {
        ck_assert_str_eq(error.text, expected_error.text);
        ck_assert_int_eq(error.position, expected_error.position);
        ck_assert_int_eq(dd_json_status(&error), dd_json_status(&expected_error));
    }
    json_decref(value);
    json_decref(expected);
    free(exact);
}

START_TEST(json_is_read_as_jansson_reads_it) {
    const size_t flags[] = {JSON_REJECT_DUPLICATES, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY};
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t k = 0; k < 2; k++)
            for (size_t length = 0; length <= strlen(texts[i]); length++)
                assert_same(texts[i], length, flags[k]);
}
END_TEST

static size_t draw(uint64_t *state, size_t below) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*state >> 33) % below;
}

START_TEST(changed_json_is_read_as_jansson_reads_it) {
    static const char bytes[] = "{}[]\",:\\ \n0123456789-+.eEtrufalsn/bx\x01\xC3\xA4";
    uint64_t state = 1;
    char text[256];
    for (size_t i = 0; i < TEXTS; i++)
        for (int change = 0; change < CHANGES && *texts[i]; change++) {
            strcpy(text, texts[i]);
            for (size_t k = 0; k <= draw(&state, 3); k++)
                text[draw(&state, strlen(texts[i]))] = bytes[draw(&state, sizeof bytes)];
            assert_same(text, strlen(texts[i]), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY);
        }
}
END_TEST

/* Decimal signs of one byte, and of two, which jansson's own reader does not survive. The last text is for that reader. */
START_TEST(the_locale_does_not_matter) {
    static const char *const locales[] = {"de_DE.UTF-8", "ps_AF.UTF-8"};
    static const char *const numbers[] = {"[0.5]", "[5e-1]", "[0.5, \"\xC3\xA4\"]"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (!setlocale(LC_ALL, locales[i])) {
            printf("SKIPPED: the_locale_does_not_matter: install the locale %s\n", locales[i]);
            continue;
        }
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            json_error_t error;
            json_t *value = dd_json_read(numbers[k], strlen(numbers[k]), 0, &error);
            ck_assert_msg(value != NULL, "%s: %s", locales[i], error.text);
            ck_assert(json_real_value(json_array_get(value, 0)) == 0.5);
            json_decref(value);
            ck_assert_ptr_null(dd_json_read("[0,5 \xFF", 6, 0, &error));
        }
        ck_assert_str_ne(localeconv()->decimal_point, ".");
        ck_assert_str_eq(setlocale(LC_ALL, NULL), locales[i]);
    }
    (void)setlocale(LC_ALL, "C");
}
END_TEST

/* An error that jansson did not fill is one for want of memory. */
START_TEST(errors_become_statuses) {
    json_error_t error = {0};
    ck_assert_int_eq(dd_json_status(&error), DDAEBM_OUT_OF_MEMORY);
    strcpy(error.text, "a mistake");
    ck_assert_int_eq(dd_json_status(&error), DDAEBM_FORMAT);
    error.text[sizeof error.text - 1] = json_error_out_of_memory;
    ck_assert_int_eq(dd_json_status(&error), DDAEBM_OUT_OF_MEMORY);
    error.text[sizeof error.text - 1] = json_error_numeric_overflow;
    ck_assert_int_eq(dd_json_status(&error), DDAEBM_OUT_OF_RANGE);
    error.text[sizeof error.text - 1] = json_error_invalid_syntax;
    ck_assert_int_eq(dd_json_status(&error), DDAEBM_FORMAT);
}
END_TEST

START_TEST(brackets_nest_eight_deep) {
    static const char *const texts_too_deep[] = {"[[[[[[[[[1]]]]]]]]]", "{\"a\":[[[[[[[[[[[[]", "[[[[[[[[{}]]]]]]]]"};
    for (size_t i = 0; i < sizeof texts_too_deep / sizeof *texts_too_deep; i++) {
        json_error_t error = {0};
        ck_assert_ptr_null(dd_json_read(texts_too_deep[i], strlen(texts_too_deep[i]), 0, &error));
        ck_assert_int_eq(dd_json_status(&error), DDAEBM_OUT_OF_RANGE);
        ck_assert_str_eq(error.text, "brackets nest deeper than 8 levels");
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {brackets_nest_eight_deep, json_is_read_as_jansson_reads_it,
                                  changed_json_is_read_as_jansson_reads_it, the_locale_does_not_matter, errors_become_statuses};
    return run_tests("json", tests, sizeof tests / sizeof *tests);
}
