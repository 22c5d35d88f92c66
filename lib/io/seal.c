#define _GNU_SOURCE /* memmem */
#include "io/seal.h"

#include "base/crc32.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* If its first quote is not escaped, this text can only be where the metadata has it: nowhere else
 * may the value be a text. */
static const char key[] = "\"" DD_SEAL_KEY "\":\"";

char *dd_seal_find(char *header, size_t length) {
    char *const end = header + length;
    for (char *at = header + 1; (at = memmem(at, (size_t)(end - at), key, sizeof key - 1)); at++) {
        char *digits = at + sizeof key - 1;
        if (at[-1] != '\\')
            return end - digits > DD_SEAL_DIGITS && digits[DD_SEAL_DIGITS] == '"' ? digits : NULL;
    }
    return NULL;
}

void dd_seal_compute(char text[DD_SEAL_DIGITS + 1], const char *header, size_t length,
                     const char *digits, const dd_span *spans, size_t count) {
    const char *after = digits + DD_SEAL_DIGITS;
    dd_crc32 crc;
    dd_crc32_begin(&crc);
    dd_crc32_add(&crc, header, (size_t)(digits - header));
    dd_crc32_add(&crc, DD_SEAL_BLANK, DD_SEAL_DIGITS);
    dd_crc32_add(&crc, after, length - (size_t)(after - header));
    for (size_t i = 0; i < count; i++)
        dd_crc32_add(&crc, spans[i].data, spans[i].size);
    (void)snprintf(text, DD_SEAL_DIGITS + 1, "%08" PRIx32, dd_crc32_value(&crc));
}
