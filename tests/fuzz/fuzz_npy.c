/* Arrays of NumPy's: rows, and pictures where they are bytes, which hold the same numbers. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/npy.h"

static void check_pictures(const dd_pictures *pictures, const dd_rows *rows) {
    size_t numbers = dd_picture_numbers(pictures->shape);
    FUZZ_REQUIRE(pictures->count == rows->count && numbers == rows->width);
    for (size_t i = 0; i < rows->count * rows->width; i++)
        FUZZ_REQUIRE(dd_rows_at(rows, i) == (double)pictures->pixels[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_rows rows = {.values = fuzz_unset()};
    dd_pictures pictures = {.block = fuzz_unset()};
    fuzz_begin();
    ddaebm_status status = dd_npy_parse(&rows, fuzz_context(), data, size);
    bool good = fuzz_judge(status, rows.values != fuzz_unset());
    if (good) {
        dd_picture_shape shape = dd_npy_picture_shape(data, size);
        FUZZ_REQUIRE(shape.height == 0 || dd_picture_numbers(shape) == rows.width);
        FUZZ_REQUIRE(!rows.values != !rows.wide);
        if (rows.wide)
            fuzz_touch(rows.wide, rows.count * rows.width * sizeof *rows.wide);
        else
            fuzz_touch(rows.values, rows.count * rows.width * sizeof *rows.values);
    }
    if (dd_npy_has_bytes(data, size))
        status = dd_npy_parse_bytes(&pictures, fuzz_context(), data, size);
    if (dd_npy_has_bytes(data, size) && fuzz_judge(status, pictures.block != fuzz_unset())) {
        FUZZ_REQUIRE(good);
        check_pictures(&pictures, &rows);
        dd_free(fuzz_context(), pictures.block);
    }
    if (good) {
        dd_free(fuzz_context(), rows.values);
        dd_free(fuzz_context(), rows.wide);
    }
    fuzz_end();
    return 0;
}
