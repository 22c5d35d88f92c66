#define _GNU_SOURCE
#include "base/crc32.h"
#include "base/rng.h"
#include "support/harness.h"

static uint32_t of(const void *data, size_t size, size_t step) {
    dd_crc32 crc;
    dd_crc32_begin(&crc);
    for (size_t at = 0; at < size; at += step)
        dd_crc32_add(&crc, (const char *)data + at, size - at < step ? size - at : step);
    return dd_crc32_value(&crc);
}

/* A bit at a time, by the polynomial's definition. */
static uint32_t plain(const unsigned char *data, size_t size) {
    uint32_t state = UINT32_MAX;
    for (size_t i = 0; i < 8 * size; i++) {
        uint32_t bit = (state ^ (uint32_t)(data[i / 8] >> i % 8)) & 1;
        state = state >> 1 ^ (bit ? UINT32_C(0xEDB88320) : 0);
    }
    return ~state;
}

/* The check values of catalogues: those of "123456789" and of nothing. */
START_TEST(it_is_the_one_of_gzip) {
    ck_assert_uint_eq(of("123456789", 9, 9), 0xCBF43926);
    ck_assert_uint_eq(of("", 0, 1), 0);
}
END_TEST

START_TEST(pieces_do_not_matter) {
    float numbers[75];
    dd_rng_normals(numbers, 5, dd_stream(DD_STREAM_DATA, 0), 0, 75);
    for (size_t size = 0; size <= sizeof numbers; size++)
        for (size_t step = 1; step < 12; step++)
            ck_assert_uint_eq(of(numbers, size, step), plain((const unsigned char *)numbers, size));
}
END_TEST

int main(void) {
    return RUN_TESTS("crc32", it_is_the_one_of_gzip, pieces_do_not_matter);
}
