#define _GNU_SOURCE
#include "io/idx.h"
#include "support/images_small.h"

enum { ROOM = 256 };

static const size_t MOST = (size_t)1 << 32; /* bytes of images */

static ddaebm_status parse(dd_images *out, unsigned type, unsigned rank, const uint32_t *axes,
                           size_t bytes) {
    uint8_t file[ROOM], pixels[ROOM];
    fill_bytes(pixels, sizeof pixels, 1);
    size_t size = compose_idx(file, type, rank, axes, pixels, bytes);
    uint8_t *exact = exact_copy(file, size);
    dd_image_shape shape = {axes[1], axes[2], rank == 4 ? axes[3] : 1};
    ddaebm_status status = dd_idx_parse(out, exact, size, MOST, shape);
    if (status != DDAEBM_OK)
        free(exact);
    return status;
}

START_TEST(images_are_read_in_place) {
    uint8_t pixels[ROOM];
    const uint32_t grey[] = {3, 2, 5}, colour[] = {2, 2, 3, 3};
    dd_images out = {.count = 0};
    fill_bytes(pixels, sizeof pixels, 1);
    ASSERT_OK(parse(&out, 8, 3, grey, 30));
    ck_assert(out.count == 3 && out.shape.height == 2 && out.shape.width == 5 &&
              out.shape.channels == 1);
    ck_assert_int_eq(memcmp(out.pixels, pixels, 30), 0);
    float numbers[20];
    dd_images_read(&out, 1, 2, numbers);
    for (size_t i = 0; i < 20; i++)
        ck_assert(numbers[i] == (float)pixels[10 + i] / 127.5f - 1);
    free(out.block);
    ASSERT_OK(parse(&out, 8, 4, colour, 36));
    ck_assert(out.count == 2 && out.shape.height == 2 && out.shape.width == 3 &&
              out.shape.channels == 3);
    ck_assert_int_eq(memcmp(out.pixels, pixels, 36), 0);
    free(out.block);
}
END_TEST

START_TEST(bad_files_are_refused) {
    static const struct {
        unsigned type, rank;
        uint32_t axes[4];
        size_t bytes;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {8, 1, {30}, 30, DDAEBM_UNSUPPORTED, "labels"},
        {8, 2, {3, 10}, 30, DDAEBM_UNSUPPORTED, "two axes"},
        {13, 3, {1, 2, 2}, 16, DDAEBM_UNSUPPORTED, "type 13"},
        {8,
         3,
         {3, 2, 5},
         29,
         DDAEBM_FORMAT,
         "cut off: its header asks for 30 bytes of pixels, the file has 29"},
        {8,
         3,
         {3, 2, 5},
         31,
         DDAEBM_FORMAT,
         "too long: its header asks for 30 bytes of pixels, the file has 31"},
        {8, 3, {0, 2, 5}, 0, DDAEBM_FORMAT, "empty"},
        {8, 3, {3, 2, 0}, 0, DDAEBM_FORMAT, "empty"},
        {8, 4, {3, 2, 5, 0}, 0, DDAEBM_OUT_OF_RANGE, "0 channels; allowed: 1 to 4"},
        {8, 4, {3, 2, 1, 5}, 30, DDAEBM_OUT_OF_RANGE, "5 channels; allowed: 1 to 4"},
        {8, 3, {1, 1025, 1024}, 0, DDAEBM_OUT_OF_RANGE, "1048576"},
        {8, 3, {1, 0xFFFFFFFF, 0xFFFFFFFF}, 0, DDAEBM_OUT_OF_RANGE, "1048576"},
        {8, 4, {1, 0xFFFFFFFF, 0xFFFFFFFF, 4}, 0, DDAEBM_OUT_OF_RANGE, "1048576"},
        {8, 3, {0xFFFFFFFF, 1024, 1024}, 0, DDAEBM_OUT_OF_RANGE, "bytes allowed"},
        {8, 5, {1, 1, 1, 1}, 1, DDAEBM_FORMAT, "does not begin"},
        {8, 0, {1}, 1, DDAEBM_FORMAT, "does not begin"},
        {15, 3, {1, 1, 1}, 1, DDAEBM_FORMAT, "does not begin"},
        {7, 3, {1, 1, 1}, 1, DDAEBM_FORMAT, "does not begin"},
        {8, 3, {3, 0, 5}, 0, DDAEBM_FORMAT, "empty"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_images out = {.count = 77};
        ASSERT_FAILS(parse(&out, rows[i].type, rows[i].rank, rows[i].axes, rows[i].bytes),
                     rows[i].status, rows[i].why);
        ck_assert_uint_eq(out.count, 77);
    }
}
END_TEST

START_TEST(every_cut_is_refused) {
    uint8_t file[ROOM], pixels[30];
    const uint32_t axes[] = {3, 2, 5};
    fill_bytes(pixels, sizeof pixels, 1);
    size_t size = compose_idx(file, 8, 3, axes, pixels, sizeof pixels);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = exact_copy(file, cut);
        dd_images out = {.count = 77};
        ck_assert_int_eq(dd_idx_parse(&out, part, cut, MOST, (dd_image_shape){2, 5, 1}),
                         DDAEBM_FORMAT);
        free(part);
    }
}
END_TEST

START_TEST(it_begins_with_two_zeros) {
    ck_assert(dd_idx_recognise("\0\0\10\3", 4));
    ck_assert(!dd_idx_recognise("\1\0\10\3", 4));
    ck_assert(!dd_idx_recognise("\0\1\10\3", 4));
    ck_assert(!dd_idx_recognise("\0\0\10\3", 3));
}
END_TEST

int main(void) {
    return RUN_TESTS("idx", images_are_read_in_place, bad_files_are_refused, every_cut_is_refused,
                     it_begins_with_two_zeros);
}
