/* Numbers in text: rows of finite numbers and the names of their columns, or a failure. A first
 * line that begins with "#!" is not read: it says how the others are, as in "#!y3-5,a;2;?": y or n
 * for a header or none, the columns to keep, those to leave out, and the words that stand for
 * missing values, which are NaN. */
#include "base/context.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "io/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Options in a text of their own, cut at its marks. */
static ddaebm_read_options take_options(char *line) {
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    options.header = *line == 'y'   ? DDAEBM_HEADER_YES
                     : *line == 'n' ? DDAEBM_HEADER_NO
                                    : DDAEBM_HEADER_AUTO;
    char *columns = *line ? line + 1 : line, *drop = strchr(columns, ';'), *missing = NULL;
    if (drop) {
        *drop++ = '\0';
        missing = strchr(drop, ';');
    }
    if (missing)
        *missing++ = '\0';
    options.columns = *columns ? columns : NULL;
    options.drop = drop && *drop ? drop : NULL;
    options.missing = missing;
    return options;
}

static void check_names(const dd_column_names *names, size_t width) {
    FUZZ_REQUIRE(names->count == 0 || names->count == width);
    for (size_t i = 0; i < names->count; i++)
        FUZZ_REQUIRE(
            !names->items[i] ||
            (*names->items[i] && dd_utf8_is_valid(names->items[i], strlen(names->items[i]))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dd_rows rows = {.wide = fuzz_unset()};
    dd_column_names names = {.items = NULL};
    const char *text = (const char *)data,
               *end = size >= 2 && memcmp(text, "#!", 2) == 0 ? memchr(text, '\n', size) : NULL;
    size_t before = end ? (size_t)(end - text) : 0;
    char *line = calloc(before + 1, 1);
    FUZZ_REQUIRE(line != NULL);
    if (end)
        memcpy(line, text + 2, before - 2);
    const ddaebm_read_options options = take_options(line);

    fuzz_begin();
    ddaebm_status status =
        dd_csv_parse(&rows, &names, fuzz_context(), text + before, size - before, &options);
    bool list_is_wrong = (options.columns || options.drop) &&
                         (status == DDAEBM_INVALID_ARGUMENT || status == DDAEBM_NOT_FOUND);
    if (fuzz_judge(list_is_wrong ? DDAEBM_FORMAT : status, rows.wide != fuzz_unset())) {
        FUZZ_REQUIRE(rows.count > 0 && rows.width > 0 && rows.width <= DD_MOST_WIDTH &&
                     !rows.values);
        FUZZ_REQUIRE(rows.count * rows.width <=
                     size); /* each number is a byte at least, and something stands between */
        for (size_t i = 0; i < rows.count * rows.width; i++)
            FUZZ_REQUIRE(isfinite(rows.wide[i]) || (options.missing && isnan(rows.wide[i])));
        check_names(&names, rows.width);
        dd_free(fuzz_context(), rows.wide);
        dd_column_names_free(&names, fuzz_context());
    }
    fuzz_end();
    free(line);
    return 0;
}
