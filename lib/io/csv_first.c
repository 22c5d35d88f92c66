#include "io/csv_first.h"

#include <math.h>

bool dd_csv_goes_on(double number, size_t before, double last, double *step) {
    if (number != floor(number) || !isfinite(number))
        return false;
    if (before == 1)
        *step = number - last;
    return before == 0 || (*step > 0 && number - last == *step);
}

static double number_at(const dd_rows *rows, size_t row, size_t column) {
    return dd_rows_at(rows, row * rows->width + column);
}

static bool row_rises(const dd_rows *rows, size_t row) {
    double step = 0;
    for (size_t j = 0; j < rows->width; j++)
        if (!dd_csv_goes_on(number_at(rows, row, j), j, j > 0 ? number_at(rows, row, j - 1) : 0,
                            &step))
            return false;
    return rows->width > 1;
}

static bool row_is_whole(const dd_rows *rows, size_t row) {
    for (size_t j = 0; j < rows->width; j++)
        if (number_at(rows, row, j) != floor(number_at(rows, row, j)))
            return false;
    return true;
}

/* Returns whether the first number of a column is far from all others: by ten times their range or,
 * if they are all equal, by ten times their size. */
static bool first_is_far(const dd_rows *rows, size_t column) {
    double first = number_at(rows, 0, column), low = number_at(rows, 1, column), high = low;
    for (size_t i = 2; i < rows->count; i++) {
        const double number = number_at(rows, i, column);
        low = number < low ? number : low;
        high = number > high ? number : high;
    }
    double away = fmax(first - high, low - first), range = high - low;
    return away > 10 * (range > 0 ? range : fabs(high));
}

static bool none_is_like_the_first(const dd_rows *rows) {
    enum { LINES = 10, COLUMNS = 8 };
    if (rows->count <= LINES)
        return false;
    for (size_t i = 1; i < rows->count; i++)
        if (row_rises(rows, i) || (rows->width < COLUMNS && row_is_whole(rows, i)))
            return false;
    return true;
}

/* Returns whether the first row is 0, 1, 2 or 1, 2, 3, the names that pandas gives to unnamed
 * columns. */
static bool row_counts(const dd_rows *rows) {
    double first = number_at(rows, 0, 0);
    return row_rises(rows, 0) && (first == 0 || first == 1) && number_at(rows, 0, 1) == first + 1;
}

/* Returns whether numbers that rise evenly are likely to be names; with two columns, any two whole
 * numbers do. */
static bool may_be_names(const dd_rows *rows) {
    const double first_year = 1500, last_year = 2199;
    return row_rises(rows, 0) &&
           (rows->width > 2 || row_counts(rows) ||
            (number_at(rows, 0, 0) >= first_year && number_at(rows, 0, 1) <= last_year));
}

dd_csv_first dd_csv_judge_first(const dd_rows *rows) {
    bool far = rows->count > 2;
    for (size_t j = 0; j < rows->width && far; j++)
        far = first_is_far(rows, j);
    if (may_be_names(rows) && (far || none_is_like_the_first(rows)))
        return DD_CSV_NAMES;
    return far ? DD_CSV_STRANGER : rows->count > 1 && row_counts(rows) ? DD_CSV_COUNT : DD_CSV_ROW;
}
