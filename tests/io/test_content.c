/* Finding the format of a file from its content, and options that do not fit. */
#define _GNU_SOURCE
#include "base/context.h"
#include "io/content.h"
#include "support/counted.h"
#include "support/images_small.h"

#include <math.h>

enum { RECORD = 3073 };

static ddaebm_read_options asked;

static void begin(void) {
    open_context(1);
    asked = (ddaebm_read_options)DDAEBM_READ_OPTIONS_INIT;
}

static ddaebm_status read_content(dd_content *out, const char *name) {
    return dd_content_read(out, context, in_folder(name), &asked);
}

/* ---- Text before guesses by size. ---- */

/* Makes a text of so many bytes: the same line of two numbers again and again, of which the last is
 * longer. */
static void put_text(const char *name, const char *head, const char *row, size_t size) {
    char *text = malloc(size + 1);
    size_t used = (size_t)sprintf(text, "%s", head), length = strlen(row);
    for (; used + 2 * length <= size; used += length)
        memcpy(text + used, row, length);
    memcpy(text + used, row, strcspn(row, "\r\n"));
    used += strcspn(row, "\r\n");
    memset(text + used, '1', size - used);
    text[size - 1] = '\n';
    put_file(in_folder(name), text, size);
    free(text);
}

static void assert_table(const char *name, size_t width, const char *first) {
    dd_content content = {.is_text = false};
    ddaebm_status status = read_content(&content, name);
    ck_assert_msg(status == DDAEBM_OK, "%s", ddaebm_error_message());
    ck_assert(content.is_text && !content.images.pixels && content.shape.height == 0);
    ck_assert_uint_eq(content.rows.width, width);
    const char *given = dd_column_name(&content.columns, 0);
    ck_assert(first ? given && strcmp(first, given) == 0 : !given);
    dd_content_free(&content, context);
}

START_TEST(text_of_any_size_is_no_batch) {
    static const struct {
        const char *head, *row;
        size_t width;
        const char *first;
    } texts[] = {
        {"\tx\ty\n", "7\t1\t2\n", 3, NULL},
        {"\tx\ty\n", "a\t1\t2\n", 2, "x"},
        {"\t1\t2\n", "\t1\t2\n", 2, NULL},
        {"  1 2\n", "  1 2\n", 2, NULL},
        {"\n1,2\n", "1,2\n", 2, NULL},
        {"\xEF\xBB\xBFx,y\n", "1,2\n", 2, "x"},
        {"\"x\",\"y\"\n", "1,2\n", 2, "x"},
        {"\r\n1,2\r\n", "1,2\r\n", 2, NULL},
        {"gr\xF6\xDF,y\n", "1,2\n", 2, "gr\xC3\xB6\xC3\x9F"},
        {"\t\xE5\x90\x8D\ty\n", "7\t1\t2\n", 3, NULL},
    };
    begin();

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t records = 1; records <= 3; records++) {
            asked.drop = texts[i].row[0] == 'a' ? "1" : NULL;
            asked.columns = texts[i].head[0] == '\t' && texts[i].row[0] == '\t' ? "2-3" : NULL;
            asked.header = asked.columns ? DDAEBM_HEADER_NO : DDAEBM_HEADER_AUTO;
            put_text("a", texts[i].head, texts[i].row, records * RECORD);
            assert_table("a", texts[i].width, texts[i].first);
            put_text("a.bin", texts[i].head, texts[i].row,
                     records * RECORD + 1); /* nor does the name mislead */
            assert_table("a.bin", texts[i].width, texts[i].first);
        }
    close_context();
}
END_TEST

START_TEST(batches_are_no_text) {
    static uint8_t batch[2 * RECORD];
    dd_content content = {.is_text = false};
    begin();

    for (int bright = 0; bright < 2; bright++) {
        memset(batch, bright ? 'A' : '\t', sizeof batch); /* even pixels that could be text */
        batch[0] = batch[RECORD] = 9;
        batch[100] = bright ? 0x7F : 0x0E;
        put_file(in_folder("a"), batch, sizeof batch);
        ASSERT_OK(read_content(&content, "a"));
        ck_assert(!content.is_text && content.images.count == 2 &&
                  content.images.shape.channels == 3);
        dd_content_free(&content, context);
    }

    memset(batch, 0xC0, sizeof batch); /* so bright that no byte is a control character */
    batch[0] = batch[RECORD] = 9;
    put_file(in_folder("a"), batch, sizeof batch);
    ASSERT_OK(read_content(&content, "a"));
    ck_assert_uint_eq(content.images.count, 2);
    dd_content_free(&content, context);
    close_context();
}
END_TEST

/* ---- Arrays of images. ---- */

static void put_npy(const char *name, const char *type, const char *shape, const void *data,
                    size_t bytes) {
    char file[4096];
    int text = snprintf(file + 10, 200, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                        type, shape);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = (char)text;
    file[9] = 0;
    memcpy(file + 10 + text, data, bytes);
    put_file(in_folder(name), file, 10 + (size_t)text + bytes);
}

/* Bytes, in whatever type they are written. */
static void assert_bytes(const char *name, const uint8_t *expected, size_t count) {
    dd_content content = {.is_text = false};
    SWEEP_ALLOCATIONS(counted, content.images.block, read_content(&content, name));
    ck_assert(content.images.pixels && !content.rows.values && !content.rows.wide);
    ck_assert_uint_eq(content.images.count * dd_image_numbers(content.images.shape), count);
    ck_assert_mem_eq(content.images.pixels, expected, count);
    dd_content_free(&content, context);
}

START_TEST(bytes_of_any_type_are_bytes) {
    enum { NUMBERS = 50 };
    uint8_t bytes[NUMBERS], zeros_and_ones[NUMBERS], black_and_white[NUMBERS];
    float floats[NUMBERS];
    double doubles[NUMBERS];
    int64_t integers[NUMBERS];
    int16_t shorts[NUMBERS];
    fill_bytes(bytes, sizeof bytes, 1);

    for (size_t i = 0; i < NUMBERS; i++) {
        floats[i] = bytes[i];
        doubles[i] = bytes[i];
        integers[i] = bytes[i];
        shorts[i] = bytes[i];
        zeros_and_ones[i] = bytes[i] & 1;
        black_and_white[i] = zeros_and_ones[i] ? 255 : 0;
    }

    begin();
    put_npy("a", "|u1", "(2, 5, 5)", bytes, sizeof bytes);
    assert_bytes("a", bytes, NUMBERS);
    put_npy("a", "<f4", "(2, 5, 5)", floats, sizeof floats);
    assert_bytes("a", bytes, NUMBERS);
    put_npy("a", "<f8", "(2, 5, 5)", doubles, sizeof doubles);
    assert_bytes("a", bytes, NUMBERS);
    put_npy("a", "<i8", "(2, 5, 5)", integers, sizeof integers);
    assert_bytes("a", bytes, NUMBERS);
    put_npy("a", "<i2", "(2, 5, 5)", shorts, sizeof shorts);
    assert_bytes("a", bytes, NUMBERS);
    put_npy("a", "|b1", "(2, 5, 5)", zeros_and_ones, sizeof bytes);
    assert_bytes("a", black_and_white, NUMBERS);
    put_npy("a", "|u1", "(2, 5, 5)", zeros_and_ones, sizeof bytes);
    assert_bytes("a", black_and_white, NUMBERS);
    asked.black = 0;
    asked.white = 255;
    assert_bytes("a", zeros_and_ones, NUMBERS);
    close_context();
}
END_TEST

static void assert_floats(const char *name, size_t height, size_t width, size_t channels,
                          const float *expected, size_t count) {
    dd_content content = {.is_text = false};
    SWEEP_ALLOCATIONS(counted, content.rows.values, read_content(&content, name));
    ck_assert(!content.images.pixels && !content.rows.wide);
    ck_assert(content.shape.height == height && content.shape.width == width &&
              content.shape.channels == channels);
    ck_assert_uint_eq(content.rows.count * content.rows.width, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(content.rows.values[i] - expected[i]) < 1e-6f, "[%zu] is %g, not %g", i,
                      (double)content.rows.values[i], (double)expected[i]);
    dd_content_free(&content, context);
}

START_TEST(floats_are_brought_to_their_range) {
    const float unit[] = {0, 0.25f, 0.5f, 1}, spread[] = {-1, -0.5f, 0, 1},
                levels[] = {0, 63.75f, 127.5f, 255};
    const uint8_t few[] = {0, 4, 8, 16};
    begin();
    put_npy("a", "<f4", "(1, 2, 2)", unit, sizeof unit);
    assert_floats("a", 2, 2, 1, spread, 4);
    put_npy("a", "<f4", "(1, 2, 2)", spread, sizeof spread);
    assert_floats("a", 2, 2, 1, spread, 4);
    put_npy("a", "<f4", "(1, 2, 2)", levels, sizeof levels);
    assert_floats("a", 2, 2, 1, spread, 4);
    asked.white = 16;
    put_npy("a", "|u1", "(1, 2, 2)", few, sizeof few);
    assert_floats("a", 2, 2, 1, spread, 4);
    asked.black = 0.875;
    asked.white = 1;
    dd_content content = {.is_text = false};
    put_npy("a", "<f4", "(1, 2, 2)", unit, sizeof unit);
    ASSERT_FAILS(read_content(&content, "a"), DDAEBM_OUT_OF_RANGE,
                 "a: its numbers are from 0 to 1, far beyond the range 0.875:1");
    close_context();
}
END_TEST

START_TEST(planes_are_read_as_pixels) {
    /* one image of 2 x 2 pixels and 3 channels */
    const uint8_t planes[] = {0, 1, 2, 3, 100, 101, 102, 103, 200, 201, 202, 203};
    const uint8_t pixels[] = {0, 100, 200, 1, 101, 201, 2, 102, 202, 3, 103, 203};
    float floats[12], expected[12];
    uint8_t file[100];

    for (size_t i = 0; i < 12; i++) {
        floats[i] = planes[i] / 127.5f - 1;
        expected[i] = pixels[i] / 127.5f - 1;
    }

    begin();
    put_npy("a", "|u1", "(1, 3, 2, 2)", planes, sizeof planes);
    assert_bytes("a", pixels, 12);
    put_npy("f", "<f4", "(1, 3, 2, 2)", floats, sizeof floats);
    assert_floats("f", 2, 2, 3, expected, 12);
    asked.layout = DDAEBM_LAYOUT_NCHW;
    put_file(in_folder("i"), file,
             compose_idx(file, 8, 4, (const uint32_t[]){1, 3, 2, 2}, planes, 12));
    assert_bytes("i", pixels, 12);
    asked.layout = DDAEBM_LAYOUT_NHWC;
    assert_bytes("i", planes, 12);
    close_context();
}
END_TEST

static void assert_rows(const char *name, size_t count, size_t width) {
    dd_content content = {.is_text = false};
    ASSERT_OK(read_content(&content, name));
    ck_assert(!content.images.pixels && content.shape.height == 0);
    ck_assert(content.rows.count == count && content.rows.width == width);
    for (size_t i = 0; i < count * width; i++)
        ck_assert(dd_rows_at(&content.rows, i) == (double)i);
    dd_content_free(&content, context);
}

START_TEST(rows_may_be_asked_for) {
    uint8_t bytes[24], file[100];
    double doubles[24];

    for (size_t i = 0; i < 24; i++)
        doubles[i] = bytes[i] = (uint8_t)i;
    begin();
    asked.layout = DDAEBM_LAYOUT_ROWS;
    put_npy("a", "|u1", "(2, 3, 4)", bytes, sizeof bytes);
    assert_rows("a", 2, 12);
    put_npy("a", "<f8", "(2, 3, 2, 2)", doubles, sizeof doubles);
    assert_rows("a", 2, 12);
    put_file(in_folder("a"), file, compose_idx(file, 8, 3, (const uint32_t[]){2, 3, 4}, bytes, 24));
    assert_rows("a", 2, 12);
    put_file(in_folder("a"), file,
             compose_idx(file, 8, 4, (const uint32_t[]){4, 1, 1, 6}, bytes, 24));
    assert_rows("a", 4, 6);
    asked.layout = DDAEBM_LAYOUT_AUTO;
    put_npy("a", "<f8", "(2, 12)", doubles, sizeof doubles);
    assert_rows("a", 2, 12);
    close_context();
}
END_TEST

START_TEST(arrays_are_resized) {
    const uint8_t bytes[] = {10, 20, 30, 40}, smaller[] = {25},
                  larger[] = {10, 20, 0, 30, 40, 0, 0, 0, 0};
    const float unit[] = {0, 0.25f, 0.25f, 0.5f}, mean[] = {-0.5f};
    static uint8_t record[RECORD];
    dd_content content = {.is_text = false};
    begin();
    asked.resize = 1;
    asked.white = 255;
    put_npy("a", "|u1", "(1, 2, 2)", bytes, sizeof bytes);
    assert_bytes("a", smaller, 1);
    asked.resize = 3;
    assert_bytes("a", larger, 9);
    asked.white = 0;
    asked.resize = 1;
    put_npy("f", "<f4", "(1, 2, 2)", unit, sizeof unit);
    assert_floats("f", 1, 1, 1, mean, 1);
    asked.resize = 16;
    put_file(in_folder("c"), record, sizeof record);
    ASSERT_OK(read_content(&content, "c"));
    ck_assert(content.images.shape.height == 16 && content.images.shape.channels == 3);
    dd_content_free(&content, context);
    close_context();
}
END_TEST

/* ---- Options that the data has no use for. ---- */

static void assert_refused(const char *name, const char *why) {
    dd_content content = {.is_text = false};
    ASSERT_FAILS(read_content(&content, name), DDAEBM_INVALID_ARGUMENT, why);
    ck_assert_ptr_null(content.images.block);
    asked = (ddaebm_read_options)DDAEBM_READ_OPTIONS_INIT;
}

START_TEST(options_without_use_are_refused) {
    static uint8_t record[RECORD];
    const double numbers[] = {1, 2, 3, 4};
    dd_content content = {.is_text = false};
    begin();
    put_file(in_folder("t"), "1,2\n", 4);
    put_file(in_folder("c"), record, sizeof record);
    put_npy("n", "<f8", "(2, 2)", numbers, sizeof numbers);

    for (size_t i = 0; i < 3; i++) {
        const char *name = (const char *[]){"t", "c", "n"}[i];
        asked.recursive = 1;
        assert_refused(name, "recursive is an option of folders");
        asked.white = 1;
        assert_refused(name, "range is an option of");
        asked.layout = DDAEBM_LAYOUT_NCHW;
        assert_refused(name, i == 2 ? "layout nchw needs an array of 3 or 4 axes"
                                    : "layout is an option of arrays");
        asked.resize = i == 1 ? 0 : 4;
        if (i != 1)
            assert_refused(name, "resize is an option of images");
    }

    asked.resize = 1025;
    ASSERT_FAILS(read_content(&content, "c"), DDAEBM_OUT_OF_RANGE,
                 "resize is 1025; allowed: 1 to 1024");
    asked.resize = 0;
    asked.white = (double)INFINITY;
    ASSERT_FAILS(read_content(&content, "c"), DDAEBM_OUT_OF_RANGE,
                 "range is 0:inf; allowed: finite numbers");
    asked.white = 0;
    asked.layout = (ddaebm_layout)4;
    assert_refused("c", "layout is 4; allowed: 0 to 3");
    close_context();
}
END_TEST

/* ---- Files of other kinds. ---- */

/* The first bytes of a file, zeros after them, and how it is explained. */
static const struct {
    size_t offset, length;
    const char *bytes, *why;
} others[] = {
    {0, 43, "PK\3\4________________________\x0A\0\0\0arr_0.npy_____",
     "it is an NPZ archive: save one array with numpy.save"},
    {0, 50, "PK\3\4________________________\x13\0\0\0[Content_Types].xml",
     "it is an Excel workbook (XLSX)"},
    {0, 43, "PK\3\4________________________\x0A\0\0\0data.csv______",
     "it is a ZIP archive: unpack it first"},
    {0, 4, "PK\3\4", "it is a ZIP archive"},
    {0, 8,
     "\xFF\xFE"
     "1\0,\0"
     "2\0",
     "it is text in UTF-16: save it as UTF-8"},
    {0, 8,
     "\xFE\xFF\0"
     "1\0,\0"
     "2",
     "it is text in UTF-16"},
    {0, 6,
     "\xFD"
     "7zXZ\0",
     "it is packed by xz"},
    {0, 10, "BZh91AY&SY", "it is packed by bzip2"},
    {0, 4, "\x28\xB5\x2F\xFD", "it is packed by zstd"},
    {257, 5, "ustar", "it is a tar archive: unpack it first"},
    {0, 8, "\x89HDF\r\n\x1A\n", "it is an HDF5 file"},
    {0, 4, "PAR1", "it is a Parquet file: write it as CSV"},
    {0, 19, "MATLAB 5.0 MAT-file", "it is a MATLAB file"},
    {0, 2, "\x80\4", "it is a Python pickle: save one array with numpy.save"},
    {0, 8, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "it is an Excel workbook"},
    {0, 15, "<!DOCTYPE html>", "it is an HTML page"},
};

START_TEST(other_kinds_are_named) {
    static char file[RECORD];
    dd_content content = {.is_text = false};
    begin();

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (size_t whole = 0; whole < 2;
             whole++) { /* cut off behind its mark, and as large as a batch */
            memset(file, 0, sizeof file);
            memcpy(file + others[i].offset, others[i].bytes, others[i].length);
            put_file(in_folder("a.bin"), file,
                     whole ? sizeof file : others[i].offset + others[i].length + 1);
            ASSERT_FAILS(read_content(&content, "a.bin"), DDAEBM_UNSUPPORTED, others[i].why);
            ck_assert(!content.rows.wide && !content.images.block);
        }
    put_file(in_folder("a.bin"), "\x80\4", 2); /* nothing but a mark */
    ASSERT_FAILS(read_content(&content, "a.bin"), DDAEBM_UNSUPPORTED, "it is a Python pickle");
    put_file(in_folder("a"), "PAR1,BZh9\n1,3\n", 14); /* names */
    assert_table("a", 2, "PAR1");
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("content", text_of_any_size_is_no_batch, batches_are_no_text,
                     bytes_of_any_type_are_bytes, floats_are_brought_to_their_range,
                     planes_are_read_as_pixels, rows_may_be_asked_for, arrays_are_resized,
                     options_without_use_are_refused, other_kinds_are_named);
}
