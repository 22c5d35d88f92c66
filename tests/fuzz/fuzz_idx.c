/* MNIST's format, which is read in place. */
#include "fuzz/fuzz.h"
#include "io/idx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_pictures pictures = {.block = fuzz_unset()};
    fuzz_begin();
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_REQUIRE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    ddaebm_status status = dd_idx_parse(&pictures, copy, size, FUZZ_MOST_BYTES);
    if (fuzz_judge(status, pictures.block != fuzz_unset())) {
        FUZZ_REQUIRE(pictures.block == copy);
        fuzz_touch(pictures.pixels, pictures.count * dd_picture_numbers(pictures.shape));
    }
    free(copy);
    fuzz_end();
    return 0;
}
