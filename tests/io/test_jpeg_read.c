#define _GNU_SOURCE
#include "base/context.h"
#include "io/jpeg_read.h"
#include "support/counted.h"
#include "support/images_small.h"

#ifdef DDAEBM_HAVE_JPEG

#include <jpeglib.h>

enum { WIDTH = 24, HEIGHT = 17, ROOM = 1 << 16 };

/* How a file is written. */
typedef struct style {
    J_COLOR_SPACE input, file;
    int channels;
    bool progressive, restarts;
    bool in_scans; /* 127 of them: each coefficient in two */
} style;

static const style grey = {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, false, false, false},
                   colour = {JCS_RGB, JCS_YCbCr, 3, false, false, false};

/* One scan for the means, then two for each of the 63 other coefficients. */
static void choose_scans(struct jpeg_compress_struct *jpeg) {
    static jpeg_scan_info scans[127];
    for (int i = 0; i < 127; i++) {
        const int at = i == 0 ? 0 : 1 + (i - 1) / 2, second = i > 0 && i % 2 == 0;
        scans[i] = (jpeg_scan_info){
            .comps_in_scan = 1, .Ss = at, .Se = at, .Ah = second, .Al = i == 0 || second ? 0 : 1};
    }
    jpeg->scan_info = scans;
    jpeg->num_scans = 127;
}

/* Writes an image of the best quality; the file's size. */
static size_t write_jpeg(uint8_t file[ROOM], const style *how, const uint8_t *pixels,
                         unsigned width, unsigned height) {
    struct jpeg_compress_struct jpeg = {
        .err = NULL}; /* in whole, for the memory sanitiser does not see libjpeg write */
    struct jpeg_error_mgr errors = {.error_exit = NULL};
    unsigned char *out = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &size);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = how->channels;
    jpeg.in_color_space = how->input;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, how->file);
    jpeg_set_quality(&jpeg, 100, TRUE);
    for (int i = 0; i < jpeg.num_components; i++)
        jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    if (how->progressive)
        jpeg_simple_progression(&jpeg);
    if (how->in_scans)
        choose_scans(&jpeg);
    jpeg.restart_in_rows = how->restarts ? 1 : 0;
    jpeg_start_compress(&jpeg, TRUE);
    for (unsigned y = 0; y < height; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)y * width * (size_t)how->channels);
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ck_assert_uint_le(size, ROOM);
    memcpy(file, out, size);
    free(out);
    return size;
}

/* Smooth, so that little is lost. */
static void fill_smooth(uint8_t *pixels, int channels) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < channels; c++)
                pixels[(y * WIDTH + x) * channels + c] =
                    (uint8_t)(20 + 8 * x + 3 * y - 5 * c * (c == 1 ? x : y) / 4);
}

static ddaebm_status parse(dd_images *out, const uint8_t *file, size_t size) {
    uint8_t *exact = exact_copy(file, size);
    ddaebm_status status = dd_jpeg_parse(out, context, exact, size, DD_MOST_WIDTH);
    free(exact);
    return status;
}

static ddaebm_status parse_and_drop(const uint8_t *file, size_t size) {
    dd_images out = {.block = NULL};
    ddaebm_status status = parse(&out, file, size);
    dd_free(context, out.block);
    return status;
}

START_TEST(pixels_come_back) {
    static const style styles[] = {{JCS_GRAYSCALE, JCS_GRAYSCALE, 1, false, false, false},
                                   {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, true, true, false},
                                   {JCS_RGB, JCS_YCbCr, 3, false, true, false},
                                   {JCS_RGB, JCS_YCbCr, 3, true, false, false},
                                   {JCS_RGB, JCS_RGB, 3, false, false, false}};
    static uint8_t file[ROOM], pixels[3 * WIDTH * HEIGHT];
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const size_t channels = (size_t)styles[i].channels;
        dd_images out = {.block = NULL};
        fill_smooth(pixels, styles[i].channels);
        size_t size = write_jpeg(file, &styles[i], pixels, WIDTH, HEIGHT);
        ck_assert(dd_jpeg_recognise(file, size));
        SWEEP_ALLOCATIONS(counted, out.block, parse(&out, file, size));
        ck_assert(out.count == 1 && out.shape.height == HEIGHT && out.shape.width == WIDTH &&
                  out.shape.channels == channels);
        ck_assert_uint_eq(out.surplus, 0);
        for (size_t j = 0; j < channels * WIDTH * HEIGHT; j++)
            ck_assert_msg(abs(out.pixels[j] - pixels[j]) <= 3, "style %zu: [%zu] is %u, not %u", i,
                          j, out.pixels[j], pixels[j]);
        dd_free(context, out.block);
    }
}
END_TEST

START_TEST(what_follows_the_end_is_counted) {
    static uint8_t file[ROOM], pixels[WIDTH * HEIGHT];
    dd_images out = {.block = NULL};
    fill_smooth(pixels, 1);
    size_t size = write_jpeg(file, &grey, pixels, WIDTH, HEIGHT);
    memcpy(file + size, "\0\0more", 6);
    ASSERT_OK(parse(&out, file, size + 6));
    ck_assert_uint_eq(out.surplus, 6);
    dd_free(context, out.block);
}
END_TEST

/* libjpeg would give grey pixels for what is missing, and warn. */
START_TEST(damage_is_refused) {
    static uint8_t file[ROOM], pixels[3 * WIDTH * HEIGHT];
    for (int progressive = 0; progressive < 2; progressive++) {
        style how = colour;
        how.progressive = progressive;
        how.restarts = true;
        fill_smooth(pixels, 3);
        size_t size = write_jpeg(file, &how, pixels, WIDTH, HEIGHT);
        for (size_t cut = 0; cut < size; cut++) {
            ck_assert_msg(parse_and_drop(file, cut) == DDAEBM_FORMAT, "%zu of %zu bytes", cut,
                          size);
            ck_assert_ptr_null(strchr(ddaebm_error_message(), '\n'));
        }
        for (size_t at = 0; at < size; at++) { /* a change may give other pixels, never a crash */
            file[at] ^= 0x24;
            ddaebm_status status = parse_and_drop(file, size);
            ck_assert(status == DDAEBM_OK || status == DDAEBM_FORMAT ||
                      status == DDAEBM_UNSUPPORTED || status == DDAEBM_OUT_OF_RANGE);
            file[at] ^= 0x24;
        }
    }
    ASSERT_FAILS(parse_and_drop((const uint8_t *)"\x89PNG", 4), DDAEBM_FORMAT,
                 "does not begin as a JPEG file does");
    ASSERT_FAILS(parse_and_drop((const uint8_t *)"\xFF\xD8\xFF\xD9", 4), DDAEBM_FORMAT,
                 "damaged or cut off");
}
END_TEST

START_TEST(colours_for_printing_are_refused) {
    static const style styles[] = {{JCS_CMYK, JCS_CMYK, 4, false, false, false},
                                   {JCS_CMYK, JCS_YCCK, 4, false, false, false}};
    static uint8_t file[ROOM], pixels[4 * WIDTH * HEIGHT];
    for (size_t i = 0; i < 2; i++) {
        fill_smooth(pixels, 4);
        size_t size = write_jpeg(file, &styles[i], pixels, WIDTH, HEIGHT);
        ASSERT_FAILS(parse_and_drop(file, size), DDAEBM_UNSUPPORTED, "CMYK");
    }
    static const style unknown = {JCS_UNKNOWN, JCS_UNKNOWN, 2, false, false, false};
    fill_smooth(pixels, 2);
    size_t size = write_jpeg(file, &unknown, pixels, WIDTH, HEIGHT);
    ASSERT_FAILS(parse_and_drop(file, size), DDAEBM_UNSUPPORTED, "2 channels");
}
END_TEST

/* The place of the header's height, behind its marker, length and precision. */
static size_t find_height(const uint8_t *file, size_t size) {
    for (size_t at = 2; at + 9 < size; at++)
        if (file[at] == 0xFF && file[at + 1] == 0xC0)
            return at + 5;
    ck_abort_msg("no header");
}

START_TEST(a_claim_of_size_costs_nothing) {
    static uint8_t file[ROOM], pixels[3 * WIDTH * HEIGHT];
    dd_images out = {.block = NULL};
    fill_smooth(pixels, 3);
    size_t size = write_jpeg(file, &colour, pixels, WIDTH, HEIGHT), at = find_height(file, size);
    memcpy(file + at, (uint8_t[]){0xFF, 0xDC, 0xFF, 0xDC}, 4);
    counted.most = counted.bytes;
    ASSERT_FAILS(parse_and_drop(file, size), DDAEBM_OUT_OF_RANGE,
                 "65500 x 65500 x 3 hold more than 1048576 numbers; --resize S");
    ASSERT_FAILS(dd_jpeg_parse(&out, context, file, size, DD_MOST_TO_RESIZE), DDAEBM_OUT_OF_RANGE,
                 "more than 134217728 numbers");
    ck_assert_uint_lt(counted.most, 1 << 16);
    ck_assert_ptr_null(out.block);
}
END_TEST

/* Each scan is a pass over the image: a file of many small ones could keep a reader busy for hours.
 */
START_TEST(scans_are_limited) {
    static uint8_t file[ROOM], pixels[WIDTH * HEIGHT];
    style how = grey;
    how.in_scans = true;
    fill_smooth(pixels, 1);
    size_t size = write_jpeg(file, &how, pixels, WIDTH, HEIGHT);
    ASSERT_FAILS(parse_and_drop(file, size), DDAEBM_OUT_OF_RANGE, "more than 100 scans");
}
END_TEST

START_TEST(three_bytes_tell_jpeg) {
    ck_assert(dd_jpeg_recognise("\xFF\xD8\xFF", 3));
    ck_assert(!dd_jpeg_recognise("\xFF\xD8\xFF", 2));
    ck_assert(!dd_jpeg_recognise("\xFF\xD8\xFE", 3));
    ck_assert(!dd_jpeg_recognise("\x89PN", 3));
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("jpeg_read", pixels_come_back, what_follows_the_end_is_counted,
                     damage_is_refused, colours_for_printing_are_refused,
                     a_claim_of_size_costs_nothing, scans_are_limited, three_bytes_tell_jpeg);
}

#else

START_TEST(a_build_without_libjpeg_says_so) {
    dd_images out = {.block = NULL};
    ASSERT_FAILS(dd_jpeg_parse(&out, context, "\xFF\xD8\xFF", 3, DD_MOST_WIDTH), DDAEBM_UNSUPPORTED,
                 "libjpeg");
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("jpeg_read", a_build_without_libjpeg_says_so);
}

#endif
