/* Arrays of NumPy's: rows, and images where they are bytes, which hold the same numbers. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/npy.h"

static void check_images(const dd_images *images, const dd_rows *rows) {
    size_t numbers = dd_image_numbers(images->shape);
    FUZZ_REQUIRE(images->count == rows->count && numbers == rows->width);
    for (size_t i = 0; i < rows->count * rows->width; i++)
        FUZZ_REQUIRE(dd_rows_at(rows, i) == (double)images->pixels[i]);
}

/* The images of a file of bytes of three axes or four, as [N, H, W] or [N, H, W, C]; false for
 * other files. */
static bool find_shape(dd_image_shape *shape, const uint8_t *data, size_t size) {
    dd_array_axes axes;
    if (dd_npy_look(&axes, data, size) != DDAEBM_OK || axes.kind != DD_BYTES || axes.rank < 3 ||
        axes.rank > 4)
        return false;
    *shape = (dd_image_shape){axes.length[1], axes.length[2], axes.rank == 4 ? axes.length[3] : 1};
    return shape->channels <= DD_MOST_CHANNELS;
}

/* Floats of what doubles hold. */
static void check_floats(const dd_rows *rows, const uint8_t *data, size_t size) {
    dd_rows floats = {.values = NULL};
    if (dd_npy_parse_floats(&floats, fuzz_context(), data, size) != DDAEBM_OK)
        return; /* no memory */
    FUZZ_REQUIRE(floats.values && !floats.wide && floats.count == rows->count &&
                 floats.width == rows->width);
    dd_free(fuzz_context(), floats.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_rows rows = {.values = fuzz_unset()};
    dd_images images = {.block = fuzz_unset()};
    dd_image_shape shape;
    fuzz_begin();
    ddaebm_status status = dd_npy_parse(&rows, fuzz_context(), data, size);
    bool good = fuzz_judge(status, rows.values != fuzz_unset());
    if (good) {
        FUZZ_REQUIRE(!rows.values != !rows.wide);
        if (rows.wide)
            fuzz_touch(rows.wide, rows.count * rows.width * sizeof *rows.wide);
        else
            fuzz_touch(rows.values, rows.count * rows.width * sizeof *rows.values);
        check_floats(&rows, data, size);
    }
    if (find_shape(&shape, data, size)) {
        status = dd_npy_parse_bytes(&images, fuzz_context(), data, size, shape);
        if (fuzz_judge(status, images.block != fuzz_unset())) {
            FUZZ_REQUIRE(good);
            check_images(&images, &rows);
            dd_free(fuzz_context(), images.block);
        }
    }
    if (good) {
        dd_free(fuzz_context(), rows.values);
        dd_free(fuzz_context(), rows.wide);
    }
    fuzz_end();
    return 0;
}
