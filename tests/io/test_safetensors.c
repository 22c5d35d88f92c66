/* Reading safetensors: what a header may say, and what is refused. */
#define _GNU_SOURCE
#include "io/seal.h"
#include "support/counted.h"
#include "support/safetensors_small.h"

#include <stdint.h>

/* As contexts begin. */
enum { MOST_TENSORS = 16384 };

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

/* Files of other programs: header of any length, narrow types first. */
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
        {"", 0, DDAEBM_FORMAT, "cannot be read"},
        {"[]", 0, DDAEBM_FORMAT, "not a JSON object"},
        {"{", 0, DDAEBM_FORMAT, "cannot be read"},
        {"{}x", 0, DDAEBM_FORMAT, "cannot be read"},
        {"{} ", 1, DDAEBM_FORMAT, "the tensors end at byte 0 of the data, and more follows"},
        {"{\"x\":1}", 0, DDAEBM_FORMAT, "'x'"},
        {"{\"x\":{}}", 0, DDAEBM_FORMAT, "dtype, shape and data_offsets"},
        {"{\"\\u0000\":{}}", 0, DDAEBM_FORMAT, "cannot be read"},
        {"{\"\xFF\":{}}", 0, DDAEBM_FORMAT, "cannot be read"},
        {"{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT,
         "empty name"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
         DDAEBM_FORMAT, "nothing else"},
        {"{\"x\":{\"type\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT,
         "dtype is missing"},
        {"{\"x\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, DDAEBM_FORMAT,
         "not a string"},
        {"{\"x\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, DDAEBM_UNSUPPORTED,
         "'I16'; known"},
        {"{\"x\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, DDAEBM_UNSUPPORTED,
         "'f32'"},
        {"{\"x\":{\"dtype\":\"F32\",\"shapes\":[1],\"data_offsets\":[0,4]}}", 4, DDAEBM_FORMAT,
         "shape is missing"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offset\":[0,4]}}", 4, DDAEBM_FORMAT,
         "two integers"},
        {ONE("1", "[0,4]"), 4, DDAEBM_FORMAT, "not a list"},
        {ONE("[1.0]", "[0,4]"), 4, DDAEBM_FORMAT, "not an integer"},
        {ONE("[null]", "[0,4]"), 4, DDAEBM_FORMAT, "not an integer"},
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
        {"{" TENSOR("a", "[0,4]") "," TENSOR("a", "[4,8]") "}", 8, DDAEBM_FORMAT, "cannot be read"},
        {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", 0, DDAEBM_FORMAT, "cannot be read"},
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
    static char whole[8 + (8 << 20)]; /* more than a file may have: it is not even read */
    memcpy(whole, &cut, 8);
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, 1 << 20));
    counted.most = counted.bytes;
    ASSERT_FAILS(open_memory(&file, context, whole, sizeof whole), DDAEBM_OUT_OF_RANGE,
                 "more than the 1048576 bytes allowed");
    ck_assert_uint_lt(counted.most, 1 << 20);
    ck_assert_ptr_null(file);
}
END_TEST

/* Opens a file of a header and 4 bytes under limits on the header and on the file. */
static ddaebm_status parse_within(const char *header, size_t bytes, uint64_t most_header,
                                  uint64_t most_file) {
    dd_safetensors *file = NULL;
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_HEADER_BYTES, most_header));
    ASSERT_OK(ddaebm_context_set_limit(context, DDAEBM_LIMIT_FILE_BYTES, most_file));
    ddaebm_status status = parse(&file, header, bytes);
    ck_assert_int_eq(file != NULL, status == DDAEBM_OK);
    dd_safetensors_free(file);
    return status;
}

/* A limit that a file just keeps, and one byte less: of the header, and of the file where it ends
 * with the header, within it, and with the data. */
START_TEST(limits_of_the_context_hold_at_their_edge) {
    static const char empty[] = "{\"__metadata__\":{}}", one[] = ONE("[1]", "[0,4]");
    const size_t bare = sizeof empty - 1, whole = sizeof one - 1;

    ASSERT_OK(parse_within(empty, 0, bare, 8 + bare));
    ASSERT_FAILS(parse_within(empty, 0, bare - 1, 8 + bare), DDAEBM_OUT_OF_RANGE, "its header");
    ASSERT_FAILS(parse_within(empty, 0, bare, 8 + bare - 1), DDAEBM_OUT_OF_RANGE,
                 "its header alone takes more");
    ASSERT_FAILS(parse_within(empty, 0, bare, bare), DDAEBM_OUT_OF_RANGE,
                 "its header alone takes more");
    ASSERT_FAILS(parse_within(one, 4, whole, 8 + whole - 1), DDAEBM_OUT_OF_RANGE,
                 "its header alone takes more");

    ASSERT_OK(parse_within(one, 4, whole, 8 + whole + 4));
    ASSERT_FAILS(parse_within(one, 4, whole, 8 + whole + 3), DDAEBM_FORMAT, "outside any file");
    ASSERT_FAILS(parse_within(one, 4, whole, 8 + whole), DDAEBM_FORMAT, "outside any file");
}
END_TEST

/* Headers that would take far more memory as JSON values than as text. */
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
                 "it is not a model: it is not a safetensors file");
    ASSERT_FAILS(open_file(&file, NULL, in_folder("none")), DDAEBM_NOT_FOUND, "/none");
    ASSERT_FAILS(open_file(&file, NULL, folder), DDAEBM_IO, "folder");
    ck_assert_ptr_null(file);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("io/safetensors", a_header_is_read, a_file_may_be_empty,
                     data_is_aligned_whatever_the_file, lies_are_refused, limits_hold_at_their_edge,
                     limits_of_the_context_hold_at_their_edge, bombs_are_refused,
                     a_checksum_is_eight_digits_in_their_place, one_tensor_too_many_is_refused,
                     bad_files_are_named);
}
