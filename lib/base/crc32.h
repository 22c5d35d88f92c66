/* CRC-32 as in ISO 3309, gzip and PNG (reflected polynomial 0xEDB88320): the checksum of files. */
#ifndef DD_CRC32_H
#define DD_CRC32_H

#include "base/ieee.h"

#include <stddef.h>
#include <stdint.h>

enum { DD_CRC32_AT_ONCE = 8 };

/* The state of a computation. table[k][b] is what byte b followed by k zero bytes does to it. */
typedef struct dd_crc32 {
    uint32_t state;
    uint32_t table[DD_CRC32_AT_ONCE][256];
} dd_crc32;

/* Begins a checksum. */
void dd_crc32_begin(dd_crc32 *crc);

/* Adds bytes to it. */
void dd_crc32_add(dd_crc32 *crc, const void *data, size_t size);

/* Returns the checksum of all bytes so far. */
uint32_t dd_crc32_value(const dd_crc32 *crc);

#endif
