#define _GNU_SOURCE
#include "base/context.h"
#include "io/npy.h"
#include "support/counted.h"

#include <math.h>
#include <stdint.h>

/* An NPY file in memory with the given version and header text; its size. */
static size_t compose(unsigned char *file, unsigned major, const char *header, const void *data,
                      size_t bytes) {
    size_t length = strlen(header), at = 8;
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (unsigned char)major;
    file[7] = 0;
    for (size_t i = 0; i < (major == 1 ? 2u : 4u); i++)
        file[at++] = (unsigned char)(length >> 8 * i);
    memcpy(file + at, header, length);
    if (bytes)
        memcpy(file + at + length, data, bytes);
    return at + length + bytes;
}

static ddaebm_status parse(dd_rows *rows, unsigned major, const char *header, const void *data,
                           size_t bytes) {
    unsigned char *file = malloc(20 + strlen(header) + bytes);
    size_t size = compose(file, major, header, data, bytes);
    unsigned char *exact = malloc(size); /* so that a read past the end is one past the block's */
    memcpy(exact, file, size);
    ddaebm_status status = dd_npy_parse(rows, context, exact, size);
    free(exact);
    free(file);
    return status;
}

static void assert_rows(unsigned major, const char *header, const void *data, size_t bytes,
                        size_t count, size_t width, const float *values) {
    open_context(2);
    dd_rows rows = {.count = 0};
    ck_assert_msg(parse(&rows, major, header, data, bytes) == DDAEBM_OK, "%s: %s", header,
                  ddaebm_error_message());
    ck_assert_msg(rows.count == count && rows.width == width, "%s: %zu by %zu", header, rows.count,
                  rows.width);
    for (size_t i = 0; i < count * width; i++)
        ck_assert_msg(dd_rows_at(&rows, i) == (double)values[i], "%s: [%zu] is %g", header, i,
                      dd_rows_at(&rows, i));
    dd_free(context, rows.values);
    dd_free(context, rows.wide);
    close_context();
}

#define HEADER(type, order, shape)                                                                 \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }"

START_TEST(every_type_is_read) {
    static const float small[] = {0, 1, 100}, minus[] = {-1, 2, -100};
    const uint8_t u1[] = {0, 1, 100};
    const int8_t i1[] = {-1, 2, -100};
    const uint16_t u2[] = {0, 1, 100};
    const int16_t i2[] = {-1, 2, -100};
    const uint32_t u4[] = {0, 1, 100};
    const int32_t i4[] = {-1, 2, -100};
    const uint64_t u8[] = {0, 1, 100};
    const int64_t i8[] = {-1, 2, -100};
    const float f4[] = {-1, 2, -100};
    const double f8[] = {-1, 2, -100};
    const uint16_t f2[] = {0xBC00, 0x4000, 0xD640};
    const struct {
        const char *type;
        const void *data;
        size_t size;
        const float *values;
    } rows[] = {{"|u1", u1, 1, small}, {"|i1", i1, 1, minus}, {"<u2", u2, 2, small},
                {"<i2", i2, 2, minus}, {"<u4", u4, 4, small}, {"<i4", i4, 4, minus},
                {"<u8", u8, 8, small}, {"<i8", i8, 8, minus}, {"<f4", f4, 4, minus},
                {"<f8", f8, 8, minus}, {"<f2", f2, 2, minus}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[200];
        unsigned char turned[24];
        size_t size = rows[i].size;
        snprintf(header, sizeof header, HEADER("%s", "False", "(3,)"), rows[i].type);
        assert_rows(1, header, rows[i].data, 3 * size, 3, 1, rows[i].values);
        for (size_t k = 0; k < 3 * size; k++)
            turned[k] =
                ((const unsigned char *)rows[i].data)[k / size * size + size - 1 - k % size];
        snprintf(header, sizeof header, HEADER(">%s", "False", "(3,)"), rows[i].type + 1);
        assert_rows(1, header, turned, 3 * size, 3, 1, rows[i].values);
    }
    static const float truth[] = {0, 1, 1};
    assert_rows(1, HEADER("|b1", "False", "(3,)"), "\0\1\2", 3, 3, 1, truth);
}
END_TEST

START_TEST(half_floats_cover_their_range) {
    const uint16_t halves[] = {0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3555, 0x7BFF, 0xFBFF};
    const float values[] = {0,        -0.0f,           0x1p-24f, 1023 * 0x1p-24f,
                            0x1p-14f, 0.333251953125f, 65504,    -65504};
    assert_rows(1, HEADER("<f2", "False", "(8,)"), halves, 16, 8, 1, values);
    const uint16_t wild[] = {0x7C00, 0xFC00, 0x7E00};
    dd_rows rows = {.count = 0};
    open_context(2);
    ASSERT_OK(parse(&rows, 1, HEADER("<f2", "False", "(3,)"), wild, 6));
    ck_assert(isinf(rows.values[0]) && isinf(rows.values[1]) && isnan(rows.values[2]));
    dd_free(context, rows.values);
    close_context();
}
END_TEST

START_TEST(shapes_and_orders_are_read) {
    static const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const float expected[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};

    assert_rows(1, HEADER("<f4", "False", "(3, 4)"), values, 48, 3, 4, values);
    assert_rows(2, HEADER("<f4", "False", "(2, 3, 2)"), values, 48, 2, 6, values);
    assert_rows(3, HEADER("<f4", "False", "(12,)"), values, 48, 12, 1, values);
    assert_rows(1, HEADER("<f4", "True", "(12,)"), values, 48, 12, 1, values);
    assert_rows(1, HEADER("<f4", "False", "(1,1,1,1,1,1,1,1,1,12)"), values, 48, 1, 12, values);
    assert_rows(1, "{\"shape\": (3L, 4L), 'fortran_order':False,'descr':'<f4'}   \n", values, 48, 3,
                4, values);
    assert_rows(1, "\t{\n'shape'\t:\n(3\t,4\n)\t,'fortran_order':False,'descr':'<f4'}", values, 48,
                3, 4, values);
    /* element (i, j, k) of a Fortran array of shape (2, 3, 2) lies at i + 2 j + 6 k */
    assert_rows(1, HEADER("<f4", "True", "(2, 3, 2)"), values, 48, 2, 6, expected);
}
END_TEST

START_TEST(bad_files_are_refused) {
    static const struct {
        unsigned major;
        const char *header;
        size_t bytes;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {1, HEADER("<f4", "False", "(2,)"), 7, DDAEBM_FORMAT,
         "ask for 8 bytes of numbers, the file has 7"},
        {1, HEADER("<f4", "False", "(2,)"), 9, DDAEBM_FORMAT, "the file has 9"},
        {1, HEADER("<f4", "False", "(0,)"), 0, DDAEBM_FORMAT, "empty"},
        {1, HEADER("<f4", "False", "(3, 0)"), 0, DDAEBM_FORMAT, "axis 1 has length 0"},
        {1, HEADER("<f4", "False", "()"), 4, DDAEBM_UNSUPPORTED, "without an axis"},
        {1, HEADER("<f4", "False", "(2147483648,)"), 4, DDAEBM_OUT_OF_RANGE, "axis 0"},
        {1, HEADER("<f4", "False", "(99999999999999999999999999,)"), 4, DDAEBM_OUT_OF_RANGE,
         "axis 0"},
        {1, HEADER("<f4", "False", "(2147483647, 2147483647, 2147483647)"), 4, DDAEBM_OUT_OF_RANGE,
         "1048576"},
        {1, HEADER("<f4", "False", "(1, 1048577)"), 4, DDAEBM_OUT_OF_RANGE, "1048576"},
        {1, HEADER("<f4", "False", "(2147483647, 1048576)"), 4, DDAEBM_FORMAT,
         "9007199250546688 bytes"},
        {1,
         HEADER("<f4", "False",
                "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"),
         4, DDAEBM_OUT_OF_RANGE, "32 axes"},
        {1, HEADER("<f4", "False", "(-1,)"), 4, DDAEBM_FORMAT, "shape"},
        {1, HEADER("<f4", "False", "(1.5,)"), 4, DDAEBM_FORMAT, "shape"},
        {1, HEADER("<f4", "False", "[1]"), 4, DDAEBM_FORMAT, "shape"},
        {1, HEADER("<f4", "False", "(1"), 4, DDAEBM_FORMAT, "shape"},
        {1, HEADER("<f4", "0", "(1,)"), 4, DDAEBM_FORMAT, "fortran_order"},
        {1, HEADER("<c8", "False", "(1,)"), 8, DDAEBM_UNSUPPORTED, "'<c8'"},
        {1, HEADER("|O", "False", "(1,)"), 8, DDAEBM_UNSUPPORTED, "'|O'"},
        {1, HEADER("<U5", "False", "(1,)"), 20, DDAEBM_UNSUPPORTED, "'<U5'"},
        {1, HEADER("|f4", "False", "(1,)"), 4, DDAEBM_UNSUPPORTED, "'|f4'"},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4,
         DDAEBM_UNSUPPORTED, "records"},
        {1, "{'descr': 4, 'fortran_order': False, 'shape': (1,)}", 4, DDAEBM_FORMAT, "descr"},
        {1, "{'fortran_order': False, 'shape': (1,)}", 4, DDAEBM_FORMAT, "missing"},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4,
         DDAEBM_FORMAT, "twice"},
        {1, "{'descr': '<f4', 'other': False, 'shape': (1,)}", 4, DDAEBM_FORMAT, "unknown"},
        {1, "{'descr': '<f4' 'shape': (1,)}", 4, DDAEBM_FORMAT, "comma"},
        {1, "{descr: '<f4'}", 4, DDAEBM_FORMAT, "a key"},
        {1, "{'descr' '<f4'}", 4, DDAEBM_FORMAT, "a key"},
        {1, "{", 4, DDAEBM_FORMAT, "a key"},
        {1, "{'descr': '<f4', 'fortran_order': False}", 4, DDAEBM_FORMAT, "missing"},
        {1, "{'descr': '<f4', 'shape': (1,)}", 4, DDAEBM_FORMAT, "missing"},
        {1, "{'descr': '<f4'", 4, DDAEBM_FORMAT, "comma"},
        {1, "{'descr': '<f4', 'fortran_order': Tr", 4, DDAEBM_FORMAT, "fortran_order"},
        {1, "{'shape': (12", 4, DDAEBM_FORMAT, "shape"},
        {1, "{'shape': (12;", 4, DDAEBM_FORMAT, "shape"},
        {1, HEADER("=f4", "False", "(1,)"), 4, DDAEBM_UNSUPPORTED, "'=f4'"},
        {1, HEADER("<f42", "False", "(1,)"), 4, DDAEBM_UNSUPPORTED, "'<f42'"},
        {1, "{'descr", 0, DDAEBM_FORMAT, "a key"},
        {1, "[]", 0, DDAEBM_FORMAT, "dictionary"},
        {1, "", 0, DDAEBM_FORMAT, "dictionary"},
        {1, HEADER("<f4", "False", "(1,)") " x", 4, DDAEBM_FORMAT, "follows"},
        {0, HEADER("<f4", "False", "(1,)"), 4, DDAEBM_UNSUPPORTED, "version 0"},
        {4, HEADER("<f4", "False", "(1,)"), 4, DDAEBM_UNSUPPORTED, "version 4"},
    };
    open_context(2);
    size_t calls = counted.calls;
    const char zeros[32] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_rows out = {.count = 77};
        ASSERT_FAILS(parse(&out, rows[i].major, rows[i].header, zeros, rows[i].bytes),
                     rows[i].status, rows[i].why);
        ck_assert_ptr_null(out.values);
        ck_assert_uint_eq(out.count, 77);
    }
    ck_assert_uint_eq(counted.calls, calls); /* lies cost no memory */
    dd_rows edge = {.count = 0}; /* what is just allowed is read: 32 axes, headers of 2^20 bytes */
    ASSERT_OK(parse(
        &edge, 1,
        HEADER("<f4", "False", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"),
        zeros, 4));
    dd_free(context, edge.values);
    for (size_t length = 1 << 20; length <= (1 << 20) + 1; length++) {
        unsigned char *big = malloc(12 + length + 4);
        memset(big, ' ', 12 + length + 4);
        memcpy(big, "\x93NUMPY\x02", 7);
        big[7] = 0;
        for (int b = 0; b < 4; b++)
            big[8 + b] = (unsigned char)(length >> 8 * b);
        memcpy(big + 12, HEADER("<f4", "False", "(1,)"), strlen(HEADER("<f4", "False", "(1,)")));
        edge = (dd_rows){.count = 0};
        ck_assert_int_eq(dd_npy_parse(&edge, context, big, 12 + length + 4),
                         length == 1 << 20 ? DDAEBM_OK : DDAEBM_OUT_OF_RANGE);
        if (edge.values)
            dd_free(context, edge.values);
        free(big);
    }
    const unsigned char lie[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, '{'};
    dd_rows out = {.count = 0};
    ASSERT_FAILS(dd_npy_parse(&out, context, lie, sizeof lie), DDAEBM_OUT_OF_RANGE, "4294967295");
    ASSERT_FAILS(dd_npy_parse(&out, context, "\x93NUMPX\1\0", 8), DDAEBM_FORMAT, "does not begin");
    close_context();
}
END_TEST

START_TEST(every_cut_is_refused) {
    static const float values[] = {1, 2, 3, 4};
    unsigned char file[256];
    open_context(2);
    for (unsigned major = 1; major <= 3; major++) {
        size_t size = compose(file, major, HEADER("<f4", "False", "(2, 2)"), values, sizeof values);
        for (size_t cut = 0; cut < size; cut++) {
            unsigned char *part = malloc(cut ? cut : 1);
            dd_rows out = {.count = 0};
            memcpy(part, file, cut);
            ck_assert_int_eq(dd_npy_parse(&out, context, part, cut), DDAEBM_FORMAT);
            free(part);
        }
    }
    close_context();
}
END_TEST

START_TEST(what_is_written_is_read) {
    float values[24];
    for (size_t i = 0; i < 24; i++)
        values[i] = (float)i / 3;
    static const struct {
        size_t rank, shape[8], count, width;
    } rows[] = {{1, {24}, 24, 1},
                {2, {4, 6}, 4, 6},
                {3, {2, 3, 4}, 2, 12},
                {8, {1, 1, 1, 1, 1, 1, 1, 24}, 1, 24}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char file[512];
        dd_rows read = {.count = 0};
        open_context(2);
        ASSERT_OK(ddaebm_array_write_npy(i % 2 ? context : NULL, in_folder("a.npy"), values,
                                         rows[i].rank, rows[i].shape));
        size_t size = get_file(in_folder("a.npy"), file, sizeof file);
        ck_assert_uint_eq((size - sizeof values) % 64, 0);
        ck_assert_int_eq(file[size - sizeof values - 1], '\n');
        ASSERT_OK(dd_npy_parse(&read, context, file, size));
        ck_assert_uint_eq(read.count, rows[i].count);
        ck_assert_uint_eq(read.width, rows[i].width);
        ck_assert_int_eq(memcmp(read.values, values, sizeof values), 0);
        dd_free(context, read.values);
        close_context();
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_refused) {
    const float values[] = {1, 2};
    const size_t two = 2, zero = 0, vast[] = {SIZE_MAX / 2, 3},
                 largest[] = {SIZE_MAX, 1, 1, 1, 1, 1, 1, 1};
    const char *path = in_folder("a.npy");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, NULL, values, 1, &two), DDAEBM_INVALID_ARGUMENT,
                 "path");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, NULL, 1, &two), DDAEBM_INVALID_ARGUMENT,
                 "values");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 1, NULL), DDAEBM_INVALID_ARGUMENT,
                 "shape");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 0, &two), DDAEBM_OUT_OF_RANGE,
                 "rank is 0");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 9, &two), DDAEBM_OUT_OF_RANGE,
                 "rank is 9");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 1, &zero), DDAEBM_OUT_OF_RANGE,
                 "shape[0] is 0");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 2, vast), DDAEBM_OUT_OF_RANGE,
                 "address space");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, path, values, 8, largest), DDAEBM_OUT_OF_RANGE,
                 "address space");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, "/dev/full", values, 1, &two), DDAEBM_IO,
                 "/dev/full");
    ASSERT_FAILS(ddaebm_array_write_npy(NULL, in_folder("no/a.npy"), values, 1, &two), DDAEBM_IO,
                 "create it first");
    ck_assert_uint_eq(entries_in_folder(), 0);
}
END_TEST

static ddaebm_status parse_bytes(dd_images *out, const char *header, const void *data,
                                 size_t bytes) {
    unsigned char *file = malloc(20 + strlen(header) + bytes);
    size_t size = compose(file, 1, header, data, bytes);
    dd_array_axes axes = {.rank = 0};
    ASSERT_OK(dd_npy_look(&axes, file, size));
    ck_assert_int_eq(axes.kind, DD_BYTES);
    dd_image_shape shape = {axes.length[1], axes.length[2], axes.rank == 4 ? axes.length[3] : 1};
    ddaebm_status status = dd_npy_parse_bytes(out, context, file, size, shape);
    free(file);
    return status;
}

START_TEST(bytes_can_be_images) {
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
    dd_images out = {.block = NULL};
    open_context(2);
    SWEEP_ALLOCATIONS(counted, out.block,
                      parse_bytes(&out, HEADER("|u1", "False", "(2, 3, 2)"), bytes, 12));
    ck_assert(out.count == 2 && out.shape.height == 3 && out.shape.width == 2 &&
              out.shape.channels == 1);
    ck_assert_int_eq(memcmp(out.pixels, bytes, 12), 0);
    dd_free(context, out.block);
    ASSERT_OK(parse_bytes(&out, HEADER("|u1", "False", "(1, 1, 3, 4)"), bytes, 12));
    ck_assert(out.count == 1 && out.shape.height == 1 && out.shape.width == 3 &&
              out.shape.channels == 4);
    dd_free(context, out.block);
    /* element (i, j, k) of a Fortran array of shape (2, 3, 2) lies at i + 2 j + 6 k */
    static const uint8_t turned[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 255};
    ASSERT_OK(parse_bytes(&out, HEADER("|u1", "True", "(2, 3, 2)"), bytes, 12));
    ck_assert_int_eq(memcmp(out.pixels, turned, 12), 0);
    dd_free(context, out.block);
    ASSERT_FAILS(parse_bytes(&out, HEADER("|u1", "False", "(2, 3, 2)"), bytes, 11), DDAEBM_FORMAT,
                 "the file has 11");
    ASSERT_FAILS(parse_bytes(&out, HEADER("|u1", "False", "(2147483647, 1024, 1024)"), bytes, 12),
                 DDAEBM_FORMAT, "the file has 12");
    ASSERT_FAILS(parse_bytes(&out, HEADER("|u1", "False", "(1, 1025, 1024)"), bytes, 12),
                 DDAEBM_OUT_OF_RANGE, "1048576");
    ASSERT_FAILS(dd_npy_parse_bytes(&out, context, "\x93NUMPY\1", 7, (dd_image_shape){1, 1, 1}),
                 DDAEBM_FORMAT, "cut off");
    close_context();
}
END_TEST

/* What a header says, and the numbers as floats whatever their type. */
START_TEST(headers_are_looked_at) {
    static const struct {
        const char *header;
        dd_number_kind kind;
        size_t rank, last;
    } rows[] = {{HEADER("|u1", "False", "(2, 3, 4, 5, 6)"), DD_BYTES, 5, 5},
                {HEADER("|b1", "False", "(2, 3, 4)"), DD_BOOLEANS, 3, 0},
                {HEADER("|i1", "False", "(2, 3, 4)"), DD_INTEGERS, 3, 0},
                {HEADER(">u8", "False", "(2, 3, 4, 1)"), DD_INTEGERS, 4, 1},
                {HEADER("<f2", "False", "(2,)"), DD_FRACTIONS, 1, 0},
                {HEADER("<f8", "True", "(2, 3)"), DD_FRACTIONS, 2, 0}};
    static const double values[] = {0.5, -2, 255};
    unsigned char file[400];
    dd_array_axes axes;
    dd_rows out = {.values = NULL};
    open_context(2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(dd_npy_look(&axes, file, compose(file, 1, rows[i].header, "", 0)));
        ck_assert_int_eq(axes.kind, rows[i].kind);
        ck_assert_uint_eq(axes.rank, rows[i].rank);
        ck_assert_uint_eq(axes.length[0], 2);
        ck_assert_uint_eq(axes.length[3], rows[i].last);
    }
    ASSERT_FAILS(dd_npy_look(&axes, "\x93NUMPY\1", 7), DDAEBM_FORMAT, "cut off");
    size_t size = compose(file, 1, HEADER("<f8", "False", "(1, 3, 1)"), values, sizeof values);
    ASSERT_OK(dd_npy_parse_floats(&out, context, file, size));
    ck_assert(!out.wide && out.values[0] == 0.5f && out.values[1] == -2 && out.values[2] == 255);
    dd_free(context, out.values);
    close_context();
}
END_TEST

START_TEST(memory_may_run_out) {
    const float values[] = {1, 2};
    dd_rows rows = {.count = 0};
    const size_t two = 2;
    void *none = NULL;
    open_context(2);
    SWEEP_ALLOCATIONS(counted, rows.values,
                      parse(&rows, 1, HEADER("<f4", "False", "(2,)"), values, 8));
    dd_free(context, rows.values);
    SWEEP_ALLOCATIONS(counted, none,
                      ddaebm_array_write_npy(context, in_folder("a.npy"), values, 1, &two));
    ck_assert_uint_eq(entries_in_folder(), 1);
    close_context();
}
END_TEST

int main(void) {
    return RUN_TESTS("npy", every_type_is_read, half_floats_cover_their_range,
                     shapes_and_orders_are_read, bad_files_are_refused, every_cut_is_refused,
                     what_is_written_is_read, what_cannot_be_written_is_refused,
                     bytes_can_be_images, headers_are_looked_at, memory_may_run_out);
}
