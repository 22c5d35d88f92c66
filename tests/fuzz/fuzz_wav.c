/* One WAV file. libsndfile's memory is not the context's. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { MOST = 1 << 20 };
    dd_rows rows = {.values = fuzz_unset()};
    size_t rate = 0;
    fuzz_begin();
    ddaebm_status status = dd_wav_parse(&rows, &rate, fuzz_context(), data, size, MOST);
    if (fuzz_judge(status, rows.values != fuzz_unset())) {
        size_t numbers = rows.count * rows.width;
        FUZZ_REQUIRE(rows.count > 0 && rows.width > 0 && !rows.values != !rows.wide);
        FUZZ_REQUIRE(numbers * (rows.wide ? sizeof(double) : sizeof(float)) <= MOST);
        if (rows.wide)
            fuzz_touch(rows.wide, numbers * sizeof *rows.wide);
        else
            fuzz_touch(rows.values, numbers * sizeof *rows.values);
        dd_free(fuzz_context(), rows.values);
        dd_free(fuzz_context(), rows.wide);
    }
    fuzz_end();
    return 0;
}
