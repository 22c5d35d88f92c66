#define _GNU_SOURCE
#include "base/context.h"
#include "io/image_range.h"
#include "support/counted.h"
#include "support/heard.h"

#include <math.h>

static void begin(void) {
    open_context(1);
    hear_context(context);
}

static ddaebm_status find(dd_image_range *out, float *values, dd_number_kind kind, double black,
                          double white) {
    const dd_rows images = {.values = values, .count = 1, .width = 4};
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.black = black;
    options.white = white;
    return dd_image_range_find(out, context, &images, kind, &options);
}

/* Four numbers, and the range that they are taken to have. */
static const struct {
    float values[4];
    dd_number_kind kind;
    double black, white;
    bool levels, noted;
} known[] = {
    {{0, 1, 0, 1}, DD_BOOLEANS, 0, 1, true, false},
    {{0, 0, 0, 0}, DD_BOOLEANS, 0, 1, true, false},
    {{0, 1, 0, 1}, DD_INTEGERS, 0, 1, true, true},
    {{0, 1, 0, 1}, DD_FRACTIONS, 0, 1, true, true},
    {{0.25f, 0.5f, 0, 1}, DD_FRACTIONS, 0, 1, false, true},
    {{0.25f, 0.5f, 0.1f, 0.3f}, DD_FRACTIONS, 0, 1, false, true},
    {{0, 0, 0, 0}, DD_FRACTIONS, 0, 1, true, true},
    {{-1, 0.5f, 0, 1}, DD_FRACTIONS, -1, 1, false, true},
    {{-0.01f, 0.5f, 0, 0.2f}, DD_FRACTIONS, -1, 1, false, true},
    {{-1.0625f, 0.5f, 0, 1.09f}, DD_FRACTIONS, -1, 1, false, true},
    {{-1, 0, 1, 1}, DD_INTEGERS, -1, 1, false, true},
    {{0, 64, 3, 2}, DD_INTEGERS, 0, 255, true, true},
    {{0, 255, 3, 2}, DD_FRACTIONS, 0, 255, true, true},
    {{0, 254.5f, 3, 2}, DD_FRACTIONS, 0, 255, false, true},
};

START_TEST(what_is_known_is_found) {
    begin();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dd_image_range out = {77, 77, false};
        float values[4];
        memcpy(values, known[i].values, sizeof values);
        heard_lines = 0;
        ck_assert_msg(find(&out, values, known[i].kind, 0, 0) == DDAEBM_OK, "row %zu: %s", i,
                      ddaebm_error_message());
        ck_assert_msg(out.black == known[i].black && out.white == known[i].white &&
                          out.levels == known[i].levels,
                      "row %zu: %g to %g, %d", i, out.black, out.white, out.levels);
        ck_assert_uint_eq(heard_lines, known[i].noted);
        ck_assert(!heard_lines || strstr(heard_line, "--range says otherwise"));
    }
    close_context();
}
END_TEST

static const struct {
    float values[4];
    dd_number_kind kind;
    const char *why;
} strange[] = {
    {{0, 16, 3, 2},
     DD_FRACTIONS,
     "from 0 to 16; known of images: 0 to 255 (one of 64 at least), 0 to 1, and fractions from -1 "
     "to 1"},
    {{0, 16, 3, 2},
     DD_INTEGERS,
     "with --range LO:HI, the same for every file of a set (0:1, 0:255 or -1:1 are common)"},
    {{0, 1.5f, 0, 1}, DD_FRACTIONS, "from 0 to 1.5"},
    {{0, 1.5f, 0, 1},
     DD_FRACTIONS,
     "black and white, with --range LO:HI, the same for every file of a set"},
    {{-1.2f, 1, 0, 1}, DD_FRACTIONS, "from -1.2 to 1"},
    {{-128, 127, 0, 1}, DD_INTEGERS, "--range -128:127 for signed bytes"},
    {{-100, 90, 0, 1}, DD_INTEGERS, "--range -128:127 for signed bytes"},
    {{-1000, 90, 0, 1}, DD_INTEGERS, "--range -32768:32767 for 16 bits with a sign"},
    {{0, 256, 0, 1}, DD_INTEGERS, "from 0 to 256"},
    {{3, 61234, 0, 1}, DD_INTEGERS, "from 0 to 61234"},
    {{3, 61234, 0, 1},
     DD_INTEGERS,
     "for instance --range 0:65535 for 16 bits (0:4095 for 12), or read rows with --layout rows"},
    {{3, 4000, 0, 1}, DD_FRACTIONS, "for instance --range 0:65535"},
    {{3, 4000.5f, 0, 1}, DD_FRACTIONS, "with --range LO:HI"},
    {{-2.1f, 2.6f, 0, 1},
     DD_FRACTIONS,
     "a set (-1:1 for samples of a model), or read rows with --layout rows"},
    {{5, 5, 5, 5}, DD_INTEGERS, "from 5 to 5"},
};

START_TEST(what_is_not_known_is_refused) {
    begin();
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        dd_image_range out = {77, 77, false};
        float values[4];
        memcpy(values, strange[i].values, sizeof values);
        ASSERT_FAILS(find(&out, values, strange[i].kind, 0, 0), DDAEBM_OUT_OF_RANGE,
                     strange[i].why);
        ck_assert(out.black == 77 && heard_lines == 0);
    }
    float values[] = {0, 1, NAN, 1};
    dd_image_range out;
    ASSERT_FAILS(find(&out, values, DD_FRACTIONS, 0, 0), DDAEBM_NOT_FINITE,
                 "row 1, column 3 (both from 1) is not a number");
    values[2] = INFINITY;
    ASSERT_FAILS(find(&out, values, DD_FRACTIONS, 0, 1), DDAEBM_NOT_FINITE,
                 "column 3 (both from 1) is infinite");
    close_context();
}
END_TEST

START_TEST(a_range_may_be_asked_for) {
    float values[] = {0, 16, 8, 4}, over[] = {-64, 80, 8, 4}, far[] = {0, 81, 8, 4};
    dd_image_range out;
    begin();
    ASSERT_OK(find(&out, values, DD_FRACTIONS, 0, 16));
    ck_assert(out.black == 0 && out.white == 16 && !out.levels && heard_lines == 0);
    dd_rows images = {.values = values, .count = 1, .width = 4};
    dd_image_range_scale(&images, &out);
    ck_assert(values[0] == -1 && values[1] == 1 && values[2] == 0 && values[3] == -0.5f);
    ASSERT_OK(find(&out, over, DD_FRACTIONS, 0, 16)); /* as far as samples may lie */
    ASSERT_FAILS(find(&out, far, DD_FRACTIONS, 0, 16), DDAEBM_OUT_OF_RANGE,
                 "its numbers are from 0 to 81, far beyond the range 0:16 that was asked for");
    float inverted[] = {255, 0, 0, 0};
    images.values = inverted;
    ASSERT_OK(find(&out, inverted, DD_INTEGERS, 255, 0));
    ck_assert(!out.levels);
    dd_image_range_scale(&images, &out);
    ck_assert(inverted[0] == -1 && inverted[1] == 1);
    close_context();
}
END_TEST

static ddaebm_status find_of_bytes(dd_image_range *out, uint8_t high, double black, double white) {
    uint8_t pixels[] = {0, high, 0, 0};
    const dd_images images = {.shape = {2, 2, 1}, .count = 1, .block = pixels, .pixels = pixels};
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.black = black;
    options.white = white;
    return dd_image_range_of_bytes(out, context, &images, &options);
}

START_TEST(bytes_are_from_0_to_255) {
    static const struct {
        uint8_t high;
        double white;
        size_t heard_lines;
    } bytes[] = {{0, 255, 0}, {1, 1, 1}, {2, 255, 1}, {63, 255, 1}, {64, 255, 0}, {255, 255, 0}};
    dd_image_range out;
    begin();
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        heard_lines = 0;
        ASSERT_OK(find_of_bytes(&out, bytes[i].high, 0, 0));
        ck_assert(out.black == 0 && out.white == bytes[i].white && out.levels);
        ck_assert_uint_eq(heard_lines, bytes[i].heard_lines);
    }
    heard_lines = 0;
    ASSERT_OK(find_of_bytes(&out, 1, 0, 255));
    ck_assert(out.white == 255 && out.levels);
    ASSERT_OK(find_of_bytes(&out, 16, 0, 16));
    ck_assert(out.white == 16 && !out.levels);
    ASSERT_FAILS(find_of_bytes(&out, 16, 0, 1), DDAEBM_OUT_OF_RANGE, "far beyond the range 0:1");
    ck_assert_uint_eq(heard_lines, 0);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("image_range", what_is_known_is_found, what_is_not_known_is_refused,
                     a_range_may_be_asked_for, bytes_are_from_0_to_255);
}
