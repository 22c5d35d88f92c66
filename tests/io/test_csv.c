#define _GNU_SOURCE
#include "base/context.h"
#include "io/csv.h"
#include "support/counted.h"

#include <locale.h>

static ddaebm_status parse(dd_rows *out, const char *text) {
    return dd_csv_parse(out, context, text, strlen(text));
}

/* The text reads as count rows of the width, with the values. */
static void assert_rows(const char *text, size_t count, size_t width, const float *values) {
    open_context(2);
    dd_rows rows = {NULL, 0, 0};
    ck_assert_msg(parse(&rows, text) == DDAEBM_OK, "%s: %s", text, ddaebm_error_message());
    ck_assert_msg(rows.count == count && rows.width == width, "%s: %zu by %zu", text, rows.count, rows.width);
    ck_assert_msg(memcmp(rows.values, values, count * width * sizeof *values) == 0, "%s", text);
    dd_free(context, rows.values);
    close_context();
}

static const float four[] = {1, 2, 3, 4};

START_TEST(separators_are_found) {
    static const char *const texts[] = {"1,2\n3,4\n",         "1;2\n3;4",       "1\t2\n3\t4\n",  "1 2\n3 4\n",
                                        "  1   2 \n3 \t 4\n", " 1 , 2 \n3,  4", "1 ;2\n 3; 4\n", "1\t 2\n3 \t4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
    assert_rows("1\n2\n3\n4\n", 4, 1, four);
    assert_rows("1,2,3,4", 1, 4, four);
}
END_TEST

START_TEST(frills_do_not_matter) {
    static const char *const texts[] = {("\xEF\xBB\xBF"
                                         "1,2\n3,4\n"),
                                        "1,2\r\n3,4\r\n",
                                        "1,2\r3,4\r",
                                        "\n\n1,2\n\n  \n3,4\n\n",
                                        "# note, 1\n1,2\n #x\n3,4\n",
                                        "\"1\",\"2\"\n\"3\", \"4\" \n",
                                        "\" 1 \",2\n3,4",
                                        "\"1\" \"2\"\n3 4\n",
                                        "1.0,2e0\n+3,.4e1\n",
                                        "1,2\n3,4\n# end",
                                        "\"1\";2\n3;\"4\"\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
}
END_TEST

START_TEST(one_header_is_skipped) {
    static const char *const texts[] = {"a,b\n1,2\n3,4\n",
                                        "\"a, b\",\"c \"\"d\"\"\"\n1,2\n3,4\n",
                                        "length (mm, max);width, mm\n1;2\n3;4\n",
                                        "# c\n\nx y\n1 2\n3 4\n",
                                        ",b\n1,2\n3,4\n",
                                        "\xEF\xBB\xBFl\xC3\xA4nge\tx\n1\t2\n3\t4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], 2, 2, four);
    assert_rows("petal length in cm\n1\n2\n3\n4\n", 4, 1, four);
}
END_TEST

START_TEST(bad_text_is_refused_with_its_place) {
    static const struct {
        const char *text;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {"", DDAEBM_FORMAT, "empty"},
        {"\xEF\xBB\xBF", DDAEBM_FORMAT, "no rows"},
        {"\n \n# only\n", DDAEBM_FORMAT, "no rows"},
        {"a,b\n", DDAEBM_FORMAT, "no rows of numbers"},
        {"1,2\n3\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"1,2\n3,4,5\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"a,b,c\n1,2\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"a\n1,2\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"1,2\n\n3,x\n", DDAEBM_FORMAT, "line 3, column 2: 'x' is not a number"},
        {"1,2\r\n\r\n3,x\r\n", DDAEBM_FORMAT, "line 3, column 2"},
        {"1,2\n3,\n", DDAEBM_FORMAT, "line 2, column 2: a number is missing"},
        {"1,,2\n", DDAEBM_FORMAT, "line 1, column 2: a number is missing"},
        {"1,2,\n", DDAEBM_FORMAT, "line 1, column 3"},
        {"1,a\n1,2\n", DDAEBM_FORMAT, "line 1, column 2: 'a' is not a number (in a header"},
        {"a,b\nc,d\n1,2\n", DDAEBM_FORMAT, "line 2, column 1: 'c'"},
        {"1,2\n\"3,4\n", DDAEBM_FORMAT, "line 2, column 1: a quote"},
        {"1,2\n\"3\"x,4\n", DDAEBM_FORMAT, "line 2, column 1: a quote"},
        {"\"1,2\n", DDAEBM_FORMAT, "line 1, column 1: a quote"},
        {"1,5;2,5\n1,5;2,5\n", DDAEBM_FORMAT, "line 2, column 1: '1,5' is not a number"},
        {"petal, length\n1\n", DDAEBM_FORMAT, "line 2 is ragged"},
        {"1,0x10\n2,3\n", DDAEBM_FORMAT, "'0x10'"},
        {"1,\x1B[31m\n", DDAEBM_FORMAT, "'?[31m'"},
        {"1,nan\n", DDAEBM_NOT_FINITE, "line 1, column 2"},
        {"h,h\n1,2\n-Inf,1\n", DDAEBM_NOT_FINITE, "line 3, column 1: '-Inf'"},
        {"1e39\n", DDAEBM_NOT_FINITE, "line 1, column 1"},
    };
    open_context(2);
    size_t live = counted.live;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_rows out = {NULL, 77, 0};
        ck_assert_msg(parse(&out, rows[i].text) == rows[i].status, "%s", rows[i].text);
        ASSERT_FAILS(parse(&out, rows[i].text), rows[i].status, rows[i].why);
        ck_assert_ptr_null(out.values);
        ck_assert_uint_eq(out.count, 77);
        ck_assert_uint_eq(counted.live, live);
    }
    dd_rows out = {NULL, 0, 0};
    ASSERT_FAILS(dd_csv_parse(&out, context, "1,2\0,3\n", 7), DDAEBM_FORMAT, "byte 3 is 0");
    close_context();
}
END_TEST

START_TEST(rows_may_be_wide_up_to_the_limit) {
    open_context(2);
    size_t most = DD_MOST_WIDTH;
    char *text = malloc(2 * most + 4);
    dd_rows rows = {NULL, 0, 0};
    for (size_t i = 0; i <= most; i++)
        memcpy(text + 2 * i, "7,", 2);
    ASSERT_OK(dd_csv_parse(&rows, context, text, 2 * most - 1));
    ck_assert_uint_eq(rows.width, most);
    dd_free(context, rows.values);
    rows.values = NULL;
    ASSERT_FAILS(dd_csv_parse(&rows, context, text, 2 * most + 1), DDAEBM_OUT_OF_RANGE, "1048577");
    free(text);
    close_context();
}
END_TEST

START_TEST(the_locale_does_not_matter) {
    static const float values[] = {1.5f, 2.25f};
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    assert_rows("1.5,2.25\n", 1, 2, values);
}
END_TEST

START_TEST(memory_may_run_out) {
    open_context(2);
    dd_rows rows = {NULL, 0, 0};
    SWEEP_ALLOCATIONS(counted, rows.values, parse(&rows, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"));
    dd_free(context, rows.values);
    close_context();
}
END_TEST

/* Every cut of a good text is read or refused, never worse; under the sanitizers this shows reads past the end. */
START_TEST(every_cut_is_survived) {
    const char text[] = "\xEF\xBB\xBF# note\r\n\"a \"\"x\"\"\",b\r\n\"1\" , 2e1\r\n-3,\"4.5\"\n";
    open_context(2);
    for (size_t size = 0; size < sizeof text; size++) {
        char *cut = malloc(size ? size : 1);
        dd_rows rows = {NULL, 0, 0};
        memcpy(cut, text, size);
        if (dd_csv_parse(&rows, context, cut, size) == DDAEBM_OK)
            dd_free(context, rows.values);
        free(cut);
    }
    close_context();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {separators_are_found,
                                  frills_do_not_matter,
                                  one_header_is_skipped,
                                  bad_text_is_refused_with_its_place,
                                  rows_may_be_wide_up_to_the_limit,
                                  the_locale_does_not_matter,
                                  memory_may_run_out,
                                  every_cut_is_survived};
    return run_tests("csv", tests, sizeof tests / sizeof *tests);
}
