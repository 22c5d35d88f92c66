/* Doubles as text: short, exact, and the same in every locale. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "base/real_text.h"

#include "support/comma_locale.h"
#include "support/harness.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

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

START_TEST(numbers_are_the_same_where_a_comma_is_the_mark) {
    ck_assert(set_comma_locale());
    check_numbers();
    if (setlocale(LC_ALL, "ps_AF.UTF-8")) /* two bytes */
        check_numbers();
    (void)setlocale(LC_ALL, "C");
}
END_TEST

int main(void) {
    bool with_locale = has_comma_locale("numbers_are_the_same_where_a_comma_is_the_mark");
    const TTest *const tests[] = {numbers_are_short_and_exact,
                                  numbers_are_the_same_where_a_comma_is_the_mark};
    return run_tests("base/real_text", tests, sizeof tests / sizeof *tests - !with_locale);
}
