/* Files of rows, block by block. */
#define _GNU_SOURCE
#include "support/counted.h"

#include <ddaebm/dataset.h>
#include <ddaebm/row_writer.h>

#include <locale.h>
#include <math.h>
#include <sys/resource.h>

enum { ROWS = 5000, WIDTH = 3, MOST_BYTES = 1 << 19 };

static char text[MOST_BYTES], other[MOST_BYTES];

/* Numbers of all sizes. */
static double number(size_t i) {
    return ldexp(sin((double)i + 1), (int)(i % 61) - 30);
}

static ddaebm_row_options options_of(ddaebm_row_format format, int wide, const char *const *names) {
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT;
    options.format = format;
    options.wide = wide;
    options.names = names;
    return options;
}

static ddaebm_row_writer *create_at(const char *path, ddaebm_row_options options, size_t rank,
                                    const size_t *shape) {
    ddaebm_writer to = DDAEBM_WRITER_INIT;
    ddaebm_row_writer *writer = NULL;
    to.path = path;
    ASSERT_OK(ddaebm_row_writer_create(&writer, context, &to, &options, rank, shape));
    return writer;
}

/* Rows first .. first+count-1, as doubles or as floats. */
static ddaebm_status append(ddaebm_row_writer *writer, size_t first, size_t count, bool doubles) {
    static double wide[ROWS * WIDTH];
    static float narrow[ROWS * WIDTH];
    for (size_t i = 0; i < count * WIDTH; i++) {
        wide[i] = number(first * WIDTH + i);
        narrow[i] = (float)wide[i];
    }
    return doubles ? ddaebm_row_writer_append_double(writer, wide, count)
                   : ddaebm_row_writer_append(writer, narrow, count);
}

/* Writes all rows in blocks of a size, first as doubles or floats and, with `mixed`, alternating.
 */
static void write_all(const char *path, ddaebm_row_options options, size_t block, bool doubles,
                      bool mixed) {
    ddaebm_row_writer *writer = create_at(path, options, 2, (const size_t[]){ROWS, WIDTH});
    for (size_t first = 0; first < ROWS; first += block) {
        size_t count = ROWS - first < block ? ROWS - first : block;
        ASSERT_OK(append(writer, first, count, doubles));
        doubles = doubles != mixed;
    }
    ASSERT_OK(ddaebm_row_writer_append(writer, NULL, 0));
    ASSERT_OK(ddaebm_row_writer_finish(writer));
    ddaebm_row_writer_free(writer);
}

/* Checks that the file has the numbers, rounded to float where that is its type. */
static void check_all(const char *path, bool rounded) {
    static double back[ROWS * WIDTH];
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_open(&dataset, context, path));
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), ROWS);
    ck_assert_uint_eq(ddaebm_dataset_width(dataset), WIDTH);
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, ROWS, back));
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        if (rounded)
            ck_assert_float_eq((float)back[i], (float)number(i));
        else
            ck_assert_double_eq(back[i], number(i));
    ddaebm_dataset_free(dataset);
}

static const ddaebm_row_format formats[] = {DDAEBM_ROWS_NPY, DDAEBM_ROWS_CSV,
#ifdef DDAEBM_HAVE_ZLIB
                                            DDAEBM_ROWS_CSV_GZIP
#endif
};
enum { FORMATS = sizeof formats / sizeof *formats };

START_TEST(what_is_written_is_read_whatever_the_blocks) {
    open_context(2);
    static const size_t blocks[] = {1, 7, ROWS - 1, ROWS};
    static const char *const names[] = {"a", "b", "c"};
    const char *path = in_folder("rows");
    size_t before = 0;

    for (int wide = 0; wide <= 1; wide++)
        for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
            write_all(path, options_of(formats[_i], wide, names), blocks[b], wide, false);
            check_all(path, !wide);
            size_t size = get_file(path, other, sizeof other);
            ck_assert(b == 0 || (size == before && memcmp(text, other, size) == 0));
            memcpy(text, other, size);
            before = size;
        }
    ck_assert_uint_eq(entries_in_folder(), 1);
    close_context();
}
END_TEST

START_TEST(numbers_of_either_width_may_come) {
    open_context(2);
    for (int wide = 0; wide <= 1; wide++) {
        write_all(in_folder("rows"), options_of(formats[_i], wide, NULL), 1000, false, true);
        check_all(in_folder("rows"), true);
    }
    close_context();
}
END_TEST

/* A file that is not finished never was. */
START_TEST(nothing_is_left_of_what_is_not_finished) {
    open_context(2);
    put_file(in_folder("a"), "old", 3);
    ddaebm_row_writer *writer = create_at(in_folder("a"), options_of(formats[_i], 1, NULL), 2,
                                          (const size_t[]){ROWS, WIDTH});
    ASSERT_OK(append(writer, 0, ROWS - 1, true));
    ck_assert_uint_eq(entries_in_folder(), 2);
    ASSERT_FAILS(append(writer, 0, 2, false), DDAEBM_OUT_OF_RANGE, "1 rows of the 5000");
    ASSERT_FAILS(ddaebm_row_writer_finish(writer), DDAEBM_STATE, "1 of the 5000 rows are missing");
    ddaebm_row_writer_free(writer);
    ck_assert_uint_eq(entries_in_folder(), 1);
    ck_assert_uint_eq(get_file(in_folder("a"), text, sizeof text), 3);
    close_context();
}
END_TEST

START_TEST(a_full_disk_is_an_error_and_leaves_the_old_file) {
    open_context(2);
    put_file(in_folder("a"), "old", 3);
    struct rlimit before, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){20000, before.rlim_max};
    ddaebm_row_writer *writer = create_at(in_folder("a"), options_of(formats[_i], 1, NULL), 2,
                                          (const size_t[]){100 * ROWS, WIDTH});
    ddaebm_status status = DDAEBM_OK;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);

    for (int i = 0; i < 100 && status == DDAEBM_OK; i++)
        status = append(writer, 0, ROWS, true);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, DDAEBM_IO);
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "File too large"));
    ck_assert_uint_eq(entries_in_folder(), 1);
    ASSERT_FAILS(append(writer, 0, 1, true), DDAEBM_STATE, "has failed");
    ASSERT_FAILS(ddaebm_row_writer_finish(writer), DDAEBM_STATE, "has failed");
    ddaebm_row_writer_free(writer);
    ck_assert_uint_eq(get_file(in_folder("a"), text, sizeof text), 3);
    close_context();
}
END_TEST

/* A writer's function, with room for `most` bytes. */
typedef struct heap {
    size_t used, most;
} heap;

static ddaebm_status take(void *user, const void *bytes, size_t count) {
    heap *all = user;
    if (all->used + count > all->most)
        return DDAEBM_CANCELLED;
    memcpy(text + all->used, bytes, count);
    all->used += count;
    return DDAEBM_OK;
}

static ddaebm_status write_to(heap *all, ddaebm_row_options options) {
    ddaebm_writer to = DDAEBM_WRITER_INIT;
    ddaebm_row_writer *writer = NULL;
    to.write = take;
    to.user = all;
    ASSERT_OK(ddaebm_row_writer_create(&writer, context, &to, &options, 2,
                                       (const size_t[]){ROWS, WIDTH}));
    ddaebm_status status = append(writer, 0, ROWS, false);
    if (status == DDAEBM_OK)
        status = ddaebm_row_writer_finish(writer);

    if (status == DDAEBM_OK)
        ASSERT_FAILS(ddaebm_row_writer_finish(writer), DDAEBM_STATE, "is finished");
    ddaebm_row_writer_free(writer);
    return status;
}

START_TEST(a_function_gets_the_same_bytes) {
    open_context(2);
    const ddaebm_row_options options = options_of(formats[_i], 0, NULL);
    heap all = {0, sizeof text}, little = {0, 1000};
    ASSERT_OK(write_to(&all, options));
    write_all(in_folder("a"), options, ROWS, false, false);
    ck_assert_uint_eq(get_file(in_folder("a"), other, sizeof other), all.used);
    ck_assert_int_eq(memcmp(text, other, all.used), 0);
    ASSERT_FAILS(write_to(&little, options), DDAEBM_CANCELLED, "the write function stopped after");
    close_context();
}
END_TEST

static void write_one(const char *path, ddaebm_row_options options, const double *row,
                      size_t width) {
    ddaebm_row_writer *writer = create_at(path, options, 2, (const size_t[]){1, width});
    ASSERT_OK(ddaebm_row_writer_append_double(writer, row, 1));
    ASSERT_OK(ddaebm_row_writer_finish(writer));
    ddaebm_row_writer_free(writer);
}

static void assert_text(const char *path, const char *expected) {
    size_t size = get_file(path, text, sizeof text - 1);
    text[size] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(text_is_short_and_exact) {
    open_context(2);
    const double row[] = {0.1, 1e9 + 0.5, -1.0 / 3, 1e300, 1e-20, 100};
    write_one(in_folder("wide"), options_of(DDAEBM_ROWS_CSV, 1, NULL), row, 6);
    assert_text(in_folder("wide"), "0.1,1000000000.5,-0.33333333333333331,1e+300,1e-20,100\n");
    write_one(in_folder("narrow"), options_of(DDAEBM_ROWS_CSV, 0, NULL), row, 3);
    assert_text(in_folder("narrow"), "0.100000001,1e+09,-0.333333343\n");
    close_context();
}
END_TEST

START_TEST(names_are_a_first_line) {
    open_context(2);
    const double row[] = {1, 2, 3, 4};
    static const struct {
        const char *names[4], *text;
    } cases[] = {
        {{"x", "y", "z", "w"}, "x,y,z,w\n1,2,3,4\n"},
        {{"x, y", "said \"so\"", NULL, "#4"}, "\"x, y\",\"said \"\"so\"\"\",,\"#4\"\n1,2,3,4\n"},
        {{"#1", " a", "b ", "c d"}, "\"#1\",\" a\",\"b \",c d\n1,2,3,4\n"},
        {{"a;b", "e\nf", "g\th", "\xC3\xA9"}, "\"a;b\",\"e\nf\",\"g\th\",\xC3\xA9\n1,2,3,4\n"},
        {{NULL, NULL, NULL, NULL}, "1,2,3,4\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_one(in_folder("a"), options_of(DDAEBM_ROWS_CSV, 0, cases[i].names), row, 4);
        assert_text(in_folder("a"), cases[i].text);
    }
    close_context();
}
END_TEST

/* Longer than what is gathered at once. */
START_TEST(a_long_name_is_written) {
    open_context(1);
    enum { LONG = 200000 };
    char *name = malloc(LONG + 1);
    memset(name, 'n', LONG);
    name[LONG] = '\0';
    write_one(in_folder("a"), options_of(DDAEBM_ROWS_CSV, 0, (const char *const[]){name}),
              (const double[]){5}, 1);
    ck_assert_uint_eq(get_file(in_folder("a"), text, sizeof text), LONG + 3);
    ck_assert_int_eq(memcmp(text, name, LONG), 0);
    ck_assert_int_eq(memcmp(text + LONG, "\n5\n", 3), 0);
    free(name);
    close_context();
}
END_TEST

START_TEST(a_comma_of_the_locale_is_not_written) {
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) {
        printf("SKIPPED: a_comma_of_the_locale_is_not_written: install the locale de_DE.UTF-8\n");
        return;
    }
    open_context(2);
    write_one(in_folder("a"), options_of(DDAEBM_ROWS_CSV, 1, NULL), (const double[]){0.5, 1.25e-30},
              2);
    assert_text(in_folder("a"), "0.5,1.25e-30\n");
    ck_assert_str_eq(localeconv()->decimal_point, ",");
    (void)setlocale(LC_ALL, "C");
    close_context();
}
END_TEST

START_TEST(npy_has_the_shape) {
    open_context(2);
    static const char shape[] = "'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3, 1)";
    const float images[2 * 2 * 3] = {0};
    ddaebm_row_writer *writer = create_at(in_folder("a.npy"), options_of(DDAEBM_ROWS_NPY, 0, NULL),
                                          4, (const size_t[]){2, 2, 3, 1});
    ASSERT_OK(ddaebm_row_writer_append(writer, images, 1));
    ASSERT_OK(ddaebm_row_writer_append(writer, images + 6, 1));
    ASSERT_OK(ddaebm_row_writer_finish(writer));
    ddaebm_row_writer_free(writer);
    size_t size = get_file(in_folder("a.npy"), text, sizeof text);
    ck_assert_uint_eq(size, 128 + sizeof images);
    ck_assert_ptr_nonnull(memmem(text, size, shape, sizeof shape - 1));
    close_context();
}
END_TEST

START_TEST(labels_stand_for_numbers_in_csv_alone) {
    static const char *const texts[] = {NULL, "amount", "a \"b\", c"};
    static const ddaebm_labels labels[] = {{texts, 3}, {NULL, 0}};
    static const double rows[] = {1, 1, 2, 2, 0, 3, 3, 4, 1.5, 5, -1, 6};
    static const size_t shape[] = {6, 2};
    for (int array = 0; array < 2; array++) {
        open_context(1);
        ddaebm_row_options options = options_of(array ? DDAEBM_ROWS_NPY : DDAEBM_ROWS_CSV, 1, NULL);
        options.labels = labels;
        ddaebm_row_writer *writer = create_at(in_folder("a"), options, 2, shape);
        ASSERT_OK(ddaebm_row_writer_append_double(writer, rows, 6));
        ASSERT_OK(ddaebm_row_writer_finish(writer));
        ddaebm_row_writer_free(writer);
        size_t size = get_file(in_folder("a"), text, sizeof text - 1);
        text[size] = 0;
        if (array)
            ck_assert_int_eq(memcmp(text + size - sizeof rows, rows, sizeof rows), 0);
        else
            ck_assert_str_eq(text, "amount,1\n\"a \"\"b\"\", c\",2\n0,3\n3,4\n1.5,5\n-1,6\n");
        close_context();
    }
}
END_TEST

START_TEST(what_makes_no_sense_is_refused) {
    open_context(2);
    ddaebm_writer to = DDAEBM_WRITER_INIT, nowhere = DDAEBM_WRITER_INIT;
    ddaebm_row_options options = DDAEBM_ROW_OPTIONS_INIT, strange = DDAEBM_ROW_OPTIONS_INIT;
    ddaebm_row_writer *writer = NULL;
    const size_t shape[] = {2, 3}, empty[] = {2, 0}, vast[] = {SIZE_MAX / 8, 2};
    to.path = in_folder("a");
    strange.format = (ddaebm_row_format)3;
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &strange, 2, shape),
                 DDAEBM_INVALID_ARGUMENT, "format is 3");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &nowhere, &options, 2, shape),
                 DDAEBM_INVALID_ARGUMENT, "a path or");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 0, shape),
                 DDAEBM_OUT_OF_RANGE, "rank is 0");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 9, shape),
                 DDAEBM_OUT_OF_RANGE, "rank is 9");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 2, empty),
                 DDAEBM_OUT_OF_RANGE, "shape[1] is 0");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 2, vast),
                 DDAEBM_OUT_OF_RANGE, "address space");
    ASSERT_FAILS(ddaebm_row_writer_create(NULL, context, &to, &options, 2, shape),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, NULL, &options, 2, shape),
                 DDAEBM_INVALID_ARGUMENT, "to");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, NULL, 2, shape),
                 DDAEBM_INVALID_ARGUMENT, "options");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 2, NULL),
                 DDAEBM_INVALID_ARGUMENT, "shape");
    ASSERT_FAILS(ddaebm_row_writer_append(NULL, NULL, 0), DDAEBM_INVALID_ARGUMENT, "writer");
    ASSERT_FAILS(ddaebm_row_writer_append_double(NULL, NULL, 0), DDAEBM_INVALID_ARGUMENT, "writer");
    ASSERT_FAILS(ddaebm_row_writer_finish(NULL), DDAEBM_INVALID_ARGUMENT, "writer");
    ddaebm_row_writer_free(NULL);
    to.path = in_folder("none/a");
    ASSERT_FAILS(ddaebm_row_writer_create(&writer, context, &to, &options, 2, shape), DDAEBM_IO,
                 "there is no folder");
    ck_assert_ptr_null(writer);
    to.path = in_folder("a");
    ASSERT_OK(ddaebm_row_writer_create(&writer, context, &to, &options, 2, shape));
    ASSERT_FAILS(ddaebm_row_writer_append(writer, NULL, 1), DDAEBM_INVALID_ARGUMENT, "rows");
    ASSERT_FAILS(ddaebm_row_writer_append_double(writer, NULL, 1), DDAEBM_INVALID_ARGUMENT, "rows");
    ddaebm_row_writer_free(writer);
    ck_assert_uint_eq(entries_in_folder(), 0);
    close_context();
}
END_TEST

int main(void) {
    const TTest *const each_format[] = {
        what_is_written_is_read_whatever_the_blocks, numbers_of_either_width_may_come,
        nothing_is_left_of_what_is_not_finished, a_full_disk_is_an_error_and_leaves_the_old_file,
        a_function_gets_the_same_bytes};
    const TTest *const others[] = {text_is_short_and_exact,
                                   names_are_a_first_line,
                                   a_long_name_is_written,
                                   a_comma_of_the_locale_is_not_written,
                                   npy_has_the_shape,
                                   what_makes_no_sense_is_refused,
                                   labels_stand_for_numbers_in_csv_alone};
    return run_loop_tests("formats of rows", each_format, sizeof each_format / sizeof *each_format,
                          FORMATS) |
           run_tests("rows", others, sizeof others / sizeof *others);
}
