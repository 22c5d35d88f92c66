/* 16-bit numbers: every one there and back, and the rounding of what lies between. */
#include "base/half.h"
#include "support/runner.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(every_number_comes_back) {
    for (unsigned bits = 0; bits < 65536; bits++) {
        float value = dd_half_to_float((uint16_t)bits);
        unsigned back = dd_half_from_float(value);
        if (isnan(value))
            ck_assert(isnan(dd_half_to_float((uint16_t)back)));
        else
            ck_assert_uint_eq(back, bits);
    }
}
END_TEST

START_TEST(known_numbers) {
    ck_assert_float_eq(dd_half_to_float(0x3c00), 1);
    ck_assert_float_eq(dd_half_to_float(0xc000), -2);
    ck_assert_float_eq(dd_half_to_float(0x7bff), 65504);
    ck_assert_float_eq(dd_half_to_float(0x0400), 0x1p-14F);
    ck_assert_float_eq(dd_half_to_float(0x0001), 0x1p-24F);
    ck_assert(isinf(dd_half_to_float(0x7c00)));
    ck_assert(signbit(dd_half_to_float(0x8000)));
}
END_TEST

/* Halfway between neighbours the even one; just beside it, the nearer. Neighbours include 65504 and
 * infinity, 0 and the least. */
START_TEST(what_lies_between_goes_to_the_nearest) {
    for (unsigned low = 0; low < 0x7c00; low++) {
        float least = dd_half_to_float((uint16_t)low),
              most = low == 0x7bff ? 65536 : dd_half_to_float((uint16_t)(low + 1));
        float middle = (least + most) / 2;
        ck_assert_uint_eq(dd_half_from_float(middle), low & 1 ? low + 1 : low);
        ck_assert_uint_eq(dd_half_from_float(nextafterf(middle, 0)), low);
        ck_assert_uint_eq(dd_half_from_float(nextafterf(middle, INFINITY)), low + 1);
        ck_assert_uint_eq(dd_half_from_float(-nextafterf(middle, INFINITY)), 0x8000 | (low + 1));
    }
    ck_assert_uint_eq(dd_half_from_float(3e38F), 0x7c00);
    ck_assert_uint_eq(dd_half_from_float(-1e-40F), 0x8000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("half");
    TCase *cases = tcase_create("half");
    tcase_add_test(cases, every_number_comes_back);
    tcase_add_test(cases, known_numbers);
    tcase_add_test(cases, what_lies_between_goes_to_the_nearest);
    suite_add_tcase(suite, cases);
    int failed = run_suite(suite);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
