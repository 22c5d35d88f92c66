/* Numbers in text: rows of finite numbers, or a failure. */
#include "base/context.h"
#include "fuzz/fuzz.h"
#include "io/csv.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_rows rows = {fuzz_unset(), 0, 0};
    fuzz_begin();
    ddaebm_status status = dd_csv_parse(&rows, fuzz_context(), (const char *)data, size);
    if (fuzz_judge(status, rows.values != fuzz_unset())) {
        FUZZ_REQUIRE(rows.count > 0 && rows.width > 0 && rows.width <= DD_MOST_WIDTH);
        FUZZ_REQUIRE(rows.count * rows.width <= size); /* each number is a byte at least, and something stands between */
        for (size_t i = 0; i < rows.count * rows.width; i++)
            FUZZ_REQUIRE(isfinite(rows.values[i]));
        dd_free(fuzz_context(), rows.values);
    }
    fuzz_end();
    return 0;
}
