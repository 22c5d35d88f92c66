#define _GNU_SOURCE
#include "support/counted.h"

#ifdef DDAEBM_HAVE_PNG
#include <png.h>
#endif

/* A build without libpng says so, and that is all there is to test. */
static bool without_png(void) {
    const uint8_t pixel = 1;
    if (ddaebm_array_write_png(NULL, "/dev/null", &pixel, 1, 1, 1) != DDAEBM_UNSUPPORTED)
        return false;
    ck_assert_ptr_nonnull(strstr(ddaebm_error_message(), "libpng"));
    return true;
}

static void fill(uint8_t *pixels, size_t count) {
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(state >> 24);
    }
}

START_TEST(pixels_survive) {
    if (without_png())
        return;
    for (size_t channels = 1; channels <= 3; channels += 2) {
        enum { HEIGHT = 61, WIDTH = 97 };
        static uint8_t pixels[HEIGHT * WIDTH * 3], back[HEIGHT * WIDTH * 3];
        fill(pixels, sizeof pixels);
        ASSERT_OK(
            ddaebm_array_write_png(NULL, in_folder("a.png"), pixels, HEIGHT, WIDTH, channels));
        ck_assert_uint_eq(entries_in_folder(), 1);
        uint8_t start[8];
        ck_assert_uint_eq(get_file(in_folder("a.png"), start, 8), 8);
        ck_assert_int_eq(memcmp(start, "\x89PNG\r\n\x1A\n", 8), 0);
#ifdef DDAEBM_HAVE_PNG
        png_image image = {.version = PNG_IMAGE_VERSION};
        ck_assert_int_ne(png_image_begin_read_from_file(&image, in_folder("a.png")), 0);
        ck_assert_uint_eq(image.width, WIDTH);
        ck_assert_uint_eq(image.height, HEIGHT);
        image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
        ck_assert_int_ne(png_image_finish_read(&image, NULL, back, 0, NULL), 0);
        ck_assert_int_eq(memcmp(back, pixels, HEIGHT * WIDTH * channels), 0);
#else
        (void)back;
#endif
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_refused) {
    const uint8_t pixel[3] = {1, 2, 3};
    const char *path = in_folder("a.png");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, NULL, pixel, 1, 1, 1), DDAEBM_INVALID_ARGUMENT,
                 "path");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, NULL, 1, 1, 1), DDAEBM_INVALID_ARGUMENT,
                 "pixels");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, pixel, 0, 1, 1), DDAEBM_OUT_OF_RANGE,
                 "1 pixels wide and 0 high");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, pixel, 1, 65536, 1), DDAEBM_OUT_OF_RANGE,
                 "65536 pixels wide");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, pixel, 65536, 1, 1), DDAEBM_OUT_OF_RANGE,
                 "65536 high");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, pixel, 1, 0, 1), DDAEBM_OUT_OF_RANGE,
                 "0 pixels wide and 1 high");
    ASSERT_FAILS(ddaebm_array_write_png(NULL, path, pixel, 1, 1, 2), DDAEBM_OUT_OF_RANGE,
                 "channels is 2");
    if (!without_png()) {
        ASSERT_FAILS(ddaebm_array_write_png(NULL, "/dev/full", pixel, 1, 1, 3), DDAEBM_IO,
                     "/dev/full");
        ASSERT_FAILS(ddaebm_array_write_png(NULL, in_folder("no/a.png"), pixel, 1, 1, 3), DDAEBM_IO,
                     "create it first");
    }
    ck_assert_uint_eq(entries_in_folder(), 0);
}
END_TEST

START_TEST(memory_may_run_out) {
    static uint8_t pixels[64 * 64];
    void *none = NULL;
    if (without_png())
        return;
    fill(pixels, sizeof pixels);
    open_context(2);
    SWEEP_ALLOCATIONS(counted, none,
                      ddaebm_array_write_png(context, in_folder("a.png"), pixels, 64, 64, 1));
    ck_assert_uint_eq(entries_in_folder(), 1);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("png", pixels_survive, what_cannot_be_written_is_refused, memory_may_run_out);
}
