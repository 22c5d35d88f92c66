/* Data sets of images: files, folders, packages and arrays. */
#define _GNU_SOURCE
#include "io/dataset.h"
#include "support/counted.h"
#include "support/faults.h"
#include "support/images_small.h"

#include <errno.h>
#include <stdint.h>

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

/* Opens a file of two images of 3 x 4 x channels and compares them with the bytes. */
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

START_TEST(images_are_recognised_by_their_content) {
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

/* Arrays of images are images, or are refused; tests/io/test_content.c has the rules. */
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
    values[14] = 1.0625f; /* as a sample may have it, but no training image */
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
START_TEST(the_content_counts_rather_than_the_name) {
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

int main(void) {
    return RUN_TESTS("io/dataset images", images_are_recognised_by_their_content, floats_are_images,
                     files_of_images_can_be_wrong, folders_are_opened,
                     the_content_counts_rather_than_the_name, a_missing_package_is_named,
                     the_named_images_are_a_package, arrays_of_images_are_copied);
}
