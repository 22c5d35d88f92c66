#define _GNU_SOURCE
#include "base/context.h"
#include "io/safetensors_writer.h"
#include "io/seal.h"
#include "support/counted.h"

#include <stdint.h>

/* As contexts begin. */
enum { MOST_TENSORS = 16384 };

/* A file in memory: the header's length, the header, and `bytes` of data. To be freed. */
static unsigned char *compose(const char *header, size_t bytes, size_t *size) {
    uint64_t length = strlen(header);
    unsigned char *file = malloc(8 + length + bytes);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < bytes; i++)
        file[8 + length + i] = (unsigned char)i;
    *size = 8 + (size_t)length + bytes;
    return file;
}

static ddaebm_status open_file(dd_safetensors **out, ddaebm_context *held, const char *path) {
    const ddaebm_reader reader = dd_reader_of_file(path);
    return dd_safetensors_open(out, held, &reader);
}

static ddaebm_status open_memory(dd_safetensors **out, ddaebm_context *held, const void *data,
                                 size_t size) {
    dd_memory memory = {data, size};
    const ddaebm_reader reader = dd_reader_of_memory(&memory);
    return dd_safetensors_open(out, held, &reader);
}

static ddaebm_status save_file(const dd_safetensors_writer *writer, const char *path) {
    const ddaebm_writer file = dd_writer_of_file(path);
    return dd_safetensors_writer_write(writer, &(dd_target){.writer = &file});
}

static ddaebm_status save_memory(const dd_safetensors_writer *writer, void *data, size_t capacity,
                                 size_t *needed) {
    return dd_safetensors_writer_write(writer, &(dd_target){NULL, data, capacity, needed});
}

static ddaebm_status parse(dd_safetensors **out, const char *header, size_t bytes) {
    size_t size = 0;
    unsigned char *file = compose(header, bytes, &size);
    ddaebm_status status = open_memory(out, context, file, size);
    free(file);
    return status;
}

#define ONE(shape, offsets)                                                                        \
    "{\"x\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TENSOR(name, offsets)                                                                      \
    "\"" name "\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets "}"

START_TEST(a_header_is_read) {
    dd_safetensors *file = NULL;
    ASSERT_OK(parse(&file,
                    "{\"b\":{\"data_offsets\":[8,16],\"shape\":[2,1],\"dtype\":\"F32\"},\"__"
                    "metadata__\":{\"k\":\"v\",\"empty\":\"\"},"
                    "\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}   ",
                    16));
    ck_assert_uint_eq(dd_safetensors_count(file), 2);
    const dd_tensor_entry *a = dd_safetensors_find(file, "a"), *b = dd_safetensors_find(file, "b");
    ck_assert_ptr_eq(a, dd_safetensors_entry(file, 0));
    ck_assert_ptr_eq(b, dd_safetensors_entry(file, 1));
    ck_assert_ptr_null(dd_safetensors_entry(file, 2));
    ck_assert_ptr_null(dd_safetensors_find(file, "c"));
    ck_assert_ptr_null(dd_safetensors_find(file, "__metadata__"));
    ck_assert_int_eq(a->dtype, DD_STORED_I64);
    ck_assert_uint_eq(a->rank, 0);
    ck_assert_uint_eq(a->elements, 1);
    ck_assert_uint_eq(b->rank, 2);
    ck_assert_uint_eq(b->shape[0], 2);
    ck_assert_uint_eq(b->bytes, 8);
    ck_assert_int_eq(((const unsigned char *)b->data)[0], 8);
    ck_assert_str_eq(dd_safetensors_metadata(file, "k"), "v");
    ck_assert_str_eq(dd_safetensors_metadata(file, "empty"), "");
    ck_assert_ptr_null(dd_safetensors_metadata(file, "other"));
    dd_safetensors_free(file);
    dd_safetensors_free(NULL);
}
END_TEST

START_TEST(a_file_may_be_empty) {
    dd_safetensors *file = NULL;
    ASSERT_OK(parse(&file, "{}", 0));
    ck_assert_uint_eq(dd_safetensors_count(file), 0);
    ck_assert_ptr_null(dd_safetensors_find(file, "a"));
    ck_assert_ptr_null(dd_safetensors_metadata(file, "a"));
    dd_safetensors_free(file);
}
END_TEST

/* Foreign files: header of any length, narrow types first. */
START_TEST(data_is_aligned_whatever_the_file) {
    static const char *const pads[] = {"", " ", "  ", "   ", "    ", "     ", "      ", "       "};
    for (size_t i = 0; i < 8; i++) {
        char header[400];
        dd_safetensors *file = NULL;
        snprintf(header, sizeof header,
                 "{\"u\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"d\":{\"dtype\":"
                 "\"F64\",\"shape\":[2],\"data_"
                 "offsets\":[3,19]},"
                 "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[19,23]},\"h\":{"
                 "\"dtype\":\"BF16\",\"shape\":[1],\"data_"
                 "offsets\":[23,25]}}%s",
                 pads[i]);
        ASSERT_OK(parse(&file, header, 25));
        for (size_t k = 0; k < 4; k++) {
            const dd_tensor_entry *entry = dd_safetensors_entry(file, k);
            ck_assert_uint_eq((uintptr_t)entry->data % dd_stored_size(entry->dtype), 0);
        }
        ck_assert_int_eq(((const unsigned char *)dd_safetensors_find(file, "u")->data)[2], 2);
        ck_assert_int_eq(((const unsigned char *)dd_safetensors_find(file, "d")->data)[15], 18);
        ck_assert_int_eq(((const unsigned char *)dd_safetensors_find(file, "h")->data)[1], 24);
        dd_safetensors_free(file);
    }
}
END_TEST

START_TEST(lies_are_refused) {
    static const struct {
        const char *header;
        size_t bytes;
        ddaebm_status status;
        const char *why;
    } rows[] = {
        {"", 0, DDAEBM_FORMAT, "no JSON"},
        {"[]", 0, DDAEBM_FORMAT, "no JSON object"},
        {"{", 0, DDAEBM_FORMAT, "no JSON"},
        {"{}x", 0, DDAEBM_FORMAT, "no JSON"},
        {"{} ", 1, DDAEBM_FORMAT, "the tensors end at byte 0 of the data, and more follows"},
        {"{\"x\":1}", 0, DDAEBM_FORMAT, "'x'"},
        {"{\"x\":{}}", 0, DDAEBM_FORMAT, "dtype, shape and data_offsets"},
        {"{\"\\u0000\":{}}", 0, DDAEBM_FORMAT, "no JSON"},
        {"{\"\xFF\":{}}", 0, DDAEBM_FORMAT, "no JSON"},
        {"{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT,
         "empty name"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
         DDAEBM_FORMAT, "nothing else"},
        {"{\"x\":{\"type\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT,
         "dtype is missing"},
        {"{\"x\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT, "no text"},
        {"{\"x\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, DDAEBM_UNSUPPORTED,
         "'I16'; known"},
        {"{\"x\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, DDAEBM_UNSUPPORTED,
         "'f32'"},
        {"{\"x\":{\"dtype\":\"F32\",\"shapes\":[1],\"data_offsets\":[0,4]}}", 4, DDAEBM_FORMAT,
         "shape is missing"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offset\":[0,4]}}", 4, DDAEBM_FORMAT,
         "two integers"},
        {ONE("1", "[0,4]"), 4, DDAEBM_FORMAT, "no list"},
        {ONE("[1.0]", "[0,4]"), 4, DDAEBM_FORMAT, "no integer"},
        {ONE("[null]", "[0,4]"), 4, DDAEBM_FORMAT, "no integer"},
        {ONE("[0]", "[0,0]"), 0, DDAEBM_OUT_OF_RANGE, "1 to 2147483647"},
        {ONE("[-1]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE, "1 to 2147483647"},
        {ONE("[2147483648]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE, "1 to 2147483647"},
        {ONE("[99999999999999999999]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE, "integer too large"},
        {ONE("[2147483647,2147483647,2147483647]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE,
         "address space"},
        {ONE("[2147483647,2147483647,4]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE, "address space"},
        {ONE("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, DDAEBM_OUT_OF_RANGE, "8 axes"},
        {ONE("[1]", "[0]"), 4, DDAEBM_FORMAT, "two integers"},
        {ONE("[1]", "[0,4,8]"), 4, DDAEBM_FORMAT, "two integers"},
        {ONE("[1]", "[0,\"4\"]"), 4, DDAEBM_FORMAT, "two integers"},
        {ONE("[1]", "4"), 4, DDAEBM_FORMAT, "two integers"},
        {ONE("[1]", "[-4,0]"), 4, DDAEBM_FORMAT, "outside any file"},
        {ONE("[1]", "[4,0]"), 4, DDAEBM_FORMAT, "outside any file"},
        {ONE("[1]", "[0,5]"), 4, DDAEBM_FORMAT, "do not span"},
        {ONE("[1]", "[0,4]"), 3, DDAEBM_FORMAT, "its tensors take 4 bytes, 3 are there"},
        {ONE("[1]", "[0,9223372036854775807]"), 4, DDAEBM_FORMAT, "outside any file"},
        {ONE("[1]", "[0,3]"), 4, DDAEBM_FORMAT, "do not span"},
        {ONE("[2]", "[0,4]"), 4, DDAEBM_FORMAT, "do not span"},
        {ONE("[1]", "[4,8]"), 8, DDAEBM_FORMAT, "no tensor owns"},
        {ONE("[1]", "[0,4]"), 8, DDAEBM_FORMAT, "end at byte 4"},
        {"{" TENSOR("a", "[0,4]") "," TENSOR("b", "[2,6]") "}", 6, DDAEBM_FORMAT, "overlap"},
        {"{" TENSOR("a", "[0,4]") "," TENSOR("b", "[0,4]") "}", 4, DDAEBM_FORMAT, "overlap"},
        {"{" TENSOR("a", "[0,4]") "," TENSOR("b", "[6,10]") "}", 10, DDAEBM_FORMAT,
         "no tensor owns"},
        {"{" TENSOR("a", "[0,4]") "," TENSOR("a", "[4,8]") "}", 8, DDAEBM_FORMAT, "no JSON"},
        {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", 0, DDAEBM_FORMAT, "no JSON"},
        {"{\"__metadata__\":[]}", 0, DDAEBM_FORMAT, "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, DDAEBM_FORMAT, "the value of 'a'"},
        {"{\"x\":[[[[[[[[1]]]]]]]]}", 0, DDAEBM_OUT_OF_RANGE, "deeper than 8"},
    };
    size_t live = counted.live;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dd_safetensors *file = NULL;
        ck_assert_msg(parse(&file, rows[i].header, rows[i].bytes) != DDAEBM_OK, "%s",
                      rows[i].header);
        ASSERT_FAILS(parse(&file, rows[i].header, rows[i].bytes), rows[i].status, rows[i].why);
        ck_assert_ptr_null(file);
        ck_assert_uint_eq(counted.live, live);
    }
}
END_TEST

START_TEST(limits_hold_at_their_edge) {
    dd_safetensors *file = NULL;
    char name[300], header[600];
    for (size_t length = 255; length <= 256; length++) {
        memset(name, 'n', length);
        name[length] = '\0';
        snprintf(header, sizeof header,
                 "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", name);
        if (length == 255)
            ASSERT_OK(parse(&file, header, 1));
        else
            ASSERT_FAILS(parse(&file, header, 1), DDAEBM_OUT_OF_RANGE, "255 bytes");
        dd_safetensors_free(file);
        file = NULL;
    }
    ASSERT_OK(parse(&file, "{\"__metadata__\":{\"a\":\"b\\\" [[[[[[[[[[ \\\\\"}}", 0));
    dd_safetensors_free(file);
    file = NULL;
    ASSERT_OK(parse(&file, ONE("[1,1,1,1,1,1,1,1]", "[0,4]"), 4));
    dd_safetensors_free(file);
    file = NULL;
    const uint64_t lengths[] = {(8 << 20) + 1, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63};
    char begun[9] = {[8] = '{'}; /* as a file begins that has a header */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ASSERT_FAILS(open_memory(&file, context, &lengths[i], 8), DDAEBM_FORMAT,
                     "it is not a safetensors file");
        memcpy(begun, &lengths[i], 8);
        if (i == 0)
            ASSERT_FAILS(open_memory(&file, context, begun, 9), DDAEBM_OUT_OF_RANGE, "8388608");
        else
            ASSERT_FAILS(open_memory(&file, context, begun, 9), DDAEBM_FORMAT,
                         "it is not a safetensors file");
    }
    const uint64_t cut = 8 << 20;
    ASSERT_FAILS(open_memory(&file, context, &cut, 8), DDAEBM_FORMAT, "cut off");
    ASSERT_FAILS(open_memory(&file, context, NULL, 0), DDAEBM_FORMAT, "0 bytes");
    static char whole[8 + (8 << 20)]; /* which is there, but more than a file may have: it is not
                                         even read */
    memcpy(whole, &cut, 8);
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 1 << 20));
    counted.most = counted.bytes;
    ASSERT_FAILS(open_memory(&file, context, whole, sizeof whole), DDAEBM_OUT_OF_RANGE,
                 "more than the 1048576 bytes allowed");
    ck_assert_uint_lt(counted.most, 1 << 20);
    ck_assert_ptr_null(file);
}
END_TEST

/* Header texts that would cost far more memory as values than they are long. */
START_TEST(bombs_are_refused) {
    static const char *const pieces[] = {"[],", "{},", "1,", "[[[[", "\"\":[],"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t length = 8000000, step = strlen(pieces[i]);
        char *header = malloc(length + 1);
        dd_safetensors *file = NULL;
        header[0] = i < 4 ? '[' : '{';
        for (size_t k = 1; k < length; k++)
            header[k] = pieces[i][(k - 1) % step];
        header[length] = '\0';
        ck_assert_int_eq(parse(&file, header, 0),
                         i < 4 ? DDAEBM_OUT_OF_RANGE : DDAEBM_FORMAT); /* a duplicate name */
        ck_assert_ptr_null(file);
        free(header);
    }
}
END_TEST

static const float weights[] = {1, 2, 3, 4, 5, 6};
static const int64_t step = 77;
static const double table[] = {0.5, 0.25};
static const uint8_t flags[] = {1, 0, 1};

static dd_safetensors_writer *make_writer(void) {
    const size_t shape[] = {2, 3}, two = 2, three = 3;
    dd_safetensors_writer *writer = NULL;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));
    ASSERT_OK(dd_safetensors_writer_add(writer, "flags", DD_STORED_U8, 1, &three, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "energy.w\xC3\xA4ight", DD_STORED_F32, 2, shape,
                                        weights));
    ASSERT_OK(dd_safetensors_writer_add(writer, "step", DD_STORED_I64, 0, NULL, &step));
    ASSERT_OK(dd_safetensors_writer_add(writer, "table", DD_STORED_F64, 1, &two, table));
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "format", "old"));
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "format", "ddaebm \"1\"\n"));
    return writer;
}

static void assert_written(const dd_safetensors *file) {
    ck_assert_uint_eq(dd_safetensors_count(file), 4);
    ck_assert_str_eq(dd_safetensors_metadata(file, "format"), "ddaebm \"1\"\n");
    const dd_tensor_entry *entry = dd_safetensors_find(file, "energy.w\xC3\xA4ight");
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->rank, 2);
    ck_assert_uint_eq(entry->shape[1], 3);
    ck_assert_int_eq(memcmp(entry->data, weights, sizeof weights), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "step")->data, &step, sizeof step), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "table")->data, table, sizeof table), 0);
    ck_assert_int_eq(memcmp(dd_safetensors_find(file, "flags")->data, flags, sizeof flags), 0);
}

START_TEST(what_is_written_is_read) {
    dd_safetensors_writer *writer = make_writer();
    dd_safetensors *file = NULL;
    char bytes[1024], again[1024];
    size_t needed = 0;
    ASSERT_OK(save_file(writer, in_folder("m")));
    ck_assert_uint_eq(entries_in_folder(), 1);
    ASSERT_OK(open_file(&file, context, in_folder("m")));
    assert_written(file);
    dd_safetensors_free(file);
    ASSERT_FAILS(save_memory(writer, NULL, 0, &needed), DDAEBM_OUT_OF_RANGE, "too small");
    ck_assert_uint_gt(needed, 0);
    memset(bytes, 7, sizeof bytes);
    ASSERT_FAILS(save_memory(writer, bytes, needed - 1, NULL), DDAEBM_OUT_OF_RANGE, "too small");
    ck_assert_int_eq(bytes[0], 7);
    ASSERT_OK(save_memory(writer, bytes, needed, &needed));
    ck_assert_int_eq(bytes[needed], 7);
    ck_assert_uint_eq(get_file(in_folder("m"), again, sizeof again), needed);
    ck_assert_int_eq(memcmp(bytes, again, needed), 0);
    uint64_t length = 0;
    memcpy(&length, bytes, 8);
    ck_assert_uint_eq(length % 8, 0);
    ck_assert_uint_eq(needed,
                      8 + length + sizeof weights + sizeof step + sizeof table + sizeof flags);
    file = NULL;
    ASSERT_OK(open_memory(&file, NULL, bytes, needed));
    dd_safetensors_writer_free(writer);
    dd_safetensors_writer_free(NULL);
    assert_written(file);
    dd_safetensors_free(file);
}
END_TEST

START_TEST(a_writer_may_have_nothing) {
    dd_safetensors_writer *writer = NULL;
    dd_safetensors *file = NULL;
    ASSERT_OK(dd_safetensors_writer_create(&writer, NULL));
    ASSERT_OK(save_file(writer, in_folder("m")));
    ASSERT_OK(open_file(&file, context, in_folder("m")));
    ck_assert_uint_eq(dd_safetensors_count(file), 0);
    dd_safetensors_free(file);
    dd_safetensors_writer_free(writer);
}
END_TEST

START_TEST(what_cannot_be_written_is_refused) {
    dd_safetensors_writer *writer = make_writer();
    const size_t one = 1, zero = 0, vast[] = {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF},
                 nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, beyond = 0x80000000;
    char lengthy[300];
    memset(lengthy, 'n', 256);
    lengthy[256] = '\0';
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "__metadata__", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "\xFF", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "step", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_INVALID_ARGUMENT, "already");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, lengthy, DD_STORED_U8, 1, &one, flags),
                 DDAEBM_OUT_OF_RANGE, "256 bytes");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 1, &zero, flags),
                 DDAEBM_OUT_OF_RANGE, "length 0");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 1, &beyond, flags),
                 DDAEBM_OUT_OF_RANGE, "2147483648");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 3, vast, flags),
                 DDAEBM_OUT_OF_RANGE, "axis 2");
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "x", DD_STORED_U8, 9, nine, flags),
                 DDAEBM_OUT_OF_RANGE, "9 axes");
    ASSERT_FAILS(dd_safetensors_writer_add_half(writer, "", 1, &one, weights),
                 DDAEBM_INVALID_ARGUMENT, "name");
    ASSERT_FAILS(dd_safetensors_writer_metadata(writer, "k", "\xFF"), DDAEBM_INVALID_ARGUMENT,
                 "UTF-8");
    ASSERT_FAILS(dd_safetensors_writer_metadata(writer, "\xFF", "v"), DDAEBM_INVALID_ARGUMENT,
                 "UTF-8");
    ASSERT_FAILS(save_file(writer, "/dev/full"), DDAEBM_IO, "/dev/full");
    ASSERT_FAILS(save_file(writer, in_folder("no/m")), DDAEBM_IO, "create it first");
    ck_assert_uint_eq(entries_in_folder(), 0);
    ASSERT_OK(save_file(writer, in_folder("m"))); /* still of use */
    ASSERT_OK(dd_safetensors_writer_add(writer, "vast", DD_STORED_F32, 2, vast, weights));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE, "exceed");
    dd_safetensors_writer_free(writer);
    writer = make_writer();
    char *much = malloc((8 << 20) + 1);
    memset(much, 'm', 8 << 20);
    much[8 << 20] = '\0';
    ASSERT_OK(dd_safetensors_writer_metadata(writer, "much", much));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE, "8388608");
    free(much);
    dd_safetensors_writer_free(writer);
}
END_TEST

/* The data alone take all of the bytes that a file may have. None of them is touched. */
START_TEST(a_header_may_be_too_much) {
    dd_safetensors_writer *writer = NULL;
    const size_t most = 0x7FFFFFFF, rest = 2;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));
    ASSERT_OK(dd_safetensors_writer_add(writer, "a", DD_STORED_U8, 1, &most, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "b", DD_STORED_U8, 1, &most, flags));
    ASSERT_OK(dd_safetensors_writer_add(writer, "c", DD_STORED_U8, 1, &rest, flags));
    ASSERT_FAILS(save_file(writer, in_folder("m")), DDAEBM_OUT_OF_RANGE,
                 "the file exceeds the 4294967296 bytes allowed");
    ck_assert_uint_eq(entries_in_folder(), 0);
    dd_safetensors_writer_free(writer);
}
END_TEST

START_TEST(as_many_tensors_as_allowed) {
    dd_safetensors_writer *writer = NULL;
    dd_safetensors *file = NULL;
    char name[32];
    const size_t one = 1;
    ASSERT_OK(dd_safetensors_writer_create(&writer, context));
    for (unsigned i = 0; i < MOST_TENSORS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        ASSERT_OK(dd_safetensors_writer_add(writer, name, DD_STORED_U8, 1, &one, flags));
    }
    ASSERT_FAILS(dd_safetensors_writer_add(writer, "more", DD_STORED_U8, 1, &one, flags),
                 DDAEBM_OUT_OF_RANGE, "16384");
    ASSERT_OK(save_file(writer, in_folder("m")));
    ASSERT_OK(open_file(&file, context, in_folder("m")));
    for (unsigned i = 0; i < MOST_TENSORS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        ck_assert_ptr_nonnull(dd_safetensors_find(file, name));
    }
    dd_safetensors_free(file);
    dd_safetensors_writer_free(writer);
}
END_TEST

#define SEALED(entries)                                                                            \
    "{\"__metadata__\":{" entries "},\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]" \
    "}}"

START_TEST(a_checksum_is_eight_digits_in_their_place) {
    static const char *const odd[] = {
        SEALED("\"checksum\": \"00000000\""),
        SEALED("\"checksum\":\"0000000\""),
        SEALED("\"checksum\":\"000000000\""),
        SEALED("\"a\\\"checksum\":\"00000000\",\"checksum\" :\"00000000\""),
        "{\"__metadata__\":{\"checksum\":\"0\"}}",
    };
    dd_safetensors *file = NULL;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ASSERT_FAILS(parse(&file, odd[i], i < 4 ? 4 : 0), DDAEBM_FORMAT,
                     "the checksum is not 8 digits");
    ASSERT_OK(
        parse(&file, SEALED("\"a\\\"checksum\":\"00000000\""), 4)); /* a key of another name */
    dd_safetensors_free(file);
    char header[] = SEALED("\"a\\\"checksum\":\"00000000\",\"checksum\":\"????????\""),
         text[DD_SEAL_DIGITS + 1];
    const unsigned char data[4] = {0, 1, 2, 3};
    const dd_span span = {data, sizeof data};
    char *digits = dd_seal_find(header, strlen(header));
    ck_assert_ptr_eq(digits, strstr(header, "????????"));
    dd_seal_compute(text, header, strlen(header), digits, &span, 1);
    memcpy(digits, text, DD_SEAL_DIGITS);
    ASSERT_OK(parse(&file, header, 4));
    dd_safetensors_free(file);
    file = NULL;
    digits[7] = digits[7] == '0' ? '1' : '0';
    ASSERT_FAILS(parse(&file, header, 4), DDAEBM_FORMAT, "it is damaged");
    ck_assert_ptr_null(file);
}
END_TEST

START_TEST(one_tensor_too_many_is_refused) {
    size_t count = MOST_TENSORS + 1, used = 0;
    char *header = malloc(count * 80);
    dd_safetensors *file = NULL;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(
            header + used, 80,
            "%c\"t%zu\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}", i ? ',' : '{',
            i, i, i + 1);
    strcpy(header + used, "}");
    ASSERT_FAILS(parse(&file, header, count), DDAEBM_OUT_OF_RANGE, "16385 tensors");
    free(header);
}
END_TEST

START_TEST(bad_files_are_named) {
    dd_safetensors *file = NULL;
    put_file(in_folder("short"), "abc", 3);
    put_file(in_folder("image"), "\x89PNG\r\n\x1A\n1234567890", 18);
    ASSERT_FAILS(open_file(&file, NULL, in_folder("short")), DDAEBM_FORMAT,
                 "/short: it has 3 bytes");
    ASSERT_FAILS(open_file(&file, NULL, in_folder("image")), DDAEBM_FORMAT,
                 "it is no model: it is not a safetensors file");
    ASSERT_FAILS(open_file(&file, NULL, in_folder("none")), DDAEBM_NOT_FOUND, "/none");
    ASSERT_FAILS(open_file(&file, NULL, folder), DDAEBM_IO, "folder");
    ck_assert_ptr_null(file);
}
END_TEST

/* Looks at everything that a file says, as a caller would. */
static void walk(const dd_safetensors *file) {
    unsigned sum = 0;
    for (size_t i = 0; i < dd_safetensors_count(file); i++) {
        const dd_tensor_entry *entry = dd_safetensors_entry(file, i);
        ck_assert_ptr_eq(dd_safetensors_find(file, entry->name), entry);
        for (size_t k = 0; k < entry->bytes; k++)
            sum += ((const unsigned char *)entry->data)[k];
    }
    ck_assert_uint_ne(sum, 1);
}

START_TEST(every_cut_is_refused_and_every_flip_survived) {
    dd_safetensors_writer *writer = make_writer();
    unsigned char bytes[1024];
    size_t size = 0;
    ASSERT_OK(save_memory(writer, bytes, sizeof bytes, &size));
    dd_safetensors_writer_free(writer);
    size_t live = counted.live;
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut ? cut : 1);
        dd_safetensors *file = NULL;
        memcpy(part, bytes, cut);
        ck_assert_int_ne(open_memory(&file, context, part, cut), DDAEBM_OK);
        ck_assert_ptr_null(file);
        free(part);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        dd_safetensors *file = NULL;
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (open_memory(&file, context, bytes, size) == DDAEBM_OK)
            walk(file);
        dd_safetensors_free(file);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    ck_assert_uint_eq(counted.live, live);
}
END_TEST

START_TEST(memory_may_run_out) {
    dd_safetensors *file = NULL;
    void *none = NULL;
    char bytes[1024];
    dd_safetensors_writer *writer = make_writer(), *other = NULL;
    SWEEP_ALLOCATIONS(counted, none, save_file(writer, in_folder("m")));
    SWEEP_ALLOCATIONS(counted, none, save_memory(writer, bytes, sizeof bytes, NULL));
    SWEEP_ALLOCATIONS(counted, file, open_file(&file, context, in_folder("m")));
    dd_safetensors_free(file);
    file = NULL;
    SWEEP_ALLOCATIONS(counted, file,
                      parse(&file,
                            "{\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"d\":{"
                            "\"dtype\":\"F64\",\"shape\":[1],"
                            "\"data_offsets\":[1,9]}}",
                            9));
    dd_safetensors_free(file);
    SWEEP_ALLOCATIONS(counted, other, dd_safetensors_writer_create(&other, context));
    counted.fail_at = counted.calls + 1;
    ck_assert_int_eq(dd_safetensors_writer_add(other, "step", DD_STORED_I64, 0, NULL, &step),
                     DDAEBM_OUT_OF_MEMORY);
    ASSERT_OK(dd_safetensors_writer_add(other, "step", DD_STORED_I64, 0, NULL, &step));
    dd_safetensors_writer_free(other);
    dd_safetensors_writer_free(writer);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("safetensors", a_header_is_read, a_file_may_be_empty,
                     data_is_aligned_whatever_the_file, lies_are_refused, limits_hold_at_their_edge,
                     bombs_are_refused, what_is_written_is_read, a_writer_may_have_nothing,
                     what_cannot_be_written_is_refused, a_header_may_be_too_much,
                     as_many_tensors_as_allowed, a_checksum_is_eight_digits_in_their_place,
                     one_tensor_too_many_is_refused, bad_files_are_named,
                     every_cut_is_refused_and_every_flip_survived, memory_may_run_out);
}
