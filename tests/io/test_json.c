/* JSON is read as jansson reads it, compared byte for byte after writing, and refused where jansson
 * refuses it. */
#define _GNU_SOURCE
#include "io/json.h"
#include "support/harness.h"

#include <locale.h>
#include <stdint.h>

static const char *const texts[] = {
    "{}",
    "[]",
    " [ ] ",
    "{\"a\": 1, \"b\": [true, false, null], \"c\": {\"d\": \"x\"}}",
    "{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"b\": \"\\u00e4\"}",
    "{\"long_name_of_more_than_sixteen\": \"a value that is longer than that, and escaped: \\\"\"}",
    ("[0, -0, 1, -1, 9223372036854775807, -9223372036854775808, 0.5, -1.25e-3, 1E5, "
     "0.30000000000000004, 1e-400]"),
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
    "[\"\\u00e4\\u20AC\\ud83d\\uDE00 \\u0041\\u007f\", \"\xE2\x82\xAC \xF0\x9F\x98\x80\"]",
    "[\"\\ud83d\"]",
    "[\"\\ud83d\\u0041\"]",
    "[\"\\ude00\"]",
    "[\"\\u12g4\"]",
    "{\"\\u0061\": 1, \"a\": 2}",
    "[\"\xED\xA0\x80\"]",
    "[0.1000000000000000055511151231257827021181583404541015625]",
    "[123456789012345678901234567890123456789012345678901234567890123456789e-60]",
    "[-99999999999999999999]",
    "[1234567890123456789012345678901234567890123456789012345678901234567890.5]",
};
enum { TEXTS = sizeof texts / sizeof *texts, CHANGES = 3000 };

/* What jansson says of a mistake, as a status. */
static ddaebm_status status_of(const json_error_t *error) {
    return json_error_code(error) == json_error_numeric_overflow ? DDAEBM_OUT_OF_RANGE
                                                                 : DDAEBM_FORMAT;
}

/* Of several mistakes, one or the other is told. */
static void assert_same(const char *text, size_t length, bool one_mistake) {
    json_error_t expected_error = {0};
    dd_json_error error;
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    json_t *value = dd_json_read(exact, length, SIZE_MAX, &error);
    json_t *expected =
        json_loadb(exact, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &expected_error);
    ck_assert_msg(!value == !expected, "'%.*s' is read by one alone: %s", (int)length, text,
                  value ? expected_error.text : error.text);

    if (expected) {
        ck_assert_int_eq(error.status, DDAEBM_OK);
        ck_assert(json_equal(value, expected));
        char *a = json_dumps(value, JSON_ENCODE_ANY), *b = json_dumps(expected, JSON_ENCODE_ANY);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
    } else {
        ck_assert(!one_mistake || error.status == status_of(&expected_error));
        ck_assert(error.line >= 1 && error.byte <= length && *error.text);
    }

    json_decref(value);
    json_decref(expected);
    free(exact);
}

START_TEST(json_is_read_as_jansson_reads_it) {
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t length = 0; length <= strlen(texts[i]); length++)
            assert_same(texts[i], length, true);
}
END_TEST

static size_t draw(uint64_t *state, size_t below) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*state >> 33) % below;
}

START_TEST(changed_json_is_read_as_jansson_reads_it) {
    static const char bytes[] =
        "{}[]\",:\\ \n0123456789-+.eEtrufalsn/bxdDcC\x01\xC3\xA4\xE2\x82\xAC\xF0\x9F\xED";
    uint64_t state = 1;
    char text[256];
    for (size_t i = 0; i < TEXTS; i++)
        for (int change = 0; change < CHANGES && *texts[i]; change++) {
            strcpy(text, texts[i]);
            for (size_t k = 0; k <= draw(&state, 3); k++)
                text[draw(&state, strlen(texts[i]))] = bytes[draw(&state, sizeof bytes - 1)];
            assert_same(text, strlen(texts[i]), false);
        }
}
END_TEST

/* Decimal marks of one byte and of two, which crash jansson's own reader. */
START_TEST(the_locale_does_not_matter) {
    static const char *const locales[] = {"de_DE.UTF-8", "ps_AF.UTF-8"};
    static const char *const numbers[] = {"[0.5]", "[5e-1]", "[0.5, \"\xC3\xA4\"]"};

    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (!setlocale(LC_ALL, locales[i])) {
            printf("SKIPPED: the_locale_does_not_matter: install the locale %s\n", locales[i]);
            continue;
        }
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            dd_json_error error;
            json_t *value = dd_json_read(numbers[k], strlen(numbers[k]), SIZE_MAX, &error);
            ck_assert_msg(value != NULL, "%s: %s", locales[i], error.text);
            ck_assert(json_real_value(json_array_get(value, 0)) == 0.5);
            json_decref(value);
            ck_assert_ptr_null(dd_json_read("[0,5 \xFF", 6, SIZE_MAX, &error));
        }
        ck_assert_str_ne(localeconv()->decimal_point, ".");
        ck_assert_str_eq(setlocale(LC_ALL, NULL), locales[i]);
    }
    (void)setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(brackets_nest_eight_deep) {
    static const char *const texts_too_deep[] = {"[[[[[[[[[1]]]]]]]]]", "{\"a\":[[[[[[[[[[[[[]",
                                                 "[[[[[[[[{}]]]]]]]]", "[\"\\u00e4\",[[[[[[[[[]"};
    dd_json_error error;
    json_t *eight = dd_json_read("[[[[[[[[1]]]]]]]]", 17, SIZE_MAX, &error);
    ck_assert_ptr_nonnull(eight);
    json_decref(eight);
    for (size_t i = 0; i < sizeof texts_too_deep / sizeof *texts_too_deep; i++) {
        ck_assert_ptr_null(
            dd_json_read(texts_too_deep[i], strlen(texts_too_deep[i]), SIZE_MAX, &error));
        ck_assert_int_eq(error.status, DDAEBM_OUT_OF_RANGE);
        ck_assert_ptr_nonnull(strstr(error.text, "brackets nest deeper than 8 levels"));
    }
}
END_TEST

START_TEST(values_are_counted) {
    static const char text[] = "{\"a\": [1, 2.5, \"x\"], \"b\": {\"c\": null}}"; /* seven */
    dd_json_error error;
    for (size_t most = 0; most < 9; most++) {
        json_t *value = dd_json_read(text, strlen(text), most, &error);
        ck_assert_int_eq(value != NULL, most >= 7);
        ck_assert_int_eq(error.status, most >= 7 ? DDAEBM_OK : DDAEBM_OUT_OF_RANGE);
        json_decref(value);
    }
}
END_TEST

START_TEST(mistakes_are_reported) {
    static const struct {
        const char *text, *told;
        int line;
        size_t byte;
    } rows[] = {
        {"", "a value is missing at its end", 1, 0},
        {"{\n\"a\": }", "a value is missing '}'", 2, 7},
        {"{\"a\" 1}", "a colon is missing '1}'", 1, 5},
        {"{a: 1}", "a name in quotes is missing 'a: 1}'", 1, 1},
        {"{\"a\": 1, \"a\": 2}", "a duplicate name before ': 2}'", 1, 12},
        {"[1 2]", "a comma or closing bracket is missing '2]'", 1, 3},
        {"[1.]", "a number that breaks off, ']'", 1, 3},
        {"[1e999]", "a number too large for 64 bits, ']'", 1, 6},
        {"[\"a", "a text without its closing quote, at its end", 1, 3},
        {"[\"\n\"]", "a control character in a text: '\n\"]'", 1, 2},
        {"[\"\\q\"]", "a backslash that stands for no character: 'q\"]'", 1, 3},
        {"[\"\xFF\"]", "not UTF-8: '\xFF\"]'", 1, 2},
        {"[]\n[\"a much longer text than is shown\"]", "more follows: '[\"a much longer text'", 2,
         3},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_json_error error;
        ck_assert_ptr_null(dd_json_read(rows[i].text, strlen(rows[i].text), 100, &error));
        ck_assert_str_eq(error.text, rows[i].told);
        ck_assert_int_eq(error.line, rows[i].line);
        ck_assert_uint_eq(error.byte, rows[i].byte);
    }
}
END_TEST

/* jansson takes a zero for the end of some texts. */
START_TEST(a_zero_ends_nothing) {
    static const char *const with_zeros[] = {"1\0 ", "[]\0 ", "[\0] ", "[\"\0\"]"};
    dd_json_error error;
    for (size_t i = 0; i < sizeof with_zeros / sizeof *with_zeros; i++)
        for (size_t length = strlen(with_zeros[i]) + 1; length <= strlen(with_zeros[i]) + 2;
             length++) {
            ck_assert_ptr_null(dd_json_read(with_zeros[i], length, SIZE_MAX, &error));
            ck_assert_int_eq(error.status, DDAEBM_FORMAT);
        }
}
END_TEST

static size_t allocations, fail_at;

static void *fussy_malloc(size_t size) {
    return ++allocations == fail_at ? NULL : malloc(size);
}

/* Each allocation of jansson fails in turn: then there is no value, or the right one. */
START_TEST(memory_that_runs_out_changes_no_value) {
    json_set_alloc_funcs(fussy_malloc, free);
    for (size_t i = 0; i < TEXTS; i++) {
        dd_json_error error, whole;
        fail_at = 0;
        json_t *expected = dd_json_read(texts[i], strlen(texts[i]), SIZE_MAX, &whole);
        for (size_t k = 1;; k++) {
            allocations = 0;
            fail_at = k;
            json_t *value = dd_json_read(texts[i], strlen(texts[i]), SIZE_MAX, &error);
            bool struck = allocations >= k;
            fail_at = 0;
            ck_assert(value ? json_equal(value, expected)
                            : error.status == (struck ? DDAEBM_OUT_OF_MEMORY : whole.status));
            json_decref(value);
            if (!struck)
                break;
        }
        json_decref(expected);
    }
    json_set_alloc_funcs(malloc, free);
}
END_TEST

int main(void) {
    return RUN_TESTS("json", json_is_read_as_jansson_reads_it,
                     changed_json_is_read_as_jansson_reads_it, the_locale_does_not_matter,
                     brackets_nest_eight_deep, values_are_counted, mistakes_are_reported,
                     a_zero_ends_nothing, memory_that_runs_out_changes_no_value);
}
