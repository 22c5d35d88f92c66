#include "io/csv_count.h"

#include "io/text.h"

#include <math.h>
#include <string.h>

/* Finds the field of a column, from 0; false if the line has none. */
static bool take_field(dd_csv_field *field, const dd_csv_cursor *line, char separator,
                       size_t column) {
    const char *at = line->line;
    *field = (dd_csv_field){.column = 0};
    do {
        if (dd_csv_next_field(field, line, &at, separator) != DDAEBM_OK)
            return false;
    } while (!field->last && field->column <= column);
    return field->column == column + 1;
}

bool dd_csv_counts_up(dd_csv_cursor cursor, char separator, size_t column, double *first) {
    double last = 0;
    bool begun = false;

    do {
        dd_csv_field field;
        double number = 0;
        if (!take_field(&field, &cursor, separator, column) ||
            !dd_text_number(&number, field.text, field.length) || number != floor(number) ||
            (begun && number != last + 1))
            return false;
        if (!begun)
            *first = number;
        last = number;
        begun = true;
    } while (dd_csv_next_row(&cursor));
    return true;
}

bool dd_csv_last_is_empty(dd_csv_cursor cursor, char separator, size_t width) {
    if (width < 2 || separator == ' ')
        return false;
    do {
        dd_csv_field field;
        if (!take_field(&field, &cursor, separator, width - 1) || !field.last || field.length > 0)
            return false;
    } while (dd_csv_next_row(&cursor));
    return true;
}

bool dd_csv_is_unnamed(const char *name) {
    static const char begin[] = "Unnamed: ";
    const size_t length = sizeof begin - 1;
    return strncmp(name, begin, length) == 0 && name[length] &&
           strspn(name + length, "0123456789._level") == strlen(name + length);
}

bool dd_csv_is_index(const char *name) {
    static const char *const names[] = {
        "index",     "id",        "row",        "row_id", "rowid", "rowname", "rownames",
        "row.names", "row_names", "row_number", "idx",    "nr",    "no"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        size_t i = 0;
        while (name[i] && names[k][i] && (name[i] | 0x20) == (names[k][i] | 0x20))
            i++;
        if (!name[i] && !names[k][i])
            return true;
    }
    return false;
}
