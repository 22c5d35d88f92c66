/* Windows of a series: what they hold, that they give the series back, and what is refused. */
#define _GNU_SOURCE
#include "support/counted.h"

#include <ddaebm/series.h>
#include <math.h>

enum { MOST = 60, CHANNELS = 2 };

/* Numbers that no sum of a few others equals. */
static double number(size_t i) {
    return sin(3.7 * (double)i + 1) * (i % 7 == 0 ? 1e9 : 1);
}

static ddaebm_dataset *make_series(size_t samples, size_t channels, bool wide) {
    double doubles[MOST * CHANNELS];
    float floats[MOST * CHANNELS];
    ddaebm_dataset *series = NULL;
    for (size_t i = 0; i < samples * channels; i++) {
        doubles[i] = number(i);
        floats[i] = (float)number(i);
    }
    ASSERT_OK(wide ? ddaebm_dataset_create_rows_double(&series, context, doubles, samples, channels)
                   : ddaebm_dataset_create_rows(&series, context, floats, samples, channels));
    return series;
}

static double kept(size_t i, bool wide) {
    return wide ? number(i) : (double)(float)number(i);
}

/* Each window, alone and among others, in both precisions; then all added, in two calls. */
static void check(size_t samples, size_t channels, size_t window, size_t hop, bool wide) {
    double rows[MOST * MOST * CHANNELS], back[MOST * CHANNELS], weights[MOST] = {0};
    float narrow[MOST * CHANNELS];
    ddaebm_dataset *series = make_series(samples, channels, wide), *windows = NULL;
    ASSERT_OK(ddaebm_dataset_create_windows(&windows, series, window, hop));
    ddaebm_dataset_free(series);
    size_t count = (size_t)ddaebm_dataset_rows(windows), width = window * channels;
    ck_assert_uint_eq(count, 1 + (samples - window + hop - 1) / hop);
    ck_assert_uint_eq(ddaebm_dataset_width(windows), width);
    ASSERT_OK(ddaebm_dataset_read_double(windows, 0, count, rows));
    for (size_t i = 0; i < count; i++) {
        size_t first = i + 1 < count ? i * hop : samples - window;
        for (size_t k = 0; k < width; k++)
            ck_assert_double_eq(rows[i * width + k], kept(first * channels + k, wide));
        ASSERT_OK(ddaebm_dataset_read(windows, i, 1, narrow));
        for (size_t k = 0; k < width; k++)
            ck_assert_float_eq(narrow[k], (float)rows[i * width + k]);
    }

    ddaebm_windows shape = DDAEBM_WINDOWS_INIT;
    ASSERT_OK(ddaebm_dataset_windows(windows, &shape));
    ck_assert(shape.samples == samples && shape.channels == channels && shape.window == window &&
              shape.hop == hop);
    size_t half = count / 2;
    for (size_t i = 0; i < samples * channels; i++)
        back[i] = NAN;
    ASSERT_OK(ddaebm_windows_add(&shape, rows + half * width, half, count - half, back, weights));
    ASSERT_OK(ddaebm_windows_add(&shape, rows, 0, half, back, weights));
    for (size_t i = 0; i < samples * channels; i++)
        ck_assert_double_eq(back[i], kept(i, wide));
    ddaebm_dataset_free(windows);
}

START_TEST(cut_and_added_it_is_the_series) {
    static const size_t lengths[] = {1, 2, 7, 59};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t window = 1; window <= lengths[i]; window += 1 + window / 3)
            for (size_t hop = 1; hop <= window; hop += 1 + hop / 3)
                for (size_t channels = 1; channels <= CHANNELS; channels++) {
                    check(lengths[i], channels, window, hop, false);
                    check(lengths[i], channels, window, hop, true);
                }
}
END_TEST

/* Windows 1 and 3 of three samples, one apart: in the middle 1 has weight 2 of 3. */
START_TEST(means_are_weighted_by_a_triangle) {
    const ddaebm_windows shape = {sizeof shape, 4, 1, 3, 1};
    const double rows[] = {1, 1, 1, 4, 4, 4}, wanted[] = {1, 2, 3, 4};
    double series[4], weights[4] = {0};
    ASSERT_OK(ddaebm_windows_add(&shape, rows, 0, 2, series, weights));
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_eq_tol(series[i], wanted[i], 1e-12);
    ck_assert_double_eq(weights[1], 3);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused) {
    ddaebm_dataset *series = make_series(10, 1, true), *other = NULL, *out = NULL;
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, series, 11, 1), DDAEBM_OUT_OF_RANGE,
                 "window is 11 samples; allowed: 1 to 10");
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, series, 0, 1), DDAEBM_OUT_OF_RANGE, "window");
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, series, 4, 0), DDAEBM_OUT_OF_RANGE,
                 "hop is 0 samples; allowed: 1 to 4");
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, series, 4, 5), DDAEBM_OUT_OF_RANGE, "hop");
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, NULL, 4, 5), DDAEBM_INVALID_ARGUMENT,
                 "series");
    ASSERT_OK(ddaebm_dataset_create_named(&other, context, "moons", 0));
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, other, 4, 1), DDAEBM_INVALID_ARGUMENT, "end");
    ddaebm_dataset_free(other);
    const uint8_t pixels[8] = {0};
    ASSERT_OK(ddaebm_dataset_create_images(&other, context, pixels, 2, 2, 2, 1));
    ASSERT_FAILS(ddaebm_dataset_create_windows(&out, other, 2, 1), DDAEBM_INVALID_ARGUMENT,
                 "images");
    ddaebm_dataset_free(other);
    ddaebm_dataset_free(series);
    ck_assert_ptr_null(out);

    ddaebm_windows shape = {sizeof shape, 10, 1, 4, 2};
    series = make_series(10, 1, false);
    ASSERT_FAILS(ddaebm_dataset_windows(series, &shape), DDAEBM_NOT_FOUND, "no windows");
    ck_assert_uint_eq(shape.samples, 10);
    ddaebm_dataset_free(series);
    double rows[8] = {0}, means[10], weights[10] = {0};
    ASSERT_FAILS(ddaebm_windows_add(&shape, rows, 3, 2, means, weights), DDAEBM_OUT_OF_RANGE,
                 "a series of 4");
    ASSERT_FAILS(ddaebm_windows_add(&shape, NULL, 0, 1, means, weights), DDAEBM_INVALID_ARGUMENT,
                 "rows");
    ASSERT_OK(ddaebm_windows_add(&shape, NULL, 0, 0, NULL, NULL));
    shape.channels = 0;
    ASSERT_FAILS(ddaebm_windows_add(&shape, rows, 0, 1, means, weights), DDAEBM_OUT_OF_RANGE,
                 "channels");
    shape = (ddaebm_windows)DDAEBM_WINDOWS_INIT;
    ASSERT_FAILS(ddaebm_windows_add(&shape, rows, 0, 1, means, weights), DDAEBM_OUT_OF_RANGE,
                 "window");
}
END_TEST

static ddaebm_status give_nan(void *user, uint64_t first, size_t count, float *out) {
    (void)user;
    for (size_t i = 0; i < count; i++)
        out[i] = first + i == 5 ? NAN : 0;
    return DDAEBM_OK;
}

START_TEST(a_source_is_checked) {
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    ddaebm_dataset *series = NULL, *windows = NULL;
    source.width = 1;
    source.rows = 9;
    source.read = give_nan;
    ASSERT_OK(ddaebm_dataset_create_source(&series, context, &source));
    ASSERT_FAILS(ddaebm_dataset_create_windows(&windows, series, 3, 1), DDAEBM_NOT_FINITE, "row 6");
    ck_assert_ptr_null(windows);
    ddaebm_dataset_free(series);
}
END_TEST

START_TEST(no_memory_is_reported) {
    ddaebm_dataset *series = make_series(10, 2, true), *windows = NULL;
    SWEEP_ALLOCATIONS(counted, windows, ddaebm_dataset_create_windows(&windows, series, 4, 2));
    ddaebm_dataset_free(windows);
    ddaebm_dataset_free(series);
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("windows", cut_and_added_it_is_the_series, means_are_weighted_by_a_triangle,
                     what_makes_no_sense_is_refused, a_source_is_checked, no_memory_is_reported);
}
