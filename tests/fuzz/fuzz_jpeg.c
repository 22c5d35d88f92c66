/* One image as JPEG. libjpeg's memory is not the context's, and grows with what the header says:
 * images are small here. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/jpeg_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { MOST = 1 << 16 };
    dd_images image = {.block = fuzz_unset()};
    fuzz_begin();
    ddaebm_status status = dd_jpeg_parse(&image, fuzz_context(), data, size, MOST);
    if (fuzz_judge(status, image.block != fuzz_unset())) {
        FUZZ_REQUIRE(image.count == 1 && (image.shape.channels == 1 || image.shape.channels == 3));
        FUZZ_REQUIRE(dd_image_numbers(image.shape) <= MOST && image.surplus < size);
        fuzz_touch(image.pixels, dd_image_numbers(image.shape));
        dd_free(fuzz_context(), image.block);
    }
    fuzz_end();
    return 0;
}
