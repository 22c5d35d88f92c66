#define _GNU_SOURCE
#include "base/utf8.h"
#include "support/harness.h"

START_TEST(utf8_is_told_from_other_bytes) {
    static const char *const good[] = {"",
                                       "abc",
                                       "\xC3\xA4",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "\xEE\x80\x80",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xF0\x90\x80\x80"};
    static const char *const bad[] = {"\x80",
                                      "\xC3",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "a\xE2\x82",
                                      "\xC3\x41"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert(dd_utf8_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!dd_utf8_is_valid(bad[i], strlen(bad[i])));
}
END_TEST

/* What a text ends with is no character of the bytes behind it. */
START_TEST(a_character_ends_with_its_text) {
    ck_assert_uint_eq(dd_utf8_size("\xC3\xA4", 2), 2);
    ck_assert_uint_eq(dd_utf8_size("\xC3\xA4", 1), 0);
    ck_assert_uint_eq(dd_utf8_size("\xE2\x82\xAC", 2), 0);
    ck_assert(!dd_utf8_is_valid("\xC3\xA4", 1) && !dd_utf8_is_valid("a\xE2\x82\xAC", 3));
}
END_TEST

START_TEST(a_cut_falls_between_characters) {
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC.";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 7};
    for (size_t most = 0; most < sizeof text; most++)
        ck_assert_uint_eq(dd_utf8_cut(text, most), expected[most]);
}
END_TEST

static const char *printable(const char *text) {
    static char shown[100];
    strcpy(shown, text);
    dd_utf8_make_printable(shown);
    return shown;
}

START_TEST(what_is_no_print_is_a_question_mark) {
    ck_assert_str_eq(printable(""), "");
    ck_assert_str_eq(printable("a b~"), "a b~");
    ck_assert_str_eq(printable("a\nb\x1B[31m\x7F"), "a?b?[31m?");
    ck_assert_str_eq(printable("\xC2\x85\xC2\x9B"),
                     "?\?"); /* next line, and what begins a terminal's commands */
    ck_assert_str_eq(printable("\xC2\xA0\xC3\xA4"), "\xC2\xA0\xC3\xA4"); /* the first after them */
    ck_assert_str_eq(printable("\xE2\x80\xA8\xE2\x80\xA9 \xE2\x80\xAE \xE2\x81\xA6"), "?\? ? ?");
    ck_assert_str_eq(printable("\xE2\x80\x94\xE2\x82\xAC\xF0\x9F\x98\x80"),
                     "\xE2\x80\x94\xE2\x82\xAC\xF0\x9F\x98\x80");
    ck_assert_str_eq(printable("\xFF\xC3"), "?\?");
    ck_assert_str_eq(printable("x\xE2\x82"), "x?\?"); /* cut within a character */
}
END_TEST

int main(void) {
    return RUN_TESTS("utf8", utf8_is_told_from_other_bytes, a_character_ends_with_its_text,
                     a_cut_falls_between_characters, what_is_no_print_is_a_question_mark);
}
