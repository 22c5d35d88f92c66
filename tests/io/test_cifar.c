#define _GNU_SOURCE
#include "base/context.h"
#include "io/cifar.h"
#include "support/counted.h"
#include "support/images_small.h"

enum { RECORD = 3073, PLANE = 1024, RECORDS = 3 };

static uint8_t batch[RECORDS * RECORD];

static void make_batch(uint32_t seed) {
    fill_bytes(batch, sizeof batch, seed);
    for (size_t i = 0; i < RECORDS; i++)
        batch[i * RECORD] = (uint8_t)(4 + 5 * (i == 1));
}

static void assert_images(const uint8_t *pixels, const uint8_t *records) {
    for (size_t i = 0; i < RECORDS; i++)
        for (size_t at = 0; at < PLANE; at++)
            for (size_t c = 0; c < 3; c++)
                ck_assert_uint_eq(pixels[(i * PLANE + at) * 3 + c],
                                  records[i * RECORD + 1 + c * PLANE + at]);
}

START_TEST(planes_become_pixels) {
    dd_images out = {.count = 0};
    make_batch(1);
    ck_assert(dd_cifar_recognise(batch, sizeof batch));
    ASSERT_OK(dd_cifar_parse(&out, context, batch, sizeof batch));
    ck_assert(out.count == RECORDS && out.shape.height == 32 && out.shape.width == 32 &&
              out.shape.channels == 3);
    assert_images(out.pixels, batch);
    dd_free(context, out.block);
}
END_TEST

START_TEST(what_is_no_batch_is_refused) {
    dd_images out = {.count = 77};
    make_batch(1);
    ck_assert(!dd_cifar_recognise(batch, 0));
    ck_assert(!dd_cifar_recognise(batch, sizeof batch - 1));
    ASSERT_FAILS(dd_cifar_parse(&out, context, batch, sizeof batch - 1), DDAEBM_FORMAT,
                 "9218 bytes");
    ASSERT_FAILS(dd_cifar_parse(&out, context, batch, 0), DDAEBM_FORMAT, "0 bytes");
    batch[2 * RECORD] = 10;
    ck_assert(!dd_cifar_recognise(batch, sizeof batch));
    ASSERT_FAILS(dd_cifar_parse(&out, context, batch, sizeof batch), DDAEBM_FORMAT,
                 "record 3 (from 1) of the CIFAR-10 batch has label 10");
    ck_assert_uint_eq(out.count, 77);
}
END_TEST

START_TEST(a_folder_is_read_in_order) {
    static uint8_t first[sizeof batch];
    dd_images out = {.block = NULL};
    dd_names names = {NULL, 0, 0};
    make_batch(2);
    put_file(in_folder("data_batch_2.bin"), batch, sizeof batch);
    make_batch(1);
    memcpy(first, batch, sizeof batch);
    put_file(in_folder("data_batch_1.bin"), batch, sizeof batch);
    put_file(in_folder("test_batch.bin"), "no", 2);
    ASSERT_OK(dd_folder_list(&names, context, folder, "data_batch_", ".bin"));
    ck_assert_uint_eq(names.count, 2);
    SWEEP_ALLOCATIONS(counted, out.block, dd_cifar_read_folder(&out, context, folder, &names));
    ck_assert_uint_eq(out.count, 2 * RECORDS);
    assert_images(out.pixels, first);
    make_batch(2);
    assert_images(out.pixels + RECORDS * 3 * PLANE, batch);
    dd_free(context, out.block);
    put_file(in_folder("data_batch_2.bin"), batch, RECORD + 5);
    ASSERT_FAILS(dd_cifar_read_folder(&out, context, folder, &names), DDAEBM_FORMAT,
                 "data_batch_2.bin: it has 3078 bytes");
    dd_names_free(&names, context);
}
END_TEST

/* A pipe without a writer would be waited for, for ever; a device may have no end. */
START_TEST(what_is_no_plain_file_is_not_waited_for) {
    ddaebm_dataset *dataset = NULL;
    ck_assert_int_eq(mkfifo(in_folder("data_batch_1.bin"), 0600), 0);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, folder), DDAEBM_IO,
                 "data_batch_1.bin: it is no plain file");
    ck_assert_int_eq(unlink(in_folder("data_batch_1.bin")), 0);
    ck_assert_int_eq(symlink("/dev/zero", in_folder("data_batch_1.bin")), 0);
    ASSERT_FAILS(ddaebm_dataset_open(&dataset, context, folder), DDAEBM_IO,
                 "data_batch_1.bin: it is no plain file");
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("cifar", planes_become_pixels, what_is_no_batch_is_refused,
                     a_folder_is_read_in_order, what_is_no_plain_file_is_not_waited_for);
}
