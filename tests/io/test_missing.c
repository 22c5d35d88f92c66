/* Missing values: which fields and numbers stand for them, and what they are read as. */
#define _GNU_SOURCE
#include "io/missing.h"
#include "io/npy.h"
#include "support/harness.h"

#include <math.h>

static ddaebm_status open_with(ddaebm_dataset **out, const char *name, const char *missing) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.missing = missing;
    return ddaebm_dataset_open_with(out, NULL, in_folder(name), &options);
}

static void put_text(const char *name, const char *text) {
    put_file(in_folder(name), text, strlen(text));
}

/* Checks that a text has rows of two numbers, of which NaN marks those that are missing. */
static void assert_rows(const char *text, const char *missing, size_t count, const double *rows) {
    ddaebm_dataset *dataset = NULL;
    double found[16];
    uint64_t holes = 0;
    put_text("rows.csv", text);
    ck_assert_msg(open_with(&dataset, "rows.csv", missing) == DDAEBM_OK, "%s: %s", text,
                  ddaebm_error_message());
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), count);
    ck_assert_uint_eq(ddaebm_dataset_width(dataset), 2);
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, count, found));
    for (size_t i = 0; i < 2 * count; i++) {
        holes += isnan(rows[i]) ? 1 : 0;
        ck_assert_msg(isnan(rows[i]) ? isnan(found[i]) : found[i] == rows[i], "%s: %zu is %g", text,
                      i, found[i]);
    }
    ck_assert_uint_eq(ddaebm_dataset_missing(dataset), holes);
    ddaebm_dataset_free(dataset);
}

START_TEST(fields_that_stand_for_nothing_are_nan) {
    const double rows[] = {1, NAN, NAN, 4, 5, 6}, whole[] = {1, 2, 3, 4};
    static const char *const texts[] = {"1,\n,4\n5,6\n", "a,b\n1,NA\nna,4\n5,6\n",
                                        "1;NaN\nnan;4\n5;6\n", "1\t\"\"\n\"NA\"\t4\n5\t6",
                                        "# x\n1, NA \n  ,4\n5,6"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_rows(texts[i], "allow", 3, rows);
    assert_rows("1,?\n-,4\n5,6\n", "?,-", 3, rows);
    assert_rows("1,Unknown\nNA,4\n5,6\n", " UNKNOWN ", 3, rows);
    assert_rows("1,-999\n-999.0,4\n5,6\n", "-999", 3, rows);
    assert_rows("1,2\n3,4\n", "allow", 2, whole);
}
END_TEST

START_TEST(names_are_kept_and_columns_chosen) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    double rows[4];
    put_text("named.csv", "width,kind,height\n1,oak,\n,elm,4\n");
    options.missing = "allow";
    options.drop = "kind";
    ASSERT_OK(ddaebm_dataset_open_with(&dataset, NULL, in_folder("named.csv"), &options));
    ck_assert_str_eq(ddaebm_dataset_column_name(dataset, 1), "height");
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 2, rows));
    ck_assert(rows[0] == 1 && isnan(rows[1]) && isnan(rows[2]) && rows[3] == 4);
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(without_the_option_they_are_refused) {
    static const struct {
        const char *text, *missing;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {"1,2\n3,\n", NULL, DDAEBM_FORMAT, "--missing allow"},
        {"1,2\n3,NA\n", NULL, DDAEBM_FORMAT, "--missing allow"},
        {"1,2\n3,nan\n", NULL, DDAEBM_NOT_FINITE, "--missing allow"},
        {"1,2\n3,?\n", "allow", DDAEBM_FORMAT, "line 2, column 2: '?' is a missing value"},
        {"1,2\n3,inf\n", "allow", DDAEBM_NOT_FINITE, "'inf' is not a finite number"},
        {"1,2\n3,x\n", "?", DDAEBM_FORMAT, "'x' is not a number"},
        {"1,2\n3\n", "allow", DDAEBM_FORMAT, "ragged"},
        {"1,2\n", "", DDAEBM_INVALID_ARGUMENT, "missing has an empty item"},
        {"1,2\n", "?,,-", DDAEBM_INVALID_ARGUMENT, "missing has an empty item"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ddaebm_dataset *dataset = NULL;
        put_text("bad.csv", rows[i].text);
        ASSERT_FAILS(open_with(&dataset, "bad.csv", rows[i].missing), rows[i].status, rows[i].why);
        ck_assert_ptr_null(dataset);
    }
}
END_TEST

/* Writes an NPY file of type f4 or f8. */
static void put_npy(const char *name, const char *type, size_t rank, const size_t *shape,
                    const void *numbers, size_t bytes) {
    char file[1024];
    size_t head = dd_npy_format_header(file, type, rank, shape);
    memcpy(file + head, numbers, bytes);
    put_file(in_folder(name), file, head + bytes);
}

START_TEST(arrays_have_nan) {
    const float narrow[] = {1, NAN, 3, -9, 5, 6};
    const double wide[] = {1, NAN, 3, -9, 5, 6};
    const size_t shape[] = {3, 2}, images[] = {1, 2, 3};
    double rows[6];
    ddaebm_dataset *dataset = NULL;
    put_npy("f4.npy", "f4", 2, shape, narrow, sizeof narrow);
    put_npy("f8.npy", "f8", 2, shape, wide, sizeof wide);
    put_npy("images.npy", "f4", 3, images, narrow, sizeof narrow);

    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "f4.npy" : "f8.npy";
        ASSERT_FAILS(open_with(&dataset, name, NULL), DDAEBM_NOT_FINITE, "row 1, column 2");
        ASSERT_OK(open_with(&dataset, name, "-9"));
        ck_assert_uint_eq(ddaebm_dataset_missing(dataset), 2);
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 3, rows));
        ck_assert(rows[0] == 1 && isnan(rows[1]) && isnan(rows[3]) && rows[4] == 5);
        ddaebm_dataset_free(dataset);
        dataset = NULL;
    }
    ck_assert_int_ne(open_with(&dataset, "images.npy", "allow"), DDAEBM_OK);
}
END_TEST

START_TEST(arrays_in_memory_have_nan) {
    const double rows[] = {1, NAN, NAN, 4}, beyond[] = {1, INFINITY};
    ddaebm_dataset *dataset = NULL;
    float narrow[4];
    ASSERT_FAILS(ddaebm_dataset_create_rows_double(&dataset, NULL, rows, 2, 2), DDAEBM_NOT_FINITE,
                 "row 1, column 2 (both from 1) is not a number");
    ASSERT_FAILS(ddaebm_dataset_create_rows_missing(&dataset, NULL, beyond, 1, 2),
                 DDAEBM_NOT_FINITE, "is infinite");
    ASSERT_FAILS(ddaebm_dataset_create_rows_missing(&dataset, NULL, rows, 0, 2),
                 DDAEBM_OUT_OF_RANGE, "count is 0");
    ASSERT_FAILS(ddaebm_dataset_create_rows_missing(&dataset, NULL, NULL, 1, 2),
                 DDAEBM_INVALID_ARGUMENT, "rows");
    ck_assert_ptr_null(dataset);
    ASSERT_OK(ddaebm_dataset_create_rows_missing(&dataset, NULL, rows, 2, 2));
    ck_assert_uint_eq(ddaebm_dataset_missing(dataset), 2);
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, narrow));
    ck_assert(narrow[0] == 1 && isnan(narrow[1]) && isnan(narrow[2]) && narrow[3] == 4);
    ddaebm_dataset_free(dataset);
}
END_TEST

int main(void) {
    return RUN_TESTS("missing", fields_that_stand_for_nothing_are_nan,
                     names_are_kept_and_columns_chosen, without_the_option_they_are_refused,
                     arrays_have_nan, arrays_in_memory_have_nan);
}
