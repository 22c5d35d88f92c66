#define _GNU_SOURCE
#include "base/context.h"
#include "io/resize.h"
#include "support/counted.h"
#include "support/images_small.h"

#include <math.h>

/* An image of one channel, the side that is asked for, and what it becomes, found by hand. */
static const struct {
    size_t height, width, side;
    uint8_t pixels[16], expected[16];
} rows[] = {
    {2, 2, 2, {1, 2, 3, 4}, {1, 2, 3, 4}}, /* as it is */
    {2, 2, 1, {1, 2, 3, 5}, {3}},          /* 11 / 4 = 2.75 */
    {2, 2, 1, {0, 1, 0, 1}, {1}},          /* halves up */
    {4,
     4,
     2,
     {1, 3, 0, 0, 5, 7, 0, 4, 9, 9, 100, 100, 9, 9, 200, 200},
     {4, 1, 9, 150}},                                          /* means of four */
    {3, 3, 2, {90, 0, 0, 0, 0, 0, 0, 0, 90}, {40, 0, 0, 40}},  /* 90 * 1 / 2.25 */
    {3, 3, 2, {0, 0, 0, 0, 90, 0, 0, 0, 0}, {10, 10, 10, 10}}, /* 90 * 0.25 / 2.25 */
    {3, 3, 2, {0, 90, 0, 0, 0, 0, 0, 0, 0}, {20, 20, 0, 0}},   /* 90 * 0.5 / 2.25 */
    {1, 1, 3, {9}, {0, 0, 0, 0, 9, 0, 0, 0, 0}},               /* borders */
    {1, 1, 2, {9}, {9, 0, 0, 0}},                              /* the smaller part first */
    {1, 3, 3, {7, 8, 9}, {0, 0, 0, 7, 8, 9, 0, 0, 0}},
    {2, 3, 3, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 0, 0, 0}},
    {3, 2, 3, {1, 2, 3, 4, 5, 6}, {1, 2, 0, 3, 4, 0, 5, 6, 0}},
    {2, 4, 2, {8, 8, 8, 8, 8, 8, 8, 8}, {4, 4, 4, 4}}, /* in the middle of 4 x 4, half black */
    {4, 2, 2, {8, 8, 8, 8, 8, 8, 8, 8}, {4, 4, 4, 4}},
    {1, 4, 2, {4, 8, 12, 16}, {3, 7, 0, 0}}, /* one line of 4 x 4, the second */
};

START_TEST(images_are_as_by_hand) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const dd_image_shape shape = {rows[i].height, rows[i].width, 1};
        uint8_t *image = exact_copy(rows[i].pixels, dd_image_numbers(shape)), out[16] = {0};
        float floats[16], back[16];
        for (size_t j = 0; j < dd_image_numbers(shape); j++)
            floats[j] = image[j] / 127.5f - 1;
        dd_resize_bytes(out, rows[i].side, image, shape);
        dd_resize_floats(back, rows[i].side, floats, shape);
        for (size_t j = 0; j < rows[i].side * rows[i].side; j++) {
            ck_assert_msg(out[j] == rows[i].expected[j], "row %zu: [%zu] is %u", i, j, out[j]);
            float level = (back[j] + 1) * 127.5f;
            ck_assert_msg(fabsf(level - rows[i].expected[j]) < 0.501f, "row %zu: [%zu] is %g", i, j,
                          (double)level);
        }
        free(image);
    }
}
END_TEST

/* Channels do not mix, and light is kept. */
START_TEST(channels_keep_apart) {
    const dd_image_shape shape = {5, 7, 3};
    float image[5 * 7 * 3], out[3 * 3 * 3];
    double before[3] = {0}, after[3] = {0};
    uint8_t bytes[sizeof image / sizeof *image];
    fill_bytes(bytes, sizeof bytes, 5);
    for (size_t i = 0; i < sizeof bytes; i++) {
        image[i] = bytes[i] / 127.5f - 1;
        before[i % 3] += (double)image[i] + 1;
    }
    dd_resize_floats(out, 3, image, shape);
    for (size_t i = 0; i < 27; i++)
        after[i % 3] += (double)out[i] + 1;
    for (size_t c = 0; c < 3; c++)
        ck_assert_msg(fabs(after[c] * 49 / 9 - before[c]) < 1e-5, "%zu: %g and %g", c,
                      after[c] * 49 / 9, before[c]);
}
END_TEST

START_TEST(floats_that_fit_are_kept) {
    const float image[] = {-1, 1e-30f, 0.1f, 1};
    float out[4];
    dd_resize_floats(out, 2, image, (dd_image_shape){2, 2, 1});
    ck_assert_mem_eq(out, image, sizeof out);
}
END_TEST

START_TEST(sets_are_resized) {
    uint8_t bytes[24];
    dd_images images = {.shape = {2, 3, 2}, .count = 2};
    dd_image_shape shape = images.shape;
    dd_rows floats = {.count = 2, .width = 12};
    void *none = NULL;
    open_context(1);
    fill_bytes(bytes, sizeof bytes, 1);
    images.block = images.pixels = dd_alloc(context, sizeof bytes);
    floats.values = dd_alloc(context, sizeof bytes * sizeof(float));
    memcpy(images.pixels, bytes, sizeof bytes);
    for (size_t i = 0; i < 24; i++)
        floats.values[i] = bytes[i] / 127.5f - 1;
    SWEEP_ALLOCATIONS(counted, none, dd_images_resize(&images, context, 3));
    SWEEP_ALLOCATIONS(counted, none, dd_rows_resize(&floats, &shape, context, 3));
    ck_assert(images.shape.height == 3 && images.shape.width == 3 && images.shape.channels == 2 &&
              images.count == 2);
    ck_assert(shape.height == 3 && shape.width == 3 && floats.width == 18 && floats.count == 2);
    for (size_t n = 0; n < 2; n++) {
        ck_assert_mem_eq(images.pixels + 18 * n, bytes + 12 * n, 12);
        for (size_t i = 0; i < 18; i++)
            ck_assert(floats.values[18 * n + i] == images.pixels[18 * n + i] / 127.5f - 1);
    }
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 100));
    ASSERT_FAILS(dd_images_resize(&images, context, 100), DDAEBM_OUT_OF_RANGE, "bytes allowed");
    ASSERT_FAILS(dd_rows_resize(&floats, &shape, context, 100), DDAEBM_OUT_OF_RANGE,
                 "bytes allowed");
    ASSERT_FAILS(dd_images_resize(&images, context, 1024), DDAEBM_OUT_OF_RANGE,
                 "hold more than 1048576 numbers");
    ck_assert(images.shape.height == 3 && floats.width == 18);
    dd_free(context, images.block);
    dd_free(context, floats.values);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("resize", images_are_as_by_hand, channels_keep_apart, floats_that_fit_are_kept,
                     sets_are_resized);
}
