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
    dd_array_axes axes = {.rank = 0};
    ddaebm_status status = dd_idx_look(&axes, copy, size);
    if (status == DDAEBM_OK) {
        dd_picture_shape shape = {axes.length[1], axes.length[2], axes.rank == 4 ? axes.length[3] : 1};
        status = dd_idx_parse(&pictures, copy, size, FUZZ_MOST_BYTES, shape);
    }
    if (fuzz_judge(status, pictures.block != fuzz_unset())) {
        FUZZ_REQUIRE(pictures.block == copy);
        fuzz_touch(pictures.pixels, pictures.count * dd_picture_numbers(pictures.shape));
    }
    free(copy);
    fuzz_end();
    return 0;
}
