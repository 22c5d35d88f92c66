#include "base/crc32.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "dd_crc32_add reads eight bytes as one integer");

void dd_crc32_begin(dd_crc32 *crc) {
    crc->state = UINT32_MAX;

    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? UINT32_C(0xEDB88320) : 0);
        crc->table[0][byte] = value;
    }

    for (int after = 1; after < DD_CRC32_AT_ONCE; after++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = crc->table[after - 1][byte];
            crc->table[after][byte] = before >> 8 ^ crc->table[0][before & 0xFF];
        }
}

void dd_crc32_add(dd_crc32 *crc, const void *data, size_t size) {
    const unsigned char *at = data;
    uint32_t state = crc->state;

    for (; size >= DD_CRC32_AT_ONCE; size -= DD_CRC32_AT_ONCE, at += DD_CRC32_AT_ONCE) {
        uint64_t eight = 0;
        memcpy(&eight, at, sizeof eight);
        eight ^= state;
        state = 0;
        for (int i = 0; i < DD_CRC32_AT_ONCE; i++)
            state ^= crc->table[DD_CRC32_AT_ONCE - 1 - i][eight >> 8 * i & 0xFF];
    }

    for (; size > 0; size--)
        state = state >> 8 ^ crc->table[0][(state ^ *at++) & 0xFF];
    crc->state = state;
}

uint32_t dd_crc32_value(const dd_crc32 *crc) {
    return ~crc->state;
}
