/* The checksum of files: CRC-32 as of ISO 3309, gzip and PNG (reflected polynomial 0xEDB88320). */
#ifndef DD_CRC32_H
#define DD_CRC32_H

#include "base/ieee.h"

#include <stddef.h>
#include <stdint.h>

enum { DD_CRC32_AT_ONCE = 8 };

/* A checksum while it is taken. */
typedef struct dd_crc32 {
    uint32_t state;
    uint32_t table[DD_CRC32_AT_ONCE]
                  [256]; /* what a byte does to the state, followed by 0 to 7 more */
} dd_crc32;

void dd_crc32_begin(dd_crc32 *crc);
void dd_crc32_add(dd_crc32 *crc, const void *data, size_t size);

/* Of all that was added. */
uint32_t dd_crc32_value(const dd_crc32 *crc);

#endif
