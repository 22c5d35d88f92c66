/* One image as PNG; and with the checksums put right, which chance never does. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/png_read.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIGNATURE = 8,
    FRAME = 12
}; /* bytes before the chunks, and of a chunk beside its data: length, name, checksum */

static void parse(const uint8_t *data, size_t size) {
    dd_images image = {.block = fuzz_unset()};
    ddaebm_status status = dd_png_parse(&image, fuzz_context(), data, size, DD_MOST_WIDTH);
    if (!fuzz_judge(status, image.block != fuzz_unset()))
        return;
    FUZZ_REQUIRE(image.count == 1 && (image.shape.channels == 1 || image.shape.channels == 3));
    fuzz_touch(image.pixels, dd_image_numbers(image.shape));
    dd_free(fuzz_context(), image.block);
}

static uint32_t checksum(const uint8_t *data, size_t size) {
    uint32_t rest = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        rest ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            rest = rest & 1 ? rest >> 1 ^ 0xEDB88320 : rest >> 1;
    }
    return ~rest;
}

static uint32_t read_word(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Of all chunks that are whole. */
static void mend_checksums(uint8_t *data, size_t size) {
    for (size_t at = SIGNATURE; size >= FRAME && at <= size - FRAME;) {
        uint32_t length = read_word(data + at);
        if (length > size - FRAME - at)
            return;
        uint32_t sum = checksum(data + at + 4, 4 + (size_t)length);
        at += 8 + (size_t)length;
        for (size_t i = 0; i < 4; i++, at++)
            data[at] = (uint8_t)(sum >> (24 - 8 * i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin();
    parse(data, size);
    uint8_t *mended = malloc(size ? size : 1);
    FUZZ_REQUIRE(mended != NULL);
    if (size > 0)
        memcpy(mended, data, size);
    mend_checksums(mended, size);
    parse(mended, size);
    free(mended);
    fuzz_end();
    return 0;
}
