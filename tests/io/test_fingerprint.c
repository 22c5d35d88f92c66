/* What tells one data set from another, and that it is the numbers alone: not the file, the type or
 * the memory that they come in. */
#define _GNU_SOURCE
#include "io/fingerprint.h"
#include "support/counted.h"
#include "support/harness.h"
#include "support/small.h"

#include <stdlib.h>

enum { ROWS = 5, WIDTH = 3, NUMBERS = ROWS * WIDTH, MANY = 20011 };

/* Numbers that float32 has exactly. */
static const double plain[NUMBERS] = {0, 1, -2.5, 3, 0.25, -1e6, 7, 8, 9, 1, 1, 1, 2, 0.5, -0.125};

static dd_fingerprint take(ddaebm_dataset *dataset) {
    dd_fingerprint made = {.kind = DD_FINGERPRINT_NONE};
    ASSERT_OK(dd_fingerprint_make(&made, context, dataset));
    ddaebm_dataset_free(dataset);
    return made;
}

static dd_fingerprint of_doubles(const double *numbers, size_t count, size_t width) {
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, context, numbers, count, width));
    return take(dataset);
}

static dd_fingerprint of_floats(const double *numbers, size_t count, size_t width) {
    ddaebm_dataset *dataset = NULL;
    float *narrow = malloc(count * width * sizeof *narrow);
    for (size_t i = 0; i < count * width; i++)
        narrow[i] = (float)numbers[i];
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, context, narrow, count, width));
    free(narrow);
    return take(dataset);
}

static dd_fingerprint of_file(const char *name, const void *bytes, size_t size) {
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder(name), bytes, size);
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, in_folder(name)));
    return take(dataset);
}

static dd_fingerprint of_named(const char *name, uint64_t seed) {
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_named(&dataset, context, name, seed));
    return take(dataset);
}

static void same(const dd_fingerprint *a, const dd_fingerprint *b) {
    ck_assert(dd_fingerprint_is_same(a, b));
    ck_assert_uint_eq(a->numbers[DD_DATA_CONTENT], b->numbers[DD_DATA_CONTENT]);
}

static void differ(const dd_fingerprint *a, const dd_fingerprint *b) {
    ck_assert(!dd_fingerprint_is_same(a, b));
    ck_assert(!dd_fingerprint_is_same(b, a));
}

START_TEST(equal_numbers_are_the_same_set) {
    static const char text[] = "0,1,-2.5\n3,.25,-1e6\n7,8,9\n1,1,1\n2,5e-1,-0.125\n";
    static const char tabs[] =
        "# a comment\n-0\t1.0\t-2.50\n3\t0.25\t-1000000\n\n7\t8\t9\n1\t1\t1\n2\t0.5\t-1.25e-1";
    dd_fingerprint doubles = of_doubles(plain, ROWS, WIDTH), floats = of_floats(plain, ROWS, WIDTH);
    dd_fingerprint csv = of_file("a.csv", text, sizeof text - 1),
                   tsv = of_file("b", tabs, sizeof tabs - 1);
    ck_assert_int_eq(doubles.kind, DD_FINGERPRINT_ROWS);
    ck_assert_uint_eq(doubles.numbers[DD_DATA_ROWS], ROWS);
    ck_assert_uint_eq(doubles.numbers[DD_DATA_COLUMNS], WIDTH);
    same(&doubles, &floats);
    same(&doubles, &csv);
    same(&doubles, &tsv);
}
END_TEST

/* Each number, by its last bit; each pair exchanged; a row more, a row fewer; the same numbers in
 * another shape. */
START_TEST(any_difference_is_another_set) {
    dd_fingerprint before = of_doubles(plain, ROWS, WIDTH);
    for (size_t i = 0; i < NUMBERS; i++) {
        double changed[NUMBERS];
        memcpy(changed, plain, sizeof changed);
        uint64_t bits = 0;
        memcpy(&bits, &changed[i], sizeof bits);
        bits ^= 1;
        memcpy(&changed[i], &bits, sizeof bits);
        dd_fingerprint after = of_doubles(changed, ROWS, WIDTH);
        differ(&before, &after);
        for (size_t j = 0; j < i; j++) {
            if (plain[i] == plain[j])
                continue;
            memcpy(changed, plain, sizeof changed);
            changed[i] = plain[j];
            changed[j] = plain[i];
            after = of_doubles(changed, ROWS, WIDTH);
            differ(&before, &after);
        }
    }
    dd_fingerprint fewer = of_doubles(plain, ROWS - 1, WIDTH),
                   turned = of_doubles(plain, WIDTH, ROWS);
    differ(&before, &fewer);
    differ(&before, &turned);
}
END_TEST

/* Sets of many blocks, whose widths do not divide them; wide rows. */
START_TEST(blocks_do_not_show) {
    static const size_t widths[] = {1, 3, 7, 83, 20011};
    double *numbers = malloc(MANY * sizeof *numbers);
    for (size_t i = 0; i < MANY; i++)
        numbers[i] = (double)(i * i % 1009) / 64;
    uint64_t first = 0;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        size_t count = MANY / widths[w];
        dd_fingerprint doubles = of_doubles(numbers, count, widths[w]),
                       floats = of_floats(numbers, count, widths[w]);
        same(&doubles, &floats);
        numbers[count * widths[w] - 1] += 1;
        dd_fingerprint other = of_doubles(numbers, count, widths[w]);
        differ(&doubles, &other);
        numbers[count * widths[w] - 1] -= 1;
        if (widths[w] == 1)
            first = doubles.numbers[DD_DATA_CONTENT];
        if (count * widths[w] == MANY)
            ck_assert_uint_eq(doubles.numbers[DD_DATA_CONTENT], first);
    }
    free(numbers);
}
END_TEST

/* It stands in files: what it is must not change. */
START_TEST(a_hash_stays_as_it_is) {
    dd_fingerprint now = of_doubles(plain, ROWS, WIDTH);
    ck_assert_uint_eq(now.numbers[DD_DATA_CONTENT], UINT64_C(3993596888895684302));
}
END_TEST

static int ascending(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

START_TEST(small_sets_do_not_collide) {
    enum { SETS = 4096 };
    uint64_t *seen = malloc(SETS * sizeof *seen);
    for (size_t i = 0; i < SETS; i++) {
        const double numbers[4] = {(double)(i & 7), (double)(i >> 3 & 7), (double)(i >> 6 & 7),
                                   (double)(i >> 9)};
        dd_fingerprint one = of_doubles(numbers, 2, 2);
        seen[i] = one.numbers[DD_DATA_CONTENT];
    }
    qsort(seen, SETS, sizeof *seen, ascending);
    for (size_t i = 1; i < SETS; i++)
        ck_assert_uint_lt(seen[i - 1], seen[i]);
    free(seen);
}
END_TEST

START_TEST(images_are_their_pixels) {
    uint8_t pixels[2 * 8 * 8];
    float floats[sizeof pixels];
    ddaebm_dataset *dataset = NULL, *wide = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(37 * i);
    ASSERT_OK(ddaebm_dataset_create_images(&dataset, context, pixels, 2, 8, 8, 1));
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, floats));
    ASSERT_OK(ddaebm_dataset_create_images_float(&wide, context, floats, 2, 8, 8, 1));
    dd_fingerprint bytes = take(dataset), numbers = take(wide);
    same(&bytes, &numbers);
    pixels[127]++;
    ASSERT_OK(ddaebm_dataset_create_images(&dataset, context, pixels, 2, 8, 8, 1));
    dd_fingerprint other = take(dataset);
    differ(&bytes, &other);
}
END_TEST

START_TEST(sets_without_end_are_name_and_seed) {
    dd_fingerprint moons = of_named("moons", 3), again = of_named("moons", 3),
                   seed = of_named("moons", 4);
    dd_fingerprint circles = of_named("circles", 3), rows = of_doubles(plain, ROWS, 2);
    ck_assert_int_eq(moons.kind, DD_FINGERPRINT_DRAWN);
    ck_assert_str_eq(moons.name, "moons");
    same(&moons, &again);
    differ(&moons, &seed);
    differ(&moons, &circles);
    differ(&moons, &rows);
    ASSERT_FAILS(dd_fingerprint_refuse(&seed, &moons), DDAEBM_MISMATCH,
                 "moons with seed 4, and the run to resume had the named set moons with seed 3");
    ASSERT_FAILS(dd_fingerprint_refuse(&rows, &moons), DDAEBM_MISMATCH,
                 "a set of 5 rows, and the run to resume had the named set moons");
}
END_TEST

static ddaebm_status read_nothing(void *user, uint64_t first, size_t count, float *out) {
    size_t *calls = user;
    (void)first;
    ++*calls;
    memset(out, 0, count * sizeof *out);
    return DDAEBM_OK;
}

/* Its content may be anything at every call; it is not read. */
START_TEST(a_callers_source_has_none) {
    size_t calls = 0;
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    ddaebm_dataset *dataset = NULL;
    source.width = 1;
    source.rows = 100;
    source.read = read_nothing;
    source.user = &calls;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, context, &source));
    dd_fingerprint none = take(dataset), rows = of_doubles(plain, ROWS, 1);
    ck_assert_int_eq(none.kind, DD_FINGERPRINT_NONE);
    ck_assert_uint_eq(calls, 0);
    ck_assert(dd_fingerprint_is_same(&none, &rows) && dd_fingerprint_is_same(&rows, &none));
}
END_TEST

int main(void) {
    use_fixture(open_one_thread, close_context);
    return RUN_TESTS("fingerprint", equal_numbers_are_the_same_set, any_difference_is_another_set,
                     blocks_do_not_show, a_hash_stays_as_it_is, small_sets_do_not_collide,
                     images_are_their_pixels, sets_without_end_are_name_and_seed,
                     a_callers_source_has_none);
}
