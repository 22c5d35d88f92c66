#define _GNU_SOURCE
#include "base/context.h"
#include "base/crc32.h"
#include "io/png_read.h"
#include "support/counted.h"
#include "support/images_small.h"

#ifdef DDAEBM_HAVE_PNG

#include <png.h>

enum { WIDTH = 11, HEIGHT = 9, PIXELS = WIDTH * HEIGHT, ROOM = 8 * PIXELS };

static void write_png_of(const char *path, uint32_t height, int colour, int depth, int interlace,
                         const uint8_t *data, size_t line) {
    static const png_color palette[] = {{1, 2, 3}, {40, 50, 60}, {255, 0, 7}, {9, 9, 9}};
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep lines[HEIGHT];
    for (size_t y = 0; y < height; y++)
        lines[y] = (png_bytep)(uintptr_t)(data + y * line);
    ck_assert_int_eq(setjmp(png_jmpbuf(png)), 0);
    png_init_io(png, file);
    png_set_IHDR(png, info, WIDTH, height, depth, colour, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 4);
    png_write_info(png, info);
    png_write_image(png, lines);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void write_png(const char *path, int colour, int depth, int interlace, const uint8_t *data,
                      size_t line) {
    write_png_of(path, HEIGHT, colour, depth, interlace, data, line);
}

static ddaebm_status parse(dd_images *out, const char *path) {
    static uint8_t file[1 << 16];
    size_t size = get_file(path, file, sizeof file);
    uint8_t *exact = exact_copy(file, size);
    ddaebm_status status = dd_png_parse(out, context, exact, size, DD_MOST_WIDTH);
    free(exact);
    return status;
}

/* Reads a file back: its pixels must be those expected. */
static void assert_read(const char *path, size_t channels, const uint8_t *expected) {
    dd_images out = {.block = NULL};
    ck_assert_msg(parse(&out, path) == DDAEBM_OK, "%s", ddaebm_error_message());
    ck_assert(out.count == 1 && out.shape.height == HEIGHT && out.shape.width == WIDTH);
    ck_assert_uint_eq(out.shape.channels, channels);
    for (size_t i = 0; i < PIXELS * channels; i++)
        ck_assert_msg(out.pixels[i] == expected[i], "[%zu] is %u, not %u", i, out.pixels[i],
                      expected[i]);
    dd_free(context, out.block);
}

START_TEST(eight_bits_are_kept) {
    uint8_t data[ROOM];
    fill_bytes(data, sizeof data, 1);
    const char *path = in_folder("a.png");
    for (int interlace = PNG_INTERLACE_NONE; interlace <= PNG_INTERLACE_ADAM7; interlace++) {
        write_png(path, PNG_COLOR_TYPE_GRAY, 8, interlace, data, WIDTH);
        assert_read(path, 1, data);
        write_png(path, PNG_COLOR_TYPE_RGB, 8, interlace, data, 3 * WIDTH);
        assert_read(path, 3, data);
    }
}
END_TEST

/* 16 bits to the nearest of 8, one bit to black and white, palettes to their colours. */
START_TEST(other_depths_become_eight_bits) {
    uint8_t data[ROOM], expected[ROOM];
    fill_bytes(data, sizeof data, 1);
    const char *path = in_folder("a.png");
    for (size_t i = 0; i < 3 * PIXELS; i++)
        expected[i] = (uint8_t)((data[2 * i] * 256u + data[2 * i + 1]) / 257.0 + 0.5);
    write_png(path, PNG_COLOR_TYPE_RGB, 16, PNG_INTERLACE_NONE, data, 6 * WIDTH);
    assert_read(path, 3, expected);
    write_png(path, PNG_COLOR_TYPE_GRAY, 16, PNG_INTERLACE_ADAM7, data, 2 * WIDTH);
    assert_read(path, 1, expected);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++)
            expected[y * WIDTH + x] = data[y * 2 + x / 8] >> (7 - x % 8) & 1 ? 255 : 0;
    write_png(path, PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, data, 2);
    assert_read(path, 1, expected);
    static const uint8_t palette[] = {1, 2, 3, 40, 50, 60, 255, 0, 7, 9, 9, 9};
    for (size_t i = 0; i < PIXELS; i++) {
        data[i] &= 3;
        memcpy(expected + 3 * i, palette + 3 * data[i], 3);
    }
    write_png(path, PNG_COLOR_TYPE_PALETTE, 8, PNG_INTERLACE_NONE, data, WIDTH);
    assert_read(path, 3, expected);
}
END_TEST

START_TEST(transparent_pixels_lie_over_black) {
    uint8_t data[ROOM], expected[ROOM];
    const char *path = in_folder("a.png");
    for (size_t channels = 1; channels <= 3; channels += 2) {
        fill_bytes(data, sizeof data, 1);
        data[channels] = 255;
        data[2 * channels + 1] = 0;
        for (size_t i = 0; i < PIXELS; i++)
            for (size_t c = 0; c < channels; c++)
                expected[i * channels + c] =
                    (uint8_t)(data[i * (channels + 1) + c] *
                                  (double)data[i * (channels + 1) + channels] / 255 +
                              0.5);
        ck_assert(expected[0] == data[0] && expected[channels] == 0);
        int colour = channels == 1 ? PNG_COLOR_TYPE_GRAY_ALPHA : PNG_COLOR_TYPE_RGB_ALPHA;
        write_png(path, colour, 8, PNG_INTERLACE_NONE, data, (channels + 1) * WIDTH);
        assert_read(path, channels, expected);
    }
}
END_TEST

/* Chunks that are passed over, of every kind that a reader may know: no room is made for what they
 * claim. */
START_TEST(a_claim_of_length_costs_nothing) {
    static const char *const names[] = {"tEXt", "zTXt", "iTXt", "iCCP", "eXIf", "sPLT",
                                        "pCAL", "sCAL", "hIST", "IDAT", "qqqq"};
    enum { HEADER = 8 + 25, MUCH = 1 << 20 };
    uint8_t data[ROOM], file[ROOM];
    dd_images out = {.count = 77};
    fill_bytes(data, sizeof data, 1);
    write_png(in_folder("a.png"), PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, data, 3 * WIDTH);
    size_t size = get_file(in_folder("a.png"), file, sizeof file);
    ck_assert_uint_gt(size, HEADER + 8);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        memcpy(file + HEADER, "\x7F\xFF\xFF\xFF", 4);
        memcpy(file + HEADER + 4, names[i], 4);
        counted.most = counted.bytes;
        ASSERT_FAILS(dd_png_parse(&out, context, file, size, DD_MOST_WIDTH), DDAEBM_FORMAT,
                     "damaged or cut off");
        ck_assert_uint_lt(counted.most, MUCH);
        ck_assert_uint_eq(out.count, 77);
    }
}
END_TEST

START_TEST(damage_is_refused) {
    uint8_t data[ROOM], file[4096];
    dd_images out = {.count = 77};
    fill_bytes(data, sizeof data, 1);
    write_png(in_folder("a.png"), PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, data, 3 * WIDTH);
    size_t size = get_file(in_folder("a.png"), file, sizeof file);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = exact_copy(file, cut);
        ck_assert_int_eq(dd_png_parse(&out, context, part, cut, DD_MOST_WIDTH), DDAEBM_FORMAT);
        free(part);
    }
    ASSERT_FAILS(dd_png_parse(&out, context, file, size - 20, DD_MOST_WIDTH), DDAEBM_FORMAT,
                 "damaged or cut off");
    for (size_t at = 8; at < size - 12; at++) { /* every chunk has a sum over its bytes */
        file[at] ^= 0x10;
        dd_images damaged = {.block = NULL};
        ck_assert_int_ne(dd_png_parse(&damaged, context, file, size, DD_MOST_WIDTH), DDAEBM_OK);
        file[at] ^= 0x10;
    }
    /* 65535 x 65535, with the sum over that header */
    static const uint8_t vast[] = {0, 0, 0xFF, 0xFF, 0,    0,    0xFF, 0xFF, 8,
                                   0, 0, 0,    0,    0x93, 0x6E, 0x86, 0x8C};
    memcpy(file + 16, vast, sizeof vast);
    ASSERT_FAILS(dd_png_parse(&out, context, file, size, DD_MOST_WIDTH), DDAEBM_OUT_OF_RANGE,
                 "65535 x 65535 x 1 hold more than 1048576 numbers");
    ck_assert_uint_eq(out.count, 77);
}
END_TEST

/* --- Chunks. --- */

enum { SIGNATURE = 8, FRAME = 12, HEADER_END = SIGNATURE + FRAME + 13 };

/* Puts a chunk in the place of `replaced` bytes; the new size. */
static size_t put_chunk(uint8_t *file, size_t size, size_t at, size_t replaced, const char *name,
                        const void *data, size_t length) {
    dd_crc32 sum;
    memmove(file + at + FRAME + length, file + at + replaced, size - at - replaced);
    memcpy(file + at,
           (uint8_t[]){(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                       (uint8_t)length},
           4);
    memcpy(file + at + 4, name, 4);
    memmove(file + at + 8, data, length);
    dd_crc32_begin(&sum);
    dd_crc32_add(&sum, file + at + 4, 4 + length);
    uint32_t value = dd_crc32_value(&sum);
    for (int i = 0; i < 4; i++)
        file[at + 8 + length + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
    return size - replaced + FRAME + length;
}

static ddaebm_status parse_copy(const uint8_t *file, size_t size) {
    dd_images out = {.block = NULL};
    uint8_t *exact = exact_copy(file, size);
    ddaebm_status status = dd_png_parse(&out, context, exact, size, DD_MOST_WIDTH);
    free(exact);
    dd_free(context, out.block);
    return status;
}

/* What libpng would warn of, and then go on with other pixels or without looking. */
START_TEST(what_is_not_understood_whole_is_refused) {
    uint8_t data[ROOM], file[ROOM], changed[ROOM];
    fill_bytes(data, sizeof data, 1);
    write_png(in_folder("a.png"), PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, data, 3 * WIDTH);
    size_t size = get_file(in_folder("a.png"), file, sizeof file / 2);
    static const struct {
        const char *name;
        size_t length;
    } rows[] = {{"tRNS", 6}, {"tEXt", 9}, {"iCCP", 20}, {"gAMA", 4}, {"quIt", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memcpy(changed, file, size);
        size_t longer = put_chunk(changed, size, HEADER_END, 0, rows[i].name,
                                  "\0\1\0\2\0\3..............", rows[i].length);
        ASSERT_OK(parse_copy(changed, longer)); /* nothing is asked of what is passed over */
        changed[HEADER_END + 8 + rows[i].length] ^= 1;
        ASSERT_FAILS(parse_copy(changed, longer), DDAEBM_FORMAT,
                     "CRC error"); /* but to be what was written */
    }
    memcpy(changed, file, size);
    memcpy(changed + size, "and so on", 9);
    dd_images out = {.block = NULL};
    ASSERT_OK(dd_png_parse(&out, context, changed, size + 9, DD_MOST_WIDTH));
    ck_assert_uint_eq(out.surplus, 9);
    dd_free(context, out.block);
    memcpy(changed, file, size);
    changed[SIGNATURE + 8 + 7] = HEIGHT - 1; /* a line of data too many */
    size_t same = put_chunk(changed, size, SIGNATURE, HEADER_END - SIGNATURE, "IHDR",
                            changed + SIGNATURE + 8, 13);
    ck_assert_uint_eq(same, size);
    ASSERT_FAILS(parse_copy(changed, size), DDAEBM_FORMAT, "damaged or cut off");
}
END_TEST

/* Whatever the lines and passes, the chunk in which the stream of data ends is the last that may
 * have any. */
START_TEST(data_end_with_the_last_line) {
    uint8_t file[ROOM], changed[ROOM];
    for (int interlace = PNG_INTERLACE_NONE; interlace <= PNG_INTERLACE_ADAM7; interlace++)
        for (uint8_t height = 1; height <= HEIGHT; height++) {
            uint8_t data[ROOM] = {0};
            write_png_of(in_folder("a.png"), height, PNG_COLOR_TYPE_RGB, 8, interlace, data,
                         3 * WIDTH);
            size_t size = get_file(in_folder("a.png"), file, sizeof file / 2), end = size - FRAME;
            memcpy(changed, file, size);
            size_t longer = put_chunk(changed, size, end, 0, "IDAT", "", 0);
            ASSERT_OK(parse_copy(changed, longer));
            longer = put_chunk(changed, longer, end + FRAME, 0, "tEXt", "a", 2);
            ASSERT_OK(parse_copy(changed, longer));
            longer = put_chunk(changed, longer, end + 2 * FRAME + 2, 0, "IDAT", "more", 4);
            ASSERT_FAILS(parse_copy(changed, longer), DDAEBM_FORMAT,
                         "more data follow its last line");
            memcpy(changed, file, size);
            longer = put_chunk(changed, size, end, 0, "IDAT", "more", 4);
            ASSERT_FAILS(parse_copy(changed, longer), DDAEBM_FORMAT,
                         "more data follow its last line");
        }
}
END_TEST

/* libpng's own limit is 8,000,000 bytes. */
START_TEST(what_is_passed_over_may_be_long) {
    enum { LONG = 9000000 };
    static const char *const names[] = {"tEXt", "iCCP", "eXIf", "prVw"};
    uint8_t data[ROOM], *file = malloc(ROOM + LONG + FRAME), *text = calloc(1, LONG);
    fill_bytes(data, sizeof data, 1);
    write_png(in_folder("a.png"), PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, data, 3 * WIDTH);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = get_file(in_folder("a.png"), file, ROOM);
        size = put_chunk(file, size, HEADER_END, 0, names[i], text, LONG);
        counted.most = counted.bytes;
        ASSERT_OK(parse_copy(file, size));
        ck_assert_uint_lt(counted.most, 1 << 20);
    }
    free(text);
    free(file);
}
END_TEST

START_TEST(a_palette_has_no_other_colours) {
    uint8_t data[ROOM], file[ROOM], expected[ROOM];
    dd_images out = {.block = NULL};
    for (size_t i = 0; i < PIXELS; i++)
        data[i] = (uint8_t)(i % 3);
    for (int depth = 4; depth <= 8; depth += 4) {
        uint8_t packed[ROOM];
        for (size_t y = 0; y < HEIGHT; y++)
            for (size_t x = 0; x < WIDTH; x += depth == 8 ? 1 : 2) {
                const uint8_t *pair = data + y * WIDTH + x;
                if (depth == 8)
                    packed[y * WIDTH + x] = *pair;
                else
                    packed[y * 6 + x / 2] = (uint8_t)(pair[0] << 4 | (x + 1 < WIDTH ? pair[1] : 0));
            }
        for (int interlace = PNG_INTERLACE_NONE; interlace <= PNG_INTERLACE_ADAM7; interlace++) {
            write_png(in_folder("a.png"), PNG_COLOR_TYPE_PALETTE, depth, interlace, packed,
                      depth == 8 ? WIDTH : 6);
            size_t size = get_file(in_folder("a.png"), file, sizeof file / 2);
            size = put_chunk(file, size, HEADER_END + FRAME + 12, 0, "tRNS", "\xFF\x80",
                             2); /* the second half seen */
            static const uint8_t seen[] = {1, 2, 3, 20, 25, 30, 255, 0, 7};
            for (size_t i = 0; i < PIXELS; i++)
                memcpy(expected + 3 * i, seen + 3 * data[i], 3);
            ASSERT_OK(dd_png_parse(&out, context, file, size, DD_MOST_WIDTH));
            ck_assert_mem_eq(out.pixels, expected, 3 * PIXELS);
            dd_free(context, out.block);
            size = put_chunk(file, size, HEADER_END, FRAME + 12, "PLTE", "abcdef",
                             6); /* and now two colours */
            ASSERT_FAILS(parse_copy(file, size), DDAEBM_FORMAT,
                         "its pixel 2 has colour 2 of a palette of 2");
        }
    }
}
END_TEST

START_TEST(a_claim_of_width_costs_nothing) {
    static const uint8_t header[] = {0, 0x10, 0, 0, 0, 0, 0, 1, 16, PNG_COLOR_TYPE_RGB_ALPHA,
                                     0, 0,    1};
    uint8_t data[ROOM], file[ROOM];
    fill_bytes(data, sizeof data, 1);
    write_png(in_folder("a.png"), PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, data, 3 * WIDTH);
    size_t size = get_file(in_folder("a.png"), file, sizeof file);
    (void)put_chunk(file, size, SIGNATURE, HEADER_END - SIGNATURE, "IHDR", header, sizeof header);
    counted.most = counted.bytes;
    ASSERT_FAILS(parse_copy(file, size), DDAEBM_OUT_OF_RANGE,
                 "1 x 1048576 x 3 hold more than 1048576 numbers");
    ck_assert_uint_lt(counted.most, 1 << 20);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("png_read", eight_bits_are_kept, other_depths_become_eight_bits,
                     transparent_pixels_lie_over_black, a_claim_of_length_costs_nothing,
                     damage_is_refused, what_is_not_understood_whole_is_refused,
                     data_end_with_the_last_line, what_is_passed_over_may_be_long,
                     a_palette_has_no_other_colours, a_claim_of_width_costs_nothing);
}

#else

START_TEST(a_build_without_libpng_says_so) {
    dd_images out = {.block = NULL};
    ASSERT_FAILS(dd_png_parse(&out, context, "\x89PNG\r\n\x1A\n", 8, DD_MOST_WIDTH),
                 DDAEBM_UNSUPPORTED, "libpng");
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("png_read", a_build_without_libpng_says_so);
}

#endif
