#define _GNU_SOURCE
#include "base/context.h"
#include "io/gzip.h"
#include "support/counted.h"
#include "support/heard.h"
#include "support/images_small.h"

#include <limits.h>
#include <sys/mman.h>

#ifdef DDAEBM_HAVE_ZLIB

#include <zlib.h>

enum { LARGE = 300000 };

/* Packs bytes as gzip does. */
static size_t pack(uint8_t *out, size_t room, const uint8_t *bytes, size_t size) {
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)bytes,
                       .avail_in = (uInt)size,
                       .next_out = out,
                       .avail_out = (uInt)room};
    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t packed = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static uint8_t bytes[LARGE], file[LARGE + 1000];

static size_t make_file(size_t size) {
    fill_bytes(bytes, size / 2, 1);
    return pack(file, sizeof file, bytes, size);
}

START_TEST(what_was_packed_comes_out) {
    const size_t sizes[] = {0, 1, 100, 65534, 65535, 65536, LARGE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *out = NULL;
        size_t out_size = 0, size = make_file(sizes[i]);
        ck_assert(dd_gzip_recognise(file, size));
        uint8_t *exact = exact_copy(file, size);
        ASSERT_OK(dd_gzip_unpack(&out, &out_size, context, exact, size, LARGE));
        ck_assert_uint_eq(out_size, sizes[i]);
        ck_assert_int_eq(memcmp(out, bytes, out_size), 0);
        ck_assert_int_eq(((uint8_t *)out)[out_size], 0);
        free(exact);
        dd_free(context, out);
    }
}
END_TEST

START_TEST(damage_is_refused) {
    void *out = NULL;
    size_t out_size = 0, size = make_file(1000);
    for (size_t cut = 2; cut < size; cut++) {
        uint8_t *part = exact_copy(file, cut);
        ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, part, cut, LARGE), DDAEBM_FORMAT,
                     "cut off");
        free(part);
    }
    file[size - 6] ^= 1; /* in the sum over the content */
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, size, LARGE), DDAEBM_FORMAT,
                 "damaged: incorrect data check");
    file[2] = 7;
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, size, LARGE), DDAEBM_FORMAT,
                 "damaged");
    size = make_file(1000);
    ASSERT_OK(dd_gzip_unpack(&out, &out_size, context, file, size, 1000));
    dd_free(context, out);
    out = NULL;
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, size, 999), DDAEBM_OUT_OF_RANGE,
                 "999 bytes allowed");
    size = make_file(LARGE);
    counted.most =
        counted.bytes; /* two blocks of what is allowed at most, while one grows, and zlib's own */
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, size, LARGE - 1),
                 DDAEBM_OUT_OF_RANGE, "bytes allowed");
    ck_assert_uint_lt(counted.most, 2 * LARGE + (1 << 16));
    ck_assert_ptr_null(out);
}
END_TEST

/* ---- Members. ---- */

/* The file is unpacked to the bytes, once or twice, with so many warnings. */
static void assert_unpacked(const uint8_t *data, size_t size, size_t expected, size_t warnings) {
    void *out = NULL;
    size_t out_size = 0;
    uint8_t *exact = exact_copy(data, size);
    heard_lines = 0;
    ASSERT_OK(dd_gzip_unpack(&out, &out_size, context, exact, size, LARGE));
    ck_assert_uint_eq(out_size, expected);
    for (size_t i = 0; i < out_size; i++)
        ck_assert_uint_eq(((uint8_t *)out)[i], bytes[i % 1000]);
    ck_assert_int_eq(((uint8_t *)out)[out_size], 0);
    ck_assert_uint_eq(heard_lines, warnings);
    free(exact);
    dd_free(context, out);
}

/* As zcat reads them: cat a.gz b.gz, bgzip's blocks, tar's zeros. */
START_TEST(members_are_put_together) {
    static const uint8_t bgzip_end[] = {0x1F, 0x8B, 8,    4, 0, 0, 0, 0, 0, 0xFF, 6, 0, 0x42, 0x43,
                                        2,    0,    0x1B, 0, 3, 0, 0, 0, 0, 0,    0, 0, 0,    0};
    hear_context(context);
    size_t size = make_file(1000), twice = 2 * size, end = twice + sizeof bgzip_end;
    memcpy(file + size, file, size);
    assert_unpacked(file, twice, 2000, 0);
    memcpy(file + twice, bgzip_end, sizeof bgzip_end);
    assert_unpacked(file, end, 2000, 0);
    memset(file + end, 0, 512);
    assert_unpacked(file, end + 1, 2000, 0);
    assert_unpacked(file, end + 512, 2000, 0);
    memcpy(file + end, "\n", 1);
    assert_unpacked(file, end + 1, 2000, 1);
    ck_assert_ptr_nonnull(strstr(heard_line, "1 bytes follow its gzip data that are none"));
    memcpy(file + end, "\0\0x", 3);
    assert_unpacked(file, end + 3, 2000, 1);
    memcpy(file + end, "\0\x1F\x8B",
           3); /* behind zeros no member is looked for, as zcat does not */
    assert_unpacked(file, end + 3, 2000, 1);
    memcpy(file + end, "\x1F", 1);
    assert_unpacked(file, end + 1, 2000, 1);
}
END_TEST

START_TEST(a_damaged_member_is_refused) {
    void *out = NULL;
    size_t out_size = 0, size = make_file(1000), twice = 2 * size;
    memcpy(file + size, file, size);
    for (size_t cut = size + 2; cut < twice; cut++) {
        uint8_t *part = exact_copy(file, cut);
        ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, part, cut, LARGE), DDAEBM_FORMAT,
                     "cut off");
        free(part);
    }
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, twice, 1999), DDAEBM_OUT_OF_RANGE,
                 "1999 bytes allowed");
    file[twice - 6] ^= 1;
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, file, twice, LARGE), DDAEBM_FORMAT,
                 "damaged: incorrect data check");
    ck_assert_ptr_null(out);
}
END_TEST

/* More than zlib takes at once. Only the first page of it is ever touched. */
START_TEST(a_vast_file_is_read_in_pieces) {
    hear_context(context);
    const size_t vast = (size_t)UINT_MAX + 10;
    void *out = NULL, *mapped = mmap(NULL, vast, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t out_size = 0, size = make_file(10);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    memcpy(mapped, file, size);
    ((char *)mapped)[size] = 'x';
    char expected[64];
    snprintf(expected, sizeof expected, "%zu bytes follow its gzip data", vast - size);
    heard_lines = 0;
    ASSERT_OK(dd_gzip_unpack(&out, &out_size, context, mapped, vast, LARGE));
    ck_assert_uint_eq(out_size, 10);
    ck_assert_uint_eq(heard_lines, 1);
    ck_assert_ptr_nonnull(strstr(heard_line, expected));
    dd_free(context, out);
    ck_assert_int_eq(munmap(mapped, vast), 0);
}
END_TEST

START_TEST(two_bytes_tell_gzip) {
    ck_assert(dd_gzip_recognise("\x1F\x8B", 2));
    ck_assert(!dd_gzip_recognise("\x1F\x8B", 1));
    ck_assert(!dd_gzip_recognise("\x1F\x8C", 2));
    ck_assert(!dd_gzip_recognise("\x1E\x8B", 2));
}
END_TEST

START_TEST(memory_may_run_out) {
    void *out = NULL;
    size_t out_size = 0, size = make_file(LARGE);
    SWEEP_ALLOCATIONS(counted, out, dd_gzip_unpack(&out, &out_size, context, file, size, LARGE));
    dd_free(context, out);
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("gzip", what_was_packed_comes_out, damage_is_refused, members_are_put_together,
                     a_damaged_member_is_refused, a_vast_file_is_read_in_pieces,
                     two_bytes_tell_gzip, memory_may_run_out);
}

#else

START_TEST(a_build_without_zlib_says_so) {
    void *out = NULL;
    size_t out_size = 0;
    ASSERT_FAILS(dd_gzip_unpack(&out, &out_size, context, "\x1F\x8B", 2, 10), DDAEBM_UNSUPPORTED,
                 "zlib");
}
END_TEST

int main(void) {
    use_fixture(open_two_threads, close_context);
    return RUN_TESTS("gzip", a_build_without_zlib_says_so);
}

#endif
