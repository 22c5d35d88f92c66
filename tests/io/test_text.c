/* Numbers in text: exact, and the same in every locale. */
#define _GNU_SOURCE
#include "io/text.h"

#include "support/harness.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

static bool number(double *out, const char *text) {
    return dd_text_number(out, text, strlen(text));
}

START_TEST(numbers_are_read) {
    static const struct {
        const char *text;
        double value;
    } rows[] = {{"0", 0},
                {"-0", 0},
                {"12", 12},
                {"+1.5", 1.5},
                {".5", 0.5},
                {"5.", 5},
                {"1e3", 1000},
                {"1E-3", 1e-3},
                {"-2.5e+2", -250},
                {"3.4028235e38", 3.4028235e38},
                {"2.2250738585072014e-308", 2.2250738585072014e-308},
                {"4.9e-324", 5e-324},
                {"1e-400", 0},
                {"0e999999999999", 0},
                {"123456789012345678901234567890", 123456789012345678901234567890.0},
                {"0.000000000000000000000000000000123456789", 1.23456789e-31},
                {"9007199254740993", 9007199254740992},
                {"9007199254740993.0000000001", 9007199254740994},
                {"18446744073709551616", 18446744073709551616.0}, /* 2^64 */
                {"18446744073709551619", 18446744073709551616.0},
                {"1e-999999999999", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = -7;
        ck_assert_msg(number(&value, rows[i].text), "%s", rows[i].text);
        ck_assert_msg(value == rows[i].value, "%s gives %.17g", rows[i].text, value);
    }
}
END_TEST

START_TEST(other_text_is_not) {
    static const char *const rows[] = {"",     "+",     "-",    ".",   "e5",  "1e",    "1e+",
                                       "1,5",  "1.2.3", "0x10", "1 2", "--1", "1e5.0", "abc",
                                       "nanx", "infin", "1_0",  " 1",  "1 ",  "nan(1)"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = -7;
        ck_assert_msg(!number(&value, rows[i]), "%s", rows[i]);
        ck_assert(value == -7);
    }
}
END_TEST

START_TEST(words_and_overflow_are_not_finite) {
    static const char *const rows[] = {"nan",
                                       "NaN",
                                       "-nan",
                                       "inf",
                                       "-Inf",
                                       "Infinity",
                                       "1e309",
                                       "-1e309",
                                       "1e999999999999",
                                       "1.7976931348623159e308"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = -7;
        ck_assert_msg(number(&value, rows[i]) && !isfinite(value), "%s", rows[i]);
    }
}
END_TEST

/* Every double is read back from its 17 digits, as files of numbers need, and every float from
 * nine; a sample over all exponents. */
START_TEST(numbers_survive_their_digits) {
    uint64_t bits = 1;
    for (size_t i = 0; i < 200000; i++) {
        double value, back = -7;
        float narrow = 0;
        char text[32];
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.17g", value);
        ck_assert(number(&back, text));
        ck_assert_msg(back == value, "%s gives %.17g", text, back);
        uint32_t half = (uint32_t)(bits >> 32);
        memcpy(&narrow, &half, sizeof narrow);
        snprintf(text, sizeof text, "%.9g", (double)narrow);
        ck_assert(!isfinite(narrow) || (number(&back, text) && (float)back == narrow));
    }
}
END_TEST

/* A tie is decided by the last digit, however far away, and where rounding twice would go wrong. */
START_TEST(ties_are_seen_to_the_last_digit) {
    static const char tie[] = "9007199254740993"; /* 2^53 + 1 */
    double value = 0;

    for (size_t zeros = 0; zeros < 1200; zeros += 7) {
        char text[1300];
        size_t used = sizeof tie - 1;
        memcpy(text, tie, used);
        text[used++] = '.';
        memset(text + used, '0', zeros);
        used += zeros;
        ck_assert(dd_text_number(&value, text, used) && value == 9007199254740992.0);
        text[used++] = '1';
        ck_assert_msg(dd_text_number(&value, text, used) && value == 9007199254740994.0,
                      "%zu zeros", zeros);
    }

    static const char *const texts[] = {"1.00000000000000011102230246251565404236316680908203125",
                                        "5e-324",
                                        "2.4703282292062328e-324",
                                        "0.1",
                                        "123456789.123456789123",
                                        "8.5e300",
                                        "6.02214076e23",
                                        "7.2057594037927933e16"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert(number(&value, texts[i]));
        ck_assert_msg(value == strtod(texts[i], NULL), "%s gives %.17g", texts[i], value);
    }
}
END_TEST

START_TEST(the_locale_does_not_matter) {
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ru_RU.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        double value = 0;
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        ck_assert(number(&value, "1.5") && value == 1.5);
        ck_assert(!number(&value, "1,5"));
    }
    (void)setlocale(LC_ALL, "C");
}
END_TEST

int main(void) {
    return RUN_TESTS("text", numbers_are_read, other_text_is_not, words_and_overflow_are_not_finite,
                     numbers_survive_their_digits, ties_are_seen_to_the_last_digit,
                     the_locale_does_not_matter);
}
