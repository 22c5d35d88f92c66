#include "base/error.h"
#include "io/dataset.h"
#include "io/dataset_parts.h"

#include <math.h>
#include <stdio.h>

ddaebm_status dd_rows_check_finite(const dd_rows *rows, bool missing) {
    for (size_t i = 0; i < rows->count * rows->width; i++) {
        double number = dd_rows_at(rows, i);
        if (isfinite(number) || (missing && isnan(number)))
            continue;
        return dd_fail(DDAEBM_NOT_FINITE,
                       "row %zu, column %zu (both from 1) is %s; only finite numbers are allowed%s",
                       i / rows->width + 1, i % rows->width + 1,
                       isnan(number) ? "not a number" : "infinite",
                       isnan(number) ? " (ddaebm train and impute read it as a missing value with "
                                       "--missing allow, programs with ddaebm_read_options.missing)"
                                     : "");
    }
    return DDAEBM_OK;
}

/* Returns the index of the first number outside [-most, most]; if there is none, their count. */
static size_t find_beyond(const dd_rows *rows, double most) {
    for (size_t i = 0; i < rows->count * rows->width; i++)
        if (!(fabs(dd_rows_at(rows, i)) <= most))
            return i;
    return rows->count * rows->width;
}

ddaebm_status dd_rows_check_images(const dd_rows *rows) {
    size_t at = find_beyond(rows, 1);
    if (at == rows->count * rows->width)
        return DDAEBM_OK;
    return dd_fail(
        DDAEBM_OUT_OF_RANGE,
        "row %zu, column %zu (both from 1) is %g; the numbers of images must be from -1 (black) "
        "to 1 (white): scale them, give "
        "bytes, or say which numbers are black and white (--range LOW:HIGH)",
        at / rows->width + 1, at % rows->width + 1, dd_rows_at(rows, at));
}

/* Refuses rows that a model of images is to take; the message shows what it takes. */
static ddaebm_status refuse_rows(const dd_rows *rows, size_t at, size_t side, size_t channels) {
    char shape[80] = "[N, height, width]";
    if (side > 0)
        (void)snprintf(shape, sizeof shape, channels > 1 ? "[N, %zu, %zu, %zu]" : "[N, %zu, %zu]",
                       side, side, channels);
    return dd_fail(DDAEBM_OUT_OF_RANGE,
                   "row %zu, column %zu (both from 1) is %g; the model's images go from -1 (black) "
                   "to 1 (white): give the data as an "
                   "array %s of images (--layout nhwc), or bring it to that range",
                   at / rows->width + 1, at % rows->width + 1, dd_rows_at(rows, at), shape);
}

bool dd_dataset_within(const ddaebm_dataset *dataset, double most) {
    const dd_rows *rows = &dataset->rows;
    return find_beyond(rows, most) == rows->count * rows->width;
}

ddaebm_status dd_dataset_check_images(const ddaebm_dataset *dataset, double most, size_t side,
                                      size_t channels) {
    const dd_rows *rows = &dataset->rows; /* empty unless the data is in memory */
    if (dataset->shape.height > 0)
        return dd_rows_check_images(rows);
    size_t at = find_beyond(rows, most);
    return at == rows->count * rows->width ? DDAEBM_OK : refuse_rows(rows, at, side, channels);
}

bool dd_dataset_never_negative(const ddaebm_dataset *dataset) {
    enum { FIRST = 100 };
    const dd_rows *rows = &dataset->rows;
    size_t count = (rows->count < FIRST ? rows->count : FIRST) * rows->width;
    for (size_t i = 0; i < count; i++)
        if (dd_rows_at(rows, i) < 0)
            return false;
    return count > 0;
}
