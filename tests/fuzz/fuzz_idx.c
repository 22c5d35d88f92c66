/* MNIST's format, which is read in place. */
#include "fuzz/fuzz.h"
#include "io/idx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_images images = {.block = fuzz_unset()};
    fuzz_begin();
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_REQUIRE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    dd_array_axes axes = {.rank = 0};
    ddaebm_status status = dd_idx_look(&axes, copy, size);
    if (status == DDAEBM_OK) {
        dd_image_shape shape = {axes.length[1], axes.length[2],
                                axes.rank == 4 ? axes.length[3] : 1};
        status = dd_idx_parse(&images, copy, size, FUZZ_MOST_BYTES, shape);
    }
    if (fuzz_judge(status, images.block != fuzz_unset())) {
        FUZZ_REQUIRE(images.block == copy);
        fuzz_touch(images.pixels, images.count * dd_image_numbers(images.shape));
    }
    free(copy);
    fuzz_end();
    return 0;
}
