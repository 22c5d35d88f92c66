#define _GNU_SOURCE
#include "io/dataset.h"
#include "support/counted.h"
#include "support/faults.h"
#include "support/images_small.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>

static void put_text(const char *name, const char *text) {
    put_file(in_folder(name), text, strlen(text));
}

static ddaebm_status count_up(void *user, uint64_t first, size_t count, float *out) {
    size_t *calls = user;
    ++*calls;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 3; k++)
            out[i * 3 + k] = (float)(first + i) + (float)k / 4;
    return DDAEBM_OK;
}

static ddaebm_status refuse(void *user, uint64_t first, size_t count, float *out) {
    (void)user, (void)first, (void)count, (void)out;
    return DDAEBM_CANCELLED;
}

START_TEST(named_sets_are_unbounded) {
    ddaebm_dataset *dataset = NULL;
    float some[20], again[2];
    for (size_t i = 0; i < 9; i++) {
        ASSERT_OK(ddaebm_dataset_create_named(&dataset, NULL, ddaebm_dataset_name(i), 3));
        ck_assert(dd_dataset_named(dataset));
        ck_assert_uint_eq(ddaebm_dataset_width(dataset), 2);
        ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 0);
        ASSERT_OK(ddaebm_dataset_read(dataset, 1000000000, 10, some));
        ASSERT_OK(ddaebm_dataset_read(dataset, 1000000007, 1, again));
        ck_assert_int_eq(memcmp(again, some + 14, sizeof again), 0);
        ASSERT_FAILS(ddaebm_dataset_read(dataset, UINT64_MAX, 1, some), DDAEBM_OUT_OF_RANGE,
                     "18446744073709551615");
        ASSERT_FAILS(ddaebm_dataset_read(dataset, 5, SIZE_MAX, some), DDAEBM_OUT_OF_RANGE,
                     "rows 5");
        ddaebm_dataset_free(dataset);
    }
    dataset = NULL;
    ASSERT_FAILS(ddaebm_dataset_create_named(&dataset, NULL, "spiral", 3), DDAEBM_NOT_FOUND,
                 "checkerboard fashion-mnist");
    ck_assert_ptr_null(dataset);
    ck_assert_str_eq(ddaebm_dataset_name(9), "fashion-mnist");
    ck_assert_str_eq(ddaebm_dataset_name(10), "fashion-mnist-test");
    ck_assert_ptr_null(ddaebm_dataset_name(11));
    ddaebm_dataset_free(NULL);
}
END_TEST

START_TEST(files_are_told_by_their_content) {
    const float values[] = {1, 2, 3, 4, 5, 6};
    const size_t shape[] = {3, 2};
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.csv"), values, 2, shape));
    put_text("b.npy", "x,y\n1,2\n3,4\n5,6\n");
    static const char *const names[] = {"a.csv", "b.npy"};
    for (size_t i = 0; i < 2; i++) {
        ddaebm_dataset *dataset = NULL;
        float back[6];
        ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder(names[i])));
        ck_assert(!dd_dataset_named(dataset));
        ck_assert_uint_eq(ddaebm_dataset_width(dataset), 2);
        ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 3);
        ASSERT_OK(ddaebm_dataset_read(dataset, 0, 3, back));
        ck_assert_int_eq(memcmp(back, values, sizeof values), 0);
        ASSERT_OK(ddaebm_dataset_read(dataset, 2, 1, back));
        ck_assert(back[0] == 5 && back[1] == 6);
        ASSERT_OK(ddaebm_dataset_read(dataset, 3, 0, back));
        ASSERT_FAILS(ddaebm_dataset_read(dataset, 2, 2, back), DDAEBM_OUT_OF_RANGE, "a set of 3");
        ASSERT_FAILS(ddaebm_dataset_read(dataset, 4, 0, back), DDAEBM_OUT_OF_RANGE, "a set of 3");
        ddaebm_dataset_free(dataset);
    }
}
END_TEST

START_TEST(bad_files_are_refused_by_name) {
    static const struct {
        const char *text;
        ddaebm_status status;
        const char *why;
    } rows[] = {{"", DDAEBM_FORMAT, "bad: it is empty"},
                {"1,2\n3\n", DDAEBM_FORMAT, "bad: line 2 is ragged"},
                {"1,2\nx,4\n", DDAEBM_FORMAT, "bad: line 2, column 1"},
                {"1,2\n3,nan\n", DDAEBM_NOT_FINITE, "bad: line 2, column 2"},
                {"\x93NUMPY\1", DDAEBM_FORMAT, "bad: it is cut off"}};
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_text("bad", rows[i].text);
        ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("bad")), rows[i].status,
                     rows[i].why);
    }
    const float wild[] = {1, 2, 3, INFINITY};
    const size_t shape[] = {2, 2};
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("bad"), wild, 2, shape));
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("bad")), DDAEBM_NOT_FINITE,
                 "bad: row 2, column 2");
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("none")), DDAEBM_NOT_FOUND, "none");
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, folder), DDAEBM_FORMAT,
                 "folder has no images");
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, NULL), DDAEBM_INVALID_ARGUMENT, "path");
    ASSERT_FAILS(ddaebm_dataset_open(NULL, NULL, in_folder("bad")), DDAEBM_INVALID_ARGUMENT, "out");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(arrays_are_copied) {
    float values[] = {1, 2, 3, 4}, back[4];
    ddaebm_dataset *dataset = NULL;
    ASSERT_OK(ddaebm_dataset_create_rows(&dataset, NULL, values, 2, 2));
    values[0] = 99;
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, back));
    ck_assert(back[0] == 1 && back[3] == 4);
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 0, 1, NULL), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_dataset_read(NULL, 0, 1, back), DDAEBM_INVALID_ARGUMENT, "dataset");
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    values[3] = NAN;
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, 2, 2), DDAEBM_NOT_FINITE,
                 "row 2, column 2 (both from 1) is not a number");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, 0, 2), DDAEBM_OUT_OF_RANGE,
                 "count is 0");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, 2, 0), DDAEBM_OUT_OF_RANGE,
                 "width is 0");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, 2, 1048577),
                 DDAEBM_OUT_OF_RANGE, "1048577; allowed");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, SIZE_MAX / 4, 2),
                 DDAEBM_OUT_OF_RANGE, "count");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, values, SIZE_MAX, 2),
                 DDAEBM_OUT_OF_RANGE, "count");
    ASSERT_FAILS(ddaebm_dataset_create_rows(&dataset, NULL, NULL, 2, 2), DDAEBM_INVALID_ARGUMENT,
                 "rows");
    ASSERT_FAILS(ddaebm_dataset_create_rows(NULL, NULL, values, 2, 2), DDAEBM_INVALID_ARGUMENT,
                 "out");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(sources_are_called) {
    size_t calls = 0;
    float some[6];
    ddaebm_dataset *dataset = NULL;
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    source.width = 3;
    source.rows = 10;
    source.read = count_up;
    source.user = &calls;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, NULL, &source));
    ck_assert(!dd_dataset_named(dataset));
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), 10);
    ASSERT_OK(ddaebm_dataset_read(dataset, 8, 2, some));
    ck_assert(some[0] == 8 && some[5] == 9.5f);
    ASSERT_OK(ddaebm_dataset_read(dataset, 8, 0, some));
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 8, 3, some), DDAEBM_OUT_OF_RANGE, "set of 10");
    ck_assert_uint_eq(calls, 1);
    ddaebm_dataset_free(dataset);
    source.rows = 0;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, NULL, &source));
    ASSERT_OK(ddaebm_dataset_read(dataset, UINT64_MAX - 2, 2, some));
    ASSERT_FAILS(ddaebm_dataset_read(dataset, UINT64_MAX - 2, 3, some), DDAEBM_OUT_OF_RANGE,
                 "rows");
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 5, SIZE_MAX / 8, some), DDAEBM_OUT_OF_RANGE,
                 "address space");
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 5, SIZE_MAX / 2, some), DDAEBM_OUT_OF_RANGE,
                 "address space");
    ddaebm_dataset_free(dataset);
    source.read = refuse;
    ASSERT_OK(ddaebm_dataset_create_source(&dataset, NULL, &source));
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 7, 2, some), DDAEBM_CANCELLED, "2 rows from row 7");
    ddaebm_dataset_free(dataset);
}
END_TEST

START_TEST(bad_sources_are_refused) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_source good = DDAEBM_SOURCE_INIT;
    good.width = 3;
    good.read = count_up;
    ddaebm_source source = good;
    source.struct_size = 3;
    ASSERT_FAILS(ddaebm_dataset_create_source(&dataset, NULL, &source), DDAEBM_INVALID_ARGUMENT,
                 "struct_size is 3");
    source = good;
    source.read = NULL;
    ASSERT_FAILS(ddaebm_dataset_create_source(&dataset, NULL, &source), DDAEBM_INVALID_ARGUMENT,
                 "read");
    source = good;
    source.width = 0;
    ASSERT_FAILS(ddaebm_dataset_create_source(&dataset, NULL, &source), DDAEBM_OUT_OF_RANGE,
                 "width is 0");
    ASSERT_FAILS(ddaebm_dataset_create_source(&dataset, NULL, NULL), DDAEBM_INVALID_ARGUMENT,
                 "source");
    ASSERT_FAILS(ddaebm_dataset_create_source(NULL, NULL, &good), DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_dataset_create_named(&dataset, NULL, NULL, 1), DDAEBM_INVALID_ARGUMENT,
                 "name");
    ASSERT_FAILS(ddaebm_dataset_create_named(NULL, NULL, "moons", 1), DDAEBM_INVALID_ARGUMENT,
                 "out");
    ck_assert_ptr_null(dataset);
}
END_TEST

static void assert_images(const ddaebm_dataset *dataset, size_t rows, size_t height, size_t width,
                          size_t channels) {
    size_t shape[3];
    ddaebm_dataset_image_shape(dataset, &shape[0], &shape[1], &shape[2]);
    ck_assert_msg(shape[0] == height && shape[1] == width && shape[2] == channels,
                  "%zu x %zu x %zu", shape[0], shape[1], shape[2]);
    ck_assert_uint_eq(ddaebm_dataset_rows(dataset), rows);
    if (height > 0)
        ck_assert_uint_eq(ddaebm_dataset_width(dataset), height * width * channels);
}

/* Opens a file of 2 images of 3 x 4 x channels, which must be those of the bytes. */
static void open_and_compare(const char *path, const uint8_t *bytes, size_t channels) {
    ddaebm_dataset *dataset = NULL;
    float out[12 * 3];
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, path));
    assert_images(dataset, 2, 3, 4, channels);
    ck_assert(!dd_dataset_named(dataset));
    ASSERT_OK(dd_dataset_check_images(dataset, 1.1, 0, 0));
    ASSERT_OK(ddaebm_dataset_read(dataset, 1, 1, out));
    for (size_t i = 0; i < 12 * channels; i++)
        ck_assert(out[i] == (float)bytes[12 * channels + i] / 127.5f - 1);
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 1, 2, out), DDAEBM_OUT_OF_RANGE, "a set of 2");
    ddaebm_dataset_free(dataset);
}

START_TEST(images_are_told_by_their_content) {
    uint8_t bytes[72], file[300];
    fill_bytes(bytes, sizeof bytes, 3);
    const uint32_t axes[] = {2, 3, 4, 3};
    put_file(in_folder("a"), file, compose_idx(file, 8, 3, axes, bytes, 24));
    open_and_compare(in_folder("a"), bytes, 1);
    put_file(in_folder("a"), file, compose_idx(file, 8, 4, axes, bytes, 72));
    open_and_compare(in_folder("a"), bytes, 3);
    static const char header[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 4, 6), }";
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = sizeof header - 1;
    file[9] = 0;
    memcpy(file + 10, header, sizeof header - 1);
    memcpy(file + 10 + sizeof header - 1, bytes, 24);
    put_file(in_folder("a"), file, 10 + sizeof header - 1 + 24);
    ddaebm_dataset *dataset = NULL;
    float numbers[24];
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder("a")));
    assert_images(dataset, 1, 4, 6, 1);
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 1, numbers));
    for (size_t i = 0; i < 24; i++)
        ck_assert(numbers[i] == (float)bytes[i] / 127.5f - 1);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Arrays of images are images, or are refused: tests/io/test_content.c has the rules. */
START_TEST(floats_are_images) {
    float values[24], back[24];
    const size_t shape[] = {2, 2, 2, 3};
    ddaebm_dataset *dataset = NULL;
    for (size_t i = 0; i < 24; i++)
        values[i] = (float)i / 12 - 0.95f;
    values[3] = -1;
    values[4] = 1;
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.npy"), values, 4, shape));
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder("a.npy")));
    assert_images(dataset, 2, 2, 2, 3);
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, back));
    ck_assert_int_eq(memcmp(back, values, sizeof values), 0);
    ASSERT_OK(dd_dataset_check_images(dataset, 1.1, 0, 0));
    ddaebm_dataset_free(dataset);
    values[14] = 1.0625f; /* as a sample may have it, which is no image to learn from */
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.npy"), values, 4, shape));
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder("a.npy")));
    assert_images(dataset, 2, 2, 2, 3);
    ASSERT_FAILS(dd_dataset_check_images(dataset, 1.1, 2, 3), DDAEBM_OUT_OF_RANGE,
                 "row 2, column 3 (both from 1) is 1.0625");
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    values[14] = 1.5f;
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.npy"), values, 4, shape));
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("a.npy")), DDAEBM_OUT_OF_RANGE,
                 "a.npy: its numbers are from -1 to 1.5");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(files_of_images_can_be_wrong) {
    static uint8_t batch[2 * 3073];
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder("a"), batch, sizeof batch);
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder("a")));
    assert_images(dataset, 2, 32, 32, 3);
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    put_file(in_folder("a.bin"), batch, sizeof batch - 1);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("a.bin")), DDAEBM_FORMAT,
                 "a.bin: it has 6145 bytes");
    put_file(in_folder("a"), "\0\0\10\1\0\0\0\1\7", 9);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("a")), DDAEBM_UNSUPPORTED,
                 "a: its array has one axis: these are labels");
    put_file(in_folder("a"), "\x89PNG\r\n\x1A\n", 8);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, in_folder("a")), DDAEBM_UNSUPPORTED,
                 "a: it is a single image");
    put_file(in_folder("a"), "\x1F\x8B\10", 3);
    ddaebm_status status = ddaebm_dataset_open(&dataset, NULL, in_folder("a"));
    ck_assert(status == DDAEBM_FORMAT || status == DDAEBM_UNSUPPORTED); /* without zlib */
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "a: it"));
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(folders_are_opened) {
    uint8_t bytes[24];
    static uint8_t batch[3073];
    ddaebm_dataset *dataset = NULL;
    fill_bytes(bytes, sizeof bytes, 3);
    put_file(in_folder("notes.txt"), "x", 1);
    if (ddaebm_array_write_png(NULL, in_folder("a.png"), bytes, 3, 4, 1) ==
        DDAEBM_OK) { /* not in a build without libpng */
        ASSERT_OK(ddaebm_array_write_png(NULL, in_folder("b.png"), bytes + 12, 3, 4, 1));
        open_and_compare(folder, bytes, 1);
    }
    put_file(in_folder("data_batch_7.bin"), batch, sizeof batch);
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, folder));
    assert_images(dataset, 1, 32, 32, 3);
    ddaebm_dataset_free(dataset);
}
END_TEST

/* Neither the length of a name nor its ending misleads. */
START_TEST(names_of_files_hardly_matter) {
    uint8_t bytes[24], file[100];
    const uint32_t axes[] = {2, 3, 4};
    fill_bytes(bytes, sizeof bytes, 3);
    put_file(in_folder("a.bin"), file, compose_idx(file, 8, 3, axes, bytes, 24));
    open_and_compare(in_folder("a.bin"), bytes, 1);
    put_file(in_folder("a"), file, compose_idx(file, 8, 3, axes, bytes, 24));
    ck_assert_int_eq(chdir(folder), 0);
    open_and_compare("a", bytes, 1);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* Whether it is installed here or not. */
START_TEST(a_missing_package_is_named) {
    ddaebm_dataset *dataset = NULL;
    faults_begin(FAULT_ERROR, ENOENT, 1, FAULT_FROM_THERE_ON);
    ASSERT_FAILS(ddaebm_dataset_create_named(&dataset, NULL, "fashion-mnist", 3), DDAEBM_NOT_FOUND,
                 "install Debian's package dataset-fashion-mnist");
    (void)faults_end();
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(a_folder_that_cannot_be_read_is_refused) {
    ddaebm_dataset *dataset = NULL;
    put_file(in_folder("a.png"), "", 0);
    faults_begin(FAULT_ERROR, EIO, 1, FAULT_ONCE);
    faults_only("opendir");
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, NULL, folder), DDAEBM_IO, "cannot read the folder");
    (void)faults_end();
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(the_named_images_are_a_package) {
    ddaebm_dataset *dataset = NULL;
    ddaebm_status status = ddaebm_dataset_create_named(&dataset, NULL, "fashion-mnist-test", 3);
    if (status == DDAEBM_OK) {
        assert_images(dataset, 10000, 28, 28, 1);
        ck_assert(!dd_dataset_named(dataset));
        ddaebm_dataset_free(dataset);
    } else if (status != DDAEBM_UNSUPPORTED) { /* without zlib */
        ck_assert_int_eq(status, DDAEBM_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "dataset-fashion-mnist"));
    }
}
END_TEST

START_TEST(arrays_of_images_are_copied) {
    uint8_t bytes[24];
    float values[24], back[24];
    ddaebm_dataset *dataset = NULL;
    fill_bytes(bytes, sizeof bytes, 3);
    for (size_t i = 0; i < 24; i++)
        values[i] = (float)bytes[i] / 127.5f - 1;
    for (int floats = 0; floats < 2; floats++) {
        ASSERT_OK(floats ? ddaebm_dataset_create_images_float(&dataset, NULL, values, 2, 2, 3, 2)
                         : ddaebm_dataset_create_images(&dataset, NULL, bytes, 2, 2, 3, 2));
        assert_images(dataset, 2, 2, 3, 2);
        ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, back));
        ck_assert_int_eq(memcmp(back, values, sizeof values), 0);
        ddaebm_dataset_free(dataset);
    }
    dataset = NULL;
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, 0, 2, 3, 2),
                 DDAEBM_OUT_OF_RANGE, "count is 0");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, 2, 0, 3, 2),
                 DDAEBM_OUT_OF_RANGE, "height 0");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, 2, 2, 0, 2),
                 DDAEBM_OUT_OF_RANGE, "width 0");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, 2, 2, 3, 5),
                 DDAEBM_OUT_OF_RANGE, "5 channels");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, 2, SIZE_MAX, 3, 1),
                 DDAEBM_OUT_OF_RANGE, "1048576");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, bytes, SIZE_MAX, 2, 3, 1),
                 DDAEBM_OUT_OF_RANGE, "bytes allowed");
    ASSERT_FAILS(ddaebm_dataset_create_images(&dataset, NULL, NULL, 2, 2, 3, 2),
                 DDAEBM_INVALID_ARGUMENT, "pixels");
    ASSERT_FAILS(ddaebm_dataset_create_images(NULL, NULL, bytes, 2, 2, 3, 2),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_dataset_create_images_float(&dataset, NULL, NULL, 2, 2, 3, 2),
                 DDAEBM_INVALID_ARGUMENT, "pixels");
    ASSERT_FAILS(ddaebm_dataset_create_images_float(NULL, NULL, values, 2, 2, 3, 2),
                 DDAEBM_INVALID_ARGUMENT, "out");
    ASSERT_FAILS(ddaebm_dataset_create_images_float(&dataset, NULL, values, 2, 2, 3, 5),
                 DDAEBM_OUT_OF_RANGE, "5 channels");
    values[13] = -1.25f;
    ASSERT_FAILS(ddaebm_dataset_create_images_float(&dataset, NULL, values, 2, 2, 3, 2),
                 DDAEBM_OUT_OF_RANGE, "row 2, column 2 (both from 1) is -1.25");
    values[13] = NAN;
    ASSERT_FAILS(ddaebm_dataset_create_images_float(&dataset, NULL, values, 2, 2, 3, 2),
                 DDAEBM_NOT_FINITE, "row 2, column 2");
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(memory_may_run_out) {
    const float values[] = {1, 2, 3, 4};
    const size_t shape[] = {2, 2};
    ddaebm_dataset *dataset = NULL;
    ddaebm_source source = DDAEBM_SOURCE_INIT;
    source.width = 3;
    source.read = count_up;
    open_context(2);
    put_text("a.csv", "1 2\n3 4\n");
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("a.npy"), values, 2, shape));
    SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_open(&dataset, context, in_folder("a.csv")));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_open(&dataset, context, in_folder("a.npy")));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    uint8_t bytes[24] = {0}, file[100];
    put_file(in_folder("a"), file, compose_idx(file, 8, 3, (const uint32_t[]){2, 3, 4}, bytes, 24));
    SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_open(&dataset, context, in_folder("a")));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    SWEEP_ALLOCATIONS(counted, dataset,
                      ddaebm_dataset_create_images(&dataset, context, bytes, 2, 3, 4, 1));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    if (ddaebm_array_write_png(NULL, in_folder("a.png"), bytes, 3, 4, 1) ==
        DDAEBM_OK) { /* not in a build without libpng */
        SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_open(&dataset, context, folder));
        ddaebm_dataset_free(dataset);
        dataset = NULL;
    }
    SWEEP_ALLOCATIONS(counted, dataset,
                      ddaebm_dataset_create_rows(&dataset, context, values, 2, 2));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_create_named(&dataset, context, "moons", 1));
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    SWEEP_ALLOCATIONS(counted, dataset, ddaebm_dataset_create_source(&dataset, context, &source));
    ddaebm_context_free(context); /* the set holds it */
    ck_assert_uint_eq(ddaebm_dataset_width(dataset), 3);
    ddaebm_dataset_free(dataset);
    ck_assert_uint_eq(counted.live, 0);
}
END_TEST

/* Doubles stay what they are; as floats they are rounded, or refused by place. */
START_TEST(wide_numbers_keep_their_digits) {
    const double values[] = {1e9 + 0.25, 0.1, 1e9 + 0.5, -1e-200}, beyond[] = {1, 1e39};
    const size_t shape[] = {2, 2};
    const int64_t integers[] = {1700000001, 1700000002};
    double back[4];
    float rounded[4];
    char file[300] =
        "\x93NUMPY\1\0\x76\0{'descr': '<i8', 'fortran_order': False, 'shape': (2, 1), }";
    ASSERT_OK(ddaebm_array_write_npy_double(NULL, in_folder("a.npy"), values, 2, shape));
    put_text("a.csv", "x,y\n1000000000.25,0.1\n1000000000.5,-1e-200\n");
    for (int i = 0; i < 3; i++) {
        ddaebm_dataset *dataset = NULL;
        ASSERT_OK(i == 0
                      ? ddaebm_dataset_create_rows_double(&dataset, NULL, values, 2, 2)
                      : ddaebm_dataset_open(&dataset, NULL, in_folder(i == 1 ? "a.npy" : "a.csv")));
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 2, back));
        ck_assert_int_eq(memcmp(back, values, sizeof values), 0);
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 1, 1, back));
        ck_assert_int_eq(memcmp(back, values + 2, 2 * sizeof *values), 0);
        ASSERT_OK(ddaebm_dataset_read(dataset, 0, 2, rounded));
        ck_assert(rounded[0] == 1e9f && rounded[1] == 0.1f);
        ASSERT_FAILS(ddaebm_dataset_read_double(dataset, 1, 2, back), DDAEBM_OUT_OF_RANGE,
                     "a set of 2");
        ASSERT_FAILS(ddaebm_dataset_read_double(dataset, 0, 1, NULL), DDAEBM_INVALID_ARGUMENT,
                     "out");
        ddaebm_dataset_free(dataset);
    }

    ddaebm_dataset *dataset = NULL;
    memset(file + strlen(file + 10) + 10, ' ', 128 - 10 - strlen(file + 10));
    file[127] = '\n';
    memcpy(file + 128, integers, sizeof integers);
    put_file(in_folder("i.npy"), file, 128 + sizeof integers);
    ASSERT_OK(ddaebm_dataset_open(&dataset, NULL, in_folder("i.npy")));
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 2, back));
    ck_assert(back[0] == 1700000001 && back[1] == 1700000002);
    ddaebm_dataset_free(dataset);

    ASSERT_OK(ddaebm_dataset_create_rows_double(&dataset, NULL, beyond, 2, 1));
    ASSERT_OK(ddaebm_dataset_read(dataset, 0, 1, rounded));
    ASSERT_FAILS(ddaebm_dataset_read(dataset, 0, 2, rounded), DDAEBM_OUT_OF_RANGE,
                 "row 2, column 1 (both from 1) is 1e+39, beyond 32-bit numbers: use "
                 "ddaebm_dataset_read_double");
    ddaebm_dataset_free(dataset);
    ASSERT_OK(
        ddaebm_dataset_create_named(&dataset, NULL, "moons", 3)); /* floats are widened in place */
    ASSERT_OK(ddaebm_dataset_read_double(dataset, 5, 2, back));
    ASSERT_OK(ddaebm_dataset_read(dataset, 5, 2, rounded));
    for (size_t i = 0; i < 4; i++)
        ck_assert(back[i] == (double)rounded[i]);
    ddaebm_dataset_free(dataset);
    dataset = NULL;
    const double wild[] = {1, INFINITY};
    ASSERT_FAILS(ddaebm_dataset_create_rows_double(&dataset, NULL, wild, 1, 2), DDAEBM_NOT_FINITE,
                 "row 1, column 2");
    ASSERT_FAILS(ddaebm_dataset_create_rows_double(&dataset, NULL, NULL, 1, 2),
                 DDAEBM_INVALID_ARGUMENT, "rows");
    ck_assert_ptr_null(dataset);
}
END_TEST

static ddaebm_status open_with(ddaebm_dataset **out, const char *path, ddaebm_header header,
                               const char *columns, const char *drop) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.header = header;
    options.columns = columns;
    options.drop = drop;
    return ddaebm_dataset_open_with(out, context, path, &options);
}

/* Of arrays by number, of whichever type; of images not at all. */
START_TEST(columns_of_tables_are_chosen) {
    const double doubles[] = {1, 2, 3, 4, 5, 6};
    const float floats[] = {1, 2, 3, 4, 5, 6};
    const size_t shape[] = {2, 3};
    const uint8_t bytes[24] = {0};
    uint8_t file[100];
    open_context(2);
    ASSERT_OK(ddaebm_array_write_npy_double(NULL, in_folder("d.npy"), doubles, 2, shape));
    ASSERT_OK(ddaebm_array_write_npy(NULL, in_folder("f.npy"), floats, 2, shape));
    put_text("t.csv", "a,b,c\n1,2,3\n4,5,6\n");
    static const char *const names[] = {"d.npy", "f.npy", "t.csv"};
    ddaebm_dataset *dataset = NULL;
    double back[4];
    for (size_t i = 0; i < 3; i++) {
        SWEEP_ALLOCATIONS(
            counted, dataset,
            open_with(&dataset, in_folder(names[i]), DDAEBM_HEADER_AUTO, "3,1-2", "2"));
        ck_assert_uint_eq(ddaebm_dataset_width(dataset), 2);
        ASSERT_OK(ddaebm_dataset_read_double(dataset, 0, 2, back));
        ck_assert(back[0] == 3 && back[1] == 1 && back[2] == 6 && back[3] == 4);
        const char *name = ddaebm_dataset_column_name(dataset, 0);
        ck_assert(i == 2 ? strcmp(name, "c") == 0 : !name);
        ddaebm_dataset_free(dataset);
        dataset = NULL;
    }
    ASSERT_FAILS(open_with(&dataset, in_folder("f.npy"), DDAEBM_HEADER_AUTO, "a", NULL),
                 DDAEBM_NOT_FOUND,
                 "f.npy: --columns: no column is named 'a': the table has no names");
    ASSERT_FAILS(open_with(&dataset, in_folder("f.npy"), DDAEBM_HEADER_NO, NULL, NULL),
                 DDAEBM_INVALID_ARGUMENT, "header is an option of CSV");
    put_file(in_folder("p"), file, compose_idx(file, 8, 3, (const uint32_t[]){2, 3, 4}, bytes, 24));
    ASSERT_FAILS(open_with(&dataset, in_folder("p"), DDAEBM_HEADER_AUTO, NULL, "1"),
                 DDAEBM_INVALID_ARGUMENT, "drop is an option of tables");
    ck_assert_ptr_null(dataset);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("dataset", named_sets_are_unbounded, files_are_told_by_their_content,
                     bad_files_are_refused_by_name, arrays_are_copied, sources_are_called,
                     bad_sources_are_refused, images_are_told_by_their_content, floats_are_images,
                     files_of_images_can_be_wrong, folders_are_opened, names_of_files_hardly_matter,
                     a_missing_package_is_named, a_folder_that_cannot_be_read_is_refused,
                     the_named_images_are_a_package, arrays_of_images_are_copied,
                     wide_numbers_keep_their_digits, columns_of_tables_are_chosen,
                     memory_may_run_out);
}
